//! The anchors' federation keys as this node followed them, by the configured keys where that began.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, b64url, sha256};
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::schema::anchor_pins;
use crate::store::{Reader, StoreError, Tx};

/// Stores the followed keys of an anchor, in place of those before.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    anchor: &EntityId,
    configured: &PublicKeys,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<(), StoreError> {
    let jwks = to_json(&keys.to_jwks(), "anchor_pins.jwks")?;
    let changed = (
        anchor_pins::jwks.eq(&jwks),
        anchor_pins::followed_from.eq(digest(configured)),
        anchor_pins::changed_at.eq(now),
    );
    if diesel::update(anchor_pins::table.find(anchor)).set(changed).execute(tx.db)? == 1 {
        return Ok(());
    }
    diesel::insert_into(anchor_pins::table)
        .values((
            anchor_pins::entity_id.eq(anchor),
            anchor_pins::jwks.eq(&jwks),
            anchor_pins::followed_from.eq(digest(configured)),
            anchor_pins::changed_at.eq(now),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The followed keys of an anchor that began with these configured keys.
///
/// # Errors
/// [`StoreError::NotFound`] when there are none, or they began with others.
pub(crate) fn find(
    reader: &mut Reader<'_>,
    anchor: &EntityId,
    configured: &PublicKeys,
) -> Result<PublicKeys, StoreError> {
    let (jwks, from): (String, String) = anchor_pins::table
        .find(anchor)
        .select((anchor_pins::jwks, anchor_pins::followed_from))
        .first(reader.db)?;
    if from != digest(configured) {
        return Err(StoreError::NotFound);
    }
    let jwks: serde_json::Value = from_json(&jwks, "anchor_pins.jwks")?;
    PublicKeys::from_jwks(&jwks).map_err(|_| StoreError::Corrupt("anchor_pins.jwks"))
}

/// Identifies a set of configured keys, in whatever order the file lists them.
fn digest(keys: &PublicKeys) -> String {
    let mut thumbprints: Vec<&str> = keys.iter().map(|key| key.thumbprint().as_str()).collect();
    thumbprints.sort_unstable();
    b64url(&sha256(thumbprints.join(" ").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::SigningKey;
    use crate::store::engine::testing::{at, on_both};

    on_both!(
        async fn what_was_followed_is_forgotten_when_the_operator_names_other_keys(fixture) {
            let store = &fixture.store;
            let anchor = EntityId::new("https://anchor.example").unwrap();
            let keys = || PublicKeys::single(SigningKey::generate().unwrap().public().clone());
            let (configured, other) = (keys(), keys());
            let kept = |configured: &PublicKeys| {
                let (anchor, configured) = (anchor.clone(), configured.clone());
                store.read("test", move |reader| find(reader, &anchor, &configured))
            };
            assert_eq!(kept(&configured).await, Err(StoreError::NotFound));
            for (when, next) in [keys(), keys()].into_iter().enumerate() {
                let (anchor, from, to) = (anchor.clone(), configured.clone(), next.clone());
                let when = at(i64::try_from(when).unwrap());
                store.write("test", move |tx| keep(tx, &anchor, &from, &to, when)).await.unwrap();
                assert_eq!(kept(&configured).await, Ok(next));
                assert_eq!(kept(&other).await, Err(StoreError::NotFound));
            }
        }
    );
}
