//! Encoding of the outbox's items: what is to be done after the transaction.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::consent::{Commitment, HeldConsent};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::{ExchangeAcknowledged, ExchangeRejected};
use crate::domain::ids::{ConsentId, EntityId, GrantId, HeldConsentId, KeyId};
use crate::domain::log::Entry;
use crate::store::messaging::outbox;
use crate::store::messaging::outbox::{Leased, NewItem};
use crate::store::{StoreError, Tx, log as log_entries};

/// Prefix of the kind of every event; the rest is the event's type.
const EVENT: &str = "urn:omadata:event:";

/// Kind of a pre-authorised code that is to be redeemed.
pub(crate) const REDEEM: &str = "redeem";

/// Kind of a grant that is to be revoked at its holder.
pub(crate) const GIVE_BACK: &str = "give-back";

pub(crate) enum OutboxTask {
    Event(Event),
    Redeem(Redemption),
    /// Give a consent back.
    GiveBack(GivenBack),
}

/// A consent that is given back.
#[derive(Serialize, Deserialize)]
pub(crate) struct GivenBack {
    pub(crate) grant_id: GrantId,
    /// The consent of the grant; `None` if its tokens never arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commitment: Option<Commitment>,
}

impl OutboxTask {
    pub(crate) fn of(item: &Leased) -> Result<Self, DecodeError> {
        match item.kind.as_str() {
            kind if kind.starts_with(EVENT) => match serde_json::from_str(&item.payload) {
                Ok(event) => Ok(Self::Event(event)),
                Err(_) if Event::is_known(kind) => Err(DecodeError::Unreadable),
                Err(_) => Err(DecodeError::Unknown),
            },
            REDEEM => serde_json::from_str(&item.payload)
                .map(Self::Redeem)
                .map_err(|_: serde_json::Error| DecodeError::Unreadable),
            GIVE_BACK => serde_json::from_str(&item.payload)
                .or_else(|_| {
                    // The format from before a grant could pass to another consent.
                    let grant = serde_json::from_str(&item.payload);
                    grant.map(|grant_id| GivenBack { grant_id, commitment: None })
                })
                .map(Self::GiveBack)
                .map_err(|_: serde_json::Error| DecodeError::Unreadable),
            _ => Err(DecodeError::Unknown),
        }
    }
}

/// Why an item cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The content does not match the kind.
    Unreadable,
    /// Unknown kind: a newer program may have written it.
    Unknown,
}

/// An event about a consent, for its recipient.
pub(crate) struct ConsentMessage<'a> {
    pub(crate) to: &'a EntityId,
    /// The consent: its events are delivered in order.
    pub(crate) consent: ConsentId,
    pub(crate) event: &'a Event,
    /// Distinguishes two events of one kind.
    pub(crate) sequence: u64,
}

/// Queues an event about a consent for its recipient.
pub(crate) fn event(tx: &mut Tx<'_>, message: &ConsentMessage<'_>, now: Timestamp) -> Result<(), StoreError> {
    let ConsentMessage { to, consent, event, sequence } = message;
    push(
        tx,
        NewItem {
            kind: event.name(),
            destination: (*to).clone(),
            subject: consent.to_string(),
            order_key: format!("consent:{consent}"),
            dedup_key: format!("{}:{consent}:{sequence}", event.name()),
            payload: write(event)?,
            next_at: now,
        },
    )
}

/// Queues this node's acknowledgement of an exchange for its holder.
pub(crate) fn acknowledgement(
    tx: &mut Tx<'_>,
    to: &EntityId,
    acknowledged: ExchangeAcknowledged,
    now: Timestamp,
) -> Result<(), StoreError> {
    let exchange = acknowledged.exchange.to_string();
    of_exchange(tx, to, exchange, &Event::ExchangeAcknowledged(acknowledged), now)
}

/// Queues this node's refusal of an exchange's response for its holder.
pub(crate) fn rejection(
    tx: &mut Tx<'_>,
    to: &EntityId,
    rejected: ExchangeRejected,
    now: Timestamp,
) -> Result<(), StoreError> {
    let exchange = rejected.exchange.to_string();
    of_exchange(tx, to, exchange, &Event::ExchangeRejected(rejected), now)
}

