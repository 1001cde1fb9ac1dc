//! Rate limit of wrong service secrets by client address.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::clock::Timestamp;
use crate::domain::sync::lock;

/// Wrong secrets allowed from one address for one service within a window.
const MOST_WRONG: u32 = 10;

/// The window, in seconds; it is also the longest pause.
const WINDOW_SECS: i64 = 60;

/// Maximum number of tracked pairs of service and address.
const MOST_PAIRS: usize = 10_000;

/// Maximum length of a tracked service name in bytes: no service has a longer one.
const MOST_NAME_BYTES: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at: Timestamp,
    wrong: u32,
}

/// The result of counting a wrong secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Further attempts are allowed.
    Counted,
    /// The limit is reached: reported once for each window.
    LimitReached,
}

/// Recent wrong secrets by service and address. Per process: each has its own limit.
#[derive(Default)]
pub(crate) struct GuessLimit(Mutex<HashMap<(String, String), Window>>);

impl GuessLimit {
    /// Seconds until this address may try again; `None` when it may now.
    pub(super) fn wait_secs(&self, service: &str, address: &str, now: Timestamp) -> Option<i64> {
        let windows = lock(&self.0);
        let window = windows.get(&key(service, address))?;
        let full = window.wrong >= MOST_WRONG && now < window.ends_at;
        full.then(|| window.ends_at.secs().saturating_sub(now.secs()).max(1))
    }

    /// Counts a wrong secret.
    pub(super) fn count(&self, service: &str, address: &str, now: Timestamp) -> Wrong {
        let mut windows = lock(&self.0);
        if windows.len() >= MOST_PAIRS {
            windows.retain(|_, window| now < window.ends_at);
        }
        // Still full: a client with so many addresses is limited by those that are tracked.
        if windows.len() >= MOST_PAIRS && !windows.contains_key(&key(service, address)) {
            return Wrong::Counted;
        }
        let fresh = Window { ends_at: now.plus_secs(WINDOW_SECS), wrong: 0 };
        let window = windows.entry(key(service, address)).or_insert(fresh);
        if now >= window.ends_at {
            *window = fresh;
        }
        window.wrong = window.wrong.saturating_add(1);
        if window.wrong == MOST_WRONG { Wrong::LimitReached } else { Wrong::Counted }
    }

    /// Resets the count of an address for a service: the secret was correct.
    pub(super) fn forget(&self, service: &str, address: &str) {
        let mut windows = lock(&self.0);
        windows.remove(&key(service, address));
    }
}

fn key(service: &str, address: &str) -> (String, String) {
    let name = if service.len() > MOST_NAME_BYTES { "" } else { service };
    (name.to_owned(), address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn an_address_that_guesses_waits_and_no_other_does() {
        let limit = GuessLimit::default();
        for _ in 1..MOST_WRONG {
            assert_eq!(limit.count("daycare", "192.0.2.1", at(0)), Wrong::Counted);
            assert_eq!(limit.wait_secs("daycare", "192.0.2.1", at(0)), None);
        }
        assert_eq!(limit.count("daycare", "192.0.2.1", at(10)), Wrong::LimitReached);
        assert_eq!(limit.count("daycare", "192.0.2.1", at(10)), Wrong::Counted, "said once");
        assert_eq!(limit.wait_secs("daycare", "192.0.2.1", at(10)), Some(50));
        assert_eq!(limit.wait_secs("daycare", "192.0.2.2", at(10)), None, "another address");
        assert_eq!(limit.wait_secs("parking", "192.0.2.1", at(10)), None, "another service");
        assert_eq!(limit.wait_secs("daycare", "192.0.2.1", at(60)), None, "the window is over");
        assert_eq!(limit.count("daycare", "192.0.2.1", at(60)), Wrong::Counted);
        assert_eq!(limit.wait_secs("daycare", "192.0.2.1", at(60)), None);
    }

    #[test]
    fn a_right_secret_clears_what_was_mistyped_before() {
        let limit = GuessLimit::default();
        for _ in 1..MOST_WRONG {
            limit.count("daycare", "192.0.2.1", at(0));
        }
        limit.forget("daycare", "192.0.2.1");
        assert_eq!(limit.count("daycare", "192.0.2.1", at(1)), Wrong::Counted);
        assert_eq!(limit.wait_secs("daycare", "192.0.2.1", at(1)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limit = GuessLimit::default();
        for n in 0..MOST_PAIRS + 5 {
            limit.count("daycare", &n.to_string(), at(0));
        }
        assert_eq!(limit.0.lock().unwrap().len(), MOST_PAIRS);
        limit.count("daycare", "later", at(WINDOW_SECS));
        assert_eq!(limit.0.lock().unwrap().len(), 1);
    }
}
