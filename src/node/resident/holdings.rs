//! What the city holds about a resident, read live from its registers, dataset by dataset.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::own_records::{self, OwnRecords};
use crate::domain::catalogue::{Dataset, Record};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{FieldPath, NationalIdentifier, PersonId};
use crate::domain::sync::lock;
use crate::node::{Node, Problem, ProblemKind};

/// Maximum number of datasets read at a time for pages and downloads of all residents, so that registers stay free for
/// exchanges.
const READS_AT_ONCE: usize = 8;

/// How long a page waits for another one of the same resident.
const TURN_WAIT: Duration = Duration::from_secs(5);

/// How long a dataset may take, its wait for others included.
const READ_WAIT: Duration = Duration::from_secs(20);

/// Seconds after which a page that did not get its turn may be opened again.
const RETRY_SECS: i64 = 10;

/// Limits how much residents' own pages ask of the registers.
pub(crate) struct ReadLimit {
    turns: Mutex<HashMap<PersonId, Arc<Semaphore>>>,
    reads: Semaphore,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { turns: Mutex::default(), reads: Semaphore::new(READS_AT_ONCE) }
    }
}

/// A resident's turn: their registers are read for one page at a time.
pub(crate) struct Turn(#[allow(dead_code, reason = "held until the page is complete")] OwnedSemaphorePermit);

impl ReadLimit {
    fn semaphore(&self, person: PersonId) -> Arc<Semaphore> {
        let mut turns = lock(&self.turns);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(person).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    /// Waits for the resident's turn.
    ///
    /// # Errors
    /// [`Problem`] when another page of theirs does not become complete in time.
    pub(crate) async fn turn(&self, person: PersonId) -> Result<Turn, Problem> {
        self.turn_within(person, TURN_WAIT).await
    }

    async fn turn_within(&self, person: PersonId, wait: Duration) -> Result<Turn, Problem> {
        let turn = tokio::time::timeout(wait, self.semaphore(person).acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(Problem::try_later(ProblemKind::TooOften, RETRY_SECS)),
        }
    }
}

/// What a register has about a person in one dataset.
#[derive(Debug, Clone)]
pub(crate) enum Holding {
    Records {
        records: Vec<Record>,
        /// The fields that a non-disclosure order keeps back; they are empty in the records.
        withheld: Vec<FieldPath>,
    },
    /// The register needs time, and has it from then on.
    Later(Timestamp),
    /// The register did not answer, or not correctly.
    Unavailable,
}

/// Reads all fields of a dataset for a person. A register's failure is a result: it must not hide the other registers'
/// answers.
pub(crate) async fn read(node: &Node, dataset: &Dataset, subject: NationalIdentifier) -> Holding {
    let fields = dataset.paths();
    let reading = async {
        let _slot = node.own_reads.reads.acquire().await;
        own_records::read(node, dataset, subject, fields, |_| true).await
    };
    match tokio::time::timeout(READ_WAIT, reading).await {
        Ok(Ok(OwnRecords::Records { records, withheld })) => Holding::Records { records, withheld },
        Ok(Ok(OwnRecords::Later(from))) => Holding::Later(from),
        Ok(Err(problem)) => {
            tracing::info!(event = "holding_not_read", dataset = %dataset.id, %problem, "a dataset could not be shown to its resident");
            Holding::Unavailable
        }
        Err(_) => Holding::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_resident_has_one_page_at_a_time_and_nobody_elses_page_waits_for_it() {
        let limit = ReadLimit::default();
        let (one, other) = (PersonId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
        let first = limit.turn(one).await.unwrap();
        let theirs = limit.turn(other).await.unwrap();
        let refused = limit.turn_within(one, Duration::ZERO).await.err().map(|problem| problem.kind);
        assert_eq!(refused, Some(ProblemKind::TooOften));
        drop(first);
        let second = limit.turn(one).await.unwrap();
        drop((second, theirs));
        let _ = limit.semaphore(PersonId::from_bytes([3; 16]));
        assert_eq!(lock(&limit.turns).len(), 1, "turns that nobody has are forgotten");
    }
}
