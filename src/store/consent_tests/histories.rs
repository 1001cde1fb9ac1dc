//! Random histories of one consent, with replayed proofs: in any order of steps, the stored values are consistent, on
//! both databases.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::domain::consent::{Reason, Transition};
use crate::store::Tx;
use crate::store::used_once::{self, Kind};

/// How many exchanges the consent allows.
const TIMES: u32 = 5;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// An exchange with the proof of that number.
    Exchange(u8),
    Suspend(Actor, Reason),
    Resume(Actor, Reason),
    Revoke(Actor, Reason),
    Replace,
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u8..8).prop_map(Step::Exchange),
        3 => Just(Step::Suspend(Actor::Resident, Reason::Paused)),
        1 => Just(Step::Suspend(Actor::Node, Reason::UseChanged)),
        3 => Just(Step::Resume(Actor::Resident, Reason::Continued)),
        1 => Just(Step::Resume(Actor::Node, Reason::UseFits)),
        1 => Just(Step::Revoke(Actor::Resident, Reason::TakenBack)),
        1 => Just(Step::Revoke(Actor::Recipient, Reason::GivenBack)),
        1 => Just(Step::Replace),
        1 => Just(Step::Expire),
    ]
}

/// Does one step in one transaction, as the use cases do. `true` when an exchange was released.
fn take(
    tx: &mut Tx<'_>,
    id: ConsentId,
    number: ExchangeId,
    step: Step,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut consent = consents::lock(tx, id)?;
    let change: Option<Transition> = match step {
        Step::Exchange(proof) => {
            let counted = consent.count_exchange(now).map_err(|_| StoreError::Conflict)?;
            let jti = Jti::new(format!("proof-{proof}")).unwrap();
            used_once::use_up(tx, Kind::DpopProof, "key", &jti, now.plus_secs(600))?;
            let index = log::append(tx, &leaf(), now)?;
            exchanges::insert(tx, &Exchange { id: number, at: now, ..exchange(1, id, index) })?;
            consents::save(tx, &consent, counted.as_ref())?;
            return Ok(true);
        }
        Step::Suspend(actor, reason) => consent.suspend(actor, reason, now).ok(),
        Step::Resume(actor, reason) => consent.resume(actor, reason, now).ok(),
        Step::Revoke(actor, reason) => consent.revoke(actor, reason, now).ok(),
        Step::Replace => consent.replace(ConsentId::from_bytes([99; 16]), now).ok(),
        Step::Expire => consent.expire(now).ok(),
    };
    if let Some(change) = change {
        consents::save(tx, &consent, Some(&change))?;
    }
    Ok(false)
}

/// A simple model of the history, to compare the store with.
#[derive(Default)]
struct Model {
    ended: Option<&'static str>,
    suspended: bool,
    by_use: bool,
    proofs: Vec<u8>,
    released: u32,
    changes: Vec<&'static str>,
}

impl Model {
    /// Whether the step must release data.
    fn expect(&mut self, step: Step) -> bool {
        let end = |model: &mut Self, word| {
            if model.ended.is_none() {
                model.ended = Some(word);
                model.changes.push(word);
            }
        };
        match step {
            Step::Exchange(proof) => {
                if self.ended.is_some() || self.suspended || self.proofs.contains(&proof) {
                    return false;
                }
                self.proofs.push(proof);
                self.released += 1;
                if self.released == TIMES {
                    end(self, "exhausted");
                }
                return true;
            }
            // The resident's own suspension replaces one by the node.
            Step::Suspend(actor, reason)
                if self.ended.is_none() && (!self.suspended || (self.by_use && actor == Actor::Resident)) =>
            {
                self.suspended = true;
                self.by_use = reason.holds_back();
                self.changes.push("suspended");
            }
            Step::Resume(..) if self.ended.is_none() && self.suspended => {
                self.suspended = false;
                self.changes.push("active");
            }
            Step::Suspend(..) | Step::Resume(..) => {}
            Step::Revoke(Actor::Resident, _) => end(self, "revoked"),
            Step::Revoke(Actor::Recipient, _) => end(self, "returned"),
            Step::Revoke(Actor::Node, _) => end(self, "withdrawn"),
            Step::Replace => end(self, "replaced"),
            Step::Expire => end(self, "expired"),
        }
        false
    }

    fn state(&self) -> &'static str {
        self.ended.unwrap_or(if self.suspended { "suspended" } else { "active" })
    }
}

on_both!(
    async fn any_history_adds_up(fixture) {
        let store = &fixture.store;
        let mut runner = TestRunner::deterministic();
        let histories = proptest::collection::vec(step(), 1..24);
        for round in 1..=25_u8 {
            let steps = histories.new_tree(&mut runner).unwrap().current();
            let id = given(store, round, TIMES).await.id;
            let before = store.read("test", log::size).await.unwrap();
            let mut model = Model { changes: vec!["active"], ..Model::default() };
            let mut known = Vec::new();
            for (number, step) in (0_u8..).zip(steps.iter().copied()) {
                // Each history has proofs and exchanges of its own.
                let proof = |step| match step {
                    Step::Exchange(proof) => Step::Exchange(proof + (round - 1) * 8),
                    other => other,
                };
                let now = at(100 + i64::from(number));
                let own = proof(step);
                let unique = ExchangeId::from_bytes({
                    let mut bytes = [round; 16];
                    bytes[0] = number;
                    bytes
                });
                let outcome = store.write_log("test", move |tx| take(tx, id, unique, own, now)).await;
                let released = outcome == Ok(true);
                assert_eq!(released, model.expect(own), "{steps:?} at {number}: {outcome:?}");
                let history = store.read("test", move |r| consents::history(r, id)).await.unwrap();
                assert!(history.starts_with(&known), "a change was rewritten: {steps:?} at {number}");
                known = history;
            }
            let consent = store.read("test", move |r| consents::find(r, id)).await.unwrap();
            let listed = store.read("test", move |r| exchanges::of_consent(r, id, 100)).await.unwrap();
            let logged = store.read("test", log::size).await.unwrap() - before;
            assert_eq!(consent.state.as_str(), model.state(), "{steps:?}");
            assert_eq!(consent.exchanges, model.released, "{steps:?}");
            assert_eq!((listed.len(), logged), (usize::try_from(model.released).unwrap(), u64::from(model.released)), "{steps:?}");
            let states: Vec<_> = known.iter().map(|change| change.to.as_str()).collect();
            assert_eq!(states, model.changes, "{steps:?}");
            for pair in known.windows(2) {
                assert_eq!(pair[1].from, Some(pair[0].to.as_str()), "a gap: {steps:?}");
                assert!(pair[0].to.ended_at().is_none(), "something left an end state: {steps:?}");
            }
            assert_eq!(known.last().map(|change| change.reason), Some(consent.reason), "{steps:?}");
            // Nothing was released after the end, and nothing while it was suspended.
            if let Some(end) = consent.state.ended_at() {
                assert!(listed.iter().all(|exchange| exchange.at <= end), "{steps:?}");
            }
        }
    }
);
