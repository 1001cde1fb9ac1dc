//! Ports for programs that are told theirs before they listen.

#![allow(unreachable_pub, reason = "each test binary uses it from another place")]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first of `count` ports (16 at most) in a row that are free, in a range that the system gives nobody by itself: between
/// this look and the listening, no outgoing connection takes one. No two calls in one process get the same.
pub fn free_ports(count: u16) -> u16 {
    const BLOCKS: u16 = 675;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
    (0..BLOCKS)
        .map(|_| 12_000 + 16 * ((start + NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS))
        .find(|first| {
            let bound: Result<Vec<_>, _> =
                (0..count).map(|step| TcpListener::bind((Ipv4Addr::LOCALHOST, first + step))).collect();
            bound.is_ok()
        })
        .expect("no free ports")
}
