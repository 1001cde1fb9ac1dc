//! Uses of residents' data that the city's systems reported. What stands in them is sealed; whose they are, and the
//! reporter's own identifiers, which may name a person, are keyed hashes.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{HidingReason, ReportedUseId, ServiceId};
use crate::domain::uses::{Delay, ShownUse, UsagePeriod, UseDescription};
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{reported_uses, use_reports};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

/// A use to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewUse {
    pub(crate) id: ReportedUseId,
    /// The keyed hash of the person's identifier.
    pub(crate) person: KeyedHash,
    /// The reporting system.
    pub(crate) source: String,
    /// The reporter's identifier of the event.
    pub(crate) event: String,
    /// What else the reporter said that tells this use from another, in its own names.
    pub(crate) reported: String,
    /// The activity in the record of processing; empty for another system's log.
    pub(crate) activity: String,
    pub(crate) description: UseDescription,
    pub(crate) period: UsagePeriod,
    /// Until when it is withheld, and why.
    pub(crate) hidden: Option<(Timestamp, HidingReason)>,
    pub(crate) expires_at: Timestamp,
}

/// What came of recording a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    New,
    /// The same use was reported before.
    Known,
    /// The reporter used the identifier for another use.
    OtherBefore,
}

/// A moment and a tie-breaker: entries that come after it when they are listed newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) at: Timestamp,
    /// Of the entries at that moment, those with a lower number.
    pub(crate) number: i64,
}

/// Records a use once.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn record(tx: &mut Tx<'_>, new: &NewUse, now: Timestamp) -> Result<Recorded, StoreError> {
    let description =
        serde_json::to_vec(&new.description).map_err(|_| StoreError::Rule("reported_uses.description"))?;
    let event = tx.keys.lookup.parts("use-event", &[new.source.as_bytes(), new.event.as_bytes()]);
    let hidden_until = new.hidden.as_ref().map(|(until, _)| *until);
    let content = tx.keys.lookup.parts(
        "use-content",
        &[
            new.person.as_bytes(),
            new.activity.as_bytes(),
            new.reported.as_bytes(),
            &new.period.from.micros().to_be_bytes(),
            &new.period.to.micros().to_be_bytes(),
        ],
    );
    let known: Option<KeyedHash> = reported_uses::table
        .filter(reported_uses::event_hash.eq(event))
        .select(reported_uses::content_hash)
        .first(tx.db)
        .optional()?;
    if let Some(before) = known {
        return Ok(if before == content { Recorded::Known } else { Recorded::OtherBefore });
    }
    let sealed = tx.keys.sealer.seal(column!(reported_uses.description), new.id.as_bytes(), &description)?;
    diesel::insert_into(reported_uses::table)
        .values((
            reported_uses::id.eq(new.id),
            reported_uses::person_hash.eq(new.person),
            reported_uses::event_hash.eq(event),
            reported_uses::content_hash.eq(content),
            reported_uses::source.eq(&new.source),
            reported_uses::activity.eq(&new.activity),
            reported_uses::description.eq(sealed),
            reported_uses::used_from.eq(new.period.from),
            reported_uses::used_to.eq(new.period.to),
            reported_uses::reported_at.eq(now),
            reported_uses::hidden_until.eq(hidden_until),
            reported_uses::hidden_reason.eq(new.hidden.as_ref().map(|(_, reason)| reason.as_str())),
            reported_uses::expires_at.eq(new.expires_at),
        ))
        .execute(tx.db)?;
    Ok(Recorded::New)
}

const REPORTED: &str = "\
    INSERT INTO use_reports (source, last_at) VALUES ($1, $2) \
    ON CONFLICT (source) DO UPDATE SET last_at = excluded.last_at WHERE use_reports.last_at < excluded.last_at";

/// Notes that a system reported.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn reported(tx: &mut Tx<'_>, source: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::sql_query(REPORTED).bind::<Text, _>(source).bind::<BigInt, _>(now).execute(tx.db)?;
    Ok(())
}

/// When each system last reported.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn last_reports(reader: &mut Reader<'_>) -> Result<Vec<(ServiceId, Timestamp)>, StoreError> {
    Ok(use_reports::table.select((use_reports::source, use_reports::last_at)).load(reader.db)?)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = reported_uses)]
