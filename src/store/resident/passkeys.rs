//! Residents' passkeys: sealed, found by the hash of the credential id.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{PasskeyId, PersonId};
use crate::domain::login::Passkey;
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::schema::passkeys;
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

const CREDENTIAL_KIND: &str = "passkey";

#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: PasskeyId,
    pub(crate) passkey: Passkey,
    /// When it was registered.
    pub(crate) created_at: Timestamp,
    /// When it last signed.
    pub(crate) last_used_at: Option<Timestamp>,
}

fn seal(reader: &Reader<'_>, id: PasskeyId, passkey: &Passkey) -> Result<Vec<u8>, StoreError> {
    let text = to_json(passkey, "passkeys.credential")?;
    reader.keys.sealer.seal(column!(passkeys.credential), id.as_bytes(), text.as_bytes())
}

fn hash(reader: &Reader<'_>, passkey: &Passkey) -> KeyedHash {
    reader.keys.lookup.secret(CREDENTIAL_KIND, &passkey.credential_hash)
}

/// Keeps a new passkey.
///
/// # Errors
/// [`StoreError::Conflict`] when it is registered already, by anybody.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    id: PasskeyId,
    person: PersonId,
    passkey: &Passkey,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (sealed, hash) = (seal(tx, id, passkey)?, hash(tx, passkey));
    diesel::insert_into(passkeys::table)
        .values((
            passkeys::id.eq(id),
            passkeys::person.eq(person),
            passkeys::credential_hash.eq(hash),
            passkeys::credential.eq(sealed),
            passkeys::created_at.eq(now),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// A person's passkeys, oldest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(reader: &mut Reader<'_>, person: PersonId) -> Result<Vec<Kept>, StoreError> {
    type Row = (PasskeyId, Vec<u8>, Timestamp, Option<Timestamp>);
    let rows: Vec<Row> = passkeys::table
        .filter(passkeys::person.eq(person))
        .order((passkeys::created_at, passkeys::id))
        .select((passkeys::id, passkeys::credential, passkeys::created_at, passkeys::last_used_at))
        .load(reader.db)?;
    rows.into_iter()
        .map(|(id, sealed, created_at, last_used_at)| {
            let text = reader.keys.sealer.open_text(column!(passkeys.credential), id.as_bytes(), &sealed)?;
            Ok(Kept { id, passkey: from_json(&text, "passkeys.credential")?, created_at, last_used_at })
        })
        .collect()
}

/// Records that a passkey has signed, with its new counter.
///
/// # Errors
/// [`StoreError::NotFound`] when it was removed.
pub(crate) fn used(
    tx: &mut Tx<'_>,
    person: PersonId,
    passkey: &Passkey,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hash = hash(tx, passkey);
    let id: PasskeyId = passkeys::table
        .filter(passkeys::person.eq(person).and(passkeys::credential_hash.eq(hash)))
        .select(passkeys::id)
        .first(tx.db)?;
    let sealed = seal(tx, id, passkey)?;
    diesel::update(passkeys::table.find(id))
        .set((passkeys::credential.eq(sealed), passkeys::last_used_at.eq(now)))
        .execute(tx.db)?;
    Ok(())
}

/// Removes a passkey. Its signatures stay valid.
///
/// # Errors
/// [`StoreError::NotFound`] when this person has no such passkey.
pub(crate) fn remove(tx: &mut Tx<'_>, person: PersonId, id: PasskeyId) -> Result<(), StoreError> {
    let removed =
        diesel::delete(passkeys::table.find(id).filter(passkeys::person.eq(person))).execute(tx.db)?;
    if removed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{NationalIdentifier, Thumbprint};
    use crate::store::engine::testing::{at, on_both};
    use crate::store::resident::persons;

    fn passkey(hash: &str, counter: u32) -> Passkey {
        Passkey {
            credential_hash: hash.to_owned(),
            public_key: serde_json::json!({"kty": "EC"}),
            thumbprint: Thumbprint::new("a".repeat(43)).unwrap(),
            credential: format!("{{\"counter\":{counter}}}"),
            label: "Puhelin".to_owned(),
        }
    }

    on_both!(
        async fn a_passkey_is_its_owners_and_one_persons_only(fixture) {
            let person = |subject: &'static str| {
                let identifier = NationalIdentifier::new(subject).unwrap();
                fixture.store.write("test", move |tx| {
                    persons::upsert_login(tx, "https://login.example", subject, &identifier, at(0))
                })
            };
            let (aino, elin) = (person("aino").await.unwrap(), person("elin").await.unwrap());
            let [first, second] = [PasskeyId::from_bytes([1; 16]), PasskeyId::from_bytes([2; 16])];
            let keep = |id, owner, hash: &'static str| {
                fixture.store.write("test", move |tx| insert(tx, id, owner, &passkey(hash, 1), at(10)))
            };
            keep(first, aino, "one").await.unwrap();
            assert_eq!(keep(second, elin, "one").await, Err(StoreError::Conflict));
            keep(second, elin, "two").await.unwrap();
            fixture.store.write("test", move |tx| used(tx, aino, &passkey("one", 7), at(20))).await.unwrap();
            let not_hers = fixture.store.write("test", move |tx| used(tx, elin, &passkey("one", 8), at(30))).await;
            assert_eq!(not_hers, Err(StoreError::NotFound));
            let kept = fixture.store.read("test", move |store| of_person(store, aino)).await.unwrap();
            assert_eq!(kept.len(), 1);
            assert_eq!((kept[0].passkey.clone(), kept[0].last_used_at), (passkey("one", 7), Some(at(20))));
            let not_hers = fixture.store.write("test", move |tx| remove(tx, elin, first)).await;
            assert_eq!(not_hers, Err(StoreError::NotFound));
            fixture.store.write("test", move |tx| remove(tx, aino, first)).await.unwrap();
            assert!(fixture.store.read("test", move |store| of_person(store, aino)).await.unwrap().is_empty());
        }
    );
}
