//! Redeems a code at the holder: the tokens are stored only if what was allowed is within what was requested.

use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, HeldCause, HeldConsent, HeldStatus, Persons};
use crate::domain::exchange::Event;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{GrantId, HeldConsentId, KeyId};
use crate::node::recipient::holder_client;
use crate::node::recipient::holder_client::{AskError, GrantStatus, Granted};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::recipient::{held_consents, pending_events};
use crate::store::{StoreError, Tx};

/// Stores the tokens of a consent.
///
/// # Errors
/// [`AskError::NotTrusted`] when more was granted than requested; [`AskError::Failed`] when the consent has ended, or
/// the store is unavailable.
pub(crate) async fn keep(node: &Node, held: HeldConsent, granted: Granted) -> Result<HeldConsent, AskError> {
    let declared = node.settings.own_use(&granted.detail.declared_use);
    if !within(&granted.detail, held.life.detail())
        || held.life.grant_id().is_some_and(|known| known != &granted.grant.grant_id)
        || !declared.is_some_and(|declared| granted.detail.is_within(declared, node.now()))
    {
        return Err(AskError::NotTrusted("granted more than asked"));
    }
    let (id, now) = (held.id, node.now());
    let kept = node.store.write("keep_granted_tokens", move |tx| {
        // Read again: an event of the holder may have arrived during the request.
        let mut held = held_consents::find(tx, id)?;
        let is_first = held.life.grant_id().is_none();
        held.life.grant(granted.grant.clone(), granted.detail.clone(), now)?;
        if is_first {
            supersede(tx, &held, &granted.grant.grant_id, now)?;
        }
        let early =
            pending_events::take(tx, &held.holder, &granted.grant.grant_id, &granted.grant.commitment)?;
        for (change, told) in early.iter().filter_map(Event::consent_change) {
            held.life.apply_event(change, &told.reason, told.sequence, now);
        }
        held_consents::save(tx, &held)?;
        Ok::<_, Problem>(held)
    });
    Ok(kept.await?)
}

/// A request that replaces another consent ends that one and takes its grant over.
fn supersede(
    tx: &mut Tx<'_>,
    held: &HeldConsent,
    grant_id: &GrantId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((_, replaced)) = held.replaces else { return Ok(()) };
    let mut old = held_consents::find(tx, replaced)?;
    if old.life.end(HeldCause::Replaced, now).is_ok() {
        held_consents::save(tx, &old)?;
    }
    if old.life.grant_id() == Some(grant_id) { held_consents::supersede(tx, &old, now) } else { Ok(()) }
}

/// Whether what was allowed narrows what was requested: the recipient's own check of the holder.
fn within(granted: &AuthorizationDetail, asked: &AuthorizationDetail) -> bool {
    granted.kind == asked.kind
        && granted.locations == asked.locations
        && granted.identifier == asked.identifier
        && granted.declared_use == asked.declared_use
        && granted.purpose == asked.purpose
        && granted.datatypes.iter().all(|field| asked.datatypes.contains(field))
        && Persons::narrows(granted.persons.as_ref(), asked.persons.as_ref())
        && granted.frequency.is_within(&asked.frequency)
        && granted.retention.is_within(&asked.retention)
        && granted.until <= asked.until
        && match (asked.period, granted.period) {
            (Some(asked), Some(granted)) => granted.is_within(&asked),
            (Some(_), None) => false,
            (None, _) => true,
        }
}

/// Redeems the pre-authorised code of a consent that a resident gave in the holder's portal.
///
/// # Errors
/// [`Problem`] when the holder is not available; a holder's refusal ends the consent and is no error.
pub(crate) async fn redeem_pre_authorized(
    node: &Node,
    id: HeldConsentId,
    code: &str,
    dpop_kid: Option<&KeyId>,
) -> Result<(), Problem> {
    let held = node.store.read("find_held_consent", move |store| held_consents::find(store, id)).await?;
    if held.status() != HeldStatus::Given {
        return Ok(());
    }
    let holder = node.peers.resolve(&held.holder).await?;
    let grant = [("grant_type", crate::domain::token::PRE_AUTHORIZED), ("pre-authorized_code", code)];
    match holder_client::token(node, &holder, dpop_kid, &grant).await {
        Ok(granted) => match keep(node, held, granted).await {
            Err(AskError::NotTrusted(why)) => Err(note_untrusted(node, id, why).await?),
            kept => Ok(kept.map(|_| ())?),
        },
        Err(AskError::NotTrusted(why)) => Err(note_untrusted(node, id, why).await?),
        Err(AskError::Refused(code)) if code == "invalid_grant" => {
            // A suspended consent is redeemed when it is resumed: the outbox retries.
            if is_suspended_at_holder(node, &holder, &held).await? {
                return Err(Problem::new(ProblemKind::ConsentSuspended));
            }
            end(node, id, HeldCause::RefusedByHolder).await
        }
        Err(AskError::Refused(code)) => Err(Problem::because(ProblemKind::HolderRefused, code)),
        Err(AskError::Failed(problem)) => Err(problem),
    }
}

