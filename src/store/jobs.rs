//! The maintenance jobs of a node: one row a job, leased to one process at a time.
//!
//! A job is done once for every due time: [`finish`] is part of the transaction that makes the job's changes, so that a
//! process which lost its lease changes nothing.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::store::engine::db::on_backend;
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::jobs;

/// A job that this process has leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which job.
    pub name: String,
    /// The lease holder.
    pub owner: String,
    /// Number of leases of it so far.
    pub run: i64,
    /// When it was due.
    pub(crate) due_at: Timestamp,
}

/// The state of a job.
#[cfg(test)]
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct Job {
    name: String,
    /// When it is to be done next.
    due_at: Timestamp,
    /// Number of leases of it so far.
    run: i64,
    last_done_at: Option<Timestamp>,
    /// The code of its last failure; `None` when it succeeded.
    last_error: Option<String>,
}

/// Adds a job; an existing one stays unchanged.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn ensure(tx: &mut Tx<'_>, name: &str, due_at: Timestamp) -> Result<(), StoreError> {
    let row = (jobs::name.eq(name), jobs::due_at.eq(due_at));
    on_backend!(tx.db, |c| diesel::insert_into(jobs::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// A due time further ahead than this, in seconds, was written by a clock that has since been corrected: no job has so
/// long a period.
const LONGEST_PERIOD_SECS: i64 = 2 * 86_400;

/// The same for the end of a lease.
const LONGEST_LEASE_SECS: i64 = 600;

/// The jobs that are due and not leased, longest due first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn due(reader: &mut Reader<'_>, now: Timestamp) -> Result<Vec<String>, StoreError> {
    Ok(jobs::table
        .filter(jobs::due_at.le(now).or(jobs::due_at.gt(now.plus_secs(LONGEST_PERIOD_SECS))))
        .filter(jobs::lease_until.le(now).or(jobs::lease_until.gt(now.plus_secs(LONGEST_LEASE_SECS))))
        .order((jobs::due_at, jobs::name))
        .select(jobs::name)
        .load(reader.db)?)
}

/// All jobs, by name.
#[cfg(test)]
fn list(reader: &mut Reader<'_>) -> Result<Vec<Job>, StoreError> {
    Ok(jobs::table.order(jobs::name).select(Job::as_select()).load(reader.db)?)
}

/// One atomic statement leases the job; `$n` works on both databases.
const LEASE: &str = "\
    UPDATE jobs SET lease_owner = $1, lease_until = $2, run = run + 1 \
    WHERE name = $3 AND (due_at <= $4 OR due_at > $5) AND (lease_until <= $6 OR lease_until > $7) \
    RETURNING run, due_at";

#[derive(QueryableByName)]
struct Leased {
    #[diesel(sql_type = BigInt)]
    run: i64,
    #[diesel(sql_type = BigInt)]
    due_at: Timestamp,
}

/// Leases a due job; `None` when another process has leased or done it. The lease of a process that dies ends at
/// `until`.
///
/// # Errors
/// [`StoreError`].
pub fn lease(
    tx: &mut Tx<'_>,
    name: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let leased: Option<Leased> = diesel::sql_query(LEASE)
        .bind::<Text, _>(owner)
        .bind::<BigInt, _>(until)
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now.plus_secs(LONGEST_PERIOD_SECS))
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now.plus_secs(LONGEST_LEASE_SECS))
        .get_result(tx.db)
        .optional()?;
    Ok(leased.map(|Leased { run, due_at }| Lease {
        name: name.to_owned(),
        owner: owner.to_owned(),
        run,
        due_at,
    }))
}

/// Records the job as done in this transaction, due again at `next`.
///
/// # Errors
/// [`StoreError::NotFound`] when the lease was lost to another process: the transaction must be rolled back.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    lease: &Lease,
    next: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(held(lease))
        .set((
            jobs::due_at.eq(next),
            jobs::lease_owner.eq(None::<String>),
            jobs::lease_until.eq(0),
            jobs::last_done_at.eq(now),
            jobs::last_error.eq(None::<String>),
        ))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// Records a failure; the job is due again at `next`. Without effect when the lease was lost.
///
/// # Errors
/// [`StoreError`].
pub fn failed(
    tx: &mut Tx<'_>,
    lease: &Lease,
    next: Timestamp,
    error: &'static str,
) -> Result<(), StoreError> {
    diesel::update(held(lease))
        .set((
            jobs::due_at.eq(next),
            jobs::lease_owner.eq(None::<String>),
            jobs::lease_until.eq(0),
            jobs::last_error.eq(error),
        ))
        .execute(tx.db)?;
    Ok(())
}

