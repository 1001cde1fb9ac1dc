//! Residents' objections to uses of their data; the statement is sealed. A resident has one open objection to a use.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ObjectionId, PersonId, ProcessingId};
use crate::domain::uses::objection::{Objection, ObjectionAnswer};
use crate::store::engine::columns::word_column;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::use_objections;
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError, Tx};

word_column!(ObjectionAnswer);

#[derive(Queryable, Selectable)]
#[diesel(table_name = use_objections)]
struct Row {
    id: ObjectionId,
    activity: ProcessingId,
    statement: Option<Vec<u8>>,
    made_at: Timestamp,
    answer: Option<ObjectionAnswer>,
    answered_at: Option<Timestamp>,
}

impl Row {
    fn into_objection(self, reader: &mut Reader<'_>) -> Result<Objection, StoreError> {
        let statement = reader.keys.sealer.open_text_option(
            column!(use_objections.statement),
            self.id.as_bytes(),
            self.statement.as_deref(),
        )?;
        Ok(Objection {
            id: self.id,
            activity: self.activity,
            statement: statement.map(|text| text.to_string()),
            made_at: self.made_at,
            answer: self.answer.zip(self.answered_at),
        })
    }
}

/// Records an objection; `false` when the resident has an open one to the same use.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn make(tx: &mut Tx<'_>, person: PersonId, new: &Objection) -> Result<bool, StoreError> {
    let open = use_objections::table
        .filter(use_objections::person.eq(person).and(use_objections::activity.eq(&new.activity)))
        .filter(use_objections::answered_at.is_null());
    if diesel::select(diesel::dsl::exists(open)).get_result(tx.db)? {
        return Ok(false);
    }
    let statement = tx.keys.sealer.seal_option(
        column!(use_objections.statement),
        new.id.as_bytes(),
        new.statement.as_deref().map(str::as_bytes),
    )?;
    diesel::insert_into(use_objections::table)
        .values((
            use_objections::id.eq(new.id),
            use_objections::person.eq(person),
            use_objections::activity.eq(&new.activity),
            use_objections::statement.eq(statement),
            use_objections::made_at.eq(new.made_at),
        ))
        .execute(tx.db)?;
    Ok(true)
}

/// A resident's objections, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(reader: &mut Reader<'_>, person: PersonId) -> Result<Vec<Objection>, StoreError> {
    let rows: Vec<Row> = use_objections::table
        .filter(use_objections::person.eq(person))
        .order((use_objections::made_at.desc(), use_objections::id))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| row.into_objection(reader)).collect()
}

/// Objections, open ones alone or all, oldest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn list(reader: &mut Reader<'_>, open: bool, limit: u32) -> Result<Vec<Objection>, StoreError> {
    let mut query = use_objections::table.select(Row::as_select()).into_boxed();
    if open {
        query = query.filter(use_objections::answered_at.is_null());
    }
    let rows: Vec<Row> = query.order(use_objections::made_at).limit(i64::from(limit)).load(reader.db)?;
    rows.into_iter().map(|row| row.into_objection(reader)).collect()
}

/// An objection and whose it is.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find(reader: &mut Reader<'_>, id: ObjectionId) -> Result<(Objection, PersonId), StoreError> {
    let (row, person): (Row, PersonId) =
        use_objections::table.find(id).select((Row::as_select(), use_objections::person)).first(reader.db)?;
    Ok((row.into_objection(reader)?, person))
}

/// Answers an open objection; `false` when there is none of that identifier.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn answer(
    tx: &mut Tx<'_>,
    id: ObjectionId,
    answer: ObjectionAnswer,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let open = use_objections::table.find(id).filter(use_objections::answered_at.is_null());
    let answered = diesel::update(open)
        .set((use_objections::answer.eq(Some(answer)), use_objections::answered_at.eq(Some(now))))
        .execute(tx.db)?;
    Ok(answered == 1)
}

/// Deletes objections that were answered before a moment. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "use_objections", key "id", while "answered_at < $1", by "answered_at", before, limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::NationalIdentifier;
    use crate::store::engine::testing::{at, on_both};
    use crate::store::resident::persons;

    fn objection(n: u8, activity: &str) -> Objection {
        Objection {
            id: ObjectionId::from_bytes([n; 16]),
            activity: activity.parse().unwrap(),
            statement: Some("my reasons".to_owned()),
            made_at: at(i64::from(n)),
            answer: None,
        }
    }

    on_both!(
        async fn an_objection_stands_until_it_is_answered_and_stays_its_residents(fixture) {
            let store = &fixture.store;
            let login = |number: &'static str| {
                store.write("test", move |tx| {
                    let identifier = NationalIdentifier::new(number).unwrap();
                    persons::upsert_login(tx, "https://login.example", number, &identifier, at(0))
                })
            };
            let (aino, otso) = (login("010101A900B").await.unwrap(), login("010101A901C").await.unwrap());
            let object = |person, new: Objection| store.write("test", move |tx| make(tx, person, &new));
            assert_eq!(object(aino, objection(1, "planning")).await, Ok(true));
            assert_eq!(object(aino, objection(2, "planning")).await, Ok(false), "an open one stands");
            assert_eq!(object(aino, objection(3, "advice")).await, Ok(true));
            assert_eq!(object(otso, objection(4, "planning")).await, Ok(true));
            let mine = store.read("test", move |r| of_person(r, aino)).await.unwrap();
            assert_eq!(mine, [objection(3, "advice"), objection(1, "planning")]);
            let first = ObjectionId::from_bytes([1; 16]);
            let decide = |when| {
                store.write("test", move |tx| answer(tx, first, ObjectionAnswer::Rejected, at(when)))
            };
            assert_eq!(decide(10).await, Ok(true));
            assert_eq!(decide(11).await, Ok(false), "it was answered");
            let (found, whose) = store.read("test", move |r| find(r, first)).await.unwrap();
            assert_eq!((found.answer, whose), (Some((ObjectionAnswer::Rejected, at(10))), aino));
            assert_eq!(store.read("test", |r| list(r, true, 10)).await.unwrap().len(), 2);
            assert_eq!(store.read("test", |r| list(r, false, 10)).await.unwrap().len(), 3);
            // After the answer another one may follow.
            assert_eq!(object(aino, objection(5, "planning")).await, Ok(true));
            assert_eq!(store.write("test", |tx| purge(tx, at(11), 10)).await, Ok(1));
            assert_eq!(store.write("test", |tx| purge(tx, at(999), 10)).await, Ok(0), "open ones stay");
        }
    );
}
