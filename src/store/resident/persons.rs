//! Residents who have logged in. The national identifier is sealed; it and the provider's `sub` are found by keyed
//! hash.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{NationalIdentifier, PersonId};
use crate::store::engine::schema::{
    consent_requests, consents, passkeys, persons, standing_denials, use_objections,
};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

/// A resident at this node.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The login provider (`iss`).
    pub issuer: String,
    /// The national identifier.
    pub identifier: NationalIdentifier,
    /// The keyed hash of the identifier, for comparing with an expected person.
    pub(crate) identifier_hash: KeyedHash,
    /// First login here.
    pub first_login_at: Timestamp,
    /// Last login here.
    pub last_login_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = persons)]
struct Row {
    id: PersonId,
    issuer: String,
    identifier_hash: KeyedHash,
    identifier: Vec<u8>,
    first_login_at: Timestamp,
    last_login_at: Timestamp,
}

/// Records a login. The person is the pair (`iss`, `sub`); the identifier is updated to what the provider states now.
///
/// # Errors
/// [`StoreError`].
pub fn upsert_login(
    tx: &mut Tx<'_>,
    issuer: &str,
    subject: &str,
    identifier: &NationalIdentifier,
    now: Timestamp,
) -> Result<PersonId, StoreError> {
    let subject_hash = tx.keys.lookup.login(issuer, subject);
    let identifier_hash = tx.keys.lookup.identifier(identifier);
    let known: Option<PersonId> = persons::table
        .filter(persons::issuer.eq(issuer).and(persons::subject_hash.eq(subject_hash)))
        .select(persons::id)
        .first(tx.db)
        .optional()?;
    let id = known.unwrap_or_else(|| PersonId::from_bytes(tx.random()));
    let sealed =
        tx.keys.sealer.seal(column!(persons.identifier), id.as_bytes(), identifier.reveal().as_bytes())?;
    if known.is_some() {
        diesel::update(persons::table.find(id))
            .set((
                persons::identifier_hash.eq(identifier_hash),
                persons::identifier.eq(sealed),
                persons::last_login_at.eq(now),
                persons::idle_since.eq(now),
            ))
            .execute(tx.db)?;
    } else {
        diesel::insert_into(persons::table)
            .values((
                persons::id.eq(id),
                persons::issuer.eq(issuer),
                persons::subject_hash.eq(subject_hash),
                persons::identifier_hash.eq(identifier_hash),
                persons::identifier.eq(sealed),
                persons::first_login_at.eq(now),
                persons::last_login_at.eq(now),
                persons::idle_since.eq(now),
            ))
            .execute(tx.db)?;
    }
    Ok(id)
}

/// A resident by id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, id: PersonId) -> Result<Person, StoreError> {
    let row: Row = persons::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    let identifier =
        reader.keys.sealer.open_text(column!(persons.identifier), id.as_bytes(), &row.identifier)?;
    Ok(Person {
        id: row.id,
        issuer: row.issuer,
        identifier: NationalIdentifier::new(&identifier)
            .map_err(|_| StoreError::Corrupt("persons.identifier"))?,
        identifier_hash: row.identifier_hash,
        first_login_at: row.first_login_at,
        last_login_at: row.last_login_at,
    })
}

/// Everyone with this national identifier: one for each login provider that has stated it.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn with_identifier(
    reader: &mut Reader<'_>,
    identifier: &NationalIdentifier,
) -> Result<Vec<PersonId>, StoreError> {
    let hash = reader.keys.lookup.identifier(identifier);
    Ok(persons::table
        .filter(persons::identifier_hash.eq(hash))
        .order(persons::first_login_at)
        .select(persons::id)
        .load(reader.db)?)
}

/// When a resident of whom something is kept is looked at again, in seconds.
const LOOK_AGAIN_SECS: i64 = 86_400;

