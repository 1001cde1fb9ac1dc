//! One cached value that is fetched again when it is old, by one caller at a time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{Outage, TrustError};
use crate::domain::sync::{read, write};
use crate::ports::Clock;

/// How long a failed attempt is not repeated, in seconds.
const COOL_DOWN_SECS: i64 = 2;

/// How long after an attempt without a response an old value is returned while the next one is in progress, in seconds.
const AWAY_SECS: i64 = 10;

/// In microseconds.
const SECOND: i64 = 1_000_000;

/// No attempt has remained without a response.
const NEVER: i64 = i64::MIN;

/// A value with its fetch time and expiry.
#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    /// When the fetch began: the value may be as old as that.
    fetched_at: Timestamp,
    /// When the fetch ended: pauses count from then.
    ended_at: Timestamp,
    expires_at: Timestamp,
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), ..*self }
    }
}

/// The cached value, and the result of the last attempt.
pub(crate) struct RefreshCell<T> {
    held: RwLock<Option<Held<T>>>,
    /// Held by the caller that fetches; the others wait.
    gate: tokio::sync::Mutex<Failure>,
    /// When the last attempt remained without a response, in seconds. Soon after that, a valid value is returned while
    /// the next attempt is in progress: not every caller waits through an outage.
    away: AtomicI64,
}

/// The error of the last attempt, if it failed.
type Failure = Option<Failed>;

struct Failed {
    began_at: Timestamp,
    /// Pauses count from then, so that a slow attempt is not followed by the next at once.
    ended_at: Timestamp,
    error: TrustError,
}

/// An attempt in progress. A cancelled one counts as failed, so that a pause follows it too.
struct Attempt<'a> {
    gate: tokio::sync::MutexGuard<'a, Failure>,
    away: &'a AtomicI64,
    clock: &'a dyn Clock,
    began_at: Timestamp,
    over: bool,
}

impl Attempt<'_> {
    fn failed(&mut self, error: TrustError) {
        self.over = true;
        let now = self.clock.now();
        let away = matches!(error, TrustError::Unavailable(_));
        self.away.store(if away { now.secs() } else { NEVER }, Ordering::Release);
        *self.gate = Some(Failed { began_at: self.began_at, ended_at: now, error });
    }

    fn succeeded(&mut self) {
        self.over = true;
        self.away.store(NEVER, Ordering::Release);
        *self.gate = None;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.failed(TrustError::Unavailable(Outage::Deadline));
        }
    }
}

impl<T> Default for RefreshCell<T> {
    fn default() -> Self {
        Self { held: RwLock::new(None), gate: tokio::sync::Mutex::new(None), away: AtomicI64::new(NEVER) }
    }
}

impl<T> RefreshCell<T> {
    /// Whether there is a value that was fetched longer ago than that.
    pub(crate) fn is_older_than(&self, now: Timestamp, secs: i64) -> bool {
        let held = read(&self.held);
        held.as_ref().is_some_and(|held| now.secs().saturating_sub(held.fetched_at.secs()) > secs)
    }

    /// Drops the value, when something that it depends on has changed.
    pub(crate) fn clear(&self) {
        self.set(None);
    }

    /// Whether there is a value, valid or not.
    pub(crate) fn is_held(&self) -> bool {
        read(&self.held).is_some()
    }

