//! A resident's own requests, permissions and exchanges.

use crate::domain::catalogue::{DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::document::ShownPerson;
use crate::domain::consent::state::NotInForce;
use crate::domain::consent::{Consent, ConsentRequest, DeletionState, Origin};
use crate::domain::exchange::VerifiedReceipt;
use crate::domain::exchange::event::REVOKED;
use crate::domain::ids::{ConsentId, DatasetId, FieldPath};
use crate::domain::login::Resident;
use crate::domain::token::RefusalReason;
use crate::node::resident::acting::Acting;
use crate::node::resident::shown_persons;
use crate::node::{Node, Problem};
use crate::store::StoreError;
pub(crate) use crate::store::holder::consents::Change as KeptChange;
use crate::store::holder::deletion_confirmations;
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::{consent_requests, consents, deferrals, exchanges, refusals, standing_denials};
use crate::store::messaging::outbox;
use crate::store::messaging::outbox::Delivery;
use crate::store::resident::persons;

/// A permission with its display texts.
#[derive(Debug, Clone)]
pub(crate) struct Permission {
    /// The consent with its present state.
    pub(crate) consent: Consent,
    /// The declared use as of the request.
    pub(crate) declared_use: DeclaredUse,
    /// Display name of the recipient.
    pub(crate) recipient_name: Text,
    pub(crate) asked: Vec<FieldPath>,
    /// The persons whose records it covers, as shown then; empty where it covers everybody's, and once the evidence is
    /// erased.
    pub(crate) persons: Vec<ShownPerson>,
    /// When the resident was reminded that it ends soon.
    pub(crate) reminded_at: Option<Timestamp>,
}

/// One permission with its history.
pub(crate) struct PermissionDetail {
    /// The consent and its request.
    pub(crate) permission: Permission,
    /// Every change, oldest first.
    pub(crate) events: Vec<KeptChange>,
    /// Its exchanges and refusals, newest first.
    pub(crate) log: Vec<LogLine>,
    /// Whether the recipient was notified of the end, and when it confirmed.
    pub(crate) end_notice: Option<EndNotice>,
    /// The deletion state of the fetched data; `None` when nothing was fetched.
    pub(crate) deletion: Option<DeletionState>,
    /// Whether the evidence of the decision is still stored.
    pub(crate) evidence_kept: bool,
    /// Whether a passkey signed the decision too.
    pub(crate) passkey: bool,
}

/// Delivery of the event about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndNotice {
    /// The outbox still tries to deliver it.
    Sending,
    /// Confirmed by the recipient.
    Confirmed(Timestamp),
    /// Given up after many attempts.
    GivenUp,
}

/// One line of the resident's log.
#[derive(Debug, Clone)]
pub(crate) struct LogLine {
    /// When it happened.
    pub at: Timestamp,
    /// The permission; `None` for a request that a standing denial declined.
    pub consent: Option<ConsentId>,
    /// Display name of the recipient.
    pub(crate) recipient_name: Text,
    /// The holder's dataset.
    pub dataset: DatasetId,
    /// The declared use, for the purpose.
    pub declared_use: DeclaredUse,
    /// What came of it.
    pub outcome: Outcome,
}

/// The result of an attempt to fetch.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Released {
        /// The fields that were released.
        fields: Vec<FieldPath>,
        /// The names of the persons whose records were released, as shown at the decision.
        persons: Vec<String>,
        /// When the recipient acknowledged it.
        acknowledged_at: Option<Timestamp>,
    },
    /// The register needed time: nothing was released.
    Deferred {
        /// From when on it has the data.
        available_from: Timestamp,
    },
    /// Refused by this check.
    Refused(RefusalReason),
    /// A standing denial of the resident declined the request.
    Denied,
}

/// The portal's first page.
pub(crate) struct Overview {
    /// Requests that wait for the resident.
    pub(crate) waiting: Vec<ConsentRequest>,
    pub(crate) in_force: Vec<Permission>,
    /// Permissions that have ended.
    pub(crate) ended: Vec<Permission>,
}

/// Maximum number of exchanges shown for one permission.
const MOST_EXCHANGES: u32 = 200;

/// Maximum number of refusals shown for one permission.
const MOST_REFUSALS: u32 = 100;

/// A resident's requests and permissions.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn overview(node: &Node, resident: &Resident) -> Result<Overview, Problem> {
    of_anyone(node, resident.person).await
}

/// Anyone's requests and permissions, for the operator's answer to them.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn of_anyone(
    node: &Node,
    person: crate::domain::ids::PersonId,
) -> Result<Overview, Problem> {
    let now = node.now();
    let (waiting, permissions) = node
        .store
        .read("list_own_consents", move |store| {
            let known = persons::find(store, person)?;
            let denials = standing_denials::of_person(store, person, now)?;
            let mut waiting = consent_requests::waiting_for(store, &known, now)?;
            // A request that a standing denial matches does not wait; it is declined when its service's browser
            // arrives.
            waiting.retain(|request| {
                request.origin == Origin::Portal
                    || request.person.is_some()
                    || !denials.iter().any(|denial| denial.refuses(&request.terms))
            });
            Ok::<_, StoreError>((waiting, of_person(store, person)?))
        })
        .await?;
    // Suspended permissions have not ended: they are listed where they can be resumed.
    let (in_force, ended) = permissions.into_iter().partition(|permission| {
        matches!(permission.consent.in_force(now), Ok(()) | Err(NotInForce::Suspended))
    });
    Ok(Overview { waiting, in_force, ended })
}

