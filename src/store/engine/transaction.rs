//! The arguments of reads and writes: a consistent snapshot, and the one transaction of a change.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use super::Random;
use super::db::Db;
use super::error::StoreError;
use super::sealed::{LookupKey, Sealer};
use crate::domain::jose::SigningKey;

/// Seals, hashes and creates random values for the store's rows.
pub struct Keys {
    pub(crate) sealer: Sealer,
    pub(crate) lookup: LookupKey,
    pub(crate) random: Random,
    /// The receipt key that signed last: most transactions that sign use the same.
    pub receipt_key: Mutex<Option<SigningKey>>,
}

/// One consistent snapshot of the store.
pub struct Reader<'a> {
    pub(crate) db: &'a mut Db,
    pub(crate) keys: &'a Keys,
}

/// The one transaction of a write. Everything that takes a [`Reader`] takes this too.
pub struct Tx<'a> {
    reader: Reader<'a>,
    queue: Queue,
}

/// Whether a transaction is in the queue of writers that PostgreSQL lets in one by one. Writers of the log queue from
/// the start, others after the first conflict: outside the queue, a writer could lose against a stream of others
/// without end, and a resident's withdrawal must not wait for a recipient that fetches without pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Joined,
    /// Not queued; others may append in parallel.
    Outside,
    /// Not queued, and about to append: it must restart in the queue.
    Wanted,
}

impl<'a> Deref for Tx<'a> {
    type Target = Reader<'a>;
    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> DerefMut for Tx<'a> {
    fn deref_mut(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }
}

impl<'a> Tx<'a> {
    pub(super) const fn new(reader: Reader<'a>, queue: Queue) -> Self {
        Self { reader, queue }
    }

    pub(super) const fn queue(&self) -> Queue {
        self.queue
    }

    /// Requires that this transaction is in the queue. One with row locks that then waits for the log could deadlock
    /// with one that waits the other way round.
    pub(crate) fn demand_queue(&mut self) -> Result<(), StoreError> {
        if self.queue == Queue::Joined {
            return Ok(());
        }
        self.queue = Queue::Wanted;
        Err(StoreError::Unavailable("the queue of writers"))
    }
}

impl Reader<'_> {
    /// The keyed hashes and pairwise subjects of this node.
    #[must_use]
    pub fn lookup(&self) -> &LookupKey {
        &self.keys.lookup
    }

    /// N unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.keys.random)(&mut bytes);
        bytes
    }
}