    /// The value if it is not older than `max_age_secs`, else a new one from `fetch`, which also returns its expiry. If
    /// there is no response, the old value is used until it expires; if the new one is refused, the old one is dropped.
    pub(crate) async fn get<F>(
        &self,
        clock: &dyn Clock,
        max_age_secs: i64,
        fetch: F,
    ) -> Result<Arc<T>, TrustError>
    where
        F: Future<Output = Result<(T, Timestamp), TrustError>>,
    {
        if let Some(value) = self.fresh(clock.now(), max_age_secs) {
            return Ok(value);
        }
        let gate = match (self.gate.try_lock(), self.valid(clock.now())) {
            (Ok(gate), _) => gate,
            (Err(_), Some(value)) if self.is_away(clock.now()) => return Ok(value),
            // Another caller is fetching. A value that is too old may have been revoked since: wait for the new one.
            (Err(_), _) => self.gate.lock().await,
        };
        let now = clock.now();
        if let Some(value) = self.fresh(now, max_age_secs) {
            return Ok(value);
        }
        if let Some(failed) = gate.as_ref()
            && (0..COOL_DOWN_SECS).contains(&now.secs().saturating_sub(failed.ended_at.secs()))
        {
            return self.valid(now).ok_or_else(|| failed.error.clone());
        }
        self.fetch(gate, clock, fetch).await
    }

    async fn fetch<F>(
        &self,
        gate: tokio::sync::MutexGuard<'_, Failure>,
        clock: &dyn Clock,
        fetch: F,
    ) -> Result<Arc<T>, TrustError>
    where
        F: Future<Output = Result<(T, Timestamp), TrustError>>,
    {
        let began_at = clock.now();
        let mut attempt = Attempt { gate, away: &self.away, clock, began_at, over: false };
        match fetch.await {
            Ok((value, expires_at)) => {
                let value = Arc::new(value);
                self.set(Some(Held {
                    value: Arc::clone(&value),
                    fetched_at: began_at,
                    ended_at: clock.now(),
                    expires_at,
                }));
                attempt.succeeded();
                Ok(value)
            }
            Err(error) => {
                attempt.failed(error.clone());
                if matches!(error, TrustError::NotTrusted(_)) {
                    self.set(None);
                }
                self.valid(clock.now()).ok_or(error)
            }
        }
    }

