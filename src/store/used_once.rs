//! Replay protection: a one-time value is used by inserting it, in the transaction that acts on it. All processes share
//! the table, and it survives a restart.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::{StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, Jti};
use crate::domain::token::VerifiedProof;
use crate::domain::word_enum::word_enum;
use crate::prepared::PreparedOnce;
use crate::store::engine::columns::word_column;
use crate::store::engine::db::{Db, on_backend};
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{used_once, used_once_horizon};

word_enum! {
    /// What kind of one-time value.
    pub(crate) enum Kind {
        /// `jti` of a DPoP proof, in the scope of its key's thumbprint (RFC 9449 §11.1).
        DpopProof = "dpop",
        /// `jti` of a client assertion, in the scope of its issuer (RFC 7523 §3).
        ClientAssertion = "client_assertion",
        /// `jti` of a request object, in the scope of its client.
        RequestObject = "request_object",
        /// A warning of an expiry, in the scope of its kind: logged once, by one process.
        ExpiryWarning = "end_warning",
    }
}

word_column!(Kind);

/// How long a value is kept past its expiry: clocks differ, and a proof may have been issued ahead of this node's.
const LEEWAY_SECS: i64 = 300;

/// Uses up a value. `expires_at` is when its message is no longer accepted anyway.
///
/// A value that may have been deleted already counts as used: however fast the clock of the deleting process was,
/// nothing is accepted twice.
///
/// # Errors
/// [`StoreError::Conflict`] when it was used before: the caller's transaction must be rolled back.
pub(crate) fn use_up(
    tx: &mut Tx<'_>,
    kind: Kind,
    scope: &str,
    jti: &Jti,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let value = OneTimeValue { scope, jti, expires_at };
    match use_up_all(tx, kind, &[value])?.as_slice() {
        [true] => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// A value to be used up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneTimeValue<'a> {
    pub(crate) scope: &'a str,
    pub(crate) jti: &'a Jti,
    /// When its message is no longer accepted anyway.
    pub(crate) expires_at: Timestamp,
}

impl<'a> OneTimeValue<'a> {
    /// The `jti` of a DPoP proof (RFC 9449 §11.1).
    pub(crate) fn of_proof(proof: &'a VerifiedProof) -> Self {
        Self { scope: proof.jkt().as_str(), jti: proof.jti(), expires_at: proof.expires_at() }
    }

    fn kept_until(&self) -> Timestamp {
        self.expires_at.plus_secs(LEEWAY_SECS)
    }
}

/// As [`use_up`], several of one kind. Returns for each whether it was not used before; of equal ones the first counts. Nothing
/// has to be rolled back for those that were.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn use_up_all(
    tx: &mut Tx<'_>,
    kind: Kind,
    values: &[OneTimeValue<'_>],
) -> Result<Vec<bool>, StoreError> {
    let forgotten: Timestamp =
        on_backend!(tx.db, |c| used_once_horizon::table.select(used_once_horizon::at).get_result(c))?;
    let connection = match &mut *tx.db {
        Db::Postgres(connection) => return insert_at_once(connection, kind, values, forgotten),
        Db::Sqlite(connection) => connection,
    };
    let insert = |value: &OneTimeValue<'_>| {
        if value.kept_until() < forgotten {
            return Ok(false);
        }
        let row = (
            used_once::kind.eq(kind),
            used_once::scope.eq(value.scope),
            used_once::jti.eq(value.jti),
            used_once::expires_at.eq(value.kept_until()),
        );
        let insert = diesel::insert_into(used_once::table).values(row).on_conflict_do_nothing();
        Ok(insert.execute(connection)? == 1)
    };
    values.iter().map(insert).collect()
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = Text)]
    scope: String,
    #[diesel(sql_type = Text)]
    jti: String,
}

