//! What a read and a write of the store are given: one consistent picture, and the one transaction of a change.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use super::Random;
use super::db::Db;
use super::error::StoreError;
use super::sealed::{LookupKey, Sealer};
use crate::domain::jose::SigningKey;

/// What seals, hashes and makes random values for the store's rows.
pub(crate) struct Keys {
    pub(crate) sealer: Sealer,
    pub(crate) lookup: LookupKey,
    pub(crate) random: Random,
    /// The receipt key that signed last: most transactions that sign do so with the same.
    pub(crate) receipt_key: Mutex<Option<SigningKey>>,
}

/// One consistent picture of the store.
pub struct Reader<'a> {
    pub(crate) db: &'a mut Db,
    pub(crate) keys: &'a Keys,
}

/// The one transaction of a write. Everything that takes a [`Reader`] takes this too.
pub struct Tx<'a> {
    reader: Reader<'a>,
    queue: Queue,
}

/// Whether a transaction stands in the queue of writers that PostgreSQL lets in one by one. Those who append to the log
/// do from the start, those who met contention from then on: outside, a writer could lose against a stream of others for
/// ever, and a resident who takes a permission back must not wait for a recipient that fetches without pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    /// From its beginning.
    Joined,
    /// Not; others may append beside it.
    Outside,
    /// Not, and it turned out to append: it must begin again, in the queue.
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

    /// Demands that this transaction stands in the queue. One that took row locks before it came to the log would
    /// wait for those who came the other way round, and they for it.
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
