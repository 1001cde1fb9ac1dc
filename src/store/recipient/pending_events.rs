//! Events about a consent that is not known yet: a holder may change a consent while its tokens are on their way to the
//! recipient. They are stored for a while and applied when the consent is known.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::consent::Commitment;
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentEvent;
use crate::domain::ids::{EntityId, GrantId};
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::db::on_backend;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::pending_events;
use crate::store::{StoreError, Tx};

/// Maximum number of events kept from one holder: many more than there are consents on their way at a time.
pub const MOST: i64 = 1000;

/// Stores an event about an unknown consent; drops it above the limit.
///
/// # Errors
/// [`StoreError`].
pub fn keep(
    tx: &mut Tx<'_>,
    holder: &EntityId,
    event: &Event,
    change: &ConsentEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Ok(sequence) = i64::try_from(change.sequence) else { return Ok(()) };
    let waiting: i64 =
        pending_events::table.filter(pending_events::holder.eq(holder)).count().get_result(tx.db)?;
    if waiting >= MOST {
        return Ok(());
    }
    let row = (
        pending_events::holder.eq(holder),
        pending_events::grant_id.eq(&change.grant_id),
        pending_events::commitment.eq(change.commitment.as_str()),
        pending_events::sequence.eq(sequence),
        pending_events::event.eq(to_json(event, "pending_events.event")?),
        pending_events::received_at.eq(now),
    );
    on_backend!(tx.db, |c| diesel::insert_into(pending_events::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Takes the pending events of a consent, in the order of their sequence. Events that cannot be read are left out: the
/// holder's answer to the next exchange decides in any case.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn take(
    tx: &mut Tx<'_>,
    holder: &EntityId,
    grant: &GrantId,
    commitment: &Commitment,
) -> Result<Vec<Event>, StoreError> {
    let about = pending_events::holder
        .eq(holder)
        .and(pending_events::grant_id.eq(grant))
        .and(pending_events::commitment.eq(commitment.as_str()));
    let events: Vec<String> = pending_events::table
        .filter(about)
        .order(pending_events::sequence)
        .select(pending_events::event)
        .load(tx.db)?;
    diesel::delete(pending_events::table.filter(about)).execute(tx.db)?;
    let read = |event: &String| {
        from_json(event, "pending_events.event")
            .inspect_err(|error: &StoreError| tracing::error!(event = "pending_event_unreadable", %error, "a pending event cannot be read"))
            .ok()
    };
    Ok(events.iter().filter_map(read).collect())
}

/// Deletes events received before a moment. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "pending_events", key "holder, grant_id, commitment, sequence", while "received_at < $1",
        by "received_at", before, limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::consent::Reason;
    use crate::store::engine::testing::{at, on_both};

    fn change(grant: &str, sequence: u64) -> (Event, ConsentEvent) {
        let change = ConsentEvent {
            grant_id: GrantId::new(grant).unwrap(),
            at: 0,
            reason: Reason::Paused.into(),
            sequence,
            commitment: Commitment::from_text("c".to_owned()),
        };
        (Event::ConsentSuspended(change.clone()), change)
    }

    on_both!(
        async fn early_events_wait_in_order_for_its_own_consent(fixture) {
            let store = &fixture.store;
            let holder = || EntityId::new("https://espoo.example").unwrap();
            let keep = |grant: &'static str, sequence, when| {
                let (event, change) = change(grant, sequence);
                store.write("test", move |tx| keep(tx, &holder(), &event, &change, at(when)))
            };
            for (grant, sequence) in [("g", 9), ("g", 7), ("g", 7), ("h", 8)] {
                keep(grant, sequence, 5).await.unwrap();
            }
            let take = |from: &'static str, commitment: &'static str| {
                store.write("test", move |tx| {
                    let commitment = Commitment::from_text(commitment.to_owned());
                    take(tx, &EntityId::new(from).unwrap(), &GrantId::new("g").unwrap(), &commitment)
                })
            };
            assert!(take("https://turku.example", "c").await.unwrap().is_empty(), "another holder's");
            assert!(take("https://espoo.example", "d").await.unwrap().is_empty(), "another consent's");
            assert_eq!(take("https://espoo.example", "c").await.unwrap(), [change("g", 7).0, change("g", 9).0]);
            assert!(take("https://espoo.example", "c").await.unwrap().is_empty(), "once");
            assert_eq!(store.write("test", |tx| purge(tx, at(5), 100)).await, Ok(0));
            assert_eq!(store.write("test", |tx| purge(tx, at(6), 100)).await, Ok(1));
        }
    );
}
