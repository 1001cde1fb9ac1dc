//! Says in the log what ends soon: once for each thing and each distance from its end, however many processes serve.

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    Expiry, ExpiryKind, ExpiryWarning, Role, TrustMark, TrustedPeer, endings_of, mark_name, warnings,
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

/// Time between two rounds: short beside what lives shortest and is warned of.
const ROUND: Duration = Duration::from_secs(60);

/// For how long something that is over is still said to be, in seconds: afterwards nobody waits for it any more.
const OVER_SECS: i64 = 7 * 86_400;

/// How long it is remembered past an end that it was said, in seconds.
const REMEMBERED_SECS: i64 = 90 * 86_400;

/// Watches a node's own ends for as long as the process runs.
pub async fn run(node: &Node, stop: &StopSignal) {
    while stop.pause(ROUND).await {
        if let Err(error) = round(node).await {
            tracing::warn!(event = "expiries_not_checked", %error, "what expires soon could not be checked");
        }
    }
}

/// Watches an anchor's or intermediate's ends for as long as the process runs: the marks that it gave, and its keys.
pub async fn run_for_superior(store: &Store, keys: &KeyRing, clock: &dyn Clock, stop: &StopSignal) {
    while stop.pause(ROUND).await {
        if let Err(error) = superior_round(store, keys, clock.now()).await {
            tracing::warn!(event = "expiries_not_checked", %error, "what expires soon could not be checked");
        }
    }
}

/// One round of a superior. Returns how much was said.
///
/// # Errors
/// [`StoreError`] when the store is away; the next round says it.
pub async fn superior_round(store: &Store, keys: &KeyRing, now: Timestamp) -> Result<usize, StoreError> {
    let since = now.plus_secs(-OVER_SECS);
    let marks = store.read("list_given_trust_marks", move |reader| trust_marks::given(reader, since)).await?;
    let mut endings = given_endings(&marks);
    endings.extend(key_expiries(&keys.records(), keys.policy()));
    say_once(store, &endings, now).await
}

/// One round of a node. Returns how much was said.
///
/// # Errors
/// [`StoreError`] when the store is away; the next round says it.
pub async fn round(node: &Node) -> Result<usize, StoreError> {
    let peer = node.peers.resolve(&node.settings.id).await.ok();
    let mut endings = own_expiries(&node.store, peer.as_deref(), node.now()).await?;
    endings.extend(key_expiries(&node.keys.records(), node.keys.policy()));
    endings.extend(node.settings.anchor_keys.iter().cloned());
    say_once(&node.store, &endings, node.now()).await
}

/// What this node's membership rests on: the chain as it is known now, and the marks that it has.
///
/// # Errors
/// [`StoreError`].
pub async fn own_expiries(
    store: &Store,
    peer: Option<&TrustedPeer>,
    now: Timestamp,
) -> Result<Vec<Expiry>, StoreError> {
    let mut endings = peer.map(endings_of).unwrap_or_default();
    let since = now.plus_secs(-OVER_SECS);
    let kept = store.read("list_own_trust_marks", move |reader| trust_marks::list_own(reader, since)).await?;
    for ending in kept.iter().filter_map(own_mark) {
        if !endings.iter().any(|known| known.kind == ExpiryKind::OwnMark && known.name == ending.name) {
            endings.push(ending);
        }
    }
    Ok(endings)
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

/// The role of a mark by the end of its type, whosever federation it is of.
fn role_of(mark: &TrustMark) -> Option<Role> {
    Role::from_name(mark.trust_mark_type.rsplit('/').next()?)
}

/// The signing keys whose time ends by schedule.
#[must_use]
pub fn key_expiries(records: &[KeyRecord], policy: &KeyPolicy) -> Vec<Expiry> {
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

/// The marks that an anchor or intermediate gave: for each member and type the one that lasts longest.
#[must_use]
pub fn given_endings(marks: &[IssuedMark]) -> Vec<Expiry> {
    let mut newest: std::collections::BTreeMap<(&str, &str), &IssuedMark> = std::collections::BTreeMap::new();
    for mark in marks {
        let place = newest.entry((mark.subject.as_str(), &mark.mark_type)).or_insert(mark);
        if place.expires_at < mark.expires_at {
            *place = mark;
        }
    }
    let ending = |mark: &&IssuedMark| Expiry {
        kind: ExpiryKind::GivenMark,
        name: format!("{} of {}", mark.mark_type, mark.subject),
        since: mark.issued_at,
        ends_at: mark.expires_at,
    };
    newest.values().map(ending).collect()
}

/// Says what is near and was not said before, by any process. Returns how much was said.
///
/// # Errors
/// [`StoreError`] when the store is away.
pub async fn say_once(store: &Store, endings: &[Expiry], now: Timestamp) -> Result<usize, StoreError> {
    let mut said = 0;
    for warning in warnings(endings, now) {
        if claim(store, &warning).await? {
            say(&warning);
            said += 1;
        }
    }
    Ok(said)
}

/// Whether it is this process that says it. It is remembered first and said then: a process that dies in between leaves it
/// to the next distance, and to `omadata peers list`, which always shows what is near.
async fn claim(store: &Store, warning: &ExpiryWarning) -> Result<bool, StoreError> {
    let key = b64url(&sha256(warning.key().as_bytes()));
    let key = Jti::new(key)?;
    let (scope, until) = (warning.ending.kind.name(), warning.ending.ends_at.plus_secs(REMEMBERED_SECS));
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

fn say(warning: &ExpiryWarning) {
    let ExpiryWarning { ending, nearness } = warning;
    tracing::warn!(
        kind = ending.kind.name(),
        name = ending.name,
        near = nearness.word(),
        ends_at = ending.ends_at.rfc3339(),
        remedy = ending.kind.remedy(),
        "something ends soon"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn ending(name: &str, ends: i64) -> Expiry {
        Expiry { kind: ExpiryKind::OwnMark, name: name.to_owned(), since: at(0), ends_at: at(ends) }
    }

    on_both!(
        async fn of_several_processes_one_says_it_and_only_once(fixture) {
            const DAY: i64 = 86_400;
            let other = fixture.other_process(&root_keys()).unwrap();
            let endings = [ending("data-holder", 100 * DAY), ending("data-recipient", 95 * DAY)];
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let store = if n % 2 == 0 { fixture.store.clone() } else { other.clone() };
                    let endings = endings.clone();
                    tokio::spawn(async move { say_once(&store, &endings, at(90 * DAY)).await })
                })
                .collect();
            let mut said = 0;
            for task in tasks {
                said += task.await.unwrap().unwrap();
            }
            // Both are within fourteen days, one of them within seven: each has one nearest distance.
            assert_eq!(said, 2);
            assert_eq!(say_once(&other, &endings, at(91 * DAY)).await.unwrap(), 0);
            assert_eq!(say_once(&other, &endings, at(93 * DAY)).await.unwrap(), 1, "within seven days");
            assert_eq!(say_once(&other, &endings, at(94 * DAY)).await.unwrap(), 1, "the other within one");
            assert_eq!(say_once(&other, &endings, at(101 * DAY)).await.unwrap(), 2, "both are over");
            assert_eq!(say_once(&other, &endings, at(130 * DAY)).await.unwrap(), 0);
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
        let ends: Vec<Timestamp> = given_endings(&given).iter().map(|ending| ending.ends_at).collect();
        assert_eq!(ends, [at(30), at(5)]);
    }
}
