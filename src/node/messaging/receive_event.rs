//! Receives events from other nodes: verified with the sender's own keys, applied once.

use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::consent::terms::DETAIL_TYPE;
use crate::domain::consent::{AuthorizationDetail, Frequency, HeldConsent, HeldLife, Origin};
use crate::domain::exchange::event::{ConsentGiven, ExchangeAcknowledged, ExchangeRejected, RejectionReason};
use crate::domain::exchange::receipt::digest;
use crate::domain::exchange::reconciliation::RestoredRole;
use crate::domain::exchange::{Event, EventClaims};
use crate::domain::federation::TrustError;
use crate::domain::ids::{EntityId, ExchangeId, FieldPath, HeldConsentId, KeyId};
use crate::domain::jose::{JoseError, PublicKeys};
use crate::node::federation::resolve_signing_peer;
use crate::node::holder::permissions::record_deletion::{DeletionNotice, record_deletion};
use crate::node::messaging::outbox_message::Redemption;
use crate::node::messaging::{outbox_message, reconciliation};
use crate::node::quota::{QuotaError, demand_room};
use crate::node::{KeyPurpose, Node};
use crate::ports::random;
use crate::store::holder::exchanges;
use crate::store::messaging::received_events;
use crate::store::recipient::{held_consents, pending_events};
use crate::store::{StoreError, Tx};

/// Why an event is refused (RFC 8935 §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventError {
    /// `invalid_request`: not a Security Event Token of a known kind.
    InvalidRequest,
    /// `invalid_key`: not signed with a key of the sender's.
    InvalidKey,
    /// `invalid_issuer`: the sender is not a trusted member.
    InvalidIssuer,
    /// `invalid_audience`: for another node.
    InvalidAudience,
    /// 503: cannot be decided or stored now; the sender should retry.
    Unavailable,
}

/// Receives one event. A repeated event is accepted without effect.
///
/// # Errors
/// [`EventError`].
pub(crate) async fn receive_event(node: &Node, text: &str) -> Result<(), EventError> {
    let now = node.now();
    let Authentic { sender, claims, event } = authenticate(node, text, now).await?;
    let given = match &event {
        Event::ConsentGiven(given) => Some(new_held(node, &sender, given, now)?),
        _ => None,
    };
    let (text, most_given) = (text.to_owned(), node.settings.limits.quotas.given_per_hour);
    let dpop_kid = node.keys.active(KeyPurpose::Dpop).ok().map(|key| key.kid().clone());
    node.store
        .write("receive_event", move |tx| {
            if !received_events::first_time(tx, &sender, &claims.jti, now)? {
                return Ok(());
            }
            match (&event, &given) {
                (Event::ConsentGiven(event), Some(held)) => {
                    let given = held_consents::count_given(tx, &sender, now.plus_secs(-3600))?;
                    demand_room(given, most_given, "permissions given within an hour", &sender)?;
                    keep_given(tx, event, held, dpop_kid.clone(), now)?;
                    Ok(())
                }
                (Event::ExchangeAcknowledged(event), _) => {
                    Ok(keep_acknowledgement(tx, &sender, event, &text, now)?)
                }
                (Event::ExchangeRejected(event), _) => Ok(report_rejection(tx, &sender, event)?),
                (Event::DataDeleted(event), _) => {
                    let notice = DeletionNotice { sender: &sender, event, jti: &claims.jti, text: &text };
                    Ok(record_deletion(tx, &notice, now)?)
                }
                (Event::ReconciliationRequested(asked), _) => {
                    match asked.role {
                        RestoredRole::Holder => reconciliation::answer_holder(tx, &sender, asked.epoch, now)?,
                        RestoredRole::Recipient => reconciliation::tell_again(tx, &sender, asked.epoch, now)?,
                    }
                    Ok(())
                }
                (Event::ReconciliationAnswered(answered), _) => {
                    Ok(reconciliation::compare(tx, &sender, answered, now)?)
                }
                (event, _) => Ok(apply_consent_event(tx, &sender, event, now)?),
            }
        })
        .await
        .map_err(|error| {
            if let QuotaError::Store(error) = error {
                tracing::warn!(event = "event_not_kept", %error, "a received event could not be kept");
            }
            // The sender retries, and by then the quota may have room.
            EventError::Unavailable
        })?;
    node.outbox_bell.notify_one();
    Ok(())
}

