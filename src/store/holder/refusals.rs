//! Refused exchanges: recipient, time and check. No values, no person.
//!
//! Refusals under a consent of this node are stored one by one, for the resident. The others can be caused by anybody
//! in any number: they are counted, one row an hour for each kind.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, DatasetId, EntityId, PersonId};
use crate::domain::token::{Refusal, RefusalReason};
use crate::store::engine::columns::word_column;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{refusal_counts, refusals};
use crate::store::holder::exchanges::{newest, persons_consents};
use crate::store::resident::reported_uses::Before;
use crate::store::{Reader, StoreError, Tx};

word_column!(RefusalReason);

/// A refusal to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewRefusal {
    pub(crate) at: Timestamp,
    /// The code and the check.
    pub(crate) refusal: Refusal,
    /// The recipient, as far as it was verified.
    pub(crate) client: Option<EntityId>,
    /// The consent, as far as it was verified.
    pub(crate) consent: Option<ConsentId>,
    /// The dataset, if it is one of this node's.
    pub(crate) dataset: Option<DatasetId>,
}

/// A refusal as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRefusal {
    /// The moment; of several, the last.
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
    /// The number of this kind within the hour: more than one only without a consent.
    pub times: u32,
}

type Row = (Timestamp, String, RefusalReason, Option<EntityId>, ConsentId, Option<DatasetId>);

fn recorded((at, code, reason, client, consent, dataset): Row) -> RecordedRefusal {
    RecordedRefusal { at, code, reason, client, consent: Some(consent), dataset, times: 1 }
}

/// Stores a refusal.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewRefusal) -> Result<(), StoreError> {
    let Some(consent) = new.consent else { return count(tx, new) };
    diesel::insert_into(refusals::table)
        .values((
            refusals::at.eq(new.at),
            refusals::code.eq(new.refusal.code.as_str()),
            refusals::reason.eq(new.refusal.reason),
            refusals::client.eq(new.client.clone()),
            refusals::consent.eq(consent),
            refusals::dataset.eq(new.dataset.clone()),
        ))
        .execute(tx.db)?;
    Ok(())
}

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// `$n` works on both databases.
const COUNT: &str = "\
    INSERT INTO refusal_counts (hour, code, reason, client, dataset, refused, first_at, last_at) \
    VALUES ($1, $2, $3, $4, $5, 1, $6, $7) \
    ON CONFLICT (hour, code, reason, client, dataset) \
    DO UPDATE SET refused = refusal_counts.refused + 1, last_at = excluded.last_at";

fn count(tx: &mut Tx<'_>, new: &NewRefusal) -> Result<(), StoreError> {
    diesel::sql_query(COUNT)
        .bind::<BigInt, _>(new.at.micros().div_euclid(MICROS_PER_HOUR))
        .bind::<Text, _>(new.refusal.code.as_str())
        .bind::<Text, _>(new.refusal.reason.as_str())
        .bind::<Text, _>(new.client.as_ref().map_or("", EntityId::as_str))
        .bind::<Text, _>(new.dataset.as_ref().map_or("", DatasetId::as_str))
        .bind::<BigInt, _>(new.at)
        .bind::<BigInt, _>(new.at)
        .execute(tx.db)?;
    Ok(())
}

/// The refusals under one consent, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_consent(
    reader: &mut Reader<'_>,
    consent: ConsentId,
    limit: u32,
) -> Result<Vec<RecordedRefusal>, StoreError> {
    let rows: Vec<Row> = refusals::table
        .filter(refusals::consent.eq(consent))
        .order((refusals::at.desc(), refusals::seq.desc()))
        .limit(i64::from(limit))
        .select(columns())
        .load(reader.db)?;
    Ok(rows.into_iter().map(recorded).collect())
}

