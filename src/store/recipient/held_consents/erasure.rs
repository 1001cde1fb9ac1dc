//! Erasure of data that could identify a person or a case.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::domain::clock::Timestamp;
use crate::domain::consent::HeldStatus;
use crate::domain::ids::HeldConsentId;
use crate::store::engine::schema::{deletions, fetches, held_consents};
use crate::store::{StoreError, Tx};

/// Erases from consents and requests that ended before a moment what could identify a person or a case: the service's
/// own reference, the expected person, the record of fetches, and confirmed deletions. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn erase_ended(
    tx: &mut Tx<'_>,
    before: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    // As the partial index says it: no planner can compare bound values with it.
    let has_ended = format!("state IN ('{}')", HeldStatus::ENDS.map(HeldStatus::as_str).join("', '"));
    let over: Vec<HeldConsentId> = held_consents::table
        .filter(sql::<Bool>(&has_ended))
        .filter(held_consents::updated_at.lt(before).and(held_consents::erased_at.is_null()))
        .order(held_consents::updated_at)
        .limit(i64::from(limit))
        .select(held_consents::id)
        .load(tx.db)?;
    diesel::delete(fetches::table.filter(fetches::held.eq_any(&over))).execute(tx.db)?;
    diesel::delete(
        deletions::table.filter(deletions::held.eq_any(&over)).filter(deletions::confirmed_at.is_not_null()),
    )
    .execute(tx.db)?;
    Ok(diesel::update(held_consents::table.filter(held_consents::id.eq_any(over)))
        .set((
            held_consents::case_reference.eq(None::<Vec<u8>>),
            held_consents::expected_person.eq(None::<Vec<u8>>),
            held_consents::return_url.eq(None::<String>),
            held_consents::erased_at.eq(now),
        ))
        .execute(tx.db)?)
}
