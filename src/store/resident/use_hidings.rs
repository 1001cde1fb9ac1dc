//! Proposals to withhold a reported use from its person, and their confirmations.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{HidingId, HidingReason, ProcessingId, ReportedUseId, ServiceId};
use crate::domain::uses::hiding::shown_until;
use crate::store::engine::schema::{reported_uses, use_hidings};
use crate::store::{Reader, StoreError, Tx};

/// A proposal, without the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hiding {
    pub(crate) id: HidingId,
    pub(crate) reported_use: ReportedUseId,
    pub(crate) reason: HidingReason,
    pub(crate) until: Timestamp,
    pub(crate) proposed_by: ServiceId,
    pub(crate) proposed_at: Timestamp,
    /// Who confirmed it, and when.
    pub(crate) confirmed: Option<(ServiceId, Timestamp)>,
}

/// The use that a proposal is about, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HiddenUse {
    pub(crate) activity: ProcessingId,
    pub(crate) used_from: Timestamp,
    pub(crate) used_to: Timestamp,
    pub(crate) reported_at: Timestamp,
    /// Until when it is withheld as things stand.
    pub(crate) hidden_until: Option<Timestamp>,
}

impl HiddenUse {
    /// Whether its person does not see it now.
    pub(crate) fn is_withheld(&self, now: Timestamp) -> bool {
        self.hidden_until.is_some_and(|end| now < end)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = use_hidings)]
struct Row {
    id: HidingId,
    reported_use: ReportedUseId,
    reason: HidingReason,
    until_at: Timestamp,
    proposed_by: ServiceId,
    proposed_at: Timestamp,
    confirmed_by: Option<ServiceId>,
    confirmed_at: Option<Timestamp>,
}

impl From<Row> for Hiding {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            reported_use: row.reported_use,
            reason: row.reason,
            until: row.until_at,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at,
            confirmed: row.confirmed_by.zip(row.confirmed_at),
        }
    }
}

/// Stores a proposal. The use itself keeps its state.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn propose(tx: &mut Tx<'_>, new: &Hiding) -> Result<(), StoreError> {
    diesel::insert_into(use_hidings::table)
        .values((
            use_hidings::id.eq(new.id),
            use_hidings::reported_use.eq(new.reported_use),
            use_hidings::reason.eq(&new.reason),
            use_hidings::until_at.eq(new.until),
            use_hidings::proposed_by.eq(&new.proposed_by),
            use_hidings::proposed_at.eq(new.proposed_at),
        ))
        .execute(tx.db)?;
    Ok(())
}

type UseRow = (String, Timestamp, Timestamp, Timestamp, Option<Timestamp>);

/// A proposal and its use.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find(reader: &mut Reader<'_>, id: HidingId) -> Result<(Hiding, HiddenUse), StoreError> {
    let row: Row = use_hidings::table.find(id).select(Row::as_select()).first(reader.db)?;
    with_use(reader, row)
}

/// Proposals that nobody has confirmed and whose use is withheld now, oldest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn open(
    reader: &mut Reader<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(Hiding, HiddenUse)>, StoreError> {
    let withheld = reported_uses::table
        .filter(reported_uses::id.eq(use_hidings::reported_use).and(reported_uses::hidden_until.gt(now)));
    let rows: Vec<Row> = use_hidings::table
        .filter(use_hidings::confirmed_at.is_null().and(use_hidings::until_at.gt(now)))
        .filter(diesel::dsl::exists(withheld))
        .order((use_hidings::proposed_at, use_hidings::id))
        .limit(i64::from(limit))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| with_use(reader, row)).collect()
}

/// The proposal for a use that nobody has confirmed.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn unconfirmed(
    reader: &mut Reader<'_>,
    of: ReportedUseId,
    now: Timestamp,
) -> Result<Option<Hiding>, StoreError> {
    let row: Option<Row> = use_hidings::table
        .filter(use_hidings::reported_use.eq(of).and(use_hidings::confirmed_at.is_null()))
        .filter(use_hidings::until_at.gt(now))
        .order((use_hidings::proposed_at.desc(), use_hidings::id))
        .select(Row::as_select())
        .first(reader.db)
        .optional()?;
    Ok(row.map(Hiding::from))
}

/// The first proposal for a use that its service reported before.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_event(
    reader: &mut Reader<'_>,
    source: &ServiceId,
    event: &str,
) -> Result<Option<HidingId>, StoreError> {
    let event = reader.keys.lookup.parts("use-event", &[source.as_str().as_bytes(), event.as_bytes()]);
    let found = reported_uses::table.filter(reported_uses::event_hash.eq(event)).select(reported_uses::id);
    let proposals = use_hidings::table.filter(use_hidings::reported_use.eq_any(found));
    let first = proposals.order((use_hidings::proposed_at, use_hidings::id)).select(use_hidings::id);
    Ok(first.first(reader.db).optional()?)
}

