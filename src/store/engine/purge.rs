//! Deletes expired rows in limited batches, so that no purge blocks the writers for long.

/// Deletes the oldest rows of a table that match a condition on the moment `$1`, up to the limit. The texts are
/// literals; `$n` and row values work on both databases. Returns the number of deleted rows.
macro_rules! delete_oldest {
    ($tx:expr, $table:literal, key $key:literal, while $condition:literal, by $order:literal, $moment:expr, $limit:expr) => {
        diesel::RunQueryDsl::execute(
            diesel::sql_query(concat!(
                "DELETE FROM ",
                $table,
                " WHERE (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $condition,
                " ORDER BY ",
                $order,
                " LIMIT $2)"
            ))
            .bind::<diesel::sql_types::BigInt, $crate::domain::clock::Timestamp>($moment)
            .bind::<diesel::sql_types::BigInt, i64>(i64::from($limit)),
            $tx.db,
        )
        .map_err($crate::store::StoreError::from)
    };
}
pub(crate) use delete_oldest;