struct Row {
    seq: i64,
    id: ReportedUseId,
    activity: String,
    description: Vec<u8>,
    used_from: Timestamp,
    used_to: Timestamp,
    hidden_until: Option<Timestamp>,
    hidden_reason: Option<String>,
}

/// A person's uses that come after an entry of their log, latest first. None that is withheld now.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: KeyedHash,
    before: Before,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ShownUse>, StoreError> {
    let rows: Vec<Row> = reported_uses::table
        .filter(reported_uses::person_hash.eq(person))
        .filter(reported_uses::hidden_until.is_null().or(reported_uses::hidden_until.le(now)))
        .filter(reported_uses::used_to.le(before.at))
        .filter(reported_uses::used_to.lt(before.at).or(reported_uses::seq.lt(before.number)))
        .order((reported_uses::used_to.desc(), reported_uses::seq.desc()))
        .limit(i64::from(limit))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| row.shown(reader)).collect()
}

impl Row {
    fn shown(self, reader: &mut Reader<'_>) -> Result<ShownUse, StoreError> {
        let place = column!(reported_uses.description);
        let opened = reader.keys.sealer.open(place, self.id.as_bytes(), &self.description)?;
        let description = serde_json::from_slice(&opened).map_err(|_| StoreError::Corrupt(place.name))?;
        Ok(ShownUse {
            id: self.id,
            seq: self.seq,
            activity: self.activity,
            description,
            period: UsagePeriod { from: self.used_from, to: self.used_to },
            delay: self.hidden_until.zip(self.hidden_reason).map(|(until, reason)| Delay { reason, until }),
        })
    }
}

/// How often each activity used a person's data, and when last. None that is withheld now.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count(
    reader: &mut Reader<'_>,
    person: KeyedHash,
    now: Timestamp,
) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    use diesel::dsl::{count_star, max};
    let rows: Vec<(String, i64, Option<Timestamp>)> = reported_uses::table
        .filter(reported_uses::person_hash.eq(person))
        .filter(reported_uses::hidden_until.is_null().or(reported_uses::hidden_until.le(now)))
        .group_by(reported_uses::activity)
        .select((reported_uses::activity, count_star(), max(reported_uses::used_to)))
        .load(reader.db)?;
    Ok(rows.into_iter().filter_map(|(activity, uses, last)| Some((activity, uses, last?))).collect())
}