fn with_use(reader: &mut Reader<'_>, row: Row) -> Result<(Hiding, HiddenUse), StoreError> {
    let (activity, used_from, used_to, reported_at, hidden_until): UseRow = reported_uses::table
        .filter(reported_uses::id.eq(row.reported_use))
        .select((
            reported_uses::activity,
            reported_uses::used_from,
            reported_uses::used_to,
            reported_uses::reported_at,
            reported_uses::hidden_until,
        ))
        .first(reader.db)?;
    let activity = activity.parse().map_err(|_| StoreError::Corrupt("reported_uses.activity"))?;
    Ok((row.into(), HiddenUse { activity, used_from, used_to, reported_at, hidden_until }))
}

/// Confirms a proposal: its use is withheld until the proposed end, and kept for its person to read after that. `false` when it was confirmed before.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn confirm(
    tx: &mut Tx<'_>,
    hiding: &Hiding,
    by: &ServiceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let open = use_hidings::table.find(hiding.id).filter(use_hidings::confirmed_at.is_null());
    let confirmed = diesel::update(open)
        .set((use_hidings::confirmed_by.eq(Some(by)), use_hidings::confirmed_at.eq(Some(now))))
        .execute(tx.db)?;
    if confirmed == 1 {
        diesel::update(reported_uses::table.filter(reported_uses::id.eq(hiding.reported_use)))
            .set((
                reported_uses::hidden_until.eq(Some(hiding.until)),
                reported_uses::hidden_reason.eq(Some(hiding.reason.as_str())),
            ))
            .execute(tx.db)?;
        let shown = shown_until(hiding.until);
        let earlier = reported_uses::table
            .filter(reported_uses::id.eq(hiding.reported_use).and(reported_uses::expires_at.lt(shown)));
        diesel::update(earlier).set(reported_uses::expires_at.eq(shown)).execute(tx.db)?;
    }
    Ok(confirmed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};
    use crate::store::resident::reported_uses::tests::{END, hash, used};
    use crate::store::resident::reported_uses::{NewUse, of_person, purge, record};

    on_both!(
        async fn a_use_stays_withheld_only_when_a_second_service_confirms(fixture) {
            let store = &fixture.store;
            let aino = store.read("test", hash("010101A900B")).await.unwrap();
            let reason: HidingReason = "investigation".parse().unwrap();
            let new = NewUse { hidden: Some((at(100), reason.clone())), ..used(aino, 1) };
            let hiding = Hiding {
                id: HidingId::from_bytes([5; 16]),
                reported_use: new.id,
                reason,
                until: at(500),
                proposed_by: "police-requests".parse().unwrap(),
                proposed_at: at(50),
                confirmed: None,
            };
            let proposed = hiding.clone();
            store
                .write("test", move |tx| {
                    record(tx, &new, at(50))?;
                    propose(tx, &proposed)
                })
                .await
                .unwrap();
            let shown = |when| store.read("test", move |r| of_person(r, aino, END, at(when), 10));
            let open_at = |when| store.read("test", move |r| open(r, at(when), 10));
            assert_eq!(shown(99).await, Ok(Vec::new()));
            assert_eq!(shown(100).await.unwrap().len(), 1, "nobody confirmed");
            assert_eq!(open_at(60).await.unwrap(), [store.read("test", move |r| find(r, hiding.id)).await.unwrap()]);
            assert_eq!(open_at(500).await, Ok(Vec::new()), "its time is over");
            // The database refuses a proposer's own confirmation, whatever the program does.
            let (own, same) = (hiding.clone(), hiding.proposed_by.clone());
            assert!(store.write("test", move |tx| confirm(tx, &own, &same, at(60))).await.is_err());
            let second: ServiceId = "data-protection".parse().unwrap();
            let by_second = || {
                let (hiding, second) = (hiding.clone(), second.clone());
                store.write("test", move |tx| confirm(tx, &hiding, &second, at(60)))
            };
            assert_eq!(by_second().await, Ok(true));
            assert_eq!(by_second().await, Ok(false));
            assert_eq!(shown(499).await, Ok(Vec::new()));
            assert_eq!(shown(500).await.unwrap().len(), 1);
            assert_eq!(open_at(60).await, Ok(Vec::new()));
            // It is not deleted before its person could read it, whatever its retention; a proposal goes with its use.
            let last = at(500 + 90 * 86_400);
            assert_eq!(store.write("test", |tx| purge(tx, at(2000), 10)).await, Ok(0));
            assert_eq!(store.write("test", move |tx| purge(tx, last, 10)).await, Ok(1));
            assert!(store.read("test", move |r| find(r, hiding.id)).await.is_err());
        }
    );
}
