//! Holding a consent back and letting it go on: by the resident at will, by the node while the declared use that it
//! rests on does not cover it. Nothing is fetched under a suspended consent, at any process, from the commit on.

use super::record_change::{change_own, record_change};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, Consent, ConsentState, Reason};
use crate::domain::federation::TrustError;
use crate::domain::ids::{ConsentId, PersonId};
use crate::domain::login::Resident;
use crate::node::{Node, Problem};
use crate::store::holder::consents;
use crate::store::{Reader, StoreError, Tx};

/// The resident pauses a permission. Says whether it was in force until now: pausing it twice is no error.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn pause(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    change_own(node, resident, id, |tx, consent, now| {
        apply_suspend(tx, consent, Actor::Resident, Reason::Paused, now)
    })
    .await
}

/// What came of letting a permission go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It is in force.
    Yes,
    /// The service no longer declares a use that covers it: it stays held back.
    UseDoesNotFit,
    /// It was not held back.
    WasNotSuspended,
}

/// The resident lets a paused permission go on, if the declared use that it rests on still covers it.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike; or the declared use cannot be had now.
pub async fn resume(node: &Node, resident: &Resident, id: ConsentId) -> Result<Resumed, Problem> {
    let person = resident.person;
    let consent = node.store.read("find_suspended_consent", move |store| find_own(store, id, person)).await?;
    if consent.state != ConsentState::Suspended {
        return Ok(Resumed::WasNotSuspended);
    }
    if use_trouble(node, &consent).await?.is_some() {
        return Ok(Resumed::UseDoesNotFit);
    }
    let changed = change_own(node, resident, id, |tx, consent, now| {
        apply_resume(tx, consent, Actor::Resident, Reason::Continued, now)
    })
    .await?;
    Ok(if changed { Resumed::Yes } else { Resumed::WasNotSuspended })
}

/// Brings one consent in line with the declared use that it rests on: suspends it where the use was changed beyond what
/// it covers or withdrawn, and lets it go on where the use covers it again. Says what was changed.
///
/// # Errors
/// [`Problem`]: the declared use cannot be had now, or the store is away; nothing is changed then.
pub async fn follow_use(node: &Node, id: ConsentId) -> Result<Option<Reason>, Problem> {
    let consent = node.store.read("find_consent", move |store| consents::find(store, id)).await?;
    let trouble = use_trouble(node, &consent).await?;
    let due = match (consent.state, trouble) {
        (ConsentState::Active, Some(reason)) => reason,
        (ConsentState::Suspended, None) if consent.reason.is_of_use() => Reason::UseFits,
        _ => return Ok(None),
    };
    let now = node.now();
    let changed = node
        .store
        .write_log("suspend_consent_of_use", move |tx| {
            let consent = consents::lock(tx, id)?;
            match due {
                // The resident may have paused it meanwhile: that is not for the node to undo.
                Reason::UseFits if !consent.reason.is_of_use() => Ok(false),
                Reason::UseFits => apply_resume(tx, consent, Actor::Node, due, now),
                _ => apply_suspend(tx, consent, Actor::Node, due, now),
            }
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(changed.then_some(due))
}

/// Why the declared use does not cover a consent, where it does not.
///
/// # Errors
/// [`Problem`] when the use cannot be had now.
async fn use_trouble(node: &Node, consent: &Consent) -> Result<Option<Reason>, Problem> {
    let terms = &consent.terms;
    match node.peers.declared_use(&terms.declared_use).await {
        Ok(declared) if terms.is_covered_by(&declared, &terms.fields) => Ok(None),
        Ok(_) => Ok(Some(Reason::UseChanged)),
        Err(TrustError::NotTrusted(_)) => Ok(Some(Reason::UseWithdrawn)),
        Err(error @ TrustError::Unavailable(_)) => Err(error.into()),
    }
}

/// Suspends a consent that is active. Says whether it was.
fn apply_suspend(
    tx: &mut Tx<'_>,
    mut consent: Consent,
    actor: Actor,
    reason: Reason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Ok(transition) = consent.suspend(actor, reason, now) else { return Ok(false) };
    record_change(tx, &consent, &transition)?;
    Ok(true)
}

/// Lets a consent go on that is suspended. Says whether it was.
fn apply_resume(
    tx: &mut Tx<'_>,
    mut consent: Consent,
    actor: Actor,
    reason: Reason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Ok(transition) = consent.resume(actor, reason, now) else { return Ok(false) };
    record_change(tx, &consent, &transition)?;
    Ok(true)
}

fn find_own(store: &mut Reader<'_>, id: ConsentId, person: PersonId) -> Result<Consent, StoreError> {
    let consent = consents::find(store, id)?;
    if consent.person == person { Ok(consent) } else { Err(StoreError::NotFound) }
}