/// Deletes uses after their retention. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(tx, "reported_uses", key "id", while "expires_at <= $1", by "expires_at", now, limit)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::catalogue::Text;
    use crate::domain::ids::NationalIdentifier;
    use crate::store::engine::testing::{at, on_both};

    pub(crate) const END: Before = Before { at: Timestamp::from_secs(i64::MAX), number: i64::MAX };

    /// The use `n` of a person, at the second `n`.
    pub(crate) fn used(person: KeyedHash, n: u8) -> NewUse {
        NewUse {
            id: ReportedUseId::from_bytes([n; 16]),
            person,
            source: "fee-system".to_owned(),
            event: format!("case/010101A9FINDME/{n}"),
            reported: String::new(),
            activity: "fees".to_owned(),
            description: UseDescription {
                service: Text::same("Fees"),
                role: None,
                purpose: Text::same("FINDME the fee is set"),
                legal_basis: "A6-1-c".to_owned(),
                law: None,
                dataset: None,
                fields: Vec::new(),
            },
            period: UsagePeriod { from: at(i64::from(n) - 1), to: at(i64::from(n)) },
            hidden: None,
            expires_at: at(1000 + i64::from(n)),
        }
    }

    pub(crate) fn hash(
        number: &'static str,
    ) -> impl FnOnce(&mut Reader<'_>) -> Result<KeyedHash, StoreError> {
        move |reader| Ok(reader.lookup().identifier(&NationalIdentifier::new(number).unwrap()))
    }

    on_both!(
        async fn a_use_is_recorded_once_and_its_event_names_no_other(fixture) {
            let store = &fixture.store;
            let aino = store.read("test", hash("010101A900B")).await.unwrap();
            let keep = |new: NewUse| store.write("test", move |tx| record(tx, &new, at(50)));
            assert_eq!(keep(used(aino, 1)).await, Ok(Recorded::New));
            let again = NewUse { id: ReportedUseId::from_bytes([9; 16]), ..used(aino, 1) };
            assert_eq!(keep(again).await, Ok(Recorded::Known));
            // The configuration's texts may change between a report and its repetition.
            let mut reworded = used(aino, 1);
            reworded.description.purpose = Text::same("the fee is decided");
            assert_eq!(keep(reworded).await, Ok(Recorded::Known));
            let other = NewUse { reported: "placements".to_owned(), ..used(aino, 1) };
            assert_eq!(keep(other).await, Ok(Recorded::OtherBefore));
            let other = NewUse { activity: "places".to_owned(), ..used(aino, 1) };
            assert_eq!(keep(other).await, Ok(Recorded::OtherBefore));
            // Another reporter has events of its own.
            let elsewhere =
                NewUse { id: ReportedUseId::from_bytes([8; 16]), source: "other".to_owned(), ..used(aino, 1) };
            assert_eq!(keep(elsewhere).await, Ok(Recorded::New));
        }
    );

    on_both!(
        async fn a_person_reads_page_by_page_their_own_uses_and_none_twice(fixture) {
            let store = &fixture.store;
            let aino = store.read("test", hash("010101A900B")).await.unwrap();
            let otso = store.read("test", hash("010101A901C")).await.unwrap();
            for n in 1..=7 {
                let mut new = used(aino, n);
                // Three at the same moment.
                if n < 4 {
                    new.period = UsagePeriod { from: at(0), to: at(3) };
                }
                store.write("test", move |tx| record(tx, &new, at(50))).await.unwrap();
            }
            store.write("test", move |tx| record(tx, &used(otso, 20), at(50))).await.unwrap();
            let (mut seen, mut before) = (Vec::new(), END);
            loop {
                let page = store.read("test", move |r| of_person(r, aino, before, at(60), 2)).await.unwrap();
                let Some(last) = page.last() else { break };
                before = Before { at: last.period.to, number: last.seq };
                seen.extend(page.iter().map(|one| one.id.as_bytes()[0]));
            }
            assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
            assert_eq!(
                store.read("test", move |r| count(r, otso, at(60))).await,
                Ok(vec![("fees".to_owned(), 1, at(20))])
            );
        }
    );

    on_both!(
        async fn a_withheld_use_appears_by_itself_with_the_reason(fixture) {
            let store = &fixture.store;
            let aino = store.read("test", hash("010101A900B")).await.unwrap();
            let reason: HidingReason = "investigation".parse().unwrap();
            let hidden = NewUse { hidden: Some((at(100), reason)), ..used(aino, 1) };
            store.write("test", move |tx| record(tx, &hidden, at(50))).await.unwrap();
            let of = |when| store.read("test", move |r| of_person(r, aino, END, at(when), 10));
            assert_eq!(of(99).await, Ok(Vec::new()));
            assert_eq!(store.read("test", move |r| count(r, aino, at(99))).await, Ok(Vec::new()));
            let delay = of(100).await.unwrap().remove(0).delay;
            assert_eq!(delay, Some(Delay { reason: "investigation".to_owned(), until: at(100) }));
        }
    );

    on_both!(
        async fn uses_go_after_their_retention_and_reports_keep_their_last_time(fixture) {
            let store = &fixture.store;
            let aino = store.read("test", hash("010101A900B")).await.unwrap();
            for n in 1..=3 {
                store.write("test", move |tx| record(tx, &used(aino, n), at(50))).await.unwrap();
            }
            assert_eq!(store.write("test", |tx| purge(tx, at(1002), 10)).await, Ok(2));
            assert_eq!(store.write("test", |tx| purge(tx, at(1002), 10)).await, Ok(0));
            for when in [10, 30, 20] {
                store.write("test", move |tx| reported(tx, "fee-system", at(when))).await.unwrap();
            }
            let last = store.read("test", last_reports).await.unwrap();
            assert_eq!(last, [("fee-system".parse().unwrap(), at(30))]);
        }
    );

    #[tokio::test(flavor = "multi_thread")]
    async fn neither_what_was_used_nor_the_reporters_event_is_readable_in_the_files() {
        use crate::store::engine::testing::{Kind, TestStore};
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let aino = fixture.store.read("test", hash("010101A900B")).await.unwrap();
        fixture.store.write("test", move |tx| record(tx, &used(aino, 1), at(0))).await.unwrap();
        for entry in std::fs::read_dir(fixture.directory()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|part| part == b"FINDME"));
        }
    }
}
