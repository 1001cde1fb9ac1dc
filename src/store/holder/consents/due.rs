//! Consents that are due: to expire, to remind residents of, to erase.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::ConsentId;
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::{consent_evidence, consents};
use crate::store::engine::sealed::KeyedHash;
use crate::store::holder::consent_receipts;
use crate::store::{Reader, StoreError, Tx};

/// Consents whose last day is over and whose state is not updated yet.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn due_to_expire(
    reader: &mut Reader<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table
        .filter(consents::ended_at.is_null().and(consents::until_at.le(now)))
        .order(consents::until_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// Consents in force whose resident is to be reminded of the end and was not reminded yet.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn due_for_reminder(
    reader: &mut Reader<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table
        .filter(consents::ended_at.is_null().and(consents::reminded_at.is_null()))
        .filter(consents::remind_at.le(now).and(consents::until_at.gt(now)))
        .order(consents::remind_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// Records that the resident was reminded.
///
/// # Errors
/// [`StoreError::NotFound`] when that was recorded before.
pub(crate) fn remind(tx: &mut Tx<'_>, id: ConsentId, now: Timestamp) -> Result<(), StoreError> {
    let changed = diesel::update(consents::table.find(id).filter(consents::reminded_at.is_null()))
        .set(consents::reminded_at.eq(now))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// When the resident was reminded that a consent ends soon.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn reminded_at(reader: &mut Reader<'_>, id: ConsentId) -> Result<Option<Timestamp>, StoreError> {
    Ok(consents::table.find(id).select(consents::reminded_at).get_result(reader.db)?)
}

/// Consents that ended before a moment and are not erased yet.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn due_for_erasure(
    reader: &mut Reader<'_>,
    ended_before: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table
        // The planners use the partial index only where its first condition is said too.
        .filter(consents::ended_at.is_not_null().and(consents::erased_at.is_null()))
        .filter(consents::ended_at.lt(ended_before))
        .order(consents::ended_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// Erases the evidence and the receipts of an ended consent. The decision cannot be proved after that.
///
/// # Errors
/// [`StoreError::NotFound`] when it has not ended.
pub(crate) fn erase(tx: &mut Tx<'_>, id: ConsentId, now: Timestamp) -> Result<(), StoreError> {
    consent_receipts::erase(tx, id)?;
    let changed = diesel::update(consents::table.find(id).filter(consents::ended_at.is_not_null()))
        .set((consents::identifier_hash.eq(None::<KeyedHash>), consents::erased_at.eq(now)))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)?;
    diesel::delete(consent_evidence::table.find(id)).execute(tx.db)?;
    Ok(())
}

/// When the evidence of a consent was erased.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn erased_at(reader: &mut Reader<'_>, id: ConsentId) -> Result<Option<Timestamp>, StoreError> {
    Ok(consents::table.find(id).select(consents::erased_at).get_result(reader.db)?)
}
