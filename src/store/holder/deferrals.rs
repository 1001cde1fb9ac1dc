//! Deferred answers: when somebody asked, and from when on the register has the data.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, PersonId};
use crate::store::engine::schema::deferrals;
use crate::store::holder::exchanges::{newest, persons_consents};
use crate::store::resident::reported_uses::Before;
use crate::store::{Reader, StoreError, Tx};

/// A deferred answer as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deferrals)]
pub struct RecordedDeferral {
    /// When it was asked.
    pub at: Timestamp,
    /// From when on the data is available.
    pub available_from: Timestamp,
}

/// Stores a deferred answer.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    consent: ConsentId,
    deferral: RecordedDeferral,
) -> Result<(), StoreError> {
    diesel::insert_into(deferrals::table)
        .values((
            deferrals::at.eq(deferral.at),
            deferrals::consent.eq(consent),
            deferrals::available_from.eq(deferral.available_from),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The deferred answers under one consent, latest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_consent(
    reader: &mut Reader<'_>,
    consent: ConsentId,
    limit: u32,
) -> Result<Vec<RecordedDeferral>, StoreError> {
    Ok(deferrals::table
        .filter(deferrals::consent.eq(consent))
        .order((deferrals::at.desc(), deferrals::seq.desc()))
        .limit(i64::from(limit))
        .select(RecordedDeferral::as_select())
        .load(reader.db)?)
}

/// The deferred answers under a person's consents that come after an entry of their log, with number and consent,
/// latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    before: Before,
    limit: u32,
) -> Result<Vec<(i64, ConsentId, RecordedDeferral)>, StoreError> {
    let mut keys: Vec<(Timestamp, i64)> = Vec::new();
    for consent in persons_consents(reader, person)? {
        let of_one: Vec<(Timestamp, i64)> = deferrals::table
            .filter(deferrals::consent.eq(consent).and(deferrals::at.le(before.at)))
            .filter(deferrals::at.lt(before.at).or(deferrals::seq.lt(before.number)))
            .order((deferrals::at.desc(), deferrals::seq.desc()))
            .limit(i64::from(limit))
            .select((deferrals::at, deferrals::seq))
            .load(reader.db)?;
        keys.extend(of_one);
    }
    let mut rows: Vec<(i64, ConsentId, RecordedDeferral)> = deferrals::table
        .filter(deferrals::seq.eq_any(newest(keys, limit)))
        .select((deferrals::seq, deferrals::consent, RecordedDeferral::as_select()))
        .load(reader.db)?;
    rows.sort_unstable_by_key(|(seq, _, deferral)| std::cmp::Reverse((deferral.at, *seq)));
    Ok(rows)
}

/// Deletes the deferred answers under a consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn forget(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    diesel::delete(deferrals::table.filter(deferrals::consent.eq(consent))).execute(tx.db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    on_both!(
        async fn deferrals_are_found_by_their_consent_and_forgotten_with_it(fixture) {
            let (mine, other) = (ConsentId::from_bytes([4; 16]), ConsentId::from_bytes([5; 16]));
            for (n, consent) in [(1, mine), (2, other), (3, mine)] {
                let new = RecordedDeferral { at: at(n), available_from: at(n * 100) };
                fixture.store.write("test", move |tx| insert(tx, consent, new)).await.unwrap();
            }
            let found = fixture.store.read("test", move |r| of_consent(r, mine, 10)).await.unwrap();
            let known = |n| RecordedDeferral { at: at(n), available_from: at(n * 100) };
            assert_eq!(found, [known(3), known(1)]);
            fixture.store.write("test", move |tx| forget(tx, mine)).await.unwrap();
            assert_eq!(fixture.store.read("test", move |r| of_consent(r, mine, 10)).await.unwrap(), []);
            assert_eq!(fixture.store.read("test", move |r| of_consent(r, other, 10)).await.unwrap(), [known(2)]);
        }
    );
}
