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
}

/// Whether a process's clock is close enough to the database's: otherwise it would take expired values for valid, or the
/// reverse.
#[must_use]
pub(crate) fn agrees(now: Timestamp, shared: Timestamp) -> bool {
    now.plus_secs(MOST_SECS) >= shared && shared.plus_secs(MOST_SECS) >= now
}

#[cfg(test)]
mod tests {
    use super::super::testing::at;
    use super::agrees;

    #[test]
    fn clocks_agree_within_five_seconds() {
        for (skew, expected) in [(0, true), (5, true), (-5, true), (6, false), (-6, false), (600, false)] {
            assert_eq!(agrees(at(skew), at(0)), expected, "{skew}");
        }
    }
}
