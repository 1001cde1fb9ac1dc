//! The node's signing keys. They live in the database, private parts sealed, so that all processes of a node share them
//! and a rotation needs no restart.

use diesel::prelude::*;

use super::columns::{from_json, text_enum, to_json};
use super::db::on_backend;
use super::schema::signing_keys;
use super::sealed::column;
use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{JoseError, PublicKey, PublicKeys, SigningKey};

/// What a key signs. One key never serves two purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Entity statements.
    Federation,
    /// Consent tokens, status lists.
    Token,
    /// Receipts and events.
    Receipt,
    /// Client assertions (`private_key_jwt`).
    Client,
    /// DPoP proofs.
    Dpop,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 5] = [Self::Federation, Self::Token, Self::Receipt, Self::Client, Self::Dpop];

    /// The word for it, as stored and as the command line takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Federation => "federation",
            Self::Token => "token",
            Self::Receipt => "receipt",
            Self::Client => "client",
            Self::Dpop => "dpop",
        }
    }
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Pending,
    /// Signs.
    Active,
    /// Signs no more, still verifies.
    Retired,
    /// Verifies nothing; its private part is destroyed.
    Revoked,
}

/// Why a key was revoked (OpenID Federation 1.0, historical keys).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeReason {
    /// Somebody else may have the private part.
    Compromised,
    /// Replaced, and no longer needed to verify.
    Superseded,
}

text_enum!(Purpose {
    Federation = "federation",
    Token = "token",
    Receipt = "receipt",
    Client = "client",
    Dpop = "dpop",
});
text_enum!(KeyState { Pending = "pending", Active = "active", Retired = "retired", Revoked = "revoked" });
text_enum!(RevokeReason { Compromised = "compromised", Superseded = "superseded" });

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
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// When, and why, it was revoked.
    pub revoked: Option<(Timestamp, RevokeReason)>,
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
}

