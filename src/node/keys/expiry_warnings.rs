//! Logs warnings of expiries: once for each item and threshold, however many processes serve.

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    Expiry, ExpiryKind, ExpiryWarning, Role, TrustMark, TrustedPeer, expiries_of, mark_name, warnings,
};
use crate::domain::ids::Jti;
use crate::domain::jose::{b64url, sha256};
use crate::node::{KeyPolicy, KeyRing, Node};
use crate::ports::{Clock, StopSignal};
use crate::store::federation::trust_marks;
use crate::store::federation::trust_marks::{IssuedMark, OwnMark};
use crate::store::keys::signing_keys::{KeyRecord, KeyState};
use crate::store::used_once::{self, Kind};
use crate::store::{Store, StoreError};

/// Interval between two rounds: short compared with the shortest lifetime that is warned of.
const ROUND: Duration = Duration::from_secs(60);

/// How long an expired item is still reported, in seconds.
const OVER_SECS: i64 = 7 * 86_400;

/// How long after an expiry its warnings are remembered, in seconds.
const REMEMBERED_SECS: i64 = 90 * 86_400;

/// Background task for a node's own expiries.
pub(crate) async fn run(node: &Node, stop: &StopSignal) {
    while stop.pause(ROUND).await {
        if let Err(error) = round(node).await {
            tracing::warn!(event = "expiries_not_checked", %error, "what expires soon could not be checked");
        }
    }
}

/// Background task for the expiries of an anchor or intermediate: the marks that it issued, and its keys.
pub(crate) async fn run_for_superior(store: &Store, keys: &KeyRing, clock: &dyn Clock, stop: &StopSignal) {
    while stop.pause(ROUND).await {
        if let Err(error) = superior_round(store, keys, clock.now()).await {
            tracing::warn!(event = "expiries_not_checked", %error, "what expires soon could not be checked");
        }
    }
}

/// One round of a superior. Returns the number of logged warnings.
///
/// # Errors
/// [`StoreError`] when the store is unavailable; the next round logs the warnings.
pub(crate) async fn superior_round(
    store: &Store,
    keys: &KeyRing,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let since = now.plus_secs(-OVER_SECS);
    let marks = store.read("list_given_trust_marks", move |reader| trust_marks::given(reader, since)).await?;
    let mut expiries = mark_expiries(&marks);
    expiries.extend(key_expiries(&keys.records(), keys.policy()));
    log_once(store, &expiries, now).await
}

/// One round of a node. Returns the number of logged warnings.
///
/// # Errors
/// [`StoreError`] when the store is unavailable; the next round logs the warnings.
pub(crate) async fn round(node: &Node) -> Result<usize, StoreError> {
    let peer = node.peers.resolve(&node.settings.id).await.ok();
    let mut expiries = own_expiries(&node.store, peer.as_deref(), node.now()).await?;
    expiries.extend(key_expiries(&node.keys.records(), node.keys.policy()));
    expiries.extend(node.settings.anchor_keys.iter().cloned());
    log_once(&node.store, &expiries, node.now()).await
}

/// What this node's membership depends on: its current chain and its marks.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn own_expiries(
    store: &Store,
    peer: Option<&TrustedPeer>,
    now: Timestamp,
) -> Result<Vec<Expiry>, StoreError> {
    let mut expiries = peer.map(expiries_of).unwrap_or_default();
    let since = now.plus_secs(-OVER_SECS);
    let kept = store.read("list_own_trust_marks", move |reader| trust_marks::list_own(reader, since)).await?;
    for expiry in kept.iter().filter_map(own_mark) {
        if !expiries.iter().any(|known| known.kind == ExpiryKind::OwnMark && known.name == expiry.name) {
            expiries.push(expiry);
        }
    }
    Ok(expiries)
}

fn own_mark(own: &OwnMark) -> Option<Expiry> {
    let mark = TrustMark::claimed(&own.mark).ok()?;
    Some(Expiry {
        kind: ExpiryKind::OwnMark,
        name: mark_name(role_of(&mark)?, &mark.sub),
        since: Timestamp::from_secs(mark.iat),
        ends_at: Timestamp::from_secs(mark.exp?),
    })
}

/// The role of a mark by the suffix of its type, in any federation.
fn role_of(mark: &TrustMark) -> Option<Role> {
    Role::from_name(mark.trust_mark_type.rsplit('/').next()?)
}

/// The signing keys that are to be rotated by schedule.
#[must_use]
pub(crate) fn key_expiries(records: &[KeyRecord], policy: &KeyPolicy) -> Vec<Expiry> {
    let active = records.iter().filter(|key| key.state == KeyState::Active);
    active
        .filter_map(|key| {
            let since = key.activated_at.unwrap_or(key.created_at);
            Some(Expiry {
                kind: ExpiryKind::SigningKey,
                name: format!("{} {}", key.purpose.as_str(), key.kid),
                since,
                ends_at: policy.rotates_at(key.purpose, since)?,
            })
        })
        .collect()
}

