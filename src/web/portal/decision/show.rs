//! `GET /consent/{id}`: the decision page.

use actix_web::http::StatusCode;

use super::decided;
use super::fill::{Shown, view_of};
use super::form::{DecisionInput, FieldError};
use super::outcome::unknown_request;
use super::persons::PersonsChoice;
use super::view::PasskeyNeed;
use crate::domain::ids::RequestId;
use crate::node::Problem;
use crate::node::holder::decision::view_consent_request;
use crate::node::holder::decision::view_consent_request::{Offer, Viewed, own_values};
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::resident::register_passkey;
use crate::web::extract::Id;
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::page_error::PageError;
use crate::web::portal::reply::Look;
use crate::web::session::PostLogin;

/// `GET /consent/{id}`.
pub(crate) async fn show(page: ResidentPage, Id(id): Id<RequestId>) -> PageResult {
    match view(&page, id).await? {
        Viewed::Open(offer) => {
            // Choices made before a session ended or an error occurred are restored.
            let input = page.visitor.kept_choices(id).unwrap_or_else(|| DecisionInput::proposed(&offer));
            show_offer(&page, &offer, input, Vec::new()).await
        }
        Viewed::Decided => decided::show_decided_before(&page, id).await,
        Viewed::Lapsed => Err(PageFailure::Page(PageError::RequestExpired)),
    }
}

/// A request as this resident may see it.
pub(super) async fn view(page: &ResidentPage, id: RequestId) -> Result<Viewed, PageFailure> {
    view_consent_request::view(&page.app.node, &page.resident, id, page.language)
        .await
        .map_err(unknown_request)
}

/// The page of an open offer, with the form's values and faults.
pub(super) async fn show_offer(
    page: &ResidentPage,
    offer: &Offer,
    input: DecisionInput,
    errors: Vec<FieldError>,
) -> PageResult {
    let (node, resident) = (&page.app.node, &page.resident);
    if !view_consent_request::is_strong_enough(node, resident, offer) {
        return step_up(page, offer).await;
    }
    let own = own_values(node, resident, offer).await?;
    let persons = PersonsChoice::of_own(page, offer, &own)?;
    let replaced = view_consent_request::replaced(node, resident, &offer.request).await?;
    if let Some(old) = replaced.as_ref().filter(|_| !persons.names_somebody()) {
        old.demand_choice()?;
    }
    let passkey = passkey_need(page, offer).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let shown_persons = persons.digest()?;
    let replaced = replaced.as_ref();
    let shown = Shown { offer, own, persons, shown_persons, replaced, passkey, input, errors };
    let look = Look { form_leads_out: true, status, ..Look::default() };
    page.show_as(&view_of(&page.app, shown), look)
}

/// The login that is required before the values of a dataset with a stronger requirement are shown.
pub(super) async fn step_up(page: &ResidentPage, offer: &Offer) -> PageResult {
    let demand = LoginRequirement { nonce: None, known: offer.demand.clone(), step_up: true };
    let (location, pending) = log_in::begin(&page.app.node, demand, page.language).await?;
    page.visitor.save_pending_login(pending, PostLogin::Show(offer.request.id))?;
    Ok(page.redirect(location.as_str()))
}

/// The passkey note of the page: none, that one signs, or that one must be added first.
async fn passkey_need(page: &ResidentPage, offer: &Offer) -> Result<PasskeyNeed, Problem> {
    if !offer.dataset.required_passkey {
        return Ok(PasskeyNeed::None);
    }
    let none = register_passkey::list(&page.app.node, &page.resident).await?.is_empty();
    Ok(if none { PasskeyNeed::Missing } else { PasskeyNeed::Ready })
}