/// A verified event of a sender in a role that may send it.
struct Authentic {
    sender: EntityId,
    claims: EventClaims,
    event: Event,
}

/// Finds the sender's keys through its trust chain and verifies the event with them.
async fn authenticate(node: &Node, text: &str, now: Timestamp) -> Result<Authentic, EventError> {
    let (sender, unverified) = Event::open(text).map_err(|_| EventError::InvalidRequest)?;
    let named = unverified.kid().cloned();
    let peer = resolve_signing_peer::peer(node, &sender, named.as_ref(), |peer, kid| {
        let holder = peer.holder().ok().map(|holder| &holder.resource().receipt_keys);
        let recipient = peer.recipient().ok().map(|recipient| &recipient.client().receipt_keys);
        [holder, recipient].into_iter().flatten().any(|keys| keys.find(kid).is_some())
    })
    .await
    .map_err(|error| match error {
        TrustError::NotTrusted(_) => EventError::InvalidIssuer,
        TrustError::Unavailable(_) => EventError::Unavailable,
    })?;
    if unverified.claimed_audience() != Some(node.settings.id.as_str()) {
        return Err(EventError::InvalidAudience);
    }
    // Each role has its own keys: a holder's sign events about consents, a recipient's about exchanges.
    let holder = peer.holder().ok().map(|holder| &holder.resource().receipt_keys);
    let recipient = peer.recipient().ok().map(|recipient| &recipient.client().receipt_keys);
    if holder.is_none() && recipient.is_none() {
        return Err(EventError::InvalidIssuer);
    }
    let kid = named.ok_or(EventError::InvalidKey)?;
    let knows = |keys: Option<&PublicKeys>| keys.is_some_and(|keys| keys.find(&kid).is_some());
    let (as_holder, as_recipient) = (knows(holder), knows(recipient));
    let keys = if as_holder { holder } else { recipient };
    let (claims, event) =
        Event::verify(unverified, keys.ok_or(EventError::InvalidKey)?, &node.settings.id, now).map_err(
            |error| match error {
                JoseError::Signature | JoseError::UnknownKey | JoseError::AlgorithmMismatch => {
                    EventError::InvalidKey
                }
                // Clock differences may be corrected: the sender signs the event anew at the next attempt.
                JoseError::NotYetValid | JoseError::Expired => EventError::Unavailable,
                _ => EventError::InvalidRequest,
            },
        )?;
    let in_role = match &event {
        Event::ExchangeAcknowledged(_)
        | Event::ExchangeRejected(_)
        | Event::DataDeleted(_)
        | Event::ReconciliationAnswered(_) => as_recipient,
        Event::ReconciliationRequested(asked) => match asked.role {
            RestoredRole::Holder => as_holder,
            RestoredRole::Recipient => as_recipient,
        },
        Event::ConsentGiven(_)
        | Event::ConsentChanged(_)
        | Event::ConsentSuspended(_)
        | Event::ConsentResumed(_)
        | Event::ConsentRevoked(_)
        | Event::ConsentExpired(_) => as_holder,
    };
    if !in_role {
        return Err(EventError::InvalidIssuer);
    }
    Ok(Authentic { sender, claims, event })
}

