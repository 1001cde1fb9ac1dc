//! Exchanges that were refused: who, when, by which check. No values, no person.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, DatasetId, EntityId, PersonId};
use crate::domain::token::{Refusal, RefusalReason};
use crate::store::engine::columns::word_column;
use crate::store::engine::schema::{consents, refusals};
use crate::store::{Reader, StoreError, Tx};

word_column!(RefusalReason);

/// A refusal to be recorded.
#[derive(Debug, Clone)]
pub struct NewRefusal {
    /// When.
    pub at: Timestamp,
    /// What was said and which check said it.
    pub refusal: Refusal,
    /// Who asked, as far as it was verified.
    pub client: Option<EntityId>,
    /// Under which consent, as far as it was verified.
    pub consent: Option<ConsentId>,
    /// Which dataset, when it is one of ours.
    pub dataset: Option<DatasetId>,
}

/// A refusal as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = refusals)]
pub struct RecordedRefusal {
    /// When.
    pub at: Timestamp,
    /// The standard's code.
    pub code: String,
    /// The check that refused.
    pub reason: RefusalReason,
    /// Who asked.
    pub client: Option<EntityId>,
    /// Under which consent.
    pub consent: Option<ConsentId>,
    /// Which dataset.
    pub dataset: Option<DatasetId>,
}

/// Records a refusal.
///
/// # Errors
/// [`StoreError`].
pub fn insert(tx: &mut Tx<'_>, new: &NewRefusal) -> Result<(), StoreError> {
    diesel::insert_into(refusals::table)
        .values((
            refusals::at.eq(new.at),
            refusals::code.eq(new.refusal.code.as_str()),
            refusals::reason.eq(new.refusal.reason),
            refusals::client.eq(new.client.clone()),
            refusals::consent.eq(new.consent),
            refusals::dataset.eq(new.dataset.clone()),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The refusals under one consent, latest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_consent(
    reader: &mut Reader<'_>,
    consent: ConsentId,
    limit: u32,
) -> Result<Vec<RecordedRefusal>, StoreError> {
    Ok(refusals::table
        .filter(refusals::consent.eq(consent))
        .order(refusals::seq.desc())
        .limit(i64::from(limit))
        .select(RecordedRefusal::as_select())
        .load(reader.db)?)
}

/// The refusals under all of a person's consents, latest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    limit: u32,
) -> Result<Vec<RecordedRefusal>, StoreError> {
    Ok(refusals::table
        .inner_join(consents::table.on(refusals::consent.eq(consents::id.nullable())))
        .filter(consents::person.eq(person))
        .order(refusals::seq.desc())
        .limit(i64::from(limit))
        .select(RecordedRefusal::as_select())
        .load(reader.db)?)
}

/// Forgets the refusals of before a moment that concern no consent: strangers', of which there may be any number.
///
/// # Errors
/// [`StoreError`].
pub fn purge_strangers(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    Ok(diesel::delete(refusals::table.filter(refusals::consent.is_null().and(refusals::at.lt(before))))
        .execute(tx.db)?)
}

/// Forgets the refusals that concern a consent.
///
/// # Errors
/// [`StoreError`].
pub fn forget(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    diesel::delete(refusals::table.filter(refusals::consent.eq(consent))).execute(tx.db)?;
    Ok(())
}

/// The latest refusals of all, for the operator.
///
/// # Errors
/// [`StoreError`].
pub fn latest(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<RecordedRefusal>, StoreError> {
    Ok(refusals::table
        .order(refusals::seq.desc())
        .limit(i64::from(limit))
        .select(RecordedRefusal::as_select())
        .load(reader.db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    on_both!(
        async fn refusals_are_recorded_and_found(fixture) {
            let consent = ConsentId::from_bytes([4; 16]);
            for (n, consent) in [(0, None), (1, Some(consent)), (2, Some(consent))] {
                let new = NewRefusal {
                    at: at(n),
                    refusal: Refusal::proof(RefusalReason::ProofReplayed),
                    client: Some(EntityId::new("https://peer.example").unwrap()),
                    consent,
                    dataset: Some(DatasetId::new("placements").unwrap()),
                };
                fixture.store.write("test", move |tx| insert(tx, &new)).await.unwrap();
            }
            let found = fixture.store.read("test", move |r| of_consent(r, consent, 10)).await.unwrap();
            assert_eq!(found.iter().map(|refusal| refusal.at).collect::<Vec<_>>(), [at(2), at(1)]);
            assert_eq!((found[0].code.as_str(), found[0].reason), ("invalid_dpop_proof", RefusalReason::ProofReplayed));
            assert_eq!(fixture.store.read("test", |r| latest(r, 2)).await.unwrap().len(), 2);
            let person = PersonId::from_bytes([1; 16]);
            assert_eq!(fixture.store.read("test", move |r| of_person(r, person, 10)).await.unwrap(), []);
        }
    );
}
