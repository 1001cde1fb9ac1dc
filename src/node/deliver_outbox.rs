//! What was promised in a transaction is done after it: events are signed and pushed, codes redeemed, each until it
//! succeeds or its time is over. Any process of the node may do it; a lease keeps two from doing the same.

use std::time::Duration;

use super::promise::Work;
use super::{KeyPurpose, Node, Problem, ProblemKind, ask_holder, redeem_code};
use crate::domain::clock::Timestamp;
use crate::domain::exchange::Event;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::Jti;
use crate::ports::{OutboundBody, OutboundRequest};
use crate::store::outbox::{self, Leased};

/// How long one process keeps an item to itself, in seconds.
const LEASE_SECS: i64 = 60;

/// How many items are taken at a time.
const BATCH: u32 = 4;

/// The longest wait between two attempts, in seconds.
const LONGEST_WAIT_SECS: i64 = 30;

/// When delivery is given up, in seconds after the item was made.
const GIVE_UP_SECS: i64 = 14 * 86_400;

/// Delivers what is due. Returns how many items were tried.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn deliver_outbox(node: &Node, owner: &str) -> Result<usize, Problem> {
    let now = node.now();
    let name = owner.to_owned();
    let items =
        node.store.write(move |tx| outbox::lease(tx, &name, now, now.plus_secs(LEASE_SECS), BATCH)).await?;
    let tried = items.len();
    for item in items {
        deliver(node, owner, &item).await?;
    }
    Ok(tried)
}

/// Delivers for as long as the process runs, woken by the bell and every second.
pub async fn run(node: &Node, owner: &str) {
    loop {
        match deliver_outbox(node, owner).await {
            Ok(tried) if tried > 0 => continue,
            Ok(_) => {}
            Err(problem) => tracing::warn!(?problem, "outbox"),
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), node.outbox_bell.notified()).await;
    }
}

async fn deliver(node: &Node, owner: &str, item: &Leased) -> Result<(), Problem> {
    let outcome = attempt(node, item).await;
    let now = node.now();
    let (id, owner) = (item.id, owner.to_owned());
    let written = match outcome {
        Ok(()) => node.store.write(move |tx| outbox::delivered(tx, id, &owner, now)).await,
        Err(problem) => {
            tracing::info!(destination = %item.destination, kind = item.kind, ?problem, "delivery failed");
            let code = problem.kind.slug();
            let hopeless = problem.kind == ProblemKind::BadRequest;
            if hopeless || now >= item.created_at.plus_secs(GIVE_UP_SECS) {
                node.store.write(move |tx| outbox::give_up(tx, id, &owner, now, code)).await
            } else {
                let next = now.plus_secs(wait_secs(item.attempt));
                node.store.write(move |tx| outbox::failed(tx, id, &owner, next, code)).await
            }
        }
    };
    match written {
        // The lease was over and another process has the item.
        Err(crate::store::StoreError::NotFound) => Ok(()),
        other => Ok(other?),
    }
}

/// 1, 2, 4 … seconds, at most half a minute: a peer that is back hears of a stop soon.
fn wait_secs(attempts: u32) -> i64 {
    1_i64
        .checked_shl(attempts.saturating_sub(1).min(16))
        .map_or(LONGEST_WAIT_SECS, |secs| secs.min(LONGEST_WAIT_SECS))
}

async fn attempt(node: &Node, item: &Leased) -> Result<(), Problem> {
    match Work::of(item) {
        Some(Work::Event(event)) => push(node, item, &event).await,
        Some(Work::Redeem { held, code, dpop_kid }) => {
            redeem_code::redeem_pre_authorized(node, held, &code, dpop_kid.as_ref()).await
        }
        Some(Work::GiveBack(grant)) => {
            let holder = node.peers.resolve(&item.destination).await?;
            ask_holder::give_grant_back(node, &holder, &grant).await
        }
        None => Err(Problem::because(ProblemKind::Internal, "unknown work")),
    }
}

async fn push(node: &Node, item: &Leased, event: &Event) -> Result<(), Problem> {
    let peer = node.peers.resolve(&item.destination).await?;
    let url = events_endpoint(&peer, event)
        .ok_or(Problem::because(ProblemKind::PeerNotTrusted, "no events endpoint"))?;
    let now: Timestamp = node.now();
    // The same identifier at every attempt: whoever has taken the event knows it again.
    let jti =
        Jti::new(item.id.to_string()).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    let key = node.keys.active(KeyPurpose::Receipt)?;
    let text = event.sign(&key, &node.settings.id, &item.destination, jti, now)?;
    let request = OutboundRequest {
        url: url.clone(),
        body: OutboundBody::Bytes { content_type: "application/secevent+jwt", bytes: text.into_bytes() },
        headers: vec![("accept", "application/json".to_owned())],
        max_bytes: 16 * 1024,
    };
    let answer = node
        .outbound
        .send(request)
        .await
        .map_err(|error| Problem::because(ProblemKind::PeerUnavailable, error))?;
    match answer.status {
        200 | 202 => Ok(()),
        400 if is_final(&answer.body) => Err(Problem::because(ProblemKind::BadRequest, "refused for good")),
        other => Err(Problem::because(ProblemKind::PeerUnavailable, other)),
    }
}

/// Whether an event was refused for what it says (RFC 8935 §2.4). Keys and membership may heal.
fn is_final(body: &[u8]) -> bool {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    answer.get("err").is_some_and(|err| err == "invalid_request" || err == "invalid_audience")
}

/// Events about exchanges go to the holder, all others to the recipient.
fn events_endpoint<'a>(peer: &'a TrustedPeer, event: &Event) -> Option<&'a url::Url> {
    match event {
        Event::ExchangeAcknowledged(_) => peer.resource_events_endpoint(),
        _ => peer.client_events_endpoint(),
    }
}
