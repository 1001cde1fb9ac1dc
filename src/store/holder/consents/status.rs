//! The indexes of consents in the status lists.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentState;
use crate::domain::ids::ConsentId;
use crate::domain::token::status_list::LIST_SIZE;
use crate::store::engine::schema::{consents, counters};
use crate::store::{Reader, StoreError, Tx};

/// Draws an unused index at random within the newest list, so that an index does not reveal when the consent was given.
/// A list is filled by half at most.
///
/// # Errors
/// [`StoreError`].
pub fn draw_status_index(tx: &mut Tx<'_>) -> Result<u32, StoreError> {
    let drawn: i64 = diesel::update(counters::table.find("status_index"))
        .set(counters::next_value.eq(counters::next_value + 1))
        .returning(counters::next_value)
        .get_result(tx.db)?;
    let list = (drawn - 1) / i64::from(LIST_SIZE / 2);
    for _ in 0..64 {
        let place = u32::from_be_bytes(tx.random()) % LIST_SIZE;
        let index = list * i64::from(LIST_SIZE) + i64::from(place);
        let there = consents::table.filter(consents::status_index.eq(index)).select(consents::id);
        let taken: Option<ConsentId> = there.get_result(tx.db).optional()?;
        if taken.is_none() {
            return u32::try_from(index).map_err(|_| StoreError::Rule("the status lists are full"));
        }
    }
    Err(StoreError::Rule("the status lists are full"))
}

/// The entries of one status list that are not valid: index, state.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn statuses(reader: &mut Reader<'_>, list: u32) -> Result<Vec<(u32, ConsentState)>, StoreError> {
    let size = i64::from(LIST_SIZE);
    let first = i64::from(list) * size;
    let rows: Vec<(i64, String, Option<Timestamp>)> = consents::table
        .filter(consents::status_index.ge(first).and(consents::status_index.lt(first + size)))
        // As the partial index says it: no planner can compare a bound value with it.
        .filter(diesel::dsl::sql::<Bool>("state <> 'active'"))
        .order(consents::status_index)
        .select((consents::status_index, consents::state, consents::ended_at))
        .load(reader.db)?;
    rows.into_iter().map(|row| entry(first, row)).collect()
}

/// The entries with these indexes, valid or not: index within the list, state.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn statuses_at(
    reader: &mut Reader<'_>,
    list: u32,
    indexes: &[i64],
) -> Result<Vec<(u32, ConsentState)>, StoreError> {
    let first = i64::from(list) * i64::from(LIST_SIZE);
    let rows: Vec<(i64, String, Option<Timestamp>)> = consents::table
        .filter(consents::status_index.eq_any(indexes))
        .select((consents::status_index, consents::state, consents::ended_at))
        .load(reader.db)?;
    rows.into_iter().map(|row| entry(first, row)).collect()
}

fn entry(
    first: i64,
    (index, state, ended): (i64, String, Option<Timestamp>),
) -> Result<(u32, ConsentState), StoreError> {
    let place = u32::try_from(index - first).map_err(|_| StoreError::Corrupt("consents.status_index"))?;
    let state = ConsentState::from_stored(&state, ended).ok_or(StoreError::Corrupt("consents.state"))?;
    Ok((place, state))
}

/// The number of status lists; the newest may be empty yet.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn status_lists(reader: &mut Reader<'_>) -> Result<u32, StoreError> {
    let drawn: i64 =
        counters::table.find("status_index").select(counters::next_value).get_result(reader.db)?;
    u32::try_from(drawn / i64::from(LIST_SIZE / 2) + 1)
        .map_err(|_| StoreError::Corrupt("counters.next_value"))
}