/// The refusals under a person's consents that come after an entry of their log, with their numbers, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    before: Before,
    limit: u32,
) -> Result<Vec<(i64, RecordedRefusal)>, StoreError> {
    let mut keys: Vec<(Timestamp, i64)> = Vec::new();
    for consent in persons_consents(reader, person)? {
        let of_one: Vec<(Timestamp, i64)> = refusals::table
            .filter(refusals::consent.eq(consent).and(refusals::at.le(before.at)))
            .filter(refusals::at.lt(before.at).or(refusals::seq.lt(before.number)))
            .order((refusals::at.desc(), refusals::seq.desc()))
            .limit(i64::from(limit))
            .select((refusals::at, refusals::seq))
            .load(reader.db)?;
        keys.extend(of_one);
    }
    let mut rows: Vec<(i64, Row)> = refusals::table
        .filter(refusals::seq.eq_any(newest(keys, limit)))
        .select((refusals::seq, columns()))
        .load(reader.db)?;
    rows.sort_unstable_by_key(|(seq, row)| std::cmp::Reverse((row.0, *seq)));
    Ok(rows.into_iter().map(|(seq, row)| (seq, recorded(row))).collect())
}

#[allow(clippy::type_complexity, reason = "the columns of `Row`, in its order")]
const fn columns()
-> (refusals::at, refusals::code, refusals::reason, refusals::client, refusals::consent, refusals::dataset) {
    (refusals::at, refusals::code, refusals::reason, refusals::client, refusals::consent, refusals::dataset)
}

/// Deletes the counted refusals that ended before a moment. Returns how many rows.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge_counts(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "refusal_counts", key "hour, code, reason, client, dataset", while "last_at < $1", by "last_at", before,
        limit
    )
}

/// Deletes the refusals under a consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn forget(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    diesel::delete(refusals::table.filter(refusals::consent.eq(consent))).execute(tx.db)?;
    Ok(())
}

/// The latest refusals, for the operator.
///
/// # Errors
/// [`StoreError`].
pub fn latest(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<RecordedRefusal>, StoreError> {
    type Counted = (Timestamp, String, RefusalReason, String, String, i64);
    let single: Vec<Row> = refusals::table
        .order(refusals::seq.desc())
        .limit(i64::from(limit))
        .select(columns())
        .load(reader.db)?;
    let counted: Vec<Counted> = refusal_counts::table
        .order(refusal_counts::last_at.desc())
        .limit(i64::from(limit))
        .select((
            refusal_counts::last_at,
            refusal_counts::code,
            refusal_counts::reason,
            refusal_counts::client,
            refusal_counts::dataset,
            refusal_counts::refused,
        ))
        .load(reader.db)?;
    let mut all: Vec<RecordedRefusal> = single.into_iter().map(recorded).collect();
    all.extend(counted.into_iter().map(|(at, code, reason, client, dataset, refused)| RecordedRefusal {
        at,
        code,
        reason,
        client: EntityId::new(&client).ok(),
        consent: None,
        dataset: DatasetId::new(dataset).ok(),
        times: u32::try_from(refused).unwrap_or(u32::MAX),
    }));
    all.sort_by_key(|refusal| std::cmp::Reverse(refusal.at));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
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
        }
    );

    on_both!(
        async fn any_number_of_a_strangers_refusals_takes_one_row_an_hour(fixture) {
            for n in 0..30 {
                let new = NewRefusal {
                    at: at(n * 100),
                    refusal: Refusal::proof(RefusalReason::ProofReplayed),
                    client: None,
                    consent: None,
                    dataset: Some(DatasetId::new("placements").unwrap()),
                };
                fixture.store.write("test", move |tx| insert(tx, &new)).await.unwrap();
            }
            let found = fixture.store.read("test", |r| latest(r, 10)).await.unwrap();
            assert!((1..=2).contains(&found.len()), "{found:?}");
            assert_eq!(found.iter().map(|refusal| refusal.times).sum::<u32>(), 30);
            assert_eq!(found[0].at, at(2900));
            assert_eq!(found[0].client, None);
            assert_eq!(fixture.store.write("test", |tx| purge_counts(tx, at(3000), 100)).await, Ok(found.len()));
            assert_eq!(fixture.store.read("test", |r| latest(r, 10)).await.unwrap(), []);
        }
    );
}
