//! A code becomes tokens at the recipient: kept only when what was allowed is within what was asked.

use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, HeldCause, HeldConsent, HeldStatus};
use crate::domain::exchange::Event;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{GrantId, HeldConsentId, KeyId};
use crate::node::recipient::holder_client;
use crate::node::recipient::holder_client::{AskError, GrantStatus, Granted};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::recipient::{held_consents, pending_events};
use crate::store::{StoreError, Tx};

/// Keeps the tokens of a consent.
///
/// # Errors
/// [`AskError::NotTrusted`] when more was granted than was asked for; [`AskError::Failed`] when the consent is over meanwhile,
/// or the store is away.
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
        // Read again: the holder may have told something while it was asked.
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

/// What was asked for in the place of another consent ends that one and takes its grant over.
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

/// Whether what was allowed narrows what was asked: the recipient's own check of the holder.
fn within(granted: &AuthorizationDetail, asked: &AuthorizationDetail) -> bool {
    granted.kind == asked.kind
        && granted.locations == asked.locations
        && granted.identifier == asked.identifier
        && granted.declared_use == asked.declared_use
        && granted.purpose == asked.purpose
        && granted.datatypes.iter().all(|field| asked.datatypes.contains(field))
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
/// [`Problem`] when the holder cannot be asked now; a holder's refusal ends the consent and is no error.
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
            // A consent that is held back is redeemed when it goes on: the outbox comes again.
            if is_suspended_at_holder(node, &holder, &held).await? {
                return Err(Problem::new(ProblemKind::ConsentSuspended));
            }
            end(node, id, HeldCause::RefusedByHolder).await
        }
        Err(AskError::Refused(code)) => Err(Problem::because(ProblemKind::HolderRefused, code)),
        Err(AskError::Failed(problem)) => Err(problem),
    }
}

/// The holder issued something that does not hold: said at the consent, where its service reads it, and in the log, as the
/// holder's fault that it is.
async fn note_untrusted(node: &Node, id: HeldConsentId, why: &'static str) -> Result<Problem, Problem> {
    let now = node.now();
    node.store
        .write("note_untrusted_holder_answer", move |tx| {
            let mut held = held_consents::find(tx, id)?;
            tracing::error!(
                event = "holder_answer_not_trusted", holder = %held.holder, consent = %id, why,
                "a holder issued tokens that do not hold: its operator has to mend that"
            );
            let cause = HeldCause::HolderAnswerNotTrusted;
            // A code that came through the browser is used up: the service has to ask anew. An event's code works again.
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

/// Takes an authorization code's tokens; what does not hold ends the request as failed, and is no error.
///
/// # Errors
/// [`Problem`] when the holder refuses the code or cannot be asked now.
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

/// Gets the next consent token of a consent that outlasts one token.
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

/// What a holder refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The access token, at an exchange.
    Token,
    /// The refresh token: there is no way to another one.
    Grant,
}

/// The holder takes the token no more: the consent is held back, or over. Says what the service is told.
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
    // A holder that refuses the token of a consent in force refuses this node for a while: as a member whose membership it
    // doubted a moment ago, for one. What the resident gave does not end by that.
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

/// How the holder says that the consent stands; none when it has no name for it yet, or offers no way to ask.
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

/// Ends a consent at the recipient and forgets its tokens. One that is over already stays as it is.
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
