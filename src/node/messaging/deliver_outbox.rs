//! Delivers the outbox: events are signed and pushed, codes redeemed, each until it succeeds or its time is over. Any
//! process of the node may do it; a lease keeps two from doing the same.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::domain::clock::Timestamp;
use crate::domain::exchange::Event;
use crate::domain::exchange::reconciliation::RestoredRole;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::Jti;
use crate::node::messaging::outbox_message::{DecodeError, OutboxTask, Redemption};
use crate::node::recipient::{holder_client, redeem_code};
use crate::node::{KeyPurpose, Node, Problem, ProblemKind};
use crate::ports::{OutboundBody, OutboundRequest, StopSignal};
use crate::store::messaging::outbox;
use crate::store::messaging::outbox::Leased;
use crate::store::{StoreError, Tx};

/// Lease of an item, in seconds. After a crash another process delivers it when the lease is over: a recipient is
/// notified of a withdrawal within half a minute.
const LEASE_SECS: i64 = 20;

/// Time limit of one attempt: shorter than the lease.
const ATTEMPT_TIME: Duration = Duration::from_secs(18);

/// Maximum number of items that one process delivers at a time; each destination has its share.
const AT_A_TIME: usize = 32;

/// Longest delay between two attempts, in seconds.
const LONGEST_WAIT_SECS: i64 = 15;

/// Age at which delivery is given up, in seconds.
const GIVE_UP_SECS: i64 = 14 * 86_400;

/// Age at which an item of an unknown kind is given up, in seconds: during a rolling update another process may know
/// it.
const UNKNOWN_SECS: i64 = 86_400;

/// Delivers the due items once. Returns how many were tried.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub async fn deliver_outbox(node: &Node, owner: &str) -> Result<usize, Problem> {
    let items = lease(node, owner, AT_A_TIME).await?;
    let tried = items.len();
    let mut under_way: FuturesUnordered<_> =
        items.into_iter().map(|item| deliver(node, owner, item)).collect();
    while let Some(done) = under_way.next().await {
        done?;
    }
    Ok(tried)
}

/// Background task that delivers when notified and every second. A slow destination delays only its own items. At the
/// stop, deliveries in progress are finished; other items stay stored.
pub(crate) async fn run(node: &Node, owner: &str, stop: &StopSignal) {
    let mut under_way = FuturesUnordered::new();
    while !stop.is_stopping() || !under_way.is_empty() {
        let room = AT_A_TIME.saturating_sub(under_way.len());
        if room > 0 && !stop.is_stopping() {
            match beside(&mut under_way, lease(node, owner, room)).await {
                Ok(items) => under_way.extend(items.into_iter().map(|item| deliver(node, owner, item))),
                Err(problem) => {
                    tracing::warn!(event = "outbox_unavailable", ?problem, "the outbox could not be read")
                }
            }
        }
        tokio::select! {
            Some(done) = under_way.next() => note(done),
            () = node.outbox_bell.notified() => {}
            () = stop.stopped(), if !stop.is_stopping() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Runs a future while the deliveries in progress go on, so that a request that others wait for is still polled.
async fn beside<T, D>(under_way: &mut FuturesUnordered<D>, work: impl Future<Output = T>) -> T
where
    D: Future<Output = Result<(), Problem>>,
{
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            Some(done) = under_way.next() => note(done),
        }
    }
}

fn note(done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(event = "outbox_not_updated", ?problem, "a delivery could not be recorded");
    }
}

async fn lease(node: &Node, owner: &str, room: usize) -> Result<Vec<Leased>, Problem> {
    let (now, name) = (node.store.shared_time(node.now()).await?, owner.to_owned());
    let limit = u32::try_from(room).unwrap_or(1);
    Ok(node
        .store
        .write("lease_outbox", move |tx| outbox::lease(tx, &name, now, now.plus_secs(LEASE_SECS), limit))
        .await?)
}

async fn deliver(node: &Node, owner: &str, item: Leased) -> Result<(), Problem> {
    let outcome = tokio::time::timeout(ATTEMPT_TIME, attempt(node, &item)).await.unwrap_or_else(|_| {
        Err(Failed::Silent(Problem::because(ProblemKind::PeerUnavailable, "the attempt took too long")))
    });
    let now = node.store.shared_time(node.now()).await?;
    let owner = owner.to_owned();
    let written = match outcome {
        Ok(()) => {
            // In the queue of writers those that end together share a transaction.
            node.store
                .write_log("record_delivery", move |tx| {
                    outbox::destination_answered(tx, &item.destination)?;
                    outbox::delivered(tx, item.id, &owner, now)
                })
                .await
        }
        Err(failed) => {
            tracing::info!(
                event = "delivery_failed", destination = %item.destination, kind = item.kind, ?failed,
                "a delivery failed and is tried again"
            );
            node.store
                .write("record_failed_delivery", move |tx| put_off(tx, &item, &owner, &failed, now))
                .await
        }
    };
    match written {
        // The lease was over and another process has the item.
        Err(StoreError::NotFound) => Ok(()),
        other => Ok(other?),
    }
}