fn insert_at_once(
    connection: &mut PgConnection,
    kind: Kind,
    values: &[OneTimeValue<'_>],
    forgotten: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let usable = || values.iter().filter(|value| value.kept_until() >= forgotten);
    let insert = diesel::sql_query(
        "INSERT INTO used_once (kind, scope, jti, expires_at) \
         SELECT $1, scope, jti, expires_at FROM unnest($2, $3, $4) AS new (scope, jti, expires_at) \
         ON CONFLICT DO NOTHING RETURNING scope, jti",
    )
    .bind::<Text, _>(kind)
    .bind::<Array<Text>, _>(usable().map(|value| value.scope).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(usable().map(|value| value.jti.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(usable().map(OneTimeValue::kept_until).collect::<Vec<_>>());
    let inserted: Vec<Inserted> = PreparedOnce(insert).get_results(connection)?;
    let mut inserted: BTreeSet<(String, String)> =
        inserted.into_iter().map(|row| (row.scope, row.jti)).collect();
    let first = |value: &OneTimeValue<'_>| {
        value.kept_until() >= forgotten && inserted.remove(&(value.scope.to_owned(), value.jti.to_string()))
    };
    Ok(values.iter().map(first).collect())
}

/// Uses up a DPoP proof (RFC 9449 §11.1).
///
/// # Errors
/// `replayed` when it was used before, or the store's error as the caller maps it.
pub(crate) fn consume_proof<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    proof: &VerifiedProof,
    replayed: E,
) -> Result<(), E> {
    let (scope, jti, expires_at) = (proof.jkt().as_str(), proof.jti(), proof.expires_at());
    unused(use_up(tx, Kind::DpopProof, scope, jti, expires_at), replayed)
}

/// Uses up a client assertion (RFC 7523 §3).
///
/// # Errors
/// As [`consume_proof`].
pub(crate) fn consume_assertion<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    client: &EntityId,
    jti: &Jti,
    expires_at: Timestamp,
    replayed: E,
) -> Result<(), E> {
    unused(use_up(tx, Kind::ClientAssertion, client.as_str(), jti, expires_at), replayed)
}

fn unused<E: From<StoreError>>(used: Result<(), StoreError>, replayed: E) -> Result<(), E> {
    used.map_err(|error| match error {
        StoreError::Conflict => replayed,
        other => other.into(),
    })
}

/// Deletes values whose messages are long expired, at most `limit`, and records until when. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let forgotten = delete_oldest!(
        tx, "used_once", key "kind, scope, jti", while "expires_at < $1", by "expires_at", now, limit
    )?;
    if forgotten > 0 {
        diesel::update(used_once_horizon::table.filter(used_once_horizon::at.lt(now)))
            .set(used_once_horizon::at.eq(now))
            .execute(tx.db)?;
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn jti() -> Jti {
        Jti::new("jti-1").unwrap()
    }

    on_both!(
        async fn of_sixteen_at_once_exactly_one_passes(fixture) {
            let other = fixture.other_process(&root_keys()).unwrap();
            let tasks: Vec<_> = (0..16)
                .map(|n| {
                    let store = if n % 2 == 0 { fixture.store.clone() } else { other.clone() };
                    tokio::spawn(async move {
                        store.write("test", |tx| use_up(tx, Kind::DpopProof, "jkt", &jti(), at(60))).await
                    })
                })
                .collect();
            let mut passed = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(()) => passed += 1,
                    Err(error) => assert_eq!(error, StoreError::Conflict),
                }
            }
            assert_eq!(passed, 1);
        }
    );

    on_both!(
        async fn of_several_at_once_each_is_used_once(fixture) {
            let purge = |now| fixture.store.write("test", move |tx| purge(tx, at(now), 100));
            let use_up = |values: &'static [(&str, &str, i64)]| {
                fixture.store.write("test", move |tx| {
                    let jtis: Vec<Jti> = values.iter().map(|(_, jti, _)| Jti::new(*jti).unwrap()).collect();
                    let values: Vec<_> = values
                        .iter()
                        .zip(&jtis)
                        .map(|((scope, _, expires), jti)| OneTimeValue { scope, jti, expires_at: at(*expires) })
                        .collect();
                    use_up_all(tx, Kind::DpopProof, &values)
                })
            };
            let values = &[("a", "1", 60), ("a", "2", 60), ("a", "1", 60), ("b", "1", 60)];
            assert_eq!(use_up(values).await, Ok(vec![true, true, false, true]));
            assert_eq!(use_up(&[("b", "1", 60), ("b", "2", 60)]).await, Ok(vec![false, true]));
            assert_eq!(use_up(&[]).await, Ok(vec![]));
            // What may have been forgotten counts as used, also beside an equal one that was not.
            assert_eq!(purge(3600).await, Ok(4));
            assert_eq!(use_up(&[("a", "1", 60), ("a", "1", 7200)]).await, Ok(vec![false, true]));
        }
    );

    on_both!(
        async fn kinds_and_scopes_are_apart_and_purged_late(fixture) {
            let used = |kind, scope: &'static str| {
                fixture.store.write("test", move |tx| use_up(tx, kind, scope, &jti(), at(60)))
            };
            used(Kind::DpopProof, "a").await.unwrap();
            used(Kind::DpopProof, "b").await.unwrap();
            used(Kind::ClientAssertion, "a").await.unwrap();
            assert_eq!(fixture.store.write("test", |tx| purge(tx, at(60), 100)).await, Ok(0));
            assert_eq!(used(Kind::DpopProof, "a").await, Err(StoreError::Conflict));
            assert_eq!(fixture.store.write("test", |tx| purge(tx, at(60 + LEEWAY_SECS + 1), 100)).await, Ok(3));
        }
    );

    on_both!(
        async fn a_transaction_that_fails_does_not_use_the_value_up(fixture) {
            let failed = fixture
                .store
                .write("test", |tx| {
                    use_up(tx, Kind::DpopProof, "a", &jti(), at(60))?;
                    Err::<(), _>(StoreError::NotFound)
                })
                .await;
            assert_eq!(failed, Err(StoreError::NotFound));
            fixture.store.write("test", |tx| use_up(tx, Kind::DpopProof, "a", &jti(), at(60))).await.unwrap();
        }
    );

    on_both!(
        async fn a_clock_that_is_ahead_forgets_nothing_that_could_be_accepted_again(fixture) {
            let use_at = |expires| fixture.store.write("test", move |tx| use_up(tx, Kind::DpopProof, "a", &jti(), at(expires)));
            use_at(60).await.unwrap();
            // A process whose clock is an hour ahead deletes it.
            assert_eq!(fixture.store.write("test", |tx| purge(tx, at(3600), 100)).await, Ok(1));
            assert_eq!(use_at(60).await, Err(StoreError::Conflict), "the same proof is not accepted again");
            use_at(3600).await.unwrap();
        }
    );

    on_both!(
        async fn a_purge_is_bounded(fixture) {
            for n in 0..5 {
                let jti = Jti::new(format!("jti-{n}")).unwrap();
                fixture.store.write("test", move |tx| use_up(tx, Kind::DpopProof, "a", &jti, at(n))).await.unwrap();
            }
            for left in [2, 2, 1, 0] {
                assert_eq!(fixture.store.write("test", |tx| purge(tx, at(1000), 2)).await, Ok(left));
            }
        }
    );
}
