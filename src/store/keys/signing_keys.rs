//! The node's signing keys, private parts sealed. In the database, so that all processes of a node share them and a
//! rotation needs no restart.

use diesel::prelude::*;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{KeyStanding, LoginKey, LoginKeyKind, PublicKey, SigningKey};
use crate::domain::word_enum::word_enum;
use crate::store::engine::columns::{from_json, word_column};
use crate::store::engine::schema::{counters, signing_keys};
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError};

pub(crate) use crate::domain::jose::RevokeReason;

mod life;
#[cfg(test)]
mod tests;

pub use life::replace_active;
pub(crate) use life::{
    activate, add_pending, announce, ensure_active, ensure_login_key, forget_private_parts, revoke,
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
        /// Client assertions and request objects towards a login provider that wants RS256.
        LoginSigning = "login_signing",
        /// Decrypts what the login provider encrypted with RSA-OAEP.
        LoginRsaDecryption = "login_rsa_decryption",
        /// Decrypts what the login provider encrypted with ECDH-ES.
        LoginEcDecryption = "login_ec_decryption",
    }
}

word_enum! {
    /// State of a key.
    pub enum KeyState {
        /// Published, does not sign yet.
        Pending = "pending",
        /// Signs.
        Active = "active",
        /// Signs no more, still verifies; later leaves the published set.
        Retired = "retired",
        /// Revoked; its private part is destroyed, and its standing says whether its signatures still count.
        Revoked = "revoked",
    }
}

word_column!(Purpose);
word_column!(KeyState);
word_column!(RevokeReason);

impl Purpose {
    /// The kind of key, for the purposes that only the login provider uses; every other purpose has a [`SigningKey`].
    #[must_use]
    pub const fn login_kind(self) -> Option<LoginKeyKind> {
        match self {
            Self::LoginSigning => Some(LoginKeyKind::RsaSigning),
            Self::LoginRsaDecryption => Some(LoginKeyKind::RsaDecryption),
            Self::LoginEcDecryption => Some(LoginKeyKind::EcDecryption),
            Self::Federation | Self::Token | Self::Receipt | Self::Client | Self::Dpop => None,
        }
    }
}

/// A stored key pair of any kind.
pub trait StoredKeyPair {
    /// `kid`.
    fn kid(&self) -> &KeyId;
    /// The private JWK, to be sealed.
    fn private_jwk(&self) -> Zeroizing<String>;
    /// The public JWK.
    fn public_jwk(&self) -> Value;
}

impl StoredKeyPair for SigningKey {
    fn kid(&self) -> &KeyId {
        self.kid()
    }

    fn private_jwk(&self) -> Zeroizing<String> {
        self.to_private_jwk()
    }

    fn public_jwk(&self) -> Value {
        self.public().to_jwk()
    }
}

impl StoredKeyPair for LoginKey {
    fn kid(&self) -> &KeyId {
        self.kid()
    }

    fn private_jwk(&self) -> Zeroizing<String> {
        self.to_private_jwk()
    }

    fn public_jwk(&self) -> Value {
        self.to_public_jwk().clone()
    }
}

/// The public part of a key.
#[derive(Debug, Clone)]
pub enum PublicPart {
    /// Verifies messages between nodes.
    Verifying(PublicKey),
    /// A JWK that only the login provider uses.
    Login(Value),
}

impl PublicPart {
    /// The key that verifies messages between nodes, where it is one.
    #[must_use]
    pub(crate) const fn verifying(&self) -> Option<&PublicKey> {
        match self {
            Self::Verifying(key) => Some(key),
            Self::Login(_) => None,
        }
    }

    /// As a JWK to publish.
    #[must_use]
    pub(crate) fn to_jwk(&self) -> Value {
        match self {
            Self::Verifying(key) => key.to_jwk(),
            Self::Login(jwk) => jwk.clone(),
        }
    }
}

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
    pub public: PublicPart,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is to begin to sign; `None` until a process publishes it.
    pub(crate) activates_at: Option<Timestamp>,
    /// When it began to sign.
    pub(crate) activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// When, and why, it was revoked.
    pub revoked: Option<(Timestamp, RevokeReason)>,
    /// The earliest moment at which somebody else may have signed with it.
    pub(crate) compromised_since: Option<Timestamp>,
}

