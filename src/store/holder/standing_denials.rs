//! Residents' standing denials, permanent or temporary.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::consent::{DenialKind, StandingDenial};
use crate::domain::ids::{DenialId, PersonId, UseId};
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::standing_denials;
use crate::store::{Reader, StoreError, Tx};

#[derive(Queryable, Selectable)]
#[diesel(table_name = standing_denials)]
struct Row {
    id: DenialId,
    kind: String,
    target: String,
    name: String,
    created_at: Timestamp,
    until_at: Option<Timestamp>,
}

impl Row {
    fn into_denial(self) -> Result<StandingDenial, StoreError> {
        Ok(StandingDenial {
            id: self.id,
            kind: self
                .kind
                .parse::<DenialKind>()
                .map_err(|_| StoreError::Corrupt("standing_denials.kind"))?,
            target: self.target,
            name: from_json(&self.name, "standing_denials.name")?,
            created_at: self.created_at,
            until: self.until_at,
        })
    }
}

/// Stores a denial. If an equal one exists, the later end counts. `true` when something changed.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, person: PersonId, denial: &StandingDenial) -> Result<bool, StoreError> {
    let same: Option<(DenialId, Option<Timestamp>)> = standing_denials::table
        .filter(standing_denials::person.eq(person))
        .filter(standing_denials::kind.eq(denial.kind.as_str()))
        .filter(standing_denials::target.eq(&denial.target))
        .select((standing_denials::id, standing_denials::until_at))
        .first(tx.db)
        .optional()?;
    if let Some((id, stands)) = same {
        let longer = stands.is_some_and(|stands| denial.until.is_none_or(|until| until > stands));
        if longer {
            diesel::update(standing_denials::table.find(id))
                .set((
                    standing_denials::created_at.eq(denial.created_at),
                    standing_denials::until_at.eq(denial.until),
                ))
                .execute(tx.db)?;
        }
        return Ok(longer);
    }
    diesel::insert_into(standing_denials::table)
        .values((
            standing_denials::id.eq(denial.id),
            standing_denials::person.eq(person),
            standing_denials::kind.eq(denial.kind.as_str()),
            standing_denials::target.eq(&denial.target),
            standing_denials::name.eq(to_json(&denial.name, "standing_denials.name")?),
            standing_denials::created_at.eq(denial.created_at),
            standing_denials::until_at.eq(denial.until),
        ))
        .execute(tx.db)?;
    Ok(true)
}

/// Deletes a person's own denial; `false` when there was none, or it is another person's.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn remove(tx: &mut Tx<'_>, person: PersonId, id: DenialId) -> Result<bool, StoreError> {
    let own = standing_denials::table.find(id).filter(standing_denials::person.eq(person));
    Ok(diesel::delete(own).execute(tx.db)? == 1)
}

/// Deletes a person's temporary denial of a use; a permanent one stays.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn lift_plain_no(
    tx: &mut Tx<'_>,
    person: PersonId,
    declared_use: &UseId,
) -> Result<(), StoreError> {
    let plain_no = standing_denials::table
        .filter(standing_denials::person.eq(person))
        .filter(standing_denials::kind.eq(DenialKind::Use.as_str()))
        .filter(standing_denials::target.eq(declared_use.as_str()))
        .filter(standing_denials::until_at.is_not_null());
    diesel::delete(plain_no).execute(tx.db)?;
    Ok(())
}

/// A person's denials that are valid now, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<StandingDenial>, StoreError> {
    let stands = standing_denials::until_at.is_null().or(standing_denials::until_at.gt(now));
    let rows: Vec<Row> = standing_denials::table
        .filter(standing_denials::person.eq(person).and(stands))
        .order((standing_denials::created_at.desc(), standing_denials::id))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_denial).collect()
}

