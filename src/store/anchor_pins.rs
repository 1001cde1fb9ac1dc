//! The trust anchor's memory of its members' federation keys: taken once from configuration or the member itself, and
//! from then on changed only by the operator.

use diesel::prelude::*;

use super::columns::{from_json, text_enum, to_json};
use super::schema::anchor_pins;
use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// Whether a pinned entity is a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState {
    /// Statements about it are issued.
    Pinned,
    /// It was a member and is none any more.
    Withdrawn,
}

text_enum!(PinState { Pinned = "pinned", Withdrawn = "withdrawn" });

/// A member's pinned keys.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The member.
    pub entity: EntityId,
    /// Its federation keys.
    pub keys: PublicKeys,
    /// Whether it is a member.
    pub state: PinState,
    /// When its keys were first pinned.
    pub pinned_at: Timestamp,
    /// When keys or state last changed.
    pub changed_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = anchor_pins)]
struct Row {
    entity_id: EntityId,
    jwks: String,
    state: PinState,
    pinned_at: Timestamp,
    changed_at: Timestamp,
}

impl Row {
    fn into_pin(self) -> Result<Pin, StoreError> {
        let jwks: serde_json::Value = from_json(&self.jwks, "anchor_pins.jwks")?;
        Ok(Pin {
            entity: self.entity_id,
            keys: PublicKeys::from_jwks(&jwks).map_err(|_| StoreError::Corrupt("anchor_pins.jwks"))?,
            state: self.state,
            pinned_at: self.pinned_at,
            changed_at: self.changed_at,
        })
    }
}

/// Pins an entity's keys if it is unknown, and returns what is pinned: the first pin wins, also over a withdrawn one.
///
/// # Errors
/// [`StoreError`].
pub fn pin_first(
    tx: &mut Tx<'_>,
    entity: &EntityId,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<Pin, StoreError> {
    match find(tx, entity) {
        Err(StoreError::NotFound) => {}
        other => return other,
    }
    diesel::insert_into(anchor_pins::table)
        .values((
            anchor_pins::entity_id.eq(entity),
            anchor_pins::jwks.eq(to_json(&keys.to_jwks(), "anchor_pins.jwks")?),
            anchor_pins::state.eq(PinState::Pinned),
            anchor_pins::pinned_at.eq(now),
            anchor_pins::changed_at.eq(now),
        ))
        .execute(tx.db)?;
    find(tx, entity)
}

/// Replaces a pinned entity's keys: its own rotation, verified by the caller, or the operator's decision.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn replace_keys(
    tx: &mut Tx<'_>,
    entity: &EntityId,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(anchor_pins::table.find(entity))
        .set((
            anchor_pins::jwks.eq(to_json(&keys.to_jwks(), "anchor_pins.jwks")?),
            anchor_pins::changed_at.eq(now),
        ))
        .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// Takes membership away, or gives it back.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn set_state(
    tx: &mut Tx<'_>,
    entity: &EntityId,
    state: PinState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(anchor_pins::table.find(entity))
        .set((anchor_pins::state.eq(state), anchor_pins::changed_at.eq(now)))
        .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// One entity's pin.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, entity: &EntityId) -> Result<Pin, StoreError> {
    let row: Row = anchor_pins::table.find(entity).select(Row::as_select()).first(reader.db)?;
    row.into_pin()
}

/// All pins, by entity identifier.
///
/// # Errors
/// [`StoreError`].
pub fn list(reader: &mut Reader<'_>) -> Result<Vec<Pin>, StoreError> {
    let rows: Vec<Row> =
        anchor_pins::table.order(anchor_pins::entity_id).select(Row::as_select()).load(reader.db)?;
    rows.into_iter().map(Row::into_pin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::SigningKey;
    use crate::store::testing::{at, on_both};

    on_both!(
        async fn the_first_pin_wins_until_the_operator_changes_it(fixture) {
            let store = &fixture.store;
            let entity = EntityId::new("https://espoo.example").unwrap();
            let keys = || PublicKeys::single(SigningKey::generate().unwrap().public().clone());
            let (first, second) = (keys(), keys());
            for (keys, when) in [(first.clone(), 0), (second.clone(), 1)] {
                let entity = entity.clone();
                let pin = store.write(move |tx| pin_first(tx, &entity, &keys, at(when))).await.unwrap();
                assert_eq!(pin.keys.to_jwks(), first.to_jwks());
                assert_eq!(pin.pinned_at, at(0));
            }
            let (e, k) = (entity.clone(), second.clone());
            store.write(move |tx| replace_keys(tx, &e, &k, at(2))).await.unwrap();
            let e = entity.clone();
            store.write(move |tx| set_state(tx, &e, PinState::Withdrawn, at(3))).await.unwrap();
            let pins = store.read(list).await.unwrap();
            assert_eq!(pins[0].keys.to_jwks(), second.to_jwks());
            assert_eq!((pins[0].state, pins[0].changed_at), (PinState::Withdrawn, at(3)));
            let unknown = EntityId::new("https://x.example").unwrap();
            let missing = store.write(move |tx| set_state(tx, &unknown, PinState::Pinned, at(4))).await;
            assert_eq!(missing, Err(StoreError::NotFound));
        }
    );
}
