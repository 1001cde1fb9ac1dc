//! Consents by declared use, and which of them were compared with what is published of it.

use diesel::prelude::*;

use super::Row;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::ids::{ConsentId, UseId};
use crate::store::engine::schema::consents;
use crate::store::{Reader, StoreError, Tx};

/// The first declared use of consents in force that comes after a given one, in the order of their identifiers.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn next_declared_use(
    reader: &mut Reader<'_>,
    after: Option<&UseId>,
) -> Result<Option<UseId>, StoreError> {
    let next: Option<String> = consents::table
        .filter(consents::ended_at.is_null())
        .filter(consents::declared_use.gt(after.map_or("", UseId::as_str)))
        .order(consents::declared_use)
        .limit(1)
        .select(consents::declared_use)
        .get_result(reader.db)
        .optional()?;
    next.map(|id| id.parse().map_err(|_| StoreError::Corrupt("consents.declared_use"))).transpose()
}

/// Consents in force under a declared use that were last compared with something else than what is published now, or
/// have changed since.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn not_compared(
    reader: &mut Reader<'_>,
    declared_use: &UseId,
    published: &str,
    limit: u32,
) -> Result<Vec<Consent>, StoreError> {
    let (mut found, mut left) = (Vec::new(), i64::from(limit));
    let of_use = || {
        consents::table
            .filter(consents::ended_at.is_null())
            .filter(consents::declared_use.eq(declared_use.as_str()))
    };
    // Two ranges of the index: with `<>`, those that were compared would be read too.
    let earlier = of_use().filter(consents::followed.lt(published)).order((consents::followed, consents::id));
    let rows: Vec<Row> = earlier.limit(left).select(Row::as_select()).load(reader.db)?;
    left = left.saturating_sub(i64::try_from(rows.len()).unwrap_or(left));
    found.extend(rows);
    if left > 0 {
        let later =
            of_use().filter(consents::followed.gt(published)).order((consents::followed, consents::id));
        let rows: Vec<Row> = later.limit(left).select(Row::as_select()).load(reader.db)?;
        found.extend(rows);
    }
    found.into_iter().map(Row::into_consent).collect()
}

/// Records that consents were compared with what is published of their declared use; one whose state has changed since
/// is compared again.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn mark_followed(
    tx: &mut Tx<'_>,
    compared: &[(ConsentId, ConsentState)],
    published: &str,
) -> Result<(), StoreError> {
    for state in [ConsentState::Active, ConsentState::Suspended] {
        let ids: Vec<ConsentId> =
            compared.iter().filter(|(_, was)| *was == state).map(|(id, _)| *id).collect();
        diesel::update(consents::table.filter(consents::id.eq_any(ids)))
            .filter(consents::state.eq(state.as_str()))
            .set(consents::followed.eq(published))
            .execute(tx.db)?;
    }
    Ok(())
}

/// A consent whose state changed is compared with its declared use again.
pub(super) fn compare_again(tx: &mut Tx<'_>, id: ConsentId) -> Result<(), StoreError> {
    diesel::update(consents::table.find(id)).set(consents::followed.eq("")).execute(tx.db)?;
    Ok(())
}