/// Records that the holder issued something that does not verify: at the consent, where its service reads it, and in
/// the log, as the holder's fault.
async fn note_untrusted(node: &Node, id: HeldConsentId, why: &'static str) -> Result<Problem, Problem> {
    let now = node.now();
    node.store
        .write("note_untrusted_holder_answer", move |tx| {
            let mut held = held_consents::find(tx, id)?;
            tracing::error!(
                event = "holder_answer_not_trusted", holder = %held.holder, consent = %id, why,
                "a holder issued tokens that do not hold: its operator has to correct that"
            );
            let cause = HeldCause::HolderAnswerNotTrusted;
            // A code from the browser is used up: the service must request again. An event's code can be redeemed
            // again.
            let noted = match held.status() {
                HeldStatus::Requested => held.life.fail(cause, now),
                HeldStatus::Given => held.life.note_attempt(Some(cause), now),
                _ => return Ok(()),
            };
            if noted.is_ok() { held_consents::save(tx, &held) } else { Ok::<_, StoreError>(()) }
        })
        .await?;
    Ok(Problem::because(ProblemKind::AnswerNotTrusted, why))
}

/// Redeems an authorization code; a response that does not verify ends the request as failed, and is no error.
///
/// # Errors
/// [`Problem`] when the holder refuses the code or is not available.
pub(crate) async fn redeem_code(
    node: &Node,
    held: HeldConsent,
    dpop_kid: Option<&KeyId>,
    grant: &[(&str, &str)],
) -> Result<HeldConsent, Problem> {
    let id = held.id;
    let holder = node.peers.resolve(&held.holder).await?;
    let kept = match holder_client::token(node, &holder, dpop_kid, grant).await {
        Ok(granted) => keep(node, held, granted).await,
        Err(error) => Err(error),
    };
    match kept {
        Err(AskError::NotTrusted(why)) => {
            note_untrusted(node, id, why).await?;
            Ok(node.store.read("find_held_consent", move |store| held_consents::find(store, id)).await?)
        }
        kept => Ok(kept?),
    }
}

/// Refreshes the token of a consent that is valid longer than one token.
pub(crate) async fn refresh(node: &Node, held: HeldConsent) -> Result<HeldConsent, Problem> {
    let refresh_token = held
        .life
        .grant_held()
        .and_then(|grant| grant.tokens.refresh_token.clone())
        .ok_or(Problem::new(ProblemKind::ConsentNotInForce))?;
    let holder = node.peers.resolve(&held.holder).await?;
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    match holder_client::token(node, &holder, None, &grant).await {
        Ok(mut granted) => {
            granted.grant.tokens.refresh_token.get_or_insert(refresh_token);
            Ok(keep(node, held, granted).await?)
        }
        Err(AskError::Refused(code)) if code == "invalid_grant" => {
            Err(refused(node, &holder, held, Refused::Grant).await?)
        }
        Err(AskError::Refused(code)) => Err(Problem::because(ProblemKind::PeerUnavailable, code)),
        Err(error) => Err(error.into()),
    }
}

/// The token that a holder refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The access token, at an exchange.
    Token,
    /// The refresh token: no new access token is possible.
    Grant,
}

/// The holder refuses the token: the consent is suspended or has ended. Returns the service's error.
pub(crate) async fn refused(
    node: &Node,
    holder: &TrustedPeer,
    held: HeldConsent,
    what: Refused,
) -> Result<Problem, Problem> {
    let status = grant_status_of(node, holder, &held).await?;
    if status == Some(GrantStatus::Suspended) {
        let (id, now) = (held.id, node.now());
        node.store
            .write("record_refused_redemption", move |tx| {
                let mut held = held_consents::find(tx, id)?;
                if held.life.suspend(now).is_ok() {
                    held_consents::save(tx, &held)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        return Ok(Problem::new(ProblemKind::ConsentSuspended));
    }
    // A holder may refuse the token of an active consent for a while, as when it could not verify this node's
    // membership. The resident's consent does not end by that.
    if what == Refused::Grant || status != Some(GrantStatus::Active) {
        end(node, held.id, HeldCause::RefusedByHolder).await?;
    }
    Ok(Problem::because(ProblemKind::HolderRefused, "token refused"))
}

async fn is_suspended_at_holder(
    node: &Node,
    holder: &TrustedPeer,
    held: &HeldConsent,
) -> Result<bool, Problem> {
    Ok(grant_status_of(node, holder, held).await? == Some(GrantStatus::Suspended))
}

/// The state of the consent at its holder; `None` when it has no grant yet, or the holder has no endpoint for that.
async fn grant_status_of(
    node: &Node,
    holder: &TrustedPeer,
    held: &HeldConsent,
) -> Result<Option<GrantStatus>, Problem> {
    match held.life.grant_id() {
        None => Ok(None),
        Some(grant) => holder_client::grant_status(node, holder, grant).await,
    }
}

/// Ends a consent at the recipient and deletes its tokens. An ended one stays unchanged.
pub(crate) async fn end(node: &Node, id: HeldConsentId, cause: HeldCause) -> Result<(), Problem> {
    let now = node.now();
    node.store
        .write("end_held_consent", move |tx| {
            let mut held = held_consents::find(tx, id)?;
            if held.life.end(cause, now).is_ok() {
                held_consents::save(tx, &held)
            } else {
                Ok::<_, StoreError>(())
            }
        })
        .await?;
    Ok(())
}