/// The marks that an anchor or intermediate issued: the longest-lived for each member and type.
#[must_use]
pub(crate) fn mark_expiries(marks: &[IssuedMark]) -> Vec<Expiry> {
    let mut newest: std::collections::BTreeMap<(&str, &str), &IssuedMark> = std::collections::BTreeMap::new();
    for mark in marks {
        let place = newest.entry((mark.subject.as_str(), &mark.mark_type)).or_insert(mark);
        if place.expires_at < mark.expires_at {
            *place = mark;
        }
    }
    let expiry = |mark: &&IssuedMark| Expiry {
        kind: ExpiryKind::GivenMark,
        name: format!("{} of {}", mark.mark_type, mark.subject),
        since: mark.issued_at,
        ends_at: mark.expires_at,
    };
    newest.values().map(expiry).collect()
}

/// Logs the warnings that no process has logged yet. Returns how many.
///
/// # Errors
/// [`StoreError`] when the store is unavailable.
pub(crate) async fn log_once(
    store: &Store,
    expiries: &[Expiry],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut logged = 0;
    for warning in warnings(expiries, now) {
        if claim(store, &warning).await? {
            log_warning(&warning);
            logged += 1;
        }
    }
    Ok(logged)
}

/// Whether this process logs the warning. It is recorded first and logged then: if the process dies in between, the
/// next threshold and `omadata peers list` still show the expiry.
async fn claim(store: &Store, warning: &ExpiryWarning) -> Result<bool, StoreError> {
    let key = b64url(&sha256(warning.key().as_bytes()));
    let key = Jti::new(key)?;
    let (scope, until) = (warning.expiry.kind.name(), warning.expiry.ends_at.plus_secs(REMEMBERED_SECS));
    let claimed = store
        .write("claim_expiry_warning", move |tx| {
            used_once::use_up(tx, Kind::ExpiryWarning, scope, &key, until)
        })
        .await;
    match claimed {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}

fn log_warning(warning: &ExpiryWarning) {
    let ExpiryWarning { expiry, threshold } = warning;
    tracing::warn!(
        event = "expires_soon",
        kind = expiry.kind.name(),
        name = expiry.name,
        near = threshold.name(),
        ends_at = expiry.ends_at.rfc3339(),
        remedy = expiry.kind.remedy(),
        "something ends soon"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn expiry(name: &str, ends: i64) -> Expiry {
        Expiry { kind: ExpiryKind::OwnMark, name: name.to_owned(), since: at(0), ends_at: at(ends) }
    }

    on_both!(
        async fn of_several_processes_one_says_it_and_only_once(fixture) {
            const DAY: i64 = 86_400;
            let other = fixture.other_process(&root_keys()).unwrap();
            let expiries = [expiry("data-holder", 100 * DAY), expiry("data-recipient", 95 * DAY)];
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let store = if n % 2 == 0 { fixture.store.clone() } else { other.clone() };
                    let expiries = expiries.clone();
                    tokio::spawn(async move { log_once(&store, &expiries, at(90 * DAY)).await })
                })
                .collect();
            let mut logged = 0;
            for task in tasks {
                logged += task.await.unwrap().unwrap();
            }
            // Both are within fourteen days, one of them within seven: each is reported at its nearest threshold.
            assert_eq!(logged, 2);
            assert_eq!(log_once(&other, &expiries, at(91 * DAY)).await.unwrap(), 0);
            assert_eq!(log_once(&other, &expiries, at(93 * DAY)).await.unwrap(), 1, "within seven days");
            assert_eq!(log_once(&other, &expiries, at(94 * DAY)).await.unwrap(), 1, "the other within one");
            assert_eq!(log_once(&other, &expiries, at(101 * DAY)).await.unwrap(), 2, "both are over");
            assert_eq!(log_once(&other, &expiries, at(130 * DAY)).await.unwrap(), 0);
        }
    );

    #[test]
    fn of_marks_given_again_the_last_one_counts() {
        let mark = |member: &str, kind: &str, expires: i64| IssuedMark {
            subject: crate::domain::ids::EntityId::new(format!("https://{member}.example")).unwrap(),
            mark_type: kind.to_owned(),
            mark: String::new(),
            kid: crate::domain::ids::KeyId::new("kid").unwrap(),
            issued_at: at(0),
            expires_at: at(expires),
            revoked_at: None,
        };
        let given =
            [mark("espoo", "a", 10), mark("espoo", "a", 30), mark("espoo", "a", 20), mark("turku", "a", 5)];
        let ends: Vec<Timestamp> = mark_expiries(&given).iter().map(|expiry| expiry.ends_at).collect();
        assert_eq!(ends, [at(30), at(5)]);
    }
}
