//! Standing denials: a resident refuses for good what a partner, a use or anybody asks of a dataset. A request that matches
//! is answered with a plain no at once; that it was the standing denial, only the resident's own log says.

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
/// [`Problem`] when the store is away.
pub async fn list(node: &Node, resident: &Resident) -> Result<Vec<StandingDenial>, Problem> {
    let (person, now) = (resident.person, node.now());
    Ok(node
        .store
        .read("list_standing_denials", move |store| standing_denials::of_person(store, person, now))
        .await?)
}

/// Refuses something for good. Saying it twice is no error.
///
/// # Errors
/// [`Problem`] `not-found` when there is no such partner, use or dataset.
pub async fn add(node: &Node, resident: &Resident, kind: DenialKind, target: &str) -> Result<(), Problem> {
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

/// What people call a partner, a use or a dataset.
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

/// What saying no to a request refuses beyond it: what the resident chose to refuse for good, or else the same use for a
/// while. A request that the resident began themselves and did not follow through refuses nothing more, and neither does a
/// no to a change of a permission that they leave in force.
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
    // As it was shown: the partner may have renamed or withdrawn the use since.
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

/// Takes a standing denial away: from then on requests are put before the resident again.
///
/// # Errors
/// [`Problem`] when the store is away. One that is not there, or another resident's, is no error and changes nothing.
pub async fn remove(node: &Node, resident: &Resident, id: DenialId) -> Result<(), Problem> {
    let person = resident.person;
    node.store.write("remove_standing_denial", move |tx| standing_denials::remove(tx, person, id)).await?;
    Ok(())
}

/// Answers a service's request with no where a standing denial of the resident who opens it matches, and says where the
/// browser goes then. A request of anybody else's, a decided one, and one that the resident began are left alone.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn refuse_denied(
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
    // Where the dataset is offered no more, there is nothing left to describe.
    let offered = offer(node, request, &subject, language).ok().map(|offer| offer.document);
    let issuer = write_receipt::issuer(node);
    let refused = node
        .store
        .write_log("refuse_denied_request", move |tx| {
            let Some((request, by, _)) = denied(tx, id, acting, now)? else { return Ok(None) };
            consent_requests::deny(tx, id, person, by, now)?;
            // The same entry as for a no that was pressed.
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

/// A service's open request that a standing denial of this person refuses: with the denial's kind, and who the person is
/// towards the one who asks.
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

/// What of a person's refuses a service's request now.
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
