//! What a node does by itself: ends what is over, reminds, forgets what it need not know, renews what it publishes, watches
//! what consents rest on. Each of these is a job in the store, leased to whichever process comes first and done once for
//! every time that it is due.

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

/// Time between two looks at what is due.
const ROUND: Duration = Duration::from_secs(1);

/// How long after a failure a job is tried again, in seconds.
const RETRY_SECS: i64 = 10;

/// How long before its end a permission is called to mind, in seconds.
pub const REMINDER_SECS: i64 = 14 * 86_400;

/// How many rows one run of a job changes at most; what is left is due again at once.
const BATCH: u32 = 200;

word_enum! {
    /// Something that the node does by itself.
    pub enum Job {
        /// Ends consents whose last day is over, and those that nobody came for.
        Ends = "ends",
        /// Lets requests lapse that nobody decided.
        Lapse = "lapse",
        /// Reminds residents of permissions that end soon.
        Reminders = "reminders",
        /// Erases what is kept about ended consents when its time is over.
        Erasure = "erasure",
        /// Forgets one-time values, sessions and strangers' refusals.
        OneTimeValues = "one-time-values",
        /// Signs status lists anew.
        StatusLists = "status-lists",
        /// Holds consents against the declared uses that they rest on.
        DeclaredUses = "declared-uses",
    }
}

impl Job {
    /// Time from one time to the next, in seconds.
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

    /// How long one process keeps it to itself, in seconds: when that process dies, another does it that much later.
    const fn lease_secs(self) -> i64 {
        match self {
            // Asks other nodes; its changes are each complete by themselves.
            Self::DeclaredUses => 300,
            _ => 20,
        }
    }

    /// Makes the job's changes in the store. Says whether there is more to do.
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

/// Does the jobs that are due, round after round until the process stops.
pub async fn run(node: &Node, owner: &str, stop: &StopSignal) {
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

/// Makes the jobs known to the store that this program has; those that are known stay as they are.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn prepare(node: &Node) -> Result<(), Problem> {
    let now = node.now();
    Ok(node
        .store
        .write("ensure_jobs", move |tx| {
            Job::ALL.iter().try_for_each(|job| jobs::ensure(tx, job.as_str(), now))
        })
        .await?)
}

/// Does what is due now and nobody else does. Returns how many jobs were done.
///
/// # Errors
/// [`Problem`] when the store is away; the next round does the rest.
pub async fn run_due_jobs(node: &Node, owner: &str) -> Result<usize, Problem> {
    // By the database's clock: a process whose own is ahead would begin jobs early and forget what is still needed.
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

/// Does one job. Says whether it was done: a process that lost its lease meanwhile has changed nothing.
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
