//! Consents that wait, after a restored backup, for the comparison with their recipients.

use diesel::prelude::*;

use super::Row;
use crate::domain::consent::Consent;
use crate::domain::ids::{ConsentId, EntityId};
use crate::store::engine::restore;
use crate::store::engine::schema::consents;
use crate::store::{Reader, StoreError, Tx};

/// Whether nothing may be released under a consent because the database was restored from a backup since, and its
/// recipient has not reported its knowledge yet: an end or a suspension may be lost.
///
/// # Errors
/// [`StoreError`].
pub fn is_held_back(reader: &mut Reader<'_>, id: ConsentId) -> Result<bool, StoreError> {
    let compared: i64 = consents::table.find(id).select(consents::epoch).get_result(reader.db)?;
    Ok(compared < epoch(reader)?)
}

pub(super) fn epoch(reader: &mut Reader<'_>) -> Result<i64, StoreError> {
    i64::try_from(restore::epoch(reader)?).map_err(|_| StoreError::Corrupt("node_identity.epoch"))
}

/// The recipients of consents in force that wait for the comparison.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn recipients_held_back(reader: &mut Reader<'_>) -> Result<Vec<EntityId>, StoreError> {
    let epoch = epoch(reader)?;
    Ok(consents::table
        .filter(consents::ended_at.is_null().and(consents::epoch.lt(epoch)))
        .select(consents::recipient)
        .distinct()
        .order(consents::recipient)
        .load(reader.db)?)
}

/// A recipient's consents, including ended ones, except what was erased.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_recipient(
    reader: &mut Reader<'_>,
    recipient: &EntityId,
) -> Result<Vec<Consent>, StoreError> {
    let rows: Vec<Row> = consents::table
        .filter(consents::recipient.eq(recipient).and(consents::erased_at.is_null()))
        .order(consents::decided_at)
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_consent).collect()
}

/// Records that the recipient reported its knowledge of a consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn mark_compared(tx: &mut Tx<'_>, id: ConsentId) -> Result<(), StoreError> {
    let epoch = epoch(tx)?;
    diesel::update(consents::table.find(id)).set(consents::epoch.eq(epoch)).execute(tx.db)?;
    Ok(())
}

/// As [`mark_compared`], of all consents of a recipient: it cannot use those that it does not know.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn mark_all_compared(tx: &mut Tx<'_>, recipient: &EntityId) -> Result<(), StoreError> {
    let epoch = epoch(tx)?;
    diesel::update(consents::table.filter(consents::recipient.eq(recipient)))
        .set(consents::epoch.eq(epoch))
        .execute(tx.db)?;
    Ok(())
}
