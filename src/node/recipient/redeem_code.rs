//! A code becomes tokens at the recipient: kept only when what was allowed is within what was asked.

use crate::domain::clock::Timestamp;
use crate::domain::consent::terms::duration_days;
use crate::domain::consent::{AuthorizationDetail, HeldConsent, HeldState};
use crate::domain::exchange::Event;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{HeldConsentId, KeyId};
use crate::node::messaging::receive_event;
use crate::node::recipient::holder_client;
use crate::node::recipient::holder_client::{AskError, GrantStanding, Granted};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::recipient::{held_consents, pending_events};
use crate::store::{StoreError, Tx};

/// Keeps the tokens of a consent.
pub(crate) async fn keep(
    node: &Node,
    mut held: HeldConsent,
    granted: Granted,
) -> Result<HeldConsent, Problem> {
    let declared = node.settings.own_use(&granted.detail.declared_use);
    if !within(&granted.detail, &held.detail)
        || held.grant_id.as_ref().is_some_and(|known| known != &granted.grant_id)
        || !declared.is_some_and(|declared| granted.detail.is_within(declared, node.now()))
    {
        return Err(Problem::because(ProblemKind::AnswerNotTrusted, "granted more than asked"));
    }
    held.state = HeldState::Active;
    held.reason = None;
    held.detail = granted.detail;
    held.commitment = Some(granted.commitment);
    held.grant_id = Some(granted.grant_id);
    held.tokens = Some(granted.tokens);
    held.updated_at = node.now();
    Ok(node
        .store
        .write("keep_tokens", move |tx| {
            let mut kept = held.clone();
            let now = kept.updated_at;
            // The holder may have told something while it was asked.
            let known = held_consents::find(tx, kept.id)?;
            kept.sequence = known.sequence;
            if known.state == HeldState::Suspended {
                kept.state = known.state;
                kept.reason = known.reason;
            }
            if known.grant_id.is_none() {
                supersede(tx, &kept)?;
            }
            for event in early_news(tx, &kept)? {
                receive_event::apply(&mut kept, &event, now);
            }
            held_consents::save(tx, &kept)?;
            Ok::<_, StoreError>(kept)
        })
        .await?)
}

/// What the holder told of this consent before it was known here.
fn early_news(tx: &mut Tx<'_>, kept: &HeldConsent) -> Result<Vec<Event>, StoreError> {
    match (&kept.grant_id, &kept.commitment) {
        (Some(grant), Some(commitment)) => pending_events::take(tx, &kept.holder, grant, commitment),
        _ => Ok(Vec::new()),
    }
}

/// What was asked for in the place of another consent ends that one and takes its grant over.
fn supersede(tx: &mut Tx<'_>, kept: &HeldConsent) -> Result<(), StoreError> {
    let Some((_, replaced)) = kept.replaces else { return Ok(()) };
    let mut old = held_consents::find(tx, replaced)?;
    let same_grant = old.grant_id == kept.grant_id;
    if !old.state.is_end() {
        close(&mut old, "replaced", kept.updated_at);
        held_consents::save(tx, &old)?;
    }
    if same_grant { held_consents::release_grant_id(tx, &old) } else { Ok(()) }
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
        && duration_days(&granted.retention)
            .zip(duration_days(&asked.retention))
            .is_some_and(|(granted, asked)| granted <= asked)
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
    if held.state != HeldState::Given {
        return Ok(());
    }
    let holder = node.peers.resolve(&held.holder).await?;
    let grant = [("grant_type", crate::domain::token::PRE_AUTHORIZED), ("pre-authorized_code", code)];
    match holder_client::token(node, &holder, dpop_kid, &grant).await {
        Ok(granted) => keep(node, held, granted).await.map(|_| ()),
        Err(AskError::Refused(code)) if code == "invalid_grant" => {
            // A consent that is held back is redeemed when it goes on: the outbox comes again.
            if is_held_back(node, &holder, &held).await? {
                return Err(Problem::new(ProblemKind::ConsentSuspended));
            }
            end(node, held, "refused_by_holder").await.map(|_| ())
        }
        Err(AskError::Refused(code)) => Err(Problem::because(ProblemKind::HolderRefused, code)),
        Err(AskError::Failed(problem)) => Err(problem),
    }
}

/// Gets the next consent token of a consent that outlasts one token.
pub(crate) async fn refresh(node: &Node, held: HeldConsent) -> Result<HeldConsent, Problem> {
    let refresh_token = held
        .tokens
        .as_ref()
        .and_then(|tokens| tokens.refresh_token.clone())
        .ok_or(Problem::new(ProblemKind::ConsentNotInForce))?;
    let holder = node.peers.resolve(&held.holder).await?;
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    match holder_client::token(node, &holder, None, &grant).await {
        Ok(mut granted) => {
            granted.tokens.refresh_token.get_or_insert(refresh_token);
            keep(node, held, granted).await
        }
        Err(AskError::Refused(code)) if code == "invalid_grant" => {
            Err(refused(node, &holder, held, Refused::Grant).await?)
        }
        Err(AskError::Refused(code)) => Err(Problem::because(ProblemKind::PeerUnavailable, code)),
        Err(AskError::Failed(problem)) => Err(problem),
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
    let standing = standing(node, holder, &held).await?;
    if standing == Some(GrantStanding::Suspended) {
        let (id, now) = (held.id, node.now());
        node.store
            .write("record_refused_redemption", move |tx| {
                let mut held = held_consents::find(tx, id)?;
                if held.state == HeldState::Active {
                    held.state = HeldState::Suspended;
                    held.updated_at = now;
                    held_consents::save(tx, &held)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        return Ok(Problem::new(ProblemKind::ConsentSuspended));
    }
    // A holder that refuses the token of a consent in force refuses this node for a while: as a member whose standing it
    // doubted a moment ago, for one. What the resident gave does not end by that.
    if what == Refused::Grant || standing != Some(GrantStanding::Active) {
        end(node, held, "refused_by_holder").await?;
    }
    Ok(Problem::because(ProblemKind::HolderRefused, "token refused"))
}

async fn is_held_back(node: &Node, holder: &TrustedPeer, held: &HeldConsent) -> Result<bool, Problem> {
    Ok(standing(node, holder, held).await? == Some(GrantStanding::Suspended))
}

/// How the holder says that the consent stands; none when it has no name for it yet, or offers no way to ask.
async fn standing(
    node: &Node,
    holder: &TrustedPeer,
    held: &HeldConsent,
) -> Result<Option<GrantStanding>, Problem> {
    match &held.grant_id {
        None => Ok(None),
        Some(grant) => holder_client::grant_standing(node, holder, grant).await,
    }
}

/// Ends a consent at the recipient and forgets its tokens.
pub(crate) async fn end(node: &Node, mut held: HeldConsent, reason: &str) -> Result<HeldConsent, Problem> {
    close(&mut held, reason, node.now());
    let kept = held.clone();
    node.store.write("end_held_consent", move |tx| held_consents::save(tx, &kept)).await?;
    Ok(held)
}

/// The change alone, for a caller that is in a transaction already.
pub(crate) fn close(held: &mut HeldConsent, reason: &str, now: Timestamp) {
    held.state = HeldState::Ended;
    held.reason = Some(reason.to_owned());
    held.tokens = None;
    held.updated_at = now;
}
