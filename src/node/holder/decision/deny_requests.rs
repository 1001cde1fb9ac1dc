//! Standing denials: a resident permanently denies a partner, a use or a dataset. A matching request is declined at
//! once; only the resident's own log shows that a standing denial did it.

use super::destination::{Destination, back};
use super::offer::offer;
use crate::domain::catalogue::{Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::denial::PLAIN_NO_SECS;
use crate::domain::consent::{ConsentRequest, ConsentStatus, DenialKind, Origin, StandingDenial};
use crate::domain::ids::{
    ConsentId, DatasetId, DenialId, EntityId, PairwiseSubject, PersonId, RequestId, UseId,
};
use crate::domain::log::Entry;
use crate::domain::login::Resident;
use crate::node::holder::permissions::write_receipt;
use crate::node::holder::permissions::write_receipt::DeclinedOffer;
use crate::node::messaging::outbox_message;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::random;
use crate::store::holder::{consent_requests, standing_denials};
use crate::store::resident::persons;
use crate::store::{Reader, StoreError};

/// A resident's standing denials, latest first.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn list(node: &Node, resident: &Resident) -> Result<Vec<StandingDenial>, Problem> {
    let (person, now) = (resident.person, node.now());
    Ok(node
        .store
        .read("list_standing_denials", move |store| standing_denials::of_person(store, person, now))
        .await?)
}

/// Creates a permanent denial. Idempotent.
///
/// # Errors
/// [`Problem`] `not-found` when there is no such partner, use or dataset.
pub(crate) async fn add(
    node: &Node,
    resident: &Resident,
    kind: DenialKind,
    target: &str,
) -> Result<(), Problem> {
    let name = name(node, kind, target).await?;
    let denial = StandingDenial {
        id: DenialId::from_bytes(random(&*node.entropy)),
        kind,
        target: target.to_owned(),
        name,
        created_at: node.now(),
        until: None,
    };
    let person = resident.person;
    node.store.write("add_standing_denial", move |tx| standing_denials::insert(tx, person, &denial)).await?;
    Ok(())
}

/// Display name of a partner, a use or a dataset.
async fn name(node: &Node, kind: DenialKind, target: &str) -> Result<Text, Problem> {
    let unknown = || Problem::new(ProblemKind::NotFound);
    match kind {
        DenialKind::Partner => {
            let id: EntityId = target.parse().map_err(|_| unknown())?;
            Ok(node.peers.resolve(&id).await?.name.clone())
        }
        DenialKind::Use => {
            let id: UseId = target.parse().map_err(|_| unknown())?;
            Ok(node.member_documents.declared_use(&id).await?.title.clone())
        }
        DenialKind::Dataset => {
            let id: DatasetId = target.parse().map_err(|_| unknown())?;
            Ok(node.settings.dataset(&id).ok_or_else(unknown)?.title.clone())
        }
    }
}

/// The denial that declining a request creates: the permanent one that the resident chose, or else a temporary one of
/// the same use. None for a request that the resident began, and none for a change to a permission that stays in force.
///
/// # Errors
/// [`Problem`] `not-found` when the dataset is no longer offered.
pub(crate) fn denial_for_decline(
    node: &Node,
    request: &ConsentRequest,
    never: Option<DenialKind>,
) -> Result<Option<StandingDenial>, Problem> {
    if never.is_none() && (request.origin == Origin::Portal || request.replaces.is_some()) {
        return Ok(None);
    }
    let kind = never.unwrap_or(DenialKind::Use);
    // As shown: the partner may have renamed or withdrawn the use since.
    let name = match kind {
        DenialKind::Partner => request.recipient_name.clone(),
        DenialKind::Use => request.declared_use.title.clone(),
        DenialKind::Dataset => {
            let dataset = node.settings.dataset(&request.terms.dataset);
            dataset.ok_or(Problem::new(ProblemKind::NotFound))?.title.clone()
        }
    };
    let now = node.now();
    Ok(Some(StandingDenial {
        id: DenialId::from_bytes(random(&*node.entropy)),
        kind,
        target: kind.target(&request.terms).to_owned(),
        name,
        created_at: now,
        until: never.is_none().then(|| now.plus_secs(PLAIN_NO_SECS)),
    }))
}

/// Deletes a standing denial: from then on requests are shown to the resident again.
///
/// # Errors
/// [`Problem`] when the store is unavailable. Without effect for an unknown denial, or another resident's.
pub(crate) async fn remove(node: &Node, resident: &Resident, id: DenialId) -> Result<(), Problem> {
    let person = resident.person;
    node.store.write("remove_standing_denial", move |tx| standing_denials::remove(tx, person, id)).await?;
    Ok(())
}

/// Declines a service's request when a standing denial of the resident who opens it matches; returns where the browser
/// goes. Requests of another resident, decided ones, and those that the resident began are left unchanged.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn refuse_denied(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
) -> Result<Option<Destination>, Problem> {
    let now = node.now();
    let acting = Acting::for_self(resident);
    let person = acting.person();
    let Some((request, _, subject)) =
        node.store.read("find_standing_denial", move |store| denied(store, id, acting, now)).await?
    else {
        return Ok(None);
    };
    // Without the dataset there is nothing to describe in a receipt.
    let offered = offer(node, request, &subject, language).ok().map(|offer| offer.document);
    let issuer = write_receipt::issuer(node);
    let refused = node
        .store
        .write_log("refuse_denied_request", move |tx| {
            let Some((request, by, _)) = denied(tx, id, acting, now)? else { return Ok(None) };
            consent_requests::deny(tx, id, person, by, now)?;
            // The same entry as for a declined request.
            let entry = Entry::consent(ConsentId::from(id), ConsentStatus::Declined, now);
            let logged = outbox_message::log(tx, &entry, now)?;
            if let Some(offered) = &offered {
                let declined = DeclinedOffer { person, offered, at: now };
                write_receipt::of_refusal(tx, &issuer, &declined, &logged)?;
            }
            Ok::<_, StoreError>(Some(request))
        })
        .await?;
    match refused {
        None => Ok(None),
        Some(request) => {
            Ok(Some(back(node, &request, &[("error", "access_denied")])?.unwrap_or(Destination::Declined)))
        }
    }
}

/// A service's open request that a standing denial of this person matches: the denial's kind, and the person's subject
/// for the recipient.
fn denied(
    store: &mut Reader<'_>,
    id: RequestId,
    acting: Acting,
    now: Timestamp,
) -> Result<Option<(ConsentRequest, DenialKind, PairwiseSubject)>, StoreError> {
    let person = acting.person();
    let request = match consent_requests::find(store, id) {
        Ok(request) if request.origin == Origin::Pushed && request.is_open(now) => request,
        Ok(_) | Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let hash = persons::find(store, person)?.identifier_hash;
    if request.person.is_some_and(|bound| acting.demand(bound).is_err())
        || !request.may_be_of(hash.as_bytes())
    {
        return Ok(None);
    }
    let Some(kind) = denial_of(store, &request, person, now)? else { return Ok(None) };
    let subject = store.lookup().pairwise(&person, &request.terms.recipient)?;
    Ok(Some((request, kind, subject)))
}

/// The standing denial of a person that matches a service's request now.
fn denial_of(
    store: &mut Reader<'_>,
    request: &ConsentRequest,
    person: PersonId,
    now: Timestamp,
) -> Result<Option<DenialKind>, StoreError> {
    if request.origin == Origin::Portal {
        return Ok(None);
    }
    let denials = standing_denials::of_person(store, person, now)?;
    Ok(denials.iter().find(|denial| denial.refuses(&request.terms)).map(|denial| denial.kind))
}
