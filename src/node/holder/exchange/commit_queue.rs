//! Exchanges that are ready at the same time share one transaction. Each succeeds or fails alone: what is wrong with one is
//! decided before anything is written for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::checks::{check_frequency, recent};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Consent, Transition};
use crate::domain::ids::ConsentId;
use crate::domain::log::Leaf;
use crate::domain::sync::lock;
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};
use crate::node::holder::permissions::record_change::record_change;
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::{consents, exchanges};
use crate::store::used_once::{Kind, OneTimeValue, use_up_all};
use crate::store::{Store, StoreError, Tx, log};

/// Most exchanges that wait; more are refused at once, before waiting takes longer than clients wait.
const MOST_WAITING: usize = 1024;

/// Most exchanges in one transaction.
const MOST_TOGETHER: usize = 64;

/// How long an exchange waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(5);

/// An exchange to be recorded, with its log entry.
pub(super) struct Draft {
    pub(super) verified: VerifiedConsent,
    pub(super) record: Exchange,
    pub(super) leaf: Leaf,
    pub(super) now: Timestamp,
}

/// The exchanges that wait, first come first served.
pub(crate) struct CommitQueue {
    /// Outlives the threads that serve requests, of which one may stop while the others' exchanges are committed.
    runtime: Handle,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    exchanges: VecDeque<Entry>,
    /// Whether a task is committing exchanges.
    led: bool,
}

struct Entry {
    draft: Arc<Draft>,
    answer: oneshot::Sender<Result<(), Refusal>>,
    entered: Instant,
}

impl Entry {
    /// Whether somebody waits for it who may still get an answer in time.
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed() && self.entered.elapsed() < QUEUE_TIME
    }

    fn answer(self, outcome: Result<(), Refusal>) {
        // The caller may be gone, since it is cancelled with its request.
        let _gone = self.answer.send(outcome);
    }
}

impl CommitQueue {
    /// A queue whose exchanges are committed by tasks of this runtime.
    pub(crate) fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self { runtime, waiting: Mutex::default() })
    }

    /// Counts, logs and records an exchange, and uses its proof up, together with those that wait.
    ///
    /// # Errors
    /// [`Refusal`]: revoked, used up or replayed since the checks, or the store is unavailable; nothing was recorded then.
    /// A caller that goes away before its exchange's turn changes nothing.
    pub(super) async fn commit(self: &Arc<Self>, store: &Store, draft: Draft) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        if self.enter(Entry { draft: Arc::new(draft), answer, entered: Instant::now() })? {
            let (leader, store) = (Leader { queue: Arc::clone(self), done: false }, store.clone());
            self.runtime.spawn(async move { leader.lead(&store).await });
        }
        answered.await.unwrap_or_else(|_| Err(not_made("the work was interrupted")))
    }

    /// Adds an exchange. Returns whether the caller must see to it that a task commits it.
    fn enter(&self, entry: Entry) -> Result<bool, Refusal> {
        let mut waiting = lock(&self.waiting);
        if waiting.exchanges.len() >= MOST_WAITING {
            return Err(not_made("the queue is full"));
        }
        waiting.exchanges.push_back(entry);
        Ok(!std::mem::replace(&mut waiting.led, true))
    }

    /// The exchanges of the next transaction; `None` when none waits any more, and the next one is led by another task. Those that
    /// have waited too long are refused.
    fn take(&self) -> Option<Vec<Entry>> {
        let mut waiting = lock(&self.waiting);
        let mut taken = Vec::new();
        while let Some(entry) = (taken.len() < MOST_TOGETHER).then(|| waiting.exchanges.pop_front()).flatten()
        {
            match entry.is_awaited() {
                true => taken.push(entry),
                false => entry.answer(Err(not_made("it waited too long"))),
            }
        }
        waiting.led = !taken.is_empty();
        waiting.led.then_some(taken)
    }
}

/// The one task that commits. When it cannot go on, those that wait are refused, and the next one that comes is led by another
/// task.
struct Leader {
    queue: Arc<CommitQueue>,
    done: bool,
}

impl Leader {
    async fn lead(mut self, store: &Store) {
        loop {
            // Requests that have arrived meanwhile may be ready too.
            tokio::task::yield_now().await;
            let Some(entries) = self.queue.take() else { break };
            commit(store, entries).await;
        }
        self.done = true;
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.done {
            let mut waiting = lock(&self.queue.waiting);
            waiting.led = false;
            waiting.exchanges.clear();
        }
    }
}

/// Commits exchanges together; one by one when one of them makes the database refuse all.
async fn commit(store: &Store, entries: Vec<Entry>) {
    let drafts = |entries: &[Entry]| entries.iter().map(|entry| Arc::clone(&entry.draft)).collect::<Vec<_>>();
    let error = match write(store, drafts(&entries)).await {
        Ok(outcomes) => {
            return entries.into_iter().zip(outcomes).for_each(|(entry, outcome)| entry.answer(outcome));
        }
        Err(error) => error,
    };
    let can_be_another = match error {
        // It may have been made.
        StoreError::OutcomeUnknown => false,
        _ => entries.len() > 1,
    };
    if !can_be_another {
        return entries.into_iter().for_each(|entry| entry.answer(Err(error.clone().into())));
    }
    for entry in entries {
        // A database that is away costs so much time that nobody waits any more after the first.
        let outcome = match entry.is_awaited() {
            true => write(store, vec![Arc::clone(&entry.draft)]).await,
            false => Err(error.clone()),
        };
        entry.answer(match outcome {
            Ok(outcomes) => outcomes.into_iter().next().unwrap_or(Err(lost())),
            Err(error) => Err(error.into()),
        });
    }
}

