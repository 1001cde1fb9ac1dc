//! All connections of a server: limits in all and by address, and which one is closed above them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;

use super::phase::{Deadlines, Phase};
use crate::domain::sync;
use crate::web::client_address::counted;

/// File descriptors reserved for databases, registers and other nodes.
const RESERVED_DESCRIPTORS: usize = 256;

/// Maximum number of connections of a server, if the file descriptor limit allows it.
const MOST: usize = 4096;

/// Limits of the number of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) total: usize,
    /// By address: an IPv4 address, or the /64 of an IPv6 address.
    pub(crate) per_address: usize,
}

impl Limits {
    /// The limits for this process's file descriptors. One address never takes more than a quarter.
    pub(crate) fn of_process() -> Self {
        let descriptors = open_files_limit().unwrap_or(1024);
        let total = MOST.min(descriptors.saturating_sub(RESERVED_DESCRIPTORS)).max(64);
        Self { total, per_address: (total / 4).max(16) }
    }
}

/// The soft limit of open files, if the system reports it (Linux).
fn open_files_limit() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// The connections that are open now.
pub(crate) struct Table {
    limits: Limits,
    deadlines: Deadlines,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, (IpAddr, Arc<Phase>)>,
    per_address: HashMap<IpAddr, usize>,
}

/// A connection's entry in the table, removed when dropped.
pub(crate) struct Place {
    table: Arc<Table>,
    number: u64,
    phase: Arc<Phase>,
}

impl Place {
    pub(crate) const fn phase(&self) -> &Arc<Phase> {
        &self.phase
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.open().remove(self.number);
    }
}

impl Table {
    pub(crate) fn new(limits: Limits, deadlines: Deadlines) -> Arc<Self> {
        Arc::new(Self { limits, deadlines, open: Mutex::default() })
    }

    /// An entry for a new connection. Above the limit, the connection that has waited longest for its client is closed:
    /// one of the same address if that is above its limit, else one of the address with the most connections. `None`
    /// when all are being served.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Option<Place> {
        let address = counted(peer);
        let mut open = self.open();
        if open.of(address) >= self.limits.per_address {
            open.close_one_of(address)?;
        } else if open.connections.len() >= self.limits.total {
            let busiest = open.busiest()?;
            open.close_one_of(busiest).or_else(|| open.close_any())?;
        }
        let phase = Arc::new(Phase::new(self.deadlines, now));
        let number = open.next;
        open.next = open.next.wrapping_add(1);
        open.connections.insert(number, (address, Arc::clone(&phase)));
        let count = open.per_address.entry(address).or_default();
        *count = count.saturating_add(1);
        Some(Place { table: Arc::clone(self), number, phase })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        sync::lock(&self.open)
    }
}

impl Open {
    fn of(&self, address: IpAddr) -> usize {
        self.per_address.get(&address).copied().unwrap_or(0)
    }

    fn busiest(&self) -> Option<IpAddr> {
        self.per_address.iter().max_by_key(|(_, count)| **count).map(|(address, _)| *address)
    }

    fn close_one_of(&mut self, address: IpAddr) -> Option<()> {
        self.close_oldest(|of| of == address)
    }

    fn close_any(&mut self) -> Option<()> {
        self.close_oldest(|_| true)
    }

    fn close_oldest(&mut self, fits: impl Fn(IpAddr) -> bool) -> Option<()> {
        let waiting = self.connections.iter().filter(|(_, (address, _))| fits(*address));
        let oldest =
            waiting.filter_map(|(number, (_, phase))| Some((phase.waiting_since()?, *number))).min()?.1;
        let phase = self.remove(oldest)?;
        phase.close();
        Some(())
    }

    /// Removes an entry; it may have been removed already.
    fn remove(&mut self, number: u64) -> Option<Arc<Phase>> {
        let (address, phase) = self.connections.remove(&number)?;
        if let Some(count) = self.per_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
        Some(phase)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn table(total: usize, per_address: usize) -> Arc<Table> {
        let second = Duration::from_secs(1);
        let deadlines = Deadlines { head: second, idle: second, body: second, stall: second };
        Table::new(Limits { total, per_address }, deadlines)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_silent_address_loses_its_oldest_connection_and_no_other_address_does() {
        let (table, start) = (table(10, 3), Instant::now());
        let honest = table.admit(address(1), start).unwrap();
        let at = |n: u64| start + Duration::from_millis(n);
        let silent: Vec<Place> = (1..=3).map(|n| table.admit(address(2), at(n)).unwrap()).collect();
        let next = table.admit(address(2), at(9)).unwrap();
        let closed: Vec<bool> = silent.iter().map(|place| place.phase().deadline().is_err()).collect();
        assert_eq!(closed, [true, false, false]);
        assert!(honest.phase().deadline().is_ok() && next.phase().deadline().is_ok());
    }

    #[test]
    fn what_is_being_served_keeps_its_place_whoever_comes() {
        let (table, now) = (table(2, 2), Instant::now());
        let places = [table.admit(address(1), now).unwrap(), table.admit(address(2), now).unwrap()];
        places[0].phase().serve();
        let third = table.admit(address(3), now).unwrap();
        assert!(places[0].phase().deadline().is_ok() && places[1].phase().deadline().is_err());
        third.phase().serve();
        assert!(table.admit(address(4), now).is_none());
        places[0].phase().finish(now);
        assert!(table.admit(address(4), now).is_some());
    }

    #[test]
    fn the_address_with_most_connections_gives_way_when_all_places_are_taken() {
        let (table, start) = (table(4, 4), Instant::now());
        let honest = table.admit(address(1), start).unwrap();
        let silent: Vec<Place> = (0..3).map(|_| table.admit(address(2), start).unwrap()).collect();
        let newcomer = table.admit(address(3), start).unwrap();
        assert!(honest.phase().deadline().is_ok() && newcomer.phase().deadline().is_ok());
        assert_eq!(silent.iter().filter(|place| place.phase().deadline().is_err()).count(), 1);
    }

    #[test]
    fn a_place_is_given_back_once_however_it_ends() {
        let (table, now) = (table(1, 1), Instant::now());
        let first = table.admit(address(1), now).unwrap();
        let second = table.admit(address(1), now).unwrap();
        drop(first);
        assert_eq!(table.open().connections.len(), 1);
        drop(second);
        assert!(table.open().connections.is_empty() && table.open().per_address.is_empty());
    }

    #[test]
    fn a_64_counts_as_one_address() {
        let of = |text: &str| counted(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), address(1));
    }
}