impl KeyRecord {
    /// How far its signatures are trusted.
    #[must_use]
    pub(crate) fn standing(&self) -> KeyStanding {
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
pub(crate) struct Snapshot {
    /// The [`version`] at that moment.
    pub(crate) version: i64,
    /// All of them, by purpose and age.
    pub(crate) records: Vec<KeyRecord>,
    /// The active ones, with their private parts.
    pub(crate) active: Vec<(Purpose, SigningKey)>,
    /// Those for the login provider that still have their private parts.
    pub(crate) login: Vec<LoginKey>,
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
            public: public_part(self.purpose, &self.public_jwk)?,
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

fn public_part(purpose: Purpose, jwk: &str) -> Result<PublicPart, StoreError> {
    let jwk: Value = from_json(jwk, "signing_keys.public_jwk")?;
    if purpose.login_kind().is_some() {
        return Ok(PublicPart::Login(jwk));
    }
    let key = PublicKey::from_jwk(&jwk).map_err(|_| StoreError::Corrupt("signing_keys.public_jwk"))?;
    Ok(PublicPart::Verifying(key))
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

/// The key of that name with its private part, even when it is retired: tokens bound to a retired DPoP key stay usable.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none, or it is revoked.
pub fn with_private_part(reader: &mut Reader<'_>, kid: &KeyId) -> Result<SigningKey, StoreError> {
    let private = private_jwk(reader, kid)?;
    SigningKey::from_private_jwk(&private).map_err(|_| StoreError::Corrupt("signing_keys.private_jwk"))
}

fn private_jwk(reader: &mut Reader<'_>, kid: &KeyId) -> Result<Zeroizing<String>, StoreError> {
    let sealed: Option<Vec<u8>> =
        signing_keys::table.find(kid).select(signing_keys::private_jwk).get_result(reader.db)?;
    reader.keys.sealer.open_text(
        column!(signing_keys.private_jwk),
        kid.as_str().as_bytes(),
        &sealed.ok_or(StoreError::NotFound)?,
    )
}

/// The key pairs for the login provider that still have their private parts, by purpose and age. Those among `known`
/// are not parsed again: checking an RSA key takes tens of milliseconds.
fn login_keys(
    reader: &mut Reader<'_>,
    records: &[KeyRecord],
    known: &[LoginKey],
) -> Result<Vec<LoginKey>, StoreError> {
    let mut keys = Vec::new();
    for record in records {
        let Some(kind) = record.purpose.login_kind() else { continue };
        match private_jwk(reader, &record.kid) {
            Ok(private) => keys.push(match known.iter().find(|key| *key.kid() == record.kid) {
                Some(known) => known.clone(),
                None => LoginKey::from_private_jwk(kind, &private)
                    .map_err(|_| StoreError::Corrupt("signing_keys.private_jwk"))?,
            }),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(keys)
}

/// All keys, by purpose and age.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn list(reader: &mut Reader<'_>) -> Result<Vec<KeyRecord>, StoreError> {
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
pub(crate) fn version(reader: &mut Reader<'_>) -> Result<i64, StoreError> {
    Ok(counters::table.find("key_version").select(counters::next_value).get_result(reader.db)?)
}

/// All keys at one moment. Login keys among `known` are not parsed again.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn snapshot(reader: &mut Reader<'_>, known: &[LoginKey]) -> Result<Snapshot, StoreError> {
    let records = list(reader)?;
    let mut signing = Vec::new();
    for record in records.iter().filter(|record| record.state == KeyState::Active) {
        if record.purpose.login_kind().is_none() {
            signing.push((record.purpose, with_private_part(reader, &record.kid)?));
        }
    }
    let login = login_keys(reader, &records, known)?;
    Ok(Snapshot { version: version(reader)?, records, active: signing, login })
}

/// The pending key of a purpose, if there is one.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn pending(reader: &mut Reader<'_>, purpose: Purpose) -> Result<Option<KeyRecord>, StoreError> {
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
pub(crate) fn find(reader: &mut Reader<'_>, kid: &KeyId) -> Result<KeyRecord, StoreError> {
    let row: Row = signing_keys::table.find(kid).select(Row::as_select()).get_result(reader.db)?;
    row.into_record()
}