impl Row {
    fn into_record(self) -> Result<KeyRecord, StoreError> {
        Ok(KeyRecord {
            public: public_key(&self.public_jwk)?,
            kid: self.kid,
            purpose: self.purpose,
            state: self.state,
            created_at: self.created_at,
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

/// The key that signs for a purpose; made and activated when there is none. Processes that ask at once get the same.
///
/// # Errors
/// [`StoreError::Unavailable`] when a key cannot be made, or the database is away.
pub fn ensure_active(
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

/// Adds a key that is published but does not sign yet, so that everyone knows it before it does.
///
/// # Errors
/// [`StoreError`].
pub fn add_pending(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    key: &SigningKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, purpose, key, KeyState::Pending, now)
}

fn insert(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    key: &SigningKey,
    state: KeyState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kid = key.kid();
    let private = tx.keys.sealer.seal(
        column!(signing_keys.private_jwk),
        kid.as_str().as_bytes(),
        key.to_private_jwk().as_bytes(),
    )?;
    let row = (
        signing_keys::kid.eq(kid),
        signing_keys::purpose.eq(purpose),
        signing_keys::state.eq(state),
        signing_keys::private_jwk.eq(private),
        signing_keys::public_jwk.eq(to_json(&key.public().to_jwk(), "signing_keys.public_jwk")?),
        signing_keys::created_at.eq(now),
        signing_keys::activated_at.eq((state == KeyState::Active).then_some(now)),
    );
    // A second active key of the purpose is refused by an index: then another process was faster, and its key counts.
    on_backend!(tx.db, |c| diesel::insert_into(signing_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
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

/// The public keys of a purpose that verify now: pending, active and retired ones, as published.
///
/// # Errors
/// [`StoreError`].
pub fn verifying(reader: &mut Reader<'_>, purpose: Purpose) -> Result<PublicKeys, StoreError> {
    let keys: Vec<String> = signing_keys::table
        .filter(signing_keys::purpose.eq(purpose).and(signing_keys::state.ne(KeyState::Revoked)))
        .order((signing_keys::created_at, signing_keys::kid))
        .select(signing_keys::public_jwk)
        .load(reader.db)?;
    let keys = keys.iter().map(|jwk| public_key(jwk)).collect::<Result<Vec<_>, _>>()?;
    PublicKeys::from_keys(keys).map_err(|_| StoreError::Corrupt("signing_keys.public_jwk"))
}

/// Lets a pending key sign, and retires the one that signed before.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not pending.
pub fn activate(tx: &mut Tx<'_>, kid: &KeyId, now: Timestamp) -> Result<(), StoreError> {
    let purpose: Purpose = signing_keys::table
        .find(kid)
        .filter(signing_keys::state.eq(KeyState::Pending))
        .select(signing_keys::purpose)
        .first(tx.db)?;
    diesel::update(
        signing_keys::table
            .filter(signing_keys::purpose.eq(purpose).and(signing_keys::state.eq(KeyState::Active))),
    )
    .set((signing_keys::state.eq(KeyState::Retired), signing_keys::retired_at.eq(now)))
    .execute(tx.db)?;
    diesel::update(signing_keys::table.find(kid))
        .set((signing_keys::state.eq(KeyState::Active), signing_keys::activated_at.eq(now)))
        .execute(tx.db)?;
    Ok(())
}

/// Takes a key out of verification for good and destroys its private part. Where it was the active one, the next
/// [`ensure_active`] makes another.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such key, or it is revoked already.
pub fn revoke(tx: &mut Tx<'_>, kid: &KeyId, reason: RevokeReason, now: Timestamp) -> Result<(), StoreError> {
    let changed =
        diesel::update(signing_keys::table.find(kid).filter(signing_keys::state.ne(KeyState::Revoked)))
            .set((
                signing_keys::state.eq(KeyState::Revoked),
                signing_keys::revoked_at.eq(now),
                signing_keys::revoke_reason.eq(reason),
                signing_keys::private_jwk.eq(None::<Vec<u8>>),
            ))
            .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, on_both, root_keys};

    on_both!(
        async fn processes_agree_on_one_active_key(fixture) {
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        store
                            .write(|tx| ensure_active(tx, Purpose::Token, at(0), SigningKey::generate))
                            .await
                            .unwrap()
                            .kid()
                            .clone()
                    })
                })
                .collect();
            let mut kids = Vec::new();
            for task in tasks {
                kids.push(task.await.unwrap());
            }
            kids.dedup();
            assert_eq!(kids.len(), 1);
            assert_eq!(fixture.store.read(list).await.unwrap().len(), 1);
        }
    );

    on_both!(
        async fn a_key_goes_from_pending_to_revoked(fixture) {
            let store = &fixture.store;
            let first = store
                .write(|tx| ensure_active(tx, Purpose::Client, at(0), SigningKey::generate))
                .await
                .unwrap();
            let second = SigningKey::generate().unwrap();
            let kid = second.kid().clone();
            store.write(move |tx| add_pending(tx, Purpose::Client, &second, at(1))).await.unwrap();
            assert_eq!(store.read(|r| active(r, Purpose::Client)).await.unwrap().kid(), first.kid());
            assert_eq!(store.read(|r| verifying(r, Purpose::Client)).await.unwrap().len(), 2);

            let next = kid.clone();
            store.write(move |tx| activate(tx, &next, at(2))).await.unwrap();
            assert_eq!(store.read(|r| active(r, Purpose::Client)).await.unwrap().kid(), &kid);
            assert_eq!(store.read(|r| verifying(r, Purpose::Client)).await.unwrap().len(), 2);
            let old = first.kid().clone();
            assert_eq!(store.read(move |r| with_private_part(r, &old)).await.unwrap().kid(), first.kid());

            let old = first.kid().clone();
            store.write(move |tx| revoke(tx, &old, RevokeReason::Superseded, at(3))).await.unwrap();
            let old = first.kid().clone();
            let gone = store.read(move |r| with_private_part(r, &old)).await.map(|_| ());
            assert_eq!(gone, Err(StoreError::NotFound));
            assert!(store.read(|r| verifying(r, Purpose::Client)).await.unwrap().find(first.kid()).is_none());
            let old = first.kid().clone();
            let again = store.write(move |tx| revoke(tx, &old, RevokeReason::Compromised, at(4))).await;
            assert_eq!(again, Err(StoreError::NotFound));

            let states: Vec<_> =
                store.read(list).await.unwrap().into_iter().map(|key| (key.state, key.revoked)).collect();
            assert_eq!(states[0], (KeyState::Revoked, Some((at(3), RevokeReason::Superseded))));
            assert_eq!(states[1], (KeyState::Active, None));
        }
    );
}