/// A consent that a resident started, for the service whose declared use it names.
fn new_held(
    node: &Node,
    sender: &EntityId,
    given: &ConsentGiven,
    now: Timestamp,
) -> Result<HeldConsent, EventError> {
    let declared = node.settings.own_use(&given.declared_use).ok_or(EventError::InvalidRequest)?;
    let detail = AuthorizationDetail {
        kind: DETAIL_TYPE.to_owned(),
        locations: vec![sender.to_string()],
        identifier: given.dataset.clone(),
        actions: vec!["read".to_owned()],
        datatypes: given.fields.clone(),
        persons: None,
        declared_use: given.declared_use.clone(),
        purpose: declared.purpose.clone(),
        period: None,
        frequency: Frequency::declared(declared),
        retention: declared.retention.clone(),
        until: given.until,
    };
    if !detail.is_within(declared, now) {
        return Err(EventError::InvalidRequest);
    }
    Ok(HeldConsent {
        id: HeldConsentId::from_bytes(random(&*node.entropy)),
        origin: Origin::Portal,
        service: declared.service.clone(),
        holder: sender.clone(),
        case_reference: None,
        expected_person: None,
        asked: AssuranceRequirement::default(),
        return_url: None,
        replaces: None,
        created_at: now,
        life: HeldLife::given(given.grant_id.clone(), detail, now),
    })
}

fn keep_given(
    tx: &mut Tx<'_>,
    event: &ConsentGiven,
    held: &HeldConsent,
    dpop_kid: Option<KeyId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    held_consents::insert(tx, held)?;
    let redemption = Redemption { held: held.id, code: event.pre_authorized_code.clone(), dpop_kid };
    outbox_message::redemption(tx, &held.holder, &redemption, now)
}

/// A change of a consent at its holder. An event about an unknown consent is stored: its tokens may be on their way.
fn apply_consent_event(
    tx: &mut Tx<'_>,
    sender: &EntityId,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((change, told)) = event.consent_change() else { return Ok(()) };
    match held_consents::find_by_grant(tx, sender, &told.grant_id) {
        Ok(mut held) if held.life.commitment().is_none_or(|known| known == &told.commitment) => {
            if held.life.apply_event(change, &told.reason, told.sequence, now) {
                held_consents::save(tx, &held)
            } else {
                Ok(())
            }
        }
        // Of another consent of the grant, or of an unknown one.
        Ok(_) | Err(StoreError::NotFound) => pending_events::keep(tx, sender, event, told, now),
        Err(error) => Err(error),
    }
}

fn keep_acknowledgement(
    tx: &mut Tx<'_>,
    sender: &EntityId,
    event: &ExchangeAcknowledged,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Ok(exchange) = event.exchange.as_str().parse::<ExchangeId>() else { return Ok(()) };
    match exchanges::find(tx, exchange) {
        // An acknowledgement that does not match what was released proves nothing and is dropped.
        Ok(known)
            if &known.recipient == sender
                && known.body_digest == event.body_digest
                && digest(known.receipt.as_bytes()) == event.receipt_digest =>
        {
            exchanges::acknowledge(tx, exchange, sender, text, now)
        }
        Ok(_) | Err(StoreError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Tells this node's operator that a recipient refused what was released. The exchange stays counted and logged: it was
/// released.
fn report_rejection(
    tx: &mut Tx<'_>,
    sender: &EntityId,
    rejected: &ExchangeRejected,
) -> Result<(), StoreError> {
    let Ok(id) = rejected.exchange.as_str().parse::<ExchangeId>() else { return Ok(()) };
    match exchanges::find(tx, id) {
        Ok(known) if &known.recipient == sender => {
            // Words and names of fields alone: the rest of the event can be anything.
            let reason = rejected.reason.parse::<RejectionReason>().map_or("other", RejectionReason::as_str);
            let is_name = |name: &&str| name.parse::<FieldPath>().is_ok();
            let fields =
                rejected.fields.iter().map(String::as_str).filter(is_name).collect::<Vec<_>>().join(", ");
            // Another body than the one released has been changed on its way.
            let as_released = known.body_digest == rejected.body_digest;
            tracing::error!(
                event = "exchange_rejected", exchange = %id, recipient = %sender, dataset = %known.dataset, reason, fields,
                as_released,
                "a recipient refused what this node released: its register or [[datasets]] has to be corrected"
            );
            Ok(())
        }
        // A refusal of what was never released says nothing.
        Ok(_) | Err(StoreError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}
