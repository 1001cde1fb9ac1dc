//! The common clock of the processes of one node.

use diesel::RunQueryDsl;

use super::db::Db;
use super::error::StoreError;
use super::transaction::Reader;
use crate::domain::clock::Timestamp;

#[derive(diesel::QueryableByName)]
struct Now {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    micros: Timestamp,
}

/// Maximum difference between a process's clock and the database's, in seconds, before the process refuses decisions
/// that depend on time.
const MOST_SECS: i64 = 5;

impl Reader<'_> {
    /// The database server's time. SQLite has no clock of its own and one serving process, whose `now` it returns.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn shared_time(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let Db::Postgres(connection) = &mut *self.db else { return Ok(now) };
        let asked: Now =
            diesel::sql_query("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint AS micros")
                .get_result(connection)?;
        Ok(asked.micros)
    }

    /// Whether this process's clock is close enough to the database's: otherwise it would take expired values for
    /// valid, or the reverse.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn clock_agrees(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let shared = self.shared_time(now)?;
        Ok(now.plus_secs(MOST_SECS) >= shared && shared.plus_secs(MOST_SECS) >= now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Kind, TestStore, at, on_both};

    on_both!(
        async fn a_clock_that_differs_from_the_databases_is_noticed(fixture) {
            let shared = fixture.store.read("test", |reader| reader.shared_time(at(0))).await.unwrap();
            for (skew, agrees) in [(0, true), (3, true), (-3, true)] {
                let now = shared.plus_secs(skew);
                assert_eq!(fixture.store.read("test", move |reader| reader.clock_agrees(now)).await, Ok(agrees), "{skew}");
            }
        }
    );

    #[tokio::test(flavor = "multi_thread")]
    async fn a_clock_that_is_minutes_off_does_not_agree_with_postgres() {
        let Some(fixture) = TestStore::new(Kind::Postgres).await else { return };
        let shared = fixture.store.read("test", |reader| reader.shared_time(at(0))).await.unwrap();
        for skew in [-600, -20, 20, 600] {
            let now = shared.plus_secs(skew);
            assert_eq!(
                fixture.store.read("test", move |reader| reader.clock_agrees(now)).await,
                Ok(false),
                "{skew}"
            );
        }
    }
}