/// One of a resident's permissions.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn permission(
    node: &Node,
    resident: &Resident,
    id: ConsentId,
) -> Result<PermissionDetail, Problem> {
    let now = node.now();
    let acting = Acting::for_self(resident);
    node.store
        .read("find_own_consent", move |store| {
            let consent = consents::find(store, id)?;
            acting.demand(consent.person)?;
            let permission = with_request(store, consent)?;
            let log = log_lines(store, &permission)?;
            let events = consents::history(store, id)?;
            let end_notice = match revocation_notice(store, id)? {
                None => None,
                Some(notice) => Some(match (notice.delivered_at, notice.given_up_at) {
                    (Some(at), _) => EndNotice::Confirmed(at),
                    (None, Some(_)) => EndNotice::GivenUp,
                    (None, None) => EndNotice::Sending,
                }),
            };
            let deletion = deletion(store, &permission.consent, now)?;
            let evidence_kept = consents::erased_at(store, id)?.is_none();
            let passkey = consents::decision_basis(store, id)?.passkey;
            Ok(PermissionDetail { permission, events, log, end_notice, deletion, evidence_kept, passkey })
        })
        .await
}

/// Due by the holder's count: the recipient's retention, from the last exchange.
fn deletion(
    store: &mut crate::store::Reader<'_>,
    consent: &Consent,
    now: Timestamp,
) -> Result<Option<DeletionState>, StoreError> {
    let confirmed = deletion_confirmations::list(store, consent.id)?;
    // A confirmation from before the last exchange does not cover it.
    let deleted_at = confirmed
        .first()
        .filter(|confirmation| consent.last_exchange_at.is_none_or(|last| confirmation.received_at >= last))
        .map(|confirmation| confirmation.deleted_at);
    Ok(DeletionState::judge(consent.last_exchange_at, &consent.terms.retention, deleted_at, now))
}

fn revocation_notice(
    store: &mut crate::store::Reader<'_>,
    id: ConsentId,
) -> Result<Option<Delivery>, StoreError> {
    let deliveries = outbox::deliveries(store, &id.to_string())?;
    Ok(deliveries.into_iter().find(|delivery| delivery.kind == REVOKED))
}

fn of_person(
    store: &mut crate::store::Reader<'_>,
    person: crate::domain::ids::PersonId,
) -> Result<Vec<Permission>, StoreError> {
    let found = consents::of_person(store, person)?;
    found.into_iter().map(|consent| with_request(store, consent)).collect()
}

fn with_request(store: &mut crate::store::Reader<'_>, consent: Consent) -> Result<Permission, StoreError> {
    let request = consent_requests::of_consent(store, consent.id)?;
    Ok(Permission {
        persons: shown_persons::of_consent(store, &consent)?,
        reminded_at: consents::reminded_at(store, consent.id)?,
        consent,
        declared_use: request.declared_use,
        recipient_name: request.recipient_name,
        asked: request.terms.fields,
    })
}

/// The names of those whose records an exchange released.
fn released_names(receipt: &str, shown: &[ShownPerson]) -> Vec<String> {
    let released = VerifiedReceipt::stored(receipt).map(|receipt| receipt.persons).unwrap_or_default();
    let name = |id| shown.iter().find(|person| person.id == id).map(|person| person.name.clone());
    released.into_iter().filter_map(|person| name(person.id)).collect()
}

/// What came of an exchange under a permission.
pub(super) fn released(exchange: Exchange, permission: &Permission) -> Outcome {
    Outcome::Released {
        persons: released_names(&exchange.receipt, &permission.persons),
        fields: exchange.fields,
        acknowledged_at: exchange.acknowledged_at,
    }
}

/// The line of a request that a standing denial declined.
pub(super) fn denied_line(request: ConsentRequest, at: Timestamp) -> LogLine {
    LogLine {
        at,
        consent: None,
        recipient_name: request.recipient_name,
        dataset: request.terms.dataset,
        declared_use: request.declared_use,
        outcome: Outcome::Denied,
    }
}

/// A permission by its consent.
pub(super) fn find_permission(
    store: &mut crate::store::Reader<'_>,
    id: ConsentId,
) -> Result<Permission, StoreError> {
    let consent = consents::find(store, id)?;
    with_request(store, consent)
}

/// A line about a permission.
pub(super) fn line(permission: &Permission, at: Timestamp, outcome: Outcome) -> LogLine {
    LogLine {
        at,
        consent: Some(permission.consent.id),
        recipient_name: permission.recipient_name.clone(),
        dataset: permission.consent.terms.dataset.clone(),
        declared_use: permission.declared_use.clone(),
        outcome,
    }
}

/// The exchanges and refusals under a permission, newest first.
fn log_lines(
    store: &mut crate::store::Reader<'_>,
    permission: &Permission,
) -> Result<Vec<LogLine>, StoreError> {
    let id = permission.consent.id;
    let mut lines = Vec::new();
    for exchange in exchanges::of_consent(store, id, MOST_EXCHANGES)? {
        lines.push(line(permission, exchange.at, released(exchange, permission)));
    }
    for deferral in deferrals::of_consent(store, id, MOST_REFUSALS)? {
        let outcome = Outcome::Deferred { available_from: deferral.available_from };
        lines.push(line(permission, deferral.at, outcome));
    }
    for refusal in refusals::of_consent(store, id, MOST_REFUSALS)? {
        lines.push(line(permission, refusal.at, Outcome::Refused(refusal.reason)));
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    Ok(lines)
}