/// Why an attempt failed.
#[derive(Debug)]
enum Failed {
    /// The destination did not answer, or the request cannot be made now.
    Silent(Problem),
    Refused(Problem),
    /// The item cannot be read.
    Unreadable,
    /// The kind of item is unknown.
    Unknown,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        if problem.kind == ProblemKind::BadRequest { Self::Refused(problem) } else { Self::Silent(problem) }
    }
}

/// Schedules the next attempt, or gives the item up with an error in the log, because the destination was not notified.
fn put_off(
    tx: &mut Tx<'_>,
    item: &Leased,
    owner: &str,
    failed: &Failed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (word, patience) = match failed {
        Failed::Silent(problem) => (problem.kind.slug(), GIVE_UP_SECS),
        // A newer version of the destination may understand it later.
        Failed::Refused(problem) => (problem.kind.slug(), UNKNOWN_SECS),
        Failed::Unreadable => (outbox::UNREADABLE, 0),
        Failed::Unknown => ("unknown", UNKNOWN_SECS),
    };
    match failed {
        Failed::Silent(problem)
            if matches!(problem.kind, ProblemKind::PeerUnavailable | ProblemKind::Unavailable) =>
        {
            outbox::destination_silent(tx, &item.destination, now, LONGEST_WAIT_SECS)?;
        }
        Failed::Refused(_) => outbox::destination_answered(tx, &item.destination)?,
        // It answered, or was not asked: a failure of this item says nothing about the next.
        Failed::Silent(_) | Failed::Unreadable | Failed::Unknown => {}
    }
    if now >= item.created_at.plus_secs(patience) {
        tracing::error!(
            event = "delivery_given_up", item = %item.id, destination = %item.destination, kind = item.kind,
            word, "a delivery is given up: the other city was not told"
        );
        return outbox::give_up(tx, item.id, owner, now, word);
    }
    let wait = outbox::back_off_secs(i64::from(item.attempt), LONGEST_WAIT_SECS);
    outbox::failed(tx, item.id, owner, now.plus_secs(wait), word)
}

async fn attempt(node: &Node, item: &Leased) -> Result<(), Failed> {
    match OutboxTask::of(item) {
        Ok(OutboxTask::Event(event)) => Ok(push(node, item, &event).await?),
        Ok(OutboxTask::Redeem(Redemption { held, code, dpop_kid })) => {
            Ok(redeem_code::redeem_pre_authorized(node, held, &code, dpop_kid.as_ref()).await?)
        }
        Ok(OutboxTask::GiveBack(given)) => {
            let holder = node.peers.resolve(&item.destination).await.map_err(Problem::from)?;
            Ok(holder_client::give_grant_back(node, &holder, &given.grant_id, given.commitment.as_ref())
                .await?)
        }
        Err(DecodeError::Unreadable) => Err(Failed::Unreadable),
        Err(DecodeError::Unknown) => Err(Failed::Unknown),
    }
}

async fn push(node: &Node, item: &Leased, event: &Event) -> Result<(), Problem> {
    let peer = node.peers.resolve(&item.destination).await?;
    let url = events_endpoint(&peer, event)
        .ok_or(Problem::because(ProblemKind::PeerNotTrusted, "no events endpoint"))?;
    let now: Timestamp = node.now();
    // The same identifier at every attempt, so that the receiver can detect the repetition.
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

/// Whether an event was refused for its content (RFC 8935 §2.4). Keys and membership may be corrected.
fn is_final(body: &[u8]) -> bool {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    answer.get("err").is_some_and(|err| err == "invalid_request" || err == "invalid_audience")
}

/// Events about exchanges go to the holder, all others to the recipient.
fn events_endpoint<'a>(peer: &'a TrustedPeer, event: &Event) -> Option<&'a url::Url> {
    match event {
        Event::ExchangeAcknowledged(_)
        | Event::ExchangeRejected(_)
        | Event::DataDeleted(_)
        | Event::ReconciliationAnswered(_) => peer.resource_events_endpoint(),
        Event::ReconciliationRequested(asked) => match asked.role {
            RestoredRole::Recipient => peer.resource_events_endpoint(),
            RestoredRole::Holder => peer.client_events_endpoint(),
        },
        Event::ConsentGiven(_)
        | Event::ConsentChanged(_)
        | Event::ConsentSuspended(_)
        | Event::ConsentResumed(_)
        | Event::ConsentRevoked(_)
        | Event::ConsentExpired(_) => peer.client_events_endpoint(),
    }
}