#[diesel::dsl::auto_type]
fn held<'a>(lease: &'a Lease) -> _ {
    let name: &'a str = lease.name.as_str();
    let owner: &'a str = lease.owner.as_str();
    let run: i64 = lease.run;
    jobs::table.filter(jobs::name.eq(name)).filter(jobs::lease_owner.eq(owner)).filter(jobs::run.eq(run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::schema::counters;
    use crate::store::engine::testing::{at, on_both, root_keys};

    /// A change that shows how often it was made.
    fn effect(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
        diesel::insert_into(counters::table)
            .values((counters::name.eq(format!("done:{name}")), counters::next_value.eq(1)))
            .execute(tx.db)?;
        Ok(())
    }

    on_both!(
        async fn four_workers_do_each_job_exactly_once_although_every_third_lease_is_abandoned(fixture) {
            const JOBS: usize = 200;
            let store = &fixture.store;
            store
                .write("test", |tx| (0..JOBS).try_for_each(|n| ensure(tx, &format!("job-{n:03}"), at(0))))
                .await
                .unwrap();
            let workers: Vec<_> = (0..4_i64)
                .map(|worker| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        let (mut done, mut clock) = (0, 1_i64);
                        loop {
                            let now = at(clock);
                            let names = store.read("test", move |reader| due(reader, now)).await.unwrap();
                            let idle = names.is_empty();
                            for name in names {
                                let owner = format!("w{worker}");
                                let leased = store
                                    .write("test", move |tx| lease(tx, &name, &owner, now, at(clock + 10)))
                                    .await
                                    .unwrap();
                                let Some(leased) = leased else { continue };
                                // A process that dies: the job is begun and not finished.
                                if leased.run % 3 == 1 {
                                    continue;
                                }
                                let finished = store
                                    .write("test", move |tx| {
                                        effect(tx, &leased.name)?;
                                        finish(tx, &leased, at(100_000), at(clock))
                                    })
                                    .await;
                                done += usize::from(finished.is_ok());
                            }
                            if idle && clock > 40 {
                                return done;
                            }
                            clock += 11;
                        }
                    })
                })
                .collect();
            let mut done = 0;
            for worker in workers {
                done += worker.await.unwrap();
            }
            assert_eq!(done, JOBS);
            let effects: i64 = store
                .read("test", |reader| {
                    Ok::<_, StoreError>(
                        counters::table
                            .filter(counters::name.like("done:%"))
                            .count()
                            .get_result(reader.db)?,
                    )
                })
                .await
                .unwrap();
            assert_eq!(effects, i64::try_from(JOBS).unwrap());
            assert!(store.read("test", |reader| due(reader, at(99_999))).await.unwrap().is_empty());
        }
    );

    on_both!(
        async fn who_lost_the_lease_changes_nothing(fixture) {
            let store = &fixture.store;
            store.write("test", |tx| ensure(tx, "sweep", at(0))).await.unwrap();
            store.write("test", |tx| ensure(tx, "sweep", at(500))).await.unwrap();
            let take = |owner: &'static str, now, until| {
                store.write("test", move |tx| lease(tx, "sweep", owner, at(now), at(until)))
            };
            let slow = take("slow", 1, 60).await.unwrap().unwrap();
            assert_eq!((slow.run, slow.due_at), (1, at(0)), "a known job stays as it is");
            assert_eq!(take("other", 59, 100).await.unwrap(), None, "leased");
            let other = take("other", 60, 120).await.unwrap().unwrap();
            let late = store
                .write("test", move |tx| {
                    effect(tx, "late")?;
                    finish(tx, &slow, at(1000), at(61))
                })
                .await;
            assert_eq!(late, Err(StoreError::NotFound));
            store.write("test", move |tx| failed(tx, &other, at(200), "unavailable")).await.unwrap();
            assert_eq!(take("other", 199, 300).await.unwrap(), None, "not due yet");
            let again = take("slow", 200, 300).await.unwrap().unwrap();
            store
                .write("test", move |tx| {
                    effect(tx, "late")?;
                    finish(tx, &again, at(1000), at(201))
                })
                .await
                .unwrap();
            let shown = store.read("test", list).await.unwrap();
            assert_eq!(shown.len(), 1);
            assert_eq!((shown[0].due_at, shown[0].last_done_at), (at(1000), Some(at(201))));
            assert_eq!((shown[0].run, shown[0].last_error.clone()), (3, None));
        }
    );

    on_both!(
        async fn a_clock_that_is_put_back_holds_no_job_up(fixture) {
            let store = &fixture.store;
            store.write("test", |tx| ensure(tx, "sweep", at(1000))).await.unwrap();
            let take = |owner: &'static str, now| {
                store.write("test", move |tx| lease(tx, "sweep", owner, at(now), at(now + 20)))
            };
            // A process whose clock is a day ahead has leased it, then the clock is corrected.
            assert!(take("fast", 86_400).await.unwrap().is_some());
            assert_eq!(store.read("test", |reader| due(reader, at(1010))).await.unwrap(), ["sweep"]);
            let lease = take("right", 1010).await.unwrap().expect("the lease of the future is over");
            store.write("test", {
                let lease = lease.clone();
                move |tx| finish(tx, &lease, at(400_000), at(1011))
            }).await.unwrap();
            // The next due time was written by the fast clock too.
            assert!(take("right", 1020).await.unwrap().is_some());
            assert!(take("other", 1021).await.unwrap().is_none(), "leased");
        }
    );
}
