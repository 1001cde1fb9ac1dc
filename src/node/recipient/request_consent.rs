//! A city's service requests a resident's consent through its own node.

use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, GrantAction, HeldConsent, HeldLife, HeldStatus, Origin};
use crate::domain::ids::HeldConsentId;
use crate::node::quota::{QuotaError, demand_room};
use crate::node::recipient::holder_catalogue;
pub(crate) use crate::node::recipient::service_request::ServiceRequest;
use crate::node::recipient::service_request::{bad, beyond};
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::ports::random;
use crate::store::recipient::held_consents;

/// Stores a service's request. Besides the holder's public catalogue, nothing is requested from the holder before the
/// resident's browser starts the request.
///
/// # Errors
/// [`Problem`]: malformed, beyond the service's own declared use, or not offered in the holder's catalogue.
pub(crate) async fn request_consent(
    node: &Node,
    service: &Service,
    asked: ServiceRequest,
) -> Result<HeldConsent, Problem> {
    let now = node.now();
    let declared = asked.find_use(&node.settings.uses, service)?;
    asked.check_form(service)?;
    if !declared.may_be_asked_of(&asked.holder) {
        return Err(beyond(if declared.inside_city {
            "the use asks this city alone"
        } else {
            "the use asks other cities: one of the own city says inside_city"
        }));
    }
    let expected_person = asked.expected_person()?;
    let own_detail = asked.detail(declared, now)?;
    let replaced = find_replaced(node, service, &asked).await?;
    let detail = match &replaced {
        Some((how, old)) => detail_beside(*how, old, own_detail, declared, now)?,
        None => own_detail,
    };
    // The holder must be trusted before the service is told that a resident will see its request.
    let holder = node.peers.resolve(&asked.holder).await?;
    holder_catalogue::check_offer(node, &holder, &detail, declared).await?;
    let held = HeldConsent {
        id: HeldConsentId::from_bytes(random(&*node.entropy)),
        origin: Origin::Pushed,
        service: service.id.clone(),
        holder: asked.holder,
        case_reference: asked.case_reference,
        expected_person,
        asked: AssuranceRequirement { acr: asked.acr_values, max_age: asked.max_age_seconds },
        return_url: Some(asked.return_url),
        replaces: replaced.map(|(how, old)| (how, old.id)),
        created_at: now,
        life: HeldLife::requested(detail, now),
    };
    let (stored, most) = (held.clone(), node.settings.limits.quotas.service_open);
    node.store
        .write("insert_held_consent", move |tx| {
            let open = held_consents::count_requested(tx, &stored.service)?;
            demand_room(open, most, "undecided requests of a service", &stored.service)?;
            Ok::<_, QuotaError>(held_consents::insert(tx, &stored)?)
        })
        .await?;
    Ok(held)
}

/// The service's own consent that the request is to replace or extend.
async fn find_replaced(
    node: &Node,
    service: &Service,
    asked: &ServiceRequest,
) -> Result<Option<(GrantAction, HeldConsent)>, Problem> {
    match (asked.replaces, asked.extends) {
        (None, None) => Ok(None),
        (Some(old), None) => Ok(Some((GrantAction::Replace, find(node, service, old).await?))),
        (None, Some(old)) => Ok(Some((GrantAction::Merge, find(node, service, old).await?))),
        (Some(_), Some(_)) => Err(bad("replaces and extends exclude each other")),
    }
}

/// A request to replace or extend a consent of the service: active or suspended, of the same holder and dataset; to
/// extend it, under the same use.
fn detail_beside(
    how: GrantAction,
    old: &HeldConsent,
    asked: AuthorizationDetail,
    declared: &DeclaredUse,
    now: Timestamp,
) -> Result<AuthorizationDetail, Problem> {
    let before = old.life.detail();
    if !matches!(old.status(), HeldStatus::Active | HeldStatus::Suspended) {
        return Err(Problem::new(ProblemKind::ConsentNotInForce));
    }
    if asked.locations != [old.holder.as_str()] || before.identifier != asked.identifier {
        return Err(bad("the consent is another city's or dataset's"));
    }
    match how {
        GrantAction::Replace => Ok(asked),
        GrantAction::Merge => {
            let merged = asked.merged_with(before);
            if before.declared_use != merged.declared_use || !merged.is_within(declared, now) {
                return Err(beyond("what comes of it is outside the declared use"));
            }
            Ok(merged)
        }
    }
}

/// A service's consent by its identifier.
///
/// # Errors
/// [`Problem`] when it is unknown or another service's.
pub(crate) async fn find(node: &Node, service: &Service, id: HeldConsentId) -> Result<HeldConsent, Problem> {
    let held = node.store.read("find_held_consent", move |store| held_consents::find(store, id)).await?;
    if held.service == service.id { Ok(held) } else { Err(Problem::new(ProblemKind::NotFound)) }
}

/// Maximum number of consents on one page of a service's list.
pub(crate) const LIST_PAGE: usize = 200;

/// A page of a service's consents.
pub(crate) struct ListPage {
    pub(crate) consents: Vec<HeldConsent>,
    /// Whether there are more after the last.
    pub(crate) more: bool,
}

/// A page of a service's consents, newest first, from the beginning or after one of them.
///
/// # Errors
/// [`Problem`] `bad-request` when `after` is not a consent of this service, else when the store is unavailable.
pub(crate) async fn list(
    node: &Node,
    service: &Service,
    status: Option<HeldStatus>,
    after: Option<HeldConsentId>,
) -> Result<ListPage, Problem> {
    let after = match after {
        None => None,
        Some(id) => match find(node, service, id).await {
            Ok(held) => Some((held.created_at, held.id)),
            Err(problem) if problem.kind == ProblemKind::NotFound => {
                return Err(Problem::with_detail(
                    ProblemKind::BadRequest,
                    "after is not a consent of this service",
                ));
            }
            Err(problem) => return Err(problem),
        },
    };
    let service = service.id.clone();
    let limit = u32::try_from(LIST_PAGE.saturating_add(1)).unwrap_or(u32::MAX);
    let mut consents = node
        .store
        .read("list_held_consents", move |store| {
            held_consents::of_service(store, &service, status, after, limit)
        })
        .await?;
    let more = consents.len() > LIST_PAGE;
    consents.truncate(LIST_PAGE);
    Ok(ListPage { consents, more })
}
