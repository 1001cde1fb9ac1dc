//! Withholding a reported use from its person for a time: one service proposes, another confirms, the log has every step.

use std::sync::Arc;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{HidingId, ServiceId};
use crate::domain::log::Entry;
use crate::domain::uses::hiding::{HidingAct, HidingRules};
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::ports::random;
use crate::store::resident::use_hidings;
pub(crate) use crate::store::resident::use_hidings::{HiddenUse, Hiding};
use crate::store::{StoreError, Tx, log};

/// Maximum number of proposals in a list.
const MOST: u32 = 500;

/// The proposals that wait for a confirmation, without the persons.
///
/// # Errors
/// [`Problem`] when the service may not confirm, or the store is unavailable.
pub(crate) async fn waiting(node: &Node, service: &Service) -> Result<Vec<(Hiding, HiddenUse)>, Problem> {
    confirmer(node, service)?;
    let now = node.now();
    Ok(node.store.read("list_hidings", move |store| use_hidings::open(store, now, MOST)).await?)
}

/// Confirms a proposal. Repeating it changes nothing.
///
/// # Errors
/// [`Problem`]: the service may not confirm, there is no such proposal, or its time is over.
pub(crate) async fn confirm(node: &Node, service: &Service, id: HidingId) -> Result<Hiding, Problem> {
    confirmer(node, service)?;
    let rules = rules(node)?.clone();
    let (clock, by) = (Arc::clone(&node.clock), service.id.clone());
    node.store
        .write_log("confirm_hiding", move |tx| {
            // Not before the wait for the writer: its person may read the use meanwhile.
            let now = clock.now();
            let (hiding, used) = use_hidings::find(tx, id)?;
            let bad = |detail: &str| Err(Problem::with_detail(ProblemKind::BadRequest, detail));
            if hiding.until <= now {
                return bad("the time of this proposal is over");
            }
            // What its person may have read does not disappear.
            if !used.is_withheld(now) {
                return bad("the use is shown already");
            }
            if hiding.confirmed.is_none() {
                if used.hidden_until.is_some_and(|end| hiding.until < end) {
                    return bad("a later end was confirmed before");
                }
                let allowed = rules.proposers.contains(&hiding.proposed_by)
                    && rules.reasons.contains_key(&hiding.reason)
                    && hiding.until <= rules.latest(used.reported_at);
                if !allowed {
                    return bad("the configuration no longer allows this proposal");
                }
            }
            if use_hidings::confirm(tx, &hiding, &by, now)? {
                append(tx, &hiding, HidingAct::Confirmed, &by, now)?;
            }
            Ok(Hiding { confirmed: hiding.confirmed.or(Some((by.clone(), now))), ..hiding })
        })
        .await
}

/// Proposes a later end for a use that is withheld now; until it is confirmed, the present end holds.
///
/// # Errors
/// [`Problem`]: the service did not propose the present one, the use is not withheld, or the end is too late.
pub(crate) async fn extend(
    node: &Node,
    service: &Service,
    id: HidingId,
    until: Timestamp,
) -> Result<Hiding, Problem> {
    let rules = rules(node)?.clone();
    let (clock, by) = (Arc::clone(&node.clock), service.id.clone());
    let new = HidingId::from_bytes(random(&*node.entropy));
    node.store
        .write_log("extend_hiding", move |tx| {
            let now = clock.now();
            let (hiding, used) = use_hidings::find(tx, id)?;
            if hiding.proposed_by != by || !rules.proposers.contains(&by) {
                return Err(Problem::new(ProblemKind::NotFound));
            }
            let bad = |detail: &str| Err(Problem::with_detail(ProblemKind::BadRequest, detail));
            if !used.is_withheld(now) {
                return bad("the use is not withheld now");
            }
            if used.hidden_until.is_some_and(|end| until <= end) || until > rules.latest(used.reported_at) {
                return bad("hiddenUntil is not later, or later than the configured maximum");
            }
            match use_hidings::unconfirmed(tx, hiding.reported_use, now)? {
                // The same again, as after an answer that was lost.
                Some(before) if before.until == until && before.proposed_by == by => return Ok(before),
                Some(_) => return bad("an earlier proposal for this use waits to be confirmed"),
                None => {}
            }
            let proposal = Hiding { id: new, until, proposed_at: now, confirmed: None, ..hiding };
            use_hidings::propose(tx, &proposal)?;
            log_proposal(tx, &proposal, now)?;
            Ok(proposal)
        })
        .await
}

/// Appends a proposal to the log. Part of the transaction that stores it.
pub(super) fn log_proposal(tx: &mut Tx<'_>, hiding: &Hiding, now: Timestamp) -> Result<(), Problem> {
    append(tx, hiding, HidingAct::Proposed, &hiding.proposed_by, now)
}

fn append(
    tx: &mut Tx<'_>,
    hiding: &Hiding,
    act: HidingAct,
    by: &ServiceId,
    now: Timestamp,
) -> Result<(), Problem> {
    let entry = Entry::UseHiding {
        hiding: hiding.id,
        act,
        service: by.clone(),
        reason: hiding.reason.clone(),
        until: hiding.until.secs(),
        at: now.secs(),
    };
    let appended: Result<u64, StoreError> = log::append(tx, &entry.leaf()?, now);
    appended.map(drop).map_err(Problem::from)
}

/// The rules; nothing is withheld where there are none.
fn rules(node: &Node) -> Result<&HidingRules, Problem> {
    node.settings.hiding.as_ref().ok_or(Problem::new(ProblemKind::NotFound))
}

/// Refuses a service that may not confirm; to it there are no proposals.
fn confirmer(node: &Node, service: &Service) -> Result<(), Problem> {
    let may = rules(node)?.confirmers.contains(&service.id);
    may.then_some(()).ok_or(Problem::new(ProblemKind::NotFound))
}
