//! Deletes expired rows in limited batches, so that no purge blocks the writers for long.

/// Deletes the oldest rows of a table that match a condition on the moment `$1`, up to the limit. The texts are
/// literals; `$n` and row values work on both databases. Returns the number of deleted rows.
macro_rules! delete_oldest {
    ($tx:expr, $table:literal, key $key:literal, while $condition:literal, by $order:literal, $moment:expr, $limit:expr) => {{
        // PostgreSQL reads all of a table to find rows by a long list of keys, but goes to their places one by one.
        let statement = match &*$tx.db {
            $crate::store::engine::db::Db::Postgres(_) => concat!(
                "DELETE FROM ", $table, " WHERE ctid = ANY (ARRAY(SELECT ctid FROM ", $table, " WHERE ", $condition,
                " ORDER BY ", $order, " LIMIT $2))"
            ),
            $crate::store::engine::db::Db::Sqlite(_) => concat!(
                "DELETE FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key, " FROM ", $table, " WHERE ", $condition,
                " ORDER BY ", $order, " LIMIT $2)"
            ),
        };
        diesel::RunQueryDsl::execute(
            diesel::sql_query(statement)
                .bind::<diesel::sql_types::BigInt, $crate::domain::clock::Timestamp>($moment)
                .bind::<diesel::sql_types::BigInt, i64>(i64::from($limit)),
            $tx.db,
        )
        .map_err($crate::store::StoreError::from)
    }};
}
pub(crate) use delete_oldest;
