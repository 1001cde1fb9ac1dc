//! State transitions of keys. Each one increments the version, by which other processes notice.

use diesel::prelude::*;

use super::{KeyState, Purpose, RevokeReason, StoredKeyPair, active, find, pending};
use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{JoseError, LoginKey, SigningKey};
use crate::store::engine::columns::to_json;
use crate::store::engine::db::on_backend;
use crate::store::engine::schema::{counters, held_consents, signing_keys};
use crate::store::engine::sealed::column;
use crate::store::{StoreError, Tx};

/// The active key of a purpose; created and activated when there is none. Concurrent processes get the same key.
///
/// # Errors
/// [`StoreError::Unavailable`] when a key cannot be created, or the database is unavailable.
pub(crate) fn ensure_active(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    now: Timestamp,
    make: impl FnOnce() -> Result<SigningKey, JoseError>,
) -> Result<SigningKey, StoreError> {
    match active(tx, purpose) {
        Err(StoreError::NotFound) => {
            let key = make().map_err(|_| StoreError::Unavailable("a signing key could not be made"))?;
            insert(tx, purpose, &key, KeyState::Active, now)?;
            active(tx, purpose)
        }
        other => other,
    }
}

/// Creates and activates the first key of a purpose for the login provider. Concurrent processes get the same key.
///
/// # Errors
/// [`StoreError::Unavailable`] when a key cannot be created, or the database is unavailable.
pub(crate) fn ensure_login_key(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    now: Timestamp,
    make: impl FnOnce() -> Result<LoginKey, JoseError>,
) -> Result<(), StoreError> {
    let known: Option<KeyId> = signing_keys::table
        .filter(signing_keys::purpose.eq(purpose).and(signing_keys::state.eq(KeyState::Active)))
        .select(signing_keys::kid)
        .first(tx.db)
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    let key =
        make().map_err(|_| StoreError::Unavailable("a key for the login provider could not be made"))?;
    insert(tx, purpose, &key, KeyState::Active, now)
}

/// Adds a pending key, to be published before it signs. Without effect if one is pending already.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn add_pending(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    key: &dyn StoredKeyPair,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, purpose, key, KeyState::Pending, now)
}

fn insert(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    key: &dyn StoredKeyPair,
    state: KeyState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kid = key.kid();
    let private = tx.keys.sealer.seal(
        column!(signing_keys.private_jwk),
        kid.as_str().as_bytes(),
        key.private_jwk().as_bytes(),
    )?;
    let row = (
        signing_keys::kid.eq(kid),
        signing_keys::purpose.eq(purpose),
        signing_keys::state.eq(state),
        signing_keys::private_jwk.eq(private),
        signing_keys::public_jwk.eq(to_json(&key.public_jwk(), "signing_keys.public_jwk")?),
        signing_keys::created_at.eq(now),
        signing_keys::activated_at.eq((state == KeyState::Active).then_some(now)),
    );
    // An index refuses a second active or pending key of the purpose: then another process was first, and its key
    // counts.
    on_backend!(tx.db, |c| diesel::insert_into(signing_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    count_up(tx)
}

/// Sets when a pending key begins to sign, in place of an earlier setting.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not pending.
pub(crate) fn announce(tx: &mut Tx<'_>, kid: &KeyId, activates_at: Timestamp) -> Result<(), StoreError> {
    let changed =
        diesel::update(signing_keys::table.find(kid).filter(signing_keys::state.eq(KeyState::Pending)))
            .set(signing_keys::activates_at.eq(activates_at))
            .execute(tx.db)?;
    if changed == 0 {
        return Err(StoreError::NotFound);
    }
    count_up(tx)
}

/// Activates a pending key, and retires the active one.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not pending.
pub(crate) fn activate(tx: &mut Tx<'_>, kid: &KeyId, now: Timestamp) -> Result<(), StoreError> {
    let key = find(tx, kid)?;
    if key.state != KeyState::Pending {
        return Err(StoreError::NotFound);
    }
    diesel::update(
        signing_keys::table
            .filter(signing_keys::purpose.eq(key.purpose).and(signing_keys::state.eq(KeyState::Active))),
    )
    .set((signing_keys::state.eq(KeyState::Retired), signing_keys::retired_at.eq(now)))
    .execute(tx.db)?;
    diesel::update(signing_keys::table.find(kid))
        .set((signing_keys::state.eq(KeyState::Active), signing_keys::activated_at.eq(now)))
        .execute(tx.db)?;
    count_up(tx)
}

/// Activates the next key of a purpose at once: the pending one, or else the one given. Returns its identifier.
///
/// # Errors
/// [`StoreError`].
pub fn replace_active(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    spare: &dyn StoredKeyPair,
    now: Timestamp,
) -> Result<KeyId, StoreError> {
    let next = match pending(tx, purpose)? {
        Some(key) => key.kid,
        None => {
            add_pending(tx, purpose, spare, now)?;
            spare.kid().clone()
        }
    };
    activate(tx, &next, now)?;
    Ok(next)
}

/// Revokes a key and destroys its private part. `since` is the earliest moment at which somebody else may have signed
/// with a compromised one. If it was the active one, [`replace_active`] must follow in the same transaction.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such key, or it is revoked already.
pub(crate) fn revoke(
    tx: &mut Tx<'_>,
    kid: &KeyId,
    reason: RevokeReason,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = (reason == RevokeReason::Compromised).then(|| since.unwrap_or(now));
    let changed =
        diesel::update(signing_keys::table.find(kid).filter(signing_keys::state.ne(KeyState::Revoked)))
            .set((
                signing_keys::state.eq(KeyState::Revoked),
                signing_keys::revoked_at.eq(now),
                signing_keys::revoke_reason.eq(reason),
                signing_keys::compromised_since.eq(since),
                signing_keys::private_jwk.eq(None::<Vec<u8>>),
            ))
            .execute(tx.db)?;
    if changed == 1 { count_up(tx) } else { Err(StoreError::NotFound) }
}

/// Destroys the private parts of keys that retired before a moment, so that they cannot be stolen. DPoP keys keep
/// theirs while a token is bound to them. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn forget_private_parts(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    let bound = held_consents::table
        .filter(held_consents::dpop_kid.is_not_null())
        .filter(held_consents::dpop_kid.eq(signing_keys::kid.nullable()));
    Ok(diesel::update(
        signing_keys::table
            .filter(signing_keys::state.eq(KeyState::Retired))
            .filter(signing_keys::private_jwk.is_not_null())
            .filter(signing_keys::retired_at.lt(before))
            .filter(diesel::dsl::not(diesel::dsl::exists(bound))),
    )
    .set(signing_keys::private_jwk.eq(None::<Vec<u8>>))
    .execute(tx.db)?)
}

fn count_up(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    diesel::update(counters::table.find("key_version"))
        .set(counters::next_value.eq(counters::next_value + 1))
        .execute(tx.db)?;
    Ok(())
}
