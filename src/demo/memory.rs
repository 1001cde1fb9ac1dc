//! Values stored for a while under an unguessable key: the demo's sessions, codes and cases.

use std::collections::HashMap;

use crate::domain::clock::Timestamp;

/// A bounded map whose entries expire.
pub(super) struct Expiring<T> {
    entries: HashMap<String, (Timestamp, T)>,
    capacity: usize,
}

impl<T> Expiring<T> {
    /// An empty map of at most `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity }
    }

    /// Stores a value until a moment. When the map is full, the entry that expires first is dropped.
    pub(super) fn insert(&mut self, now: Timestamp, name: String, until: Timestamp, value: T) {
        self.entries.retain(|_, (end, _)| *end > now);
        if self.entries.len() >= self.capacity {
            let first = self.entries.iter().min_by_key(|(_, (end, _))| *end).map(|(name, _)| name.clone());
            if let Some(first) = first {
                self.entries.remove(&first);
            }
        }
        self.entries.insert(name, (until, value));
    }

    /// The value, if it has not expired.
    pub(super) fn get(&self, now: Timestamp, name: &str) -> Option<&T> {
        self.entries.get(name).filter(|(end, _)| *end > now).map(|(_, value)| value)
    }

    /// The value to change, if it has not expired.
    pub(super) fn get_mut(&mut self, now: Timestamp, name: &str) -> Option<&mut T> {
        self.entries.get_mut(name).filter(|(end, _)| *end > now).map(|(_, value)| value)
    }

    /// Removes and returns the value, so that it is used once.
    pub(super) fn take(&mut self, now: Timestamp, name: &str) -> Option<T> {
        self.entries.remove(name).filter(|(end, _)| *end > now).map(|(_, value)| value)
    }

    /// Drops every value that does not pass the test.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.entries.retain(|_, (_, value)| keep(value));
    }

    /// All entries that have not expired, in no order.
    pub(super) fn iter(&self, now: Timestamp) -> impl Iterator<Item = (&str, &T)> {
        self.entries
            .iter()
            .filter(move |(_, (end, _))| *end > now)
            .map(|(name, (_, value))| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_value_is_taken_once_and_not_after_its_end() {
        let mut map = Expiring::new(8);
        map.insert(at(0), "a".into(), at(10), 1);
        map.insert(at(0), "b".into(), at(10), 2);
        assert_eq!(map.take(at(9), "a"), Some(1));
        assert_eq!(map.take(at(9), "a"), None);
        assert_eq!(map.get(at(10), "b"), None);
        assert_eq!(map.take(at(10), "b"), None);
    }

    #[test]
    fn a_full_map_lets_the_one_go_that_ends_first() {
        let mut map = Expiring::new(2);
        map.insert(at(0), "late".into(), at(30), 1);
        map.insert(at(0), "soon".into(), at(20), 2);
        map.insert(at(0), "new".into(), at(25), 3);
        assert_eq!(map.get(at(1), "soon"), None);
        assert_eq!(map.iter(at(1)).count(), 2);
    }
}
