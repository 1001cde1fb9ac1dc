//! Maintenance jobs: expire, remind, delete, renew published documents, check declared uses. Each is a job in the
//! store, leased to one process and done once for every due time.

mod ends;
mod erase;
mod purge;
mod remind;
mod uses;

use std::time::Duration;

use super::{Node, Problem, Retention};
use crate::domain::clock::Timestamp;
use crate::domain::word_enum::word_enum;
use crate::node::holder::oauth::publish_status;
use crate::ports::StopSignal;
use crate::store::jobs::{self, Lease};
use crate::store::{StoreError, Tx};

/// Interval between two checks for due jobs.
const ROUND: Duration = Duration::from_secs(1);

/// Delay after a failure, in seconds.
const RETRY_SECS: i64 = 10;

/// Maximum number of rows that one run of a job changes; it is due again at once when there are more.
const BATCH: u32 = 200;

word_enum! {
    /// A maintenance job.
    pub enum Job {
        /// Ends consents whose last day is over, and those whose code was never redeemed.
        Ends = "ends",
        /// Expires undecided requests.
        Lapse = "lapse",
        /// Reminds residents of permissions that end soon.
        Reminders = "reminders",
        /// Erases the data of ended consents after its retention.
        Erasure = "erasure",
        /// Deletes one-time values, sessions and counted refusals.
        OneTimeValues = "one-time-values",
        /// Renews the signed status lists.
        StatusLists = "status-lists",
        /// Checks consents against their declared uses.
        DeclaredUses = "declared-uses",
    }
}

impl Job {
    /// Period in seconds.
    const fn period_secs(self) -> i64 {
        match self {
            // A change of a consent is in the signed list within five seconds.
            Self::StatusLists => 2,
            Self::Ends => 15,
            Self::Lapse | Self::OneTimeValues | Self::DeclaredUses => 60,
            Self::Reminders => 300,
            Self::Erasure => 3600,
        }
    }

    /// Lease in seconds: when the process dies, another one starts the job after that.
    const fn lease_secs(self) -> i64 {
        match self {
            // Sends requests to other nodes; each of its changes is complete by itself.
            Self::DeclaredUses => 300,
            Self::Ends
            | Self::Lapse
            | Self::Reminders
            | Self::Erasure
            | Self::OneTimeValues
            | Self::StatusLists => 20,
        }
    }

    /// Makes the job's changes in the store. `true` when there is more to do.
    fn change(self, tx: &mut Tx<'_>, retention: &Retention, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Ends => ends::consents(tx, now),
            Self::Lapse => ends::requests(tx, now),
            Self::Reminders => remind::remind(tx, now),
            Self::Erasure => erase::erase(tx, retention, now),
            Self::OneTimeValues => purge::purge(tx, now),
            Self::StatusLists | Self::DeclaredUses => Ok(false),
        }
    }
}

/// Background task that runs due jobs.
pub(crate) async fn run(node: &Node, owner: &str, stop: &StopSignal) {
    while let Err(problem) = prepare(node).await {
        tracing::warn!(
            event = "jobs_not_prepared",
            ?problem,
            "the maintenance jobs cannot be made known to the store"
        );
        if !stop.pause(ROUND).await {
            return;
        }
    }
    while stop.pause(ROUND).await {
        if let Err(problem) = run_due_jobs(node, owner).await {
            tracing::warn!(
                event = "maintenance_failed",
                ?problem,
                "a round of maintenance failed; the next does the rest"
            );
        }
    }
}

/// Adds this program's jobs to the store; existing ones stay unchanged.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub async fn prepare(node: &Node) -> Result<(), Problem> {
    let now = node.now();
    Ok(node
        .store
        .write("ensure_jobs", move |tx| {
            Job::ALL.iter().try_for_each(|job| jobs::ensure(tx, job.as_str(), now))
        })
        .await?)
}

/// Runs the jobs that are due and not leased. Returns how many were done.
///
/// # Errors
/// [`Problem`] when the store is unavailable; the next round continues.
pub async fn run_due_jobs(node: &Node, owner: &str) -> Result<usize, Problem> {
    // By the database's clock: a process whose own clock is ahead would start jobs early and delete what is still
    // needed.
    let now = node.store.shared_time(node.now()).await?;
    let due = node.store.read("list_due_jobs", move |store| jobs::due(store, now)).await?;
    let mut done = 0;
    for job in Job::ALL.into_iter().filter(|job| due.iter().any(|name| name == job.as_str())) {
        let (now, name) = (node.store.shared_time(node.now()).await?, owner.to_owned());
        let until = now.plus_secs(job.lease_secs());
        let leased =
            node.store.write("lease_job", move |tx| jobs::lease(tx, job.as_str(), &name, now, until)).await?;
        let Some(lease) = leased else { continue };
        match work(node, job, &lease).await {
            Ok(true) => done += 1,
            Ok(false) => {}
            Err(problem) => {
                tracing::warn!(
                    event = "job_failed",
                    job = job.as_str(),
                    ?problem,
                    "a job failed and is tried again"
                );
                let next = now.plus_secs(RETRY_SECS);
                let word = problem.kind.slug();
                node.store
                    .write("record_job_failure", move |tx| jobs::failed(tx, &lease, next, word))
                    .await?;
            }
        }
    }
    Ok(done)
}

/// Runs one job. `false` when the process lost its lease: nothing was changed then.
async fn work(node: &Node, job: Job, lease: &Lease) -> Result<bool, Problem> {
    match job {
        Job::StatusLists => publish_status::renew_all(node).await?,
        Job::DeclaredUses => uses::follow(node).await?,
        _ => {}
    }
    let now = node.store.shared_time(node.now()).await?;
    let (lease, retention) = (lease.clone(), node.settings.retention);
    let change = move |tx: &mut Tx<'_>| {
        let more = job.change(tx, &retention, now)?;
        let next = if more { now } else { now.plus_secs(job.period_secs()) };
        jobs::finish(tx, &lease, next, now)
    };
    let done = if matches!(job, Job::Ends | Job::Reminders) {
        node.store.write_log("run_job", change).await
    } else {
        node.store.write("run_job", change).await
    };
    node.outbox_bell.notify_one();
    match done {
        Ok(()) => Ok(true),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
