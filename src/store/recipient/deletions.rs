//! The deletion of fetched data: due dates and confirmations.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::HeldConsentId;
use crate::store::engine::db::on_backend;
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::deletions;
use crate::store::{Reader, StoreError, Tx};

/// The deletion duty of a recipient for one consent, and whether it was fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deletions)]
pub(crate) struct Deletion {
    /// The last fetch that brought data.
    pub(crate) fetched_at: Timestamp,
    /// When the data must be deleted.
    pub(crate) due_at: Timestamp,
    /// When the service confirmed the deletion; covers no later fetch.
    pub(crate) confirmed_at: Option<Timestamp>,
    /// When it was deleted, as the service states.
    pub(crate) deleted_at: Option<Timestamp>,
}

/// Records a fetch: the data must be deleted by `due_at`, whatever was confirmed before.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn fetched(
    tx: &mut Tx<'_>,
    held: HeldConsentId,
    at: Timestamp,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    let row = (deletions::held.eq(held), deletions::fetched_at.eq(at), deletions::due_at.eq(due_at));
    let inserted = on_backend!(tx.db, |c| diesel::insert_into(deletions::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if inserted == 0 {
        diesel::update(deletions::table.find(held))
            .set((
                deletions::fetched_at.eq(at),
                deletions::due_at.eq(due_at),
                deletions::confirmed_at.eq(None::<Timestamp>),
                deletions::deleted_at.eq(None::<Timestamp>),
            ))
            .execute(tx.db)?;
    }
    Ok(())
}

/// The deletion duty for a consent; `None` when nothing was fetched.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn find(reader: &mut Reader<'_>, held: HeldConsentId) -> Result<Option<Deletion>, StoreError> {
    Ok(deletions::table.find(held).select(Deletion::as_select()).get_result(reader.db).optional()?)
}

/// As [`find`], for a consent with a fetch.
///
/// # Errors
/// [`StoreError::NotFound`] when nothing was.
pub(crate) fn existing(reader: &mut Reader<'_>, held: HeldConsentId) -> Result<Deletion, StoreError> {
    find(reader, held)?.ok_or(StoreError::NotFound)
}

/// The deletion duties for several consents; those without a fetch are left out.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_all(
    reader: &mut Reader<'_>,
    held: &[HeldConsentId],
) -> Result<HashMap<HeldConsentId, Deletion>, StoreError> {
    let rows: Vec<(HeldConsentId, Deletion)> = deletions::table
        .filter(deletions::held.eq_any(held))
        .select((deletions::held, Deletion::as_select()))
        .load(reader.db)?;
    Ok(rows.into_iter().collect())
}

/// Records the service's confirmation that everything fetched so far is deleted.
///
/// # Errors
/// [`StoreError::NotFound`] when nothing was fetched.
pub(crate) fn confirm(
    tx: &mut Tx<'_>,
    held: HeldConsentId,
    deleted_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(deletions::table.find(held))
        .set((deletions::confirmed_at.eq(now), deletions::deleted_at.eq(deleted_at)))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}
