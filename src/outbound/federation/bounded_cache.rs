//! What is kept about entities, in bounded room: when that is full, whoever was not asked about for the longest time goes,
//! and nobody else. A crowd of newcomers never throws out those whom everyone asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::EntityId;

/// Most entities kept; far more than there are cities.
const MAX_KEPT: usize = 4096;

/// One thing for each entity.
pub(crate) struct BoundedCache<T> {
    room: Mutex<Lru<T>>,
    size: usize,
}

struct Lru<T> {
    all: HashMap<EntityId, Slot<T>>,
    /// Counts the uses, to tell which was earlier.
    uses: u64,
}

struct Slot<T> {
    value: Arc<T>,
    used: u64,
}

impl<T> Default for BoundedCache<T> {
    fn default() -> Self {
        Self::with_room_for(MAX_KEPT)
    }
}

impl<T> BoundedCache<T> {
    fn with_room_for(size: usize) -> Self {
        Self { room: Mutex::new(Lru { all: HashMap::new(), uses: 0 }), size }
    }

    /// What is kept about an entity, when anything is.
    pub(crate) fn known(&self, id: &EntityId) -> Option<Arc<T>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner).used(id)
    }
}

impl<T: Default> BoundedCache<T> {
    /// What is kept about an entity, from now on at the latest.
    pub(crate) fn get(&self, id: &EntityId) -> Arc<T> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = room.used(id) {
            return value;
        }
        if room.all.len() >= self.size {
            let oldest = room.all.iter().min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone());
            oldest.map(|id| room.all.remove(&id));
        }
        let (value, used) = (Arc::new(T::default()), room.uses);
        room.all.insert(id.clone(), Slot { value: Arc::clone(&value), used });
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
        let kept: BoundedCache<u32> = BoundedCache::with_room_for(100);
        let id = |name: &str, n: usize| EntityId::new(format!("https://{name}{n}.example")).unwrap();
        let members: Vec<_> = (0..10).map(|n| kept.get(&id("member", n))).collect();
        for n in 0..5000 {
            kept.get(&id("crowd", n));
            let member = kept.known(&id("member", n % 10)).unwrap();
            assert!(Arc::ptr_eq(&member, &members[n % 10]));
        }
        assert_eq!(kept.room.lock().unwrap().all.len(), 100);
        assert!(kept.known(&id("crowd", 0)).is_none() && kept.known(&id("crowd", 4999)).is_some());
    }
}
