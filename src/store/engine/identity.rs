//! The owner of this database.

use diesel::prelude::*;

use super::error::{OpenError, StoreError};
use super::schema::node_identity;
use super::transaction::{Reader, Tx};
use crate::domain::ids::EntityId;

/// Records the owner of this database at its first use.
pub(crate) fn remember_owner(tx: &mut Tx<'_>, owner: Option<&EntityId>) -> Result<(), StoreError> {
    let Some(owner) = owner else { return Ok(()) };
    diesel::update(node_identity::table.filter(node_identity::entity_id.is_null()))
        .set(node_identity::entity_id.eq(owner))
        .execute(tx.db)?;
    Ok(())
}

/// Writes what is there already.
pub(crate) fn touch(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    diesel::update(node_identity::table).set(node_identity::epoch.eq(node_identity::epoch)).execute(tx.db)?;
    Ok(())
}

/// Checks that the database is the asking entity's; one that nobody has used yet is anybody's.
pub(crate) fn check_owner(reader: &mut Reader<'_>, asked: Option<&EntityId>) -> Result<(), OpenError> {
    let owner: Option<EntityId> = node_identity::table
        .select(node_identity::entity_id)
        .get_result(reader.db)
        .map_err(StoreError::from)?;
    match (owner, asked) {
        (Some(owner), Some(asked)) if owner != *asked => {
            Err(OpenError::WrongOwner { owner, asked: asked.clone() })
        }
        _ => Ok(()),
    }
}
