//! What a node does by itself now and then: ends what is over, forgets what it need not know.

use std::time::Duration;

use super::record_change::record_change;
use super::revoke_consent::end;
use super::{Node, Problem};
use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{Actor, Reason};
use crate::store::{
    StoreError, authorization_codes, consent_requests, consents, held_consents, received_events, refusals,
    sessions, used_once,
};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(15);

/// How many consents one round ends at most.
const BATCH: u32 = 200;

/// How long an event's identifier and a used code are remembered, in seconds: longer than any sender retries.
const EVENTS_SECS: i64 = 30 * 86_400;

/// Keeps house for as long as the process runs.
pub async fn run(node: &Node) {
    loop {
        tokio::time::sleep(ROUND).await;
        if let Err(problem) = keep_house(node).await {
            tracing::warn!(?problem, "upkeep");
        }
    }
}

/// One round.
///
/// # Errors
/// [`Problem`] when the store is away; the next round does the rest.
pub async fn keep_house(node: &Node) -> Result<(), Problem> {
    let now = node.now();
    node.store
        .write_log(move |tx| {
            for id in consents::due_to_expire(tx, now, BATCH)? {
                let mut consent = consents::lock(tx, id)?;
                if let Ok(transition) = consent.expire(now) {
                    record_change(tx, &consent, &transition)?;
                }
            }
            // The resident said yes, and the recipient never came for it: nobody can use such a permission.
            for id in authorization_codes::unredeemed(tx, now, BATCH)? {
                let consent = consents::lock(tx, id)?;
                end(tx, consent, Actor::Node, Reason::Unredeemed, now)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    node.store
        .write(move |tx| {
            consent_requests::lapse_due(tx, now)?;
            held_consents::lapse_older(tx, now.plus_secs(-WAIT_SECS), now)?;
            sessions::delete_expired(tx, now)?;
            used_once::purge(tx, now)?;
            refusals::purge_strangers(tx, now.plus_secs(-EVENTS_SECS))?;
            authorization_codes::purge(tx, now.plus_secs(-EVENTS_SECS))?;
            received_events::purge(tx, now.plus_secs(-EVENTS_SECS)).map(|_| ())
        })
        .await?;
    Ok(())
}