/// Deletes expired denials. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(tx, "standing_denials", key "id", while "until_at <= $1", by "until_at", now, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::Text;
    use crate::domain::ids::NationalIdentifier;
    use crate::store::engine::testing::{at, on_both};
    use crate::store::resident::persons;

    fn denial(n: u8, target: &str) -> StandingDenial {
        StandingDenial {
            id: DenialId::from_bytes([n; 16]),
            kind: DenialKind::Use,
            target: target.to_owned(),
            name: Text { fi: "a".into(), sv: "b".into(), en: "c".into() },
            created_at: at(i64::from(n)),
            until: None,
        }
    }

    on_both!(
        async fn a_plain_no_stands_for_a_while_and_never_shortens_a_longer_one(fixture) {
            let store = &fixture.store;
            let identifier = NationalIdentifier::new("ID-aino").unwrap();
            let login = move |tx: &mut Tx<'_>| {
                persons::upsert_login(tx, "https://login.example", "aino", &identifier, at(0))
            };
            let aino = store.write("test", login).await.unwrap();
            let no = |n, target: &str, until| StandingDenial { until, ..denial(n, target) };
            let keep = |new: StandingDenial| store.write("test", move |tx| insert(tx, aino, &new));
            let of = |when| store.read("test", move |reader| of_person(reader, aino, at(when)));
            assert_eq!(keep(no(1, "u", Some(at(100)))).await, Ok(true));
            assert_eq!(of(99).await.unwrap().len(), 1);
            assert!(of(100).await.unwrap().is_empty(), "its time is over");
            assert_eq!(keep(no(2, "u", Some(at(90)))).await, Ok(false), "shorter");
            assert_eq!(keep(no(3, "u", Some(at(200)))).await, Ok(true), "longer");
            assert_eq!(of(150).await.unwrap(), [StandingDenial { id: denial(1, "u").id, ..no(3, "u", Some(at(200))) }]);
            assert_eq!(keep(no(4, "v", Some(at(50)))).await, Ok(true));
            assert_eq!(keep(denial(5, "u")).await, Ok(true), "for good");
            assert_eq!(keep(no(6, "u", Some(at(900)))).await, Ok(false), "for good is longest");
            assert_eq!(keep(no(7, "https://helsinki.example/catalogue/uses/w", Some(at(800)))).await, Ok(true));
            assert_eq!(store.write("test", |tx| purge(tx, at(50), 100)).await, Ok(1));
            let allowed: UseId = "https://helsinki.example/catalogue/uses/w".parse().unwrap();
            assert_eq!(of(60).await.unwrap().len(), 2);
            store.write("test", move |tx| lift_plain_no(tx, aino, &allowed)).await.unwrap();
            assert_eq!(of(9_999).await.unwrap().len(), 1);
        }
    );

    on_both!(
        async fn a_denial_is_its_persons_alone_and_stands_once(fixture) {
            let store = &fixture.store;
            let person = |subject: &'static str| {
                let identifier = NationalIdentifier::new(&format!("ID-{subject}")).unwrap();
                store.write("test", move |tx| persons::upsert_login(tx, "https://login.example", subject, &identifier, at(0)))
            };
            let (aino, elin) = (person("aino").await.unwrap(), person("elin").await.unwrap());
            let keep = |who, new: StandingDenial| store.write("test", move |tx| insert(tx, who, &new));
            assert_eq!(keep(aino, denial(1, "u")).await, Ok(true));
            assert_eq!(keep(aino, denial(2, "u")).await, Ok(false), "it stands already");
            assert_eq!(keep(aino, denial(3, "v")).await, Ok(true));
            assert_eq!(keep(elin, denial(4, "u")).await, Ok(true));
            let of = |who| store.read("test", move |reader| of_person(reader, who, at(9)));
            assert_eq!(of(aino).await.unwrap(), [denial(3, "v"), denial(1, "u")]);
            let id = denial(1, "u").id;
            assert_eq!(store.write("test", move |tx| remove(tx, elin, id)).await, Ok(false), "not hers");
            assert_eq!(store.write("test", move |tx| remove(tx, aino, id)).await, Ok(true));
            assert_eq!(of(aino).await.unwrap(), [denial(3, "v")]);
            assert_eq!(of(elin).await.unwrap(), [denial(4, "u")]);
        }
    );
}
