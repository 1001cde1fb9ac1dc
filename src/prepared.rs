//! Statements that are prepared once for each connection.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

/// A statement whose text does not depend on its values: an UPDATE, or SQL text. Diesel prepares both anew each time, since a
/// changeset may leave columns out, and text may hold values.
pub(crate) struct PreparedOnce<U>(pub(crate) U);

/// Found by its text.
impl<U> QueryId for PreparedOnce<U> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<U: Query> Query for PreparedOnce<U> {
    type SqlType = U::SqlType;
}

impl<U, C> RunQueryDsl<C> for PreparedOnce<U> {}

impl<DB: Backend, U: QueryFragment<DB>> QueryFragment<DB> for PreparedOnce<U> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    // Hidden from diesel's documentation, not from its users: see whether it is still asked when diesel is updated.
    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}
