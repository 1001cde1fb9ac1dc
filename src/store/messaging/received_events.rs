//! Events received from other nodes: each takes effect once, however often it is delivered (RFC 8935 §2).

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, Jti};
use crate::store::engine::db::on_backend;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::received_events;
use crate::store::{StoreError, Tx};

/// Records an event in the transaction that acts on it. `false` when it was received before: nothing is to be done, and
/// the sender gets a success response.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn first_time(
    tx: &mut Tx<'_>,
    issuer: &EntityId,
    jti: &Jti,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = (
        received_events::issuer.eq(issuer),
        received_events::jti.eq(jti),
        received_events::received_at.eq(now),
    );
    let inserted = on_backend!(tx.db, |c| diesel::insert_into(received_events::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}

/// Deletes events received before a moment, which must be earlier than any event is accepted. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "received_events", key "issuer, jti", while "received_at < $1", by "received_at", before, limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    on_both!(
        async fn an_event_takes_effect_once(fixture) {
            let receive = |issuer: &'static str| {
                fixture.store.write("test", move |tx| {
                    first_time(tx, &EntityId::new(issuer).unwrap(), &Jti::new("j").unwrap(), at(0))
                })
            };
            assert_eq!(receive("https://a.example").await, Ok(true));
            assert_eq!(receive("https://a.example").await, Ok(false));
            assert_eq!(receive("https://b.example").await, Ok(true));
            assert_eq!(fixture.store.write("test", |tx| purge(tx, at(0), 100)).await, Ok(0));
            assert_eq!(fixture.store.write("test", |tx| purge(tx, at(1), 100)).await, Ok(2));
        }
    );
}
