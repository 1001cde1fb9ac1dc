//! What the resident sees before deciding: who asks what and why, with the resident's own values.

use super::decide_consent::own_request;
use crate::domain::catalogue::{AssuranceRequirement, Dataset, Language, Record};
use crate::domain::consent::document::DocumentParts;
use crate::domain::consent::{Consent, ConsentDocument, ConsentRequest, RequestState};
use crate::domain::ids::{ConsentId, NationalIdentifier, PairwiseSubject, RequestId};
use crate::domain::jose::{b64url, sha256};
use crate::domain::login::Resident;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::holder::consents;
use crate::store::resident::persons;

/// A request as shown.
pub struct Offer {
    /// The request.
    pub request: ConsentRequest,
    /// The dataset that it asks for.
    pub dataset: Dataset,
    /// The document as it would be if all were allowed.
    pub document: ConsentDocument,
    /// Hash of that document; what is approved must be what was shown.
    pub hash: String,
    /// How the resident must be known before values are shown and for the signature: what the dataset demands, and
    /// what the one who asks wants beyond that.
    pub demand: AssuranceRequirement,
}

/// A request that this resident may look at.
pub enum Viewed {
    /// It waits for the decision.
    Open(Box<Offer>),
    /// It has been decided, by this resident.
    Decided(RequestState),
    /// Nobody decided in time.
    Lapsed,
}

/// A resident's own request: one that they have opened, or that expects them. Changes nothing.
///
/// # Errors
/// [`Problem`]: unknown or another resident's look alike.
pub async fn view(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
) -> Result<Viewed, Problem> {
    let now = node.now();
    let person = resident.person;
    let (request, subject) = node
        .store
        .read("view_consent_request", move |store| {
            let request = own_request(store, id, person)?;
            let subject = store.lookup().pairwise(&person, &request.terms.recipient)?;
            Ok::<_, StoreError>((request, subject))
        })
        .await?;
    match request.state {
        RequestState::Requested if request.is_open(now) => {
            Ok(Viewed::Open(Box::new(offer(node, request, &subject, language)?)))
        }
        RequestState::Requested | RequestState::Lapsed => Ok(Viewed::Lapsed),
        decided @ (RequestState::Allowed(_) | RequestState::Declined) => Ok(Viewed::Decided(decided)),
    }
}

/// A request that this resident has opened, in whatever state.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn decided(node: &Node, resident: &Resident, id: RequestId) -> Result<ConsentRequest, Problem> {
    let person = resident.person;
    Ok(node.store.read("find_decided_request", move |store| own_request(store, id, person)).await?)
}

/// The resident's own consent that a request is to replace or extend.
///
/// # Errors
/// [`Problem`] `changed` when it is over meanwhile.
pub async fn replaced(
    node: &Node,
    resident: &Resident,
    request: &ConsentRequest,
) -> Result<Option<Consent>, Problem> {
    let Some((_, id)) = request.replaces else { return Ok(None) };
    let old = node.store.read("find_replaced_consent", move |store| consents::find(store, id)).await?;
    if old.person == resident.person && old.state.ended_at().is_none() {
        Ok(Some(old))
    } else {
        Err(Problem::new(ProblemKind::Changed))
    }
}

/// The offer in one language and its hash.
///
/// # Errors
/// [`Problem`] when the dataset is no longer offered.
pub(crate) fn offer(
    node: &Node,
    request: ConsentRequest,
    subject: &PairwiseSubject,
    language: Language,
) -> Result<Offer, Problem> {
    let dataset =
        node.settings.dataset(&request.terms.dataset).ok_or(Problem::new(ProblemKind::NotFound))?.clone();
    let document = ConsentDocument::new(&DocumentParts {
        consent: ConsentId::from_bytes(*request.id.as_bytes()),
        subject,
        language,
        holder_name: node.settings.name.get(language),
        recipient_name: request.recipient_name.get(language),
        declared_use: &request.declared_use,
        dataset: &dataset,
        terms: &request.terms,
        decided_at: request.created_at,
        signer: None,
        passkeys: Vec::new(),
    });
    let hash = b64url(&sha256(document.canonical()?.as_bytes()));
    let demand = AssuranceRequirement::of(&dataset).and(&request.asked, &node.settings.levels);
    Ok(Offer { request, dataset, document, hash, demand })
}

/// Whether a login is strong and fresh enough for the values of an offer.
#[must_use]
pub fn is_strong_enough(node: &Node, resident: &Resident, offer: &Offer) -> bool {
    offer.demand.is_met(&node.settings.levels, resident.acr.as_deref(), resident.auth_time, node.now())
}

/// The resident's own values in an offer, read from the register now.
///
/// # Errors
/// [`Problem`] when the register does not answer, or answers with anything but the resident's records.
pub async fn own_values(node: &Node, resident: &Resident, offer: &Offer) -> Result<Vec<Record>, Problem> {
    if !is_strong_enough(node, resident, offer) {
        return Err(Problem::new(ProblemKind::LoginTooWeak));
    }
    let identifier = identifier(node, resident).await?;
    let records = node.registers.read(&offer.dataset.id, &identifier).await?;
    if records.iter().any(|record| record.subject != identifier) {
        return Err(Problem::because(ProblemKind::RegisterUnavailable, "register answered for another"));
    }
    Ok(records)
}

/// The resident's national identifier, unsealed.
pub(crate) async fn identifier(node: &Node, resident: &Resident) -> Result<NationalIdentifier, Problem> {
    let person = resident.person;
    let found = node.store.read("find_person", move |store| persons::find(store, person)).await?;
    Ok(found.identifier)
}
