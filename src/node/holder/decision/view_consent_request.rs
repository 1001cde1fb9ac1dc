//! The offer as shown to the resident before deciding: recipient, data and purpose, with the resident's own values.

pub(crate) use super::offer::Offer;
use super::offer::offer;
use super::request::OwnedRequest;
use crate::domain::catalogue::{Language, Record};
use crate::domain::consent::document::ShownPerson;
use crate::domain::consent::{Consent, ConsentRequest, RequestState};
use crate::domain::ids::RequestId;
use crate::domain::login::Resident;
use crate::node::holder::pairwise::about;
use crate::node::resident::acting::Acting;
use crate::node::resident::own_records;
use crate::node::resident::own_records::OwnRecords;
use crate::node::resident::shown_persons;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::holder::consents;

/// A request that this resident may see.
pub(crate) enum Viewed {
    /// It waits for the decision.
    Open(Box<Offer>),
    /// It has been decided, by this resident.
    Decided,
    /// Nobody decided in time.
    Lapsed,
}

/// A resident's own request: one that they have opened, or that expects them. Read only.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn view(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
) -> Result<Viewed, Problem> {
    let now = node.now();
    let own = OwnedRequest::read(node, Acting::for_self(resident), id).await?;
    let (subject, request) = (own.subject().clone(), own.into_request());
    match request.state {
        RequestState::Requested if request.is_open(now) => {
            Ok(Viewed::Open(Box::new(offer(node, request, &subject, language)?)))
        }
        RequestState::Requested | RequestState::Lapsed => Ok(Viewed::Lapsed),
        RequestState::Allowed(_) | RequestState::Declined => Ok(Viewed::Decided),
    }
}

/// A request that this resident has opened, in any state.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn decided(
    node: &Node,
    resident: &Resident,
    id: RequestId,
) -> Result<ConsentRequest, Problem> {
    Ok(OwnedRequest::read(node, Acting::for_self(resident), id).await?.into_request())
}

/// A consent that a request is to replace or extend.
pub(crate) struct Replaced {
    pub(crate) consent: Consent,
    /// Whose records it covers, as shown then; empty for everybody's.
    pub(crate) persons: Vec<ShownPerson>,
}

/// The resident's own consent that a request is to replace or extend.
///
/// # Errors
/// [`Problem`] `changed` when it has ended.
pub(crate) async fn replaced(
    node: &Node,
    resident: &Resident,
    request: &ConsentRequest,
) -> Result<Option<Replaced>, Problem> {
    let Some((_, id)) = request.replaces else { return Ok(None) };
    let old = node.store.read("find_replaced_consent", move |store| {
        let consent = consents::find(store, id)?;
        Ok::<_, StoreError>(Replaced { persons: shown_persons::of_consent(store, &consent)?, consent })
    });
    let old = old.await?;
    let own = Acting::for_self(resident).demand(old.consent.person).is_ok();
    if own && old.consent.state.ended_at().is_none() {
        Ok(Some(old))
    } else {
        Err(Problem::new(ProblemKind::Changed))
    }
}

impl Replaced {
    /// Refuses a permission for everybody in the place of this one, if it leaves somebody out: it is offered only where
    /// the register has nobody to choose from now, and would undo that choice.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) fn demand_choice(&self) -> Result<(), Problem> {
        if self.consent.terms.persons.is_none() {
            return Ok(());
        }
        Err(Problem::because(ProblemKind::RegisterUnavailable, "there is nobody to choose from now"))
    }
}

/// Whether a login has the assurance for the values of an offer.
#[must_use]
pub(crate) fn is_strong_enough(node: &Node, resident: &Resident, offer: &Offer) -> bool {
    offer.demand.is_met(&node.settings.levels, resident.acr.as_deref(), resident.auth_time, node.now())
}

/// Reads the resident's own values in an offer from the register: of the persons and records that the service asks for.
///
/// # Errors
/// [`Problem`] when the login is too weak, or the register does not answer, or not correctly.
pub(crate) async fn own_values(
    node: &Node,
    resident: &Resident,
    offer: &Offer,
) -> Result<OwnRecords, Problem> {
    if !is_strong_enough(node, resident, offer) {
        return Err(Problem::new(ProblemKind::LoginTooWeak));
    }
    let subject = own_records::identifier(node, resident).await?;
    let fields = offer.dataset.to_read(&offer.request.terms.fields);
    let terms = &offer.request.terms;
    let is_asked =
        |record: &Record| match (&terms.persons, about(node, &offer.dataset, &terms.recipient, record)) {
            (Some(asked), Some(about)) => asked.covers(&about),
            // A record that does not say whom it is about is an error where persons are named, in `choose_persons`.
            _ => true,
        };
    own_records::read(node, &offer.dataset, subject, fields, is_asked).await
}
