//! Suspension and resumption of a consent: by the resident at will, by the node while its declared use does not cover
//! it. From the commit on, no process releases data under a suspended consent.

use super::record_change::{apply_transition, change_own};
use crate::domain::consent::{Actor, Consent, ConsentState, Reason, ShownUse};
use crate::domain::federation::TrustError;
use crate::domain::ids::ConsentId;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem};
use crate::store::holder::{consent_requests, consents};
use crate::store::{Reader, StoreError};

/// Suspends a permission on the resident's behalf. `true` when it was active before; idempotent.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn pause(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    let acting = Acting::for_self(resident);
    change_own(node, acting, id, |consent, now| consent.suspend(Actor::Resident, Reason::Paused, now)).await
}

/// The result of resuming a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// It is in force.
    Yes,
    /// The recipient no longer declares a use that covers it: it stays suspended.
    UseDoesNotFit,
    /// It was not suspended.
    WasNotSuspended,
}

/// Resumes a suspended permission on the resident's behalf, if its declared use still covers it.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's, or the declared use is not available now.
pub(crate) async fn resume(node: &Node, resident: &Resident, id: ConsentId) -> Result<Resumed, Problem> {
    let acting = Acting::for_self(resident);
    let (consent, shown) =
        node.store.read("find_suspended_consent", move |store| find_with_use(store, id)).await?;
    acting.demand(consent.person)?;
    if consent.state != ConsentState::Suspended {
        return Ok(Resumed::WasNotSuspended);
    }
    if use_trouble(node, &consent, &shown).await?.is_some() {
        return Ok(Resumed::UseDoesNotFit);
    }
    let changed =
        change_own(node, acting, id, |consent, now| consent.resume(Actor::Resident, Reason::Continued, now));
    Ok(if changed.await? { Resumed::Yes } else { Resumed::WasNotSuspended })
}

/// Suspends a consent whose declared use was withdrawn or no longer covers it, and resumes it when the use covers it
/// again. Returns the change.
///
/// # Errors
/// [`Problem`]: the declared use or the store is not available; nothing is changed then.
pub(crate) async fn follow_use(node: &Node, id: ConsentId) -> Result<Option<Reason>, Problem> {
    let (consent, shown) = node.store.read("find_consent", move |store| find_with_use(store, id)).await?;
    let trouble = use_trouble(node, &consent, &shown).await?;
    let due = match (consent.state, trouble) {
        (ConsentState::Active, Some(reason)) => reason,
        (ConsentState::Suspended, None) if consent.reason.holds_back() => Reason::UseFits,
        _ => return Ok(None),
    };
    let now = node.now();
    let changed = node
        .store
        .write_log("suspend_consent_of_use", move |tx| {
            let consent = consents::lock(tx, id)?;
            match due {
                // If the resident has suspended it meanwhile, the node does not resume it.
                Reason::UseFits if !consent.reason.holds_back() => Ok(false),
                Reason::UseFits => apply_transition(tx, consent, |it| it.resume(Actor::Node, due, now)),
                _ => apply_transition(tx, consent, |it| it.suspend(Actor::Node, due, now)),
            }
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(changed.then_some(due))
}

/// Why the declared use does not cover a consent as shown to the resident; `None` when it does.
///
/// # Errors
/// [`Problem`] when the use is not available now.
async fn use_trouble(node: &Node, consent: &Consent, shown: &ShownUse) -> Result<Option<Reason>, Problem> {
    let terms = &consent.terms;
    match node.member_documents.declared_use(&terms.declared_use).await {
        Ok(published) => Ok(shown.change_in(&published, terms, &terms.fields).map(|change| {
            tracing::info!(
                event = "declared_use_changed", consent = %consent.id, declared_use = %terms.declared_use, %change,
                "a declared use no longer covers what a resident was shown"
            );
            Reason::UseChanged
        })),
        Err(TrustError::NotTrusted(fault)) if fault.is_of_declared_use() => Ok(Some(Reason::UseWithdrawn)),
        Err(TrustError::NotTrusted(_)) => Ok(Some(Reason::RecipientNotTrusted)),
        Err(error @ TrustError::Unavailable(_)) => Err(error.into()),
    }
}

/// A consent with its declared use as shown.
fn find_with_use(store: &mut Reader<'_>, id: ConsentId) -> Result<(Consent, ShownUse), StoreError> {
    let consent = consents::find(store, id)?;
    let shown = ShownUse::new(consent_requests::of_consent(store, id)?, &consent);
    Ok((consent, shown))
}
