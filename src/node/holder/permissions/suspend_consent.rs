//! Suspending a consent and letting it go on: by the resident at will, by the node while the declared use that it rests on does
//! not cover it. Nothing is fetched under a suspended consent, at any process, from the commit on.

use super::record_change::{apply_transition, change_own};
use crate::domain::consent::{Actor, Consent, ConsentState, Reason, ShownUse};
use crate::domain::federation::TrustError;
use crate::domain::ids::ConsentId;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem};
use crate::store::holder::{consent_requests, consents};
use crate::store::{Reader, StoreError};

/// The resident pauses a permission. Says whether it was in force until now: pausing it twice is no error.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn pause(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    let acting = Acting::for_self(resident);
    change_own(node, acting, id, |consent, now| consent.suspend(Actor::Resident, Reason::Paused, now)).await
}

/// What came of letting a permission go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It is in force.
    Yes,
    /// The service no longer declares a use that covers it: it stays suspended.
    UseDoesNotFit,
    /// It was not suspended.
    WasNotSuspended,
}

/// The resident lets a paused permission go on, if the declared use that it rests on still covers it.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike; or the declared use cannot be had now.
pub async fn resume(node: &Node, resident: &Resident, id: ConsentId) -> Result<Resumed, Problem> {
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

/// Brings one consent in line with the declared use that it rests on: suspends it where the use was changed beyond what
/// it covers or withdrawn, and lets it go on where the use covers it again. Says what was changed.
///
/// # Errors
/// [`Problem`]: the declared use cannot be had now, or the store is away; nothing is changed then.
pub async fn follow_use(node: &Node, id: ConsentId) -> Result<Option<Reason>, Problem> {
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
                // The resident may have paused it meanwhile: that is not for the node to undo.
                Reason::UseFits if !consent.reason.holds_back() => Ok(false),
                Reason::UseFits => apply_transition(tx, consent, |it| it.resume(Actor::Node, due, now)),
                _ => apply_transition(tx, consent, |it| it.suspend(Actor::Node, due, now)),
            }
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(changed.then_some(due))
}

/// Why the declared use does not cover a consent as the resident was shown it, where it does not.
///
/// # Errors
/// [`Problem`] when the use cannot be had now.
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

/// A consent with the declared use as it was shown.
fn find_with_use(store: &mut Reader<'_>, id: ConsentId) -> Result<(Consent, ShownUse), StoreError> {
    let consent = consents::find(store, id)?;
    let shown = ShownUse::new(consent_requests::of_consent(store, id)?, &consent);
    Ok((consent, shown))
}
