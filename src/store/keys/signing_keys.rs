//! The node's signing keys. They live in the database, private parts sealed, so that all processes of a node share them
//! and a rotation needs no restart.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{KeyStanding, PublicKey, SigningKey};
use crate::domain::word_enum::word_enum;
use crate::store::engine::columns::{from_json, word_column};
use crate::store::engine::schema::{counters, signing_keys};
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError};

pub use crate::domain::jose::RevokeReason;

mod life;
#[cfg(test)]
mod tests;

pub use life::{
    activate, add_pending, announce, ensure_active, forget_private_parts, replace_active, revoke,
};

word_enum! {
    /// What a key signs. One key never serves two purposes.
    pub enum Purpose {
        /// Entity statements.
        Federation = "federation",
        /// Consent tokens, status lists.
        Token = "token",
        /// Receipts and events.
        Receipt = "receipt",
        /// Client assertions (`private_key_jwt`).
        Client = "client",
        /// DPoP proofs.
        Dpop = "dpop",
    }
}

word_enum! {
    /// Where a key stands in its life.
    pub enum KeyState {
        /// Published, does not sign yet.
        Pending = "pending",
        /// Signs.
        Active = "active",
        /// Signs no more, still verifies; leaves the published set after a while.
        Retired = "retired",
        /// Given up; its private part is destroyed, and its standing says what its signatures are still worth.
        Revoked = "revoked",
    }
}

word_column!(Purpose);
word_column!(KeyState);
word_column!(RevokeReason);

/// A key without its private part.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// `kid`.
    pub kid: KeyId,
    /// What it signs.
    pub purpose: Purpose,
    /// Where it stands.
    pub state: KeyState,
    /// The public part.
    pub public: PublicKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is to begin to sign; none until a process publishes it.
    pub activates_at: Option<Timestamp>,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// When, and why, it was revoked.
    pub revoked: Option<(Timestamp, RevokeReason)>,
    /// From when on somebody else may have signed with it.
    pub compromised_since: Option<Timestamp>,
}

impl KeyRecord {
    /// How far its signatures can be relied on.
    #[must_use]
    pub fn standing(&self) -> KeyStanding {
        match self.revoked {
            None => KeyStanding::Sound,
            Some((at, RevokeReason::Superseded)) => KeyStanding::Superseded { at },
            Some((at, RevokeReason::Compromised)) => {
                KeyStanding::Compromised { since: self.compromised_since.unwrap_or(at) }
            }
        }
    }
}

/// All keys at one moment.
pub struct Snapshot {
    /// What [`version`] said of them.
    pub version: i64,
    /// All of them, by purpose and age.
    pub records: Vec<KeyRecord>,
    /// Those that sign, with their private parts.
    pub active: Vec<(Purpose, SigningKey)>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_keys)]
struct Row {
    kid: KeyId,
    purpose: Purpose,
    state: KeyState,
    public_jwk: String,
    created_at: Timestamp,
    activated_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    revoke_reason: Option<RevokeReason>,
    activates_at: Option<Timestamp>,
    compromised_since: Option<Timestamp>,
}

impl Row {
    fn into_record(self) -> Result<KeyRecord, StoreError> {
        Ok(KeyRecord {
            public: public_key(&self.public_jwk)?,
            kid: self.kid,
            purpose: self.purpose,
            state: self.state,
            created_at: self.created_at,
            activates_at: self.activates_at,
            compromised_since: self.compromised_since,
            activated_at: self.activated_at,
            retired_at: self.retired_at,
            revoked: self.revoked_at.zip(self.revoke_reason),
        })
    }
}

fn public_key(jwk: &str) -> Result<PublicKey, StoreError> {
    let jwk: serde_json::Value = from_json(jwk, "signing_keys.public_jwk")?;
    PublicKey::from_jwk(&jwk).map_err(|_| StoreError::Corrupt("signing_keys.public_jwk"))
}

/// The key that signs for a purpose.
///
/// # Errors
/// [`StoreError::NotFound`] when none is active.
pub fn active(reader: &mut Reader<'_>, purpose: Purpose) -> Result<SigningKey, StoreError> {
    let kid: KeyId = signing_keys::table
        .filter(signing_keys::purpose.eq(purpose).and(signing_keys::state.eq(KeyState::Active)))
        .select(signing_keys::kid)
        .first(reader.db)?;
    with_private_part(reader, &kid)
}

/// The key of that name with its private part, also when it is retired: a token that is bound to a retired DPoP key
/// can still be used.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none, or it is revoked.
pub fn with_private_part(reader: &mut Reader<'_>, kid: &KeyId) -> Result<SigningKey, StoreError> {
    let sealed: Option<Vec<u8>> =
        signing_keys::table.find(kid).select(signing_keys::private_jwk).first(reader.db)?;
    let private = reader.keys.sealer.open_text(
        column!(signing_keys.private_jwk),
        kid.as_str().as_bytes(),
        &sealed.ok_or(StoreError::NotFound)?,
    )?;
    SigningKey::from_private_jwk(&private).map_err(|_| StoreError::Corrupt("signing_keys.private_jwk"))
}

/// All keys, by purpose and age.
///
/// # Errors
/// [`StoreError`].
pub fn list(reader: &mut Reader<'_>) -> Result<Vec<KeyRecord>, StoreError> {
    let rows: Vec<Row> = signing_keys::table
        .order((signing_keys::purpose, signing_keys::created_at, signing_keys::kid))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_record).collect()
}

/// A number that grows with every change of a key.
///
/// # Errors
/// [`StoreError`].
pub fn version(reader: &mut Reader<'_>) -> Result<i64, StoreError> {
    Ok(counters::table.find("key_version").select(counters::next_value).first(reader.db)?)
}

/// All keys, as they are at one moment.
///
/// # Errors
/// [`StoreError`].
pub fn snapshot(reader: &mut Reader<'_>) -> Result<Snapshot, StoreError> {
    let records = list(reader)?;
    let mut signing = Vec::new();
    for record in records.iter().filter(|record| record.state == KeyState::Active) {
        signing.push((record.purpose, with_private_part(reader, &record.kid)?));
    }
    Ok(Snapshot { version: version(reader)?, records, active: signing })
}

/// The key of a purpose that waits to sign, where one does.
///
/// # Errors
/// [`StoreError`].
pub fn pending(reader: &mut Reader<'_>, purpose: Purpose) -> Result<Option<KeyRecord>, StoreError> {
    let row: Option<Row> = signing_keys::table
        .filter(signing_keys::purpose.eq(purpose).and(signing_keys::state.eq(KeyState::Pending)))
        .select(Row::as_select())
        .first(reader.db)
        .optional()?;
    row.map(Row::into_record).transpose()
}

/// A key by its identifier.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, kid: &KeyId) -> Result<KeyRecord, StoreError> {
    let row: Row = signing_keys::table.find(kid).select(Row::as_select()).first(reader.db)?;
    row.into_record()
}
