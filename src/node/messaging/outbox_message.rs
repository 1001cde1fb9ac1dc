//! Items of the outbox, as this node writes and reads them: what is to be done after the transaction that writes them.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::consent::{Commitment, HeldConsent};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ExchangeAcknowledged;
use crate::domain::ids::{ConsentId, EntityId, GrantId, HeldConsentId, KeyId};
use crate::domain::log::Entry;
use crate::store::messaging::outbox;
use crate::store::messaging::outbox::{Leased, NewItem};
use crate::store::{StoreError, Tx, log as log_entries};

/// What the word of every event begins with; the word is the event's type.
const EVENT: &str = "urn:omadata:event:";

/// Word of a pre-authorised code that is to be redeemed.
pub(crate) const REDEEM: &str = "redeem";

/// Word of a grant that is to be given back to its holder.
pub(crate) const GIVE_BACK: &str = "give-back";

/// What an item asks to be done.
pub(crate) enum OutboxTask {
    /// Push an event.
    Event(Event),
    /// Redeem a code.
    Redeem(Redemption),
    /// Give a consent back.
    GiveBack(GivenBack),
}

/// A consent that is given back.
#[derive(Serialize, Deserialize)]
pub(crate) struct GivenBack {
    /// Its grant.
    pub(crate) grant_id: GrantId,
    /// Which consent of the grant; unknown where its tokens never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commitment: Option<Commitment>,
}

impl OutboxTask {
    /// Reads an item back.
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
                    // As it was written before a grant could pass to another consent.
                    let grant = serde_json::from_str(&item.payload);
                    grant.map(|grant_id| GivenBack { grant_id, commitment: None })
                })
                .map(Self::GiveBack)
                .map_err(|_: serde_json::Error| DecodeError::Unreadable),
            _ => Err(DecodeError::Unknown),
        }
    }
}

/// Why an item asks nothing of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The item's word is known, its content is not what belongs to the word.
    Unreadable,
    /// The word is not known: a newer program may have written it.
    Unknown,
}

/// An event about a consent, for its recipient.
pub(crate) struct ConsentMessage<'a> {
    /// The recipient.
    pub(crate) to: &'a EntityId,
    /// The consent: events about one arrive in order.
    pub(crate) consent: ConsentId,
    /// The event.
    pub(crate) event: &'a Event,
    /// Tells two events of one kind apart.
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

/// Queues this node's own signature on an exchange for its holder.
pub(crate) fn acknowledgement(
    tx: &mut Tx<'_>,
    to: &EntityId,
    acknowledged: ExchangeAcknowledged,
    now: Timestamp,
) -> Result<(), StoreError> {
    let exchange = acknowledged.exchange.to_string();
    let event = Event::ExchangeAcknowledged(acknowledged);
    push(
        tx,
        NewItem {
            kind: event.name(),
            destination: to.clone(),
            order_key: format!("exchange:{exchange}"),
            dedup_key: format!("{}:{exchange}", event.name()),
            subject: exchange,
            payload: write(&event)?,
            next_at: now,
        },
    )
}

/// Queues this node's signature on the deletion of what was fetched until a moment for the holder.
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
    /// The code.
    pub(crate) code: String,
    /// The DPoP key to redeem it with: the same at every attempt, since the holder takes another for a thief's.
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

/// Queues the return of a consent to its holder.
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

/// Queues what is said because a node was restored from a backup. `what` tells it from others to the same peer: the same is
/// said once.
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

/// An entry's place in the log.
pub(crate) struct Logged {
    /// Its number.
    pub(crate) index: u64,
    /// Its leaf hash, base64url.
    pub(crate) leaf_hash: String,
}

/// Appends an entry to the log and says where it stands.
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
