//! Recipients' signed confirmations that they deleted the fetched data.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, Jti};
use crate::store::engine::schema::deletion_confirmations;
use crate::store::{Reader, StoreError, Tx};

/// A recipient's signed confirmation that it deleted the fetched data.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deletion_confirmations)]
pub struct Confirmation {
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When the confirmation arrived.
    pub(crate) received_at: Timestamp,
    /// The confirmation as signed.
    pub event: String,
}

/// Stores a recipient's confirmation at the holder.
///
/// # Errors
/// [`StoreError::Conflict`] when it is stored already.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    consent: ConsentId,
    jti: &Jti,
    confirmation: &Confirmation,
) -> Result<(), StoreError> {
    diesel::insert_into(deletion_confirmations::table)
        .values((
            deletion_confirmations::consent.eq(consent),
            deletion_confirmations::jti.eq(jti),
            deletion_confirmations::deleted_at.eq(confirmation.deleted_at),
            deletion_confirmations::received_at.eq(confirmation.received_at),
            deletion_confirmations::event.eq(&confirmation.event),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The number of a recipient's confirmations for a consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count(reader: &mut Reader<'_>, consent: ConsentId) -> Result<i64, StoreError> {
    Ok(deletion_confirmations::table
        .filter(deletion_confirmations::consent.eq(consent))
        .count()
        .get_result(reader.db)?)
}

/// The confirmations for a consent, latest deletion first.
///
/// # Errors
/// [`StoreError`].
pub fn list(reader: &mut Reader<'_>, consent: ConsentId) -> Result<Vec<Confirmation>, StoreError> {
    Ok(deletion_confirmations::table
        .filter(deletion_confirmations::consent.eq(consent))
        .order((deletion_confirmations::deleted_at.desc(), deletion_confirmations::received_at.desc()))
        .select(Confirmation::as_select())
        .load(reader.db)?)
}