fn lost() -> Refusal {
    Refusal::unavailable(RefusalReason::Internal)
}

/// Refuses an exchange that no transaction was made for.
fn not_made(why: &str) -> Refusal {
    tracing::warn!(event = "exchange_not_committed", why, "an exchange was not committed");
    Refusal::unavailable(RefusalReason::Store)
}

async fn write(store: &Store, drafts: Vec<Arc<Draft>>) -> Result<Vec<Result<(), Refusal>>, StoreError> {
    store.write_log("commit_exchanges", move |tx| record(tx, &drafts)).await
}

/// An exchange that is to be recorded.
struct Accepted<'a> {
    draft: &'a Draft,
    /// Whether it was the last that the consent allows.
    last: Option<(Consent, Transition)>,
}

/// Records exchanges, in their order. A refused one leaves nothing but its used proof.
///
/// # Errors
/// [`StoreError`]: nothing at all was recorded.
fn record(tx: &mut Tx<'_>, drafts: &[Arc<Draft>]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
    let ids: BTreeSet<ConsentId> = drafts.iter().map(|draft| draft.record.consent).collect();
    let locked = consents::lock_all(tx, &ids)?;
    let held_back: BTreeSet<ConsentId> =
        locked.iter().filter(|(_, held_back)| *held_back).map(|(consent, _)| consent.id).collect();
    let mut known: BTreeMap<ConsentId, Consent> =
        locked.into_iter().map(|(consent, _)| (consent.id, consent)).collect();
    // Revoked or held back since it was read: the register's records are not released, and the proof is not used.
    let mut outcomes: Vec<Result<(), Refusal>> = drafts
        .iter()
        .map(|draft| match known.get(&draft.record.consent) {
            Some(consent) if held_back.contains(&consent.id) => {
                Err(Refusal::unavailable(RefusalReason::RestoredBackup))
            }
            Some(consent) => consent.in_force(draft.now).map_err(|why| Refusal::token(why.into())),
            None => Err(Refusal::token(RefusalReason::ConsentUnknown)),
        })
        .collect();
    use_up_proofs(tx, drafts, &mut outcomes)?;
    let mut accepted: Vec<Accepted<'_>> = Vec::new();
    let mut made: BTreeMap<ConsentId, Vec<Timestamp>> = BTreeMap::new();
    for (draft, outcome) in drafts.iter().zip(&mut outcomes) {
        let Some(consent) = known.get_mut(&draft.record.consent).filter(|_| outcome.is_ok()) else {
            continue;
        };
        let made = match made.entry(consent.id) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(unknown) => unknown.insert(recent(tx, consent, draft.now)?),
        };
        match count(consent, made, draft.now) {
            Ok(ended) => {
                let last = ended.map(|transition| (consent.clone(), transition));
                accepted.push(Accepted { draft, last });
            }
            Err(refusal) => *outcome = Err(refusal),
        }
    }
    write_accepted(tx, &accepted, &known)?;
    Ok(outcomes)
}

/// Uses up the proofs of those that are not refused yet, and refuses replays.
fn use_up_proofs(
    tx: &mut Tx<'_>,
    drafts: &[Arc<Draft>],
    outcomes: &mut [Result<(), Refusal>],
) -> Result<(), StoreError> {
    let values: Vec<OneTimeValue<'_>> = drafts
        .iter()
        .zip(&*outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(draft, _)| OneTimeValue::of_proof(draft.verified.proof()))
        .collect();
    let unused = use_up_all(tx, Kind::DpopProof, &values)?;
    for (outcome, unused) in outcomes.iter_mut().filter(|outcome| outcome.is_ok()).zip(unused) {
        if !unused {
            *outcome = Err(Refusal::proof(RefusalReason::ProofReplayed));
        }
    }
    Ok(())
}

/// Counts one exchange, if the consent still allows it after those that were `made`, latest first.
fn count(
    consent: &mut Consent,
    made: &mut Vec<Timestamp>,
    now: Timestamp,
) -> Result<Option<Transition>, Refusal> {
    check_frequency(consent, made, now)?;
    let ended = consent.count_exchange(now).map_err(|why| Refusal::token(why.into()))?;
    made.insert(0, now);
    Ok(ended)
}

fn write_accepted(
    tx: &mut Tx<'_>,
    accepted: &[Accepted<'_>],
    known: &BTreeMap<ConsentId, Consent>,
) -> Result<(), StoreError> {
    if accepted.is_empty() {
        return Ok(());
    }
    let leaves: Vec<(&Leaf, Timestamp)> =
        accepted.iter().map(|one| (&one.draft.leaf, one.draft.now)).collect();
    let first = log::append_all(tx, &leaves)?;
    let made: Vec<(&Exchange, u64)> = accepted.iter().map(|one| &one.draft.record).zip(first..).collect();
    exchanges::insert_all(tx, &made)?;
    let ended: BTreeSet<ConsentId> =
        accepted.iter().filter_map(|one| one.last.as_ref()).map(|(consent, _)| consent.id).collect();
    let used: BTreeSet<ConsentId> =
        accepted.iter().map(|one| one.draft.record.consent).filter(|id| !ended.contains(id)).collect();
    let used: Vec<&Consent> = used.iter().filter_map(|id| known.get(id)).collect();
    consents::count_exchanges(tx, &used)?;
    for (consent, last) in accepted.iter().filter_map(|one| one.last.as_ref()) {
        record_change(tx, consent, last)?;
    }
    Ok(())
}