/// Erases residents who have not logged in since a moment and have only erased consents: identifier and login can be
/// neither found nor read after that, and a later login creates a new resident. Residents with a permanent denial or
/// an objection, whose answer they are to read until it is purged, are kept, and looked at again a day later. Returns how
/// many are erased, and whether more are to be looked at.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn erase_idle(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<(usize, bool), StoreError> {
    let kept = consents::table.filter(consents::person.eq(persons::id)).filter(consents::erased_at.is_null());
    let asked = consent_requests::table.filter(consent_requests::person.eq(persons::id.nullable()));
    let refused = standing_denials::table.filter(standing_denials::person.eq(persons::id));
    let objected = use_objections::table.filter(use_objections::person.eq(persons::id));
    let looked_at: Vec<PersonId> = persons::table
        .filter(persons::idle_since.lt(before))
        // As the partial index says it.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("issuer <> 'erased'"))
        .order(persons::idle_since)
        .limit(i64::from(limit))
        .select(persons::id)
        .load(tx.db)?;
    let idle: Vec<PersonId> = persons::table
        .filter(persons::id.eq_any(&looked_at))
        .filter(diesel::dsl::not(diesel::dsl::exists(kept)))
        .filter(diesel::dsl::not(diesel::dsl::exists(asked)))
        .filter(diesel::dsl::not(diesel::dsl::exists(refused)))
        .filter(diesel::dsl::not(diesel::dsl::exists(objected)))
        .select(persons::id)
        .load(tx.db)?;
    diesel::update(persons::table.filter(persons::id.eq_any(&looked_at)))
        .set(persons::idle_since.eq(before.plus_secs(LOOK_AGAIN_SECS)))
        .execute(tx.db)?;
    for id in &idle {
        let nothing = tx.keys.sealer.seal(column!(persons.identifier), id.as_bytes(), b"")?;
        diesel::delete(passkeys::table.filter(passkeys::person.eq(*id))).execute(tx.db)?;
        diesel::delete(use_objections::table.filter(use_objections::person.eq(*id))).execute(tx.db)?;
        // Random bytes that are the hash of nothing.
        let subject = KeyedHash::stored(&tx.random::<32>(), "persons.subject_hash")?;
        let identifier = KeyedHash::stored(&tx.random::<32>(), "persons.identifier_hash")?;
        diesel::update(persons::table.find(*id))
            .set((
                persons::issuer.eq(ERASED),
                persons::subject_hash.eq(subject),
                persons::identifier_hash.eq(identifier),
                persons::identifier.eq(nothing),
            ))
            .execute(tx.db)?;
    }
    Ok((idle.len(), u32::try_from(looked_at.len()).is_ok_and(|looked_at| looked_at >= limit)))
}

/// The issuer of residents who were erased.
const ERASED: &str = "erased";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn identifier(text: &str) -> NationalIdentifier {
        NationalIdentifier::new(text).unwrap()
    }

    on_both!(
        async fn a_person_is_issuer_and_subject(fixture) {
            let login = |issuer: &'static str, subject: &'static str, number: &'static str, when| {
                fixture
                    .store
                    .write("test", move |tx| upsert_login(tx, issuer, subject, &identifier(number), at(when)))
            };
            let first = login("https://a.example", "s1", "010101A900B", 0).await.unwrap();
            assert_eq!(login("https://a.example", "s1", "010101A900B", 60).await.unwrap(), first);
            assert_ne!(login("https://b.example", "s1", "010101A900B", 60).await.unwrap(), first);
            assert_ne!(login("https://a.example", "s2", "010101A900B", 60).await.unwrap(), first);
            let person = fixture.store.read("test", move |r| find(r, first)).await.unwrap();
            assert_eq!(person.identifier.reveal(), "010101A900B");
            assert_eq!((person.first_login_at, person.last_login_at), (at(0), at(60)));
            // A changed identifier (they do change) follows the login.
            login("https://a.example", "s1", "010101A901C", 70).await.unwrap();
            let person = fixture.store.read("test", move |r| find(r, first)).await.unwrap();
            assert_eq!(person.identifier.reveal(), "010101A901C");
            let expected = fixture
                .store
                .read("test", |r| Ok::<_, StoreError>(r.lookup().identifier(&identifier("010101a901c"))))
                .await
                .unwrap();
            assert_eq!(person.identifier_hash, expected);
        }
    );

    on_both!(
        async fn first_logins_at_once_make_one_person(fixture) {
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        store
                            .write("test", |tx| upsert_login(tx, "https://a.example", "s", &identifier("X"), at(0)))
                            .await
                            .unwrap()
                    })
                })
                .collect();
            let mut ids = Vec::new();
            for task in tasks {
                ids.push(task.await.unwrap());
            }
            ids.dedup();
            assert_eq!(ids.len(), 1);
        }
    );

    #[tokio::test(flavor = "multi_thread")]
    async fn no_identifier_is_readable_in_the_files() {
        use crate::store::engine::testing::{Kind, TestStore};
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let number = "010101A9FINDME";
        fixture
            .store
            .write("test", move |tx| {
                upsert_login(tx, "https://a.example", number, &identifier(number), at(0))
            })
            .await
            .unwrap();
        for entry in std::fs::read_dir(fixture.directory()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(number.len()).any(|part| part == number.as_bytes()));
        }
    }
}