fn of_exchange(
    tx: &mut Tx<'_>,
    to: &EntityId,
    exchange: String,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    push(
        tx,
        NewItem {
            kind: event.name(),
            destination: to.clone(),
            order_key: format!("exchange:{exchange}"),
            dedup_key: format!("{}:{exchange}", event.name()),
            subject: exchange,
            payload: write(event)?,
            next_at: now,
        },
    )
}

/// Queues this node's deletion confirmation for the holder; covers everything fetched until a moment.
pub(crate) fn deletion(
    tx: &mut Tx<'_>,
    held: &HeldConsent,
    event: &Event,
    fetched_until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    push(
        tx,
        NewItem {
            kind: event.name(),
            destination: held.holder.clone(),
            subject: held.id.to_string(),
            order_key: format!("deletion:{}", held.id),
            dedup_key: format!("{}:{}:{}", event.name(), held.id, fetched_until.micros()),
            payload: write(event)?,
            next_at: now,
        },
    )
}

/// A pre-authorised code that is to be redeemed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Redemption {
    /// The consent at this node.
    pub(crate) held: HeldConsentId,
    pub(crate) code: String,
    /// The DPoP key to redeem it with: the same at every attempt, since the holder refuses any other.
    #[serde(default)]
    pub(crate) dpop_kid: Option<KeyId>,
}

/// Queues the redemption of a pre-authorised code at its holder.
pub(crate) fn redemption(
    tx: &mut Tx<'_>,
    holder: &EntityId,
    redemption: &Redemption,
    now: Timestamp,
) -> Result<(), StoreError> {
    let held = redemption.held;
    push(
        tx,
        NewItem {
            kind: REDEEM,
            destination: holder.clone(),
            subject: held.to_string(),
            order_key: format!("held:{held}"),
            dedup_key: format!("{REDEEM}:{held}"),
            payload: write(redemption)?,
            next_at: now,
        },
    )
}

/// Queues the revocation of a grant at its holder.
pub(crate) fn return_of_grant(tx: &mut Tx<'_>, held: &HeldConsent, now: Timestamp) -> Result<(), StoreError> {
    let Some(grant) = held.life.grant_id() else { return Ok(()) };
    push(
        tx,
        NewItem {
            kind: GIVE_BACK,
            destination: held.holder.clone(),
            subject: held.id.to_string(),
            order_key: format!("held:{}", held.id),
            dedup_key: format!("{GIVE_BACK}:{}", held.id),
            payload: write(&GivenBack {
                grant_id: grant.clone(),
                commitment: held.life.commitment().cloned(),
            })?,
            next_at: now,
        },
    )
}

/// Queues an event after the restore of a backup. `what` is the deduplication key for one peer.
pub(crate) fn reconciliation(
    tx: &mut Tx<'_>,
    to: &EntityId,
    event: &Event,
    what: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    push(
        tx,
        NewItem {
            kind: event.name(),
            destination: to.clone(),
            subject: format!("reconciliation:{to}"),
            order_key: format!("reconciliation:{to}"),
            dedup_key: format!("reconciliation:{}:{to}:{what}", event.name()),
            payload: write(event)?,
            next_at: now,
        },
    )
}

/// Position of an entry in the log.
pub(crate) struct Logged {
    pub(crate) index: u64,
    /// Its leaf hash, base64url.
    pub(crate) leaf_hash: String,
}

/// Appends an entry to the log and returns its position.
pub(crate) fn log(tx: &mut Tx<'_>, entry: &Entry, now: Timestamp) -> Result<Logged, StoreError> {
    let leaf = entry.leaf()?;
    let index = log_entries::append(tx, &leaf, now)?;
    Ok(Logged { index, leaf_hash: leaf.hash })
}

fn push(tx: &mut Tx<'_>, item: NewItem) -> Result<(), StoreError> {
    let now = item.next_at;
    outbox::push(tx, &item, now).map(|_| ())
}

fn write(value: &impl Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}