    /// A value that was fetched after this call, by this or another caller. There is a pause between two fetches,
    /// however many callers there are. A pause of a second is waited for; during a longer one the cached value is
    /// returned.
    pub(crate) async fn renewed<F>(
        &self,
        clock: &dyn Clock,
        pause_secs: i64,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, TrustError>
    where
        F: Future<Output = Result<(T, Timestamp), TrustError>>,
    {
        let called_at = clock.now();
        let gate = self.gate.lock().await;
        if let Some(held) = self.held()
            && held.fetched_at >= called_at
        {
            return Ok(held.value);
        }
        let failed = gate.as_ref().map(|failed| (failed.began_at, failed.ended_at, failed.error.clone()));
        let as_it_is = |error: Option<&TrustError>| {
            self.valid(clock.now())
                .ok_or_else(|| error.cloned().unwrap_or(TrustError::Unavailable(Outage::AskedJustNow)))
        };
        if let Some((began_at, _, error)) = &failed
            && *began_at >= called_at
        {
            return as_it_is(Some(error));
        }
        let last =
            self.held().map(|held| held.ended_at).max(failed.as_ref().map(|(_, ended_at, _)| *ended_at));
        let left = last
            .map_or(0, |last| last.plus_secs(pause_secs).micros().saturating_sub(clock.now().micros()))
            .clamp(0, pause_secs.saturating_mul(SECOND));
        if left > 0 && pause_secs > 1 {
            return as_it_is(failed.as_ref().map(|(_, _, error)| error));
        }
        tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
        self.fetch(gate, clock, fetch()).await
    }

    fn is_away(&self, now: Timestamp) -> bool {
        (0..AWAY_SECS).contains(&now.secs().saturating_sub(self.away.load(Ordering::Acquire)))
    }

    /// The value if it is not older than that.
    pub(crate) fn fresh(&self, now: Timestamp, max_age_secs: i64) -> Option<Arc<T>> {
        let held = self.held()?;
        let age = now.secs().saturating_sub(held.fetched_at.secs());
        (now < held.expires_at && (0..=max_age_secs).contains(&age)).then_some(held.value)
    }

    fn valid(&self, now: Timestamp) -> Option<Arc<T>> {
        self.held().filter(|held| now < held.expires_at).map(|held| held.value)
    }

    fn held(&self) -> Option<Held<T>> {
        read(&self.held).clone()
    }

    fn set(&self, held: Option<Held<T>>) {
        *write(&self.held) = held;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::domain::federation::TrustFault;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.load(Ordering::SeqCst))
        }
    }

    fn at(secs: i64) -> Hand {
        Hand(AtomicI64::new(secs))
    }

    async fn good(value: u32, expires: i64) -> Result<(u32, Timestamp), TrustError> {
        Ok((value, Timestamp::from_secs(expires)))
    }

    async fn away() -> Result<(u32, Timestamp), TrustError> {
        Err(TrustError::Unavailable(Outage::Unreachable))
    }

    #[tokio::test]
    async fn an_old_value_is_fetched_again_and_serves_while_that_fails() {
        let (cell, clock) = (RefreshCell::default(), at(0));
        assert_eq!(*cell.get(&clock, 10, good(1, 100)).await.unwrap(), 1);
        assert_eq!(*cell.get(&clock, 10, good(2, 100)).await.unwrap(), 1);
        clock.0.store(11, Ordering::SeqCst);
        assert_eq!(*cell.get(&clock, 10, away()).await.unwrap(), 1);
        // Not repeated within the cool-down.
        assert_eq!(*cell.get(&clock, 10, good(2, 100)).await.unwrap(), 1);
        clock.0.store(13, Ordering::SeqCst);
        assert_eq!(*cell.get(&clock, 10, good(2, 100)).await.unwrap(), 2);
        clock.0.store(100, Ordering::SeqCst);
        assert_eq!(cell.get(&clock, 1000, away()).await, Err(TrustError::Unavailable(Outage::Unreachable)));
    }

    #[tokio::test]
    async fn a_refusal_drops_the_old_value() {
        let (cell, clock) = (RefreshCell::default(), at(0));
        cell.get(&clock, 10, good(1, 100)).await.unwrap();
        clock.0.store(11, Ordering::SeqCst);
        let refused = async { Err(TrustError::NotTrusted(TrustFault::NotListed)) };
        assert_eq!(cell.get(&clock, 10, refused).await, Err(TrustError::NotTrusted(TrustFault::NotListed)));
        assert_eq!(
            cell.get(&clock, 10, good(1, 100)).await,
            Err(TrustError::NotTrusted(TrustFault::NotListed))
        );
        clock.0.store(13, Ordering::SeqCst);
        assert_eq!(*cell.get(&clock, 10, good(3, 100)).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_value_is_renewed_once_for_all_who_ask_and_once_per_second() {
        let (cell, clock, fetches) = (RefreshCell::default(), at(0), AtomicU32::new(0));
        cell.get(&clock, 10, good(100, 1000)).await.unwrap();
        clock.0.store(1, Ordering::SeqCst);
        let fetch = || async {
            tokio::task::yield_now().await;
            Ok((fetches.fetch_add(1, Ordering::SeqCst), Timestamp::from_secs(1000)))
        };
        let calls = (0..20).map(|_| cell.renewed(&clock, 1, fetch));
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.into_iter().all(|answer| *answer.unwrap() == 0));
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
        // Later calls get a later fetch; without a response the old value is used, after a refusal it is not.
        clock.0.store(3, Ordering::SeqCst);
        assert_eq!(*cell.renewed(&clock, 1, fetch).await.unwrap(), 1);
        clock.0.store(5, Ordering::SeqCst);
        assert_eq!(*cell.renewed(&clock, 1, away).await.unwrap(), 1);
        clock.0.store(8, Ordering::SeqCst);
        let refused = || async { Err(TrustError::NotTrusted(TrustFault::NotListed)) };
        assert_eq!(
            cell.renewed(&clock, 1, refused).await,
            Err(TrustError::NotTrusted(TrustFault::NotListed))
        );
        assert!(!cell.is_held());
    }

    #[tokio::test]
    async fn what_is_too_old_serves_nobody_while_the_new_one_is_on_its_way() {
        let (cell, clock) = (RefreshCell::default(), at(0));
        cell.get(&clock, 10, good(1, 1000)).await.unwrap();
        let slowly = |outcome: Result<(u32, Timestamp), TrustError>| async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            outcome
        };
        clock.0.store(11, Ordering::SeqCst);
        let new = || slowly(Ok((2, Timestamp::from_secs(1000))));
        let (first, second) = tokio::join!(cell.get(&clock, 10, new()), cell.get(&clock, 10, new()));
        assert_eq!((*first.unwrap(), *second.unwrap()), (2, 2));
        // In an outage one caller tries, and nobody else waits for that.
        clock.0.store(22, Ordering::SeqCst);
        assert_eq!(*cell.get(&clock, 10, away()).await.unwrap(), 2);
        clock.0.store(25, Ordering::SeqCst);
        let back = || slowly(Ok((3, Timestamp::from_secs(1000))));
        let (first, second) = tokio::join!(cell.get(&clock, 10, back()), cell.get(&clock, 10, back()));
        assert_eq!((*first.unwrap(), *second.unwrap()), (3, 2));
        // A refusal is returned to everyone.
        clock.0.store(36, Ordering::SeqCst);
        let gone = || slowly(Err(TrustError::NotTrusted(TrustFault::NotListed)));
        let (first, second) = tokio::join!(cell.get(&clock, 10, gone()), cell.get(&clock, 10, gone()));
        assert_eq!((first.is_err(), second.is_err()), (true, true));
    }

    #[tokio::test]
    async fn a_pause_is_counted_from_the_end_of_a_slow_fetch() {
        let (cell, clock) = (RefreshCell::default(), at(0));
        let slow = |outcome| {
            clock.0.fetch_add(10, Ordering::SeqCst);
            outcome
        };
        let failed = async { slow(away().await) };
        assert!(cell.get(&clock, 10, failed).await.is_err());
        assert_eq!(
            cell.get(&clock, 10, good(1, 100)).await,
            Err(TrustError::Unavailable(Outage::Unreachable))
        );
        clock.0.fetch_add(COOL_DOWN_SECS, Ordering::SeqCst);
        assert_eq!(*cell.get(&clock, 10, async { slow(good(1, 100).await) }).await.unwrap(), 1);
        // The same between two renewals: within a longer pause nobody waits, and the cached value is returned.
        clock.0.fetch_add(3, Ordering::SeqCst);
        assert_eq!(*cell.renewed(&clock, 4, || good(2, 100)).await.unwrap(), 1);
        clock.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(*cell.renewed(&clock, 4, || good(3, 100)).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_fetch_that_is_given_up_is_not_begun_again_at_once() {
        let (cell, clock) = (RefreshCell::<u32>::default(), at(0));
        let endless = cell.get(&clock, 10, std::future::pending());
        assert!(tokio::time::timeout(Duration::from_millis(5), endless).await.is_err());
        let next = cell.get(&clock, 10, good(1, 100)).await;
        assert_eq!(next, Err(TrustError::Unavailable(Outage::Deadline)));
        clock.0.store(COOL_DOWN_SECS, Ordering::SeqCst);
        assert!(cell.get(&clock, 10, good(1, 100)).await.is_ok());
    }

    #[tokio::test]
    async fn many_callers_make_one_fetch() {
        let (cell, clock, fetches) = (RefreshCell::default(), at(0), AtomicU32::new(0));
        let calls = (0..20).map(|_| {
            cell.get(&clock, 10, async {
                tokio::task::yield_now().await;
                let n = fetches.fetch_add(1, Ordering::SeqCst);
                Ok((n, Timestamp::from_secs(100)))
            })
        });
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.into_iter().all(|answer| *answer.unwrap() == 0));
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }
}
