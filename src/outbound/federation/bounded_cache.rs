//! A bounded cache by entity: when it is full, the least recently used entry is dropped. Entries of unknown entities do
//! not displace those in regular use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::domain::ids::EntityId;
use crate::domain::sync::lock;

/// Maximum number of entities in one cache; far more than there are cities.
const MAX_ENTRIES: usize = 4096;

/// One entry for each entity.
pub(crate) struct BoundedCache<T> {
    entries: Mutex<Lru<T>>,
    size: usize,
}

struct Lru<T> {
    all: HashMap<EntityId, Slot<T>>,
    /// Counts uses, for the least-recently-used order.
    uses: u64,
}

struct Slot<T> {
    value: Arc<T>,
    used: u64,
}

impl<T> Default for BoundedCache<T> {
    fn default() -> Self {
        Self::with_capacity(MAX_ENTRIES)
    }
}

impl<T> BoundedCache<T> {
    fn with_capacity(size: usize) -> Self {
        Self { entries: Mutex::new(Lru { all: HashMap::new(), uses: 0 }), size }
    }

    /// The entry of an entity, if there is one.
    pub(crate) fn known(&self, id: &EntityId) -> Option<Arc<T>> {
        lock(&self.entries).used(id)
    }
}

impl<T: Default> BoundedCache<T> {
    /// The entry of an entity, created if there is none.
    pub(crate) fn get(&self, id: &EntityId) -> Arc<T> {
        let mut entries = lock(&self.entries);
        if let Some(value) = entries.used(id) {
            return value;
        }
        if entries.all.len() >= self.size {
            let oldest = entries.all.iter().min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone());
            oldest.map(|id| entries.all.remove(&id));
        }
        let (value, used) = (Arc::new(T::default()), entries.uses);
        entries.all.insert(id.clone(), Slot { value: Arc::clone(&value), used });
        value
    }
}

impl<T> Lru<T> {
    fn used(&mut self, id: &EntityId) -> Option<Arc<T>> {
        self.uses = self.uses.saturating_add(1);
        let slot = self.all.get_mut(id)?;
        slot.used = self.uses;
        Some(Arc::clone(&slot.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_throws_out_nobody_who_is_asked_for() {
        let kept: BoundedCache<u32> = BoundedCache::with_capacity(100);
        let id = |name: &str, n: usize| EntityId::new(format!("https://{name}{n}.example")).unwrap();
        let members: Vec<_> = (0..10).map(|n| kept.get(&id("member", n))).collect();
        for n in 0..5000 {
            kept.get(&id("crowd", n));
            let member = kept.known(&id("member", n % 10)).unwrap();
            assert!(Arc::ptr_eq(&member, &members[n % 10]));
        }
        assert_eq!(kept.entries.lock().unwrap().all.len(), 100);
        assert!(kept.known(&id("crowd", 0)).is_none() && kept.known(&id("crowd", 4999)).is_some());
    }
}
