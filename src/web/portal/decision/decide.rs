//! `POST /consent/{id}`: the decision, and the signing login's return.

use super::decided;
use super::form::{Choice, DecisionInput};
use super::outcome::go;
use super::persons::PersonsChoice;
use super::show::{show_offer, step_up, view};
use crate::domain::consent::DenialKind;
use crate::domain::ids::RequestId;
use crate::domain::login::{Callback, PendingLogin};
use crate::node::holder::decision::decide_consent;
use crate::node::holder::decision::decide_consent::Next;
use crate::node::holder::decision::view_consent_request::{Offer, Viewed, is_strong_enough, own_values};
use crate::node::{OAuthCode, Problem, ProblemKind};
use crate::web::extract::Id;
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::{PageResult, ResidentPage, SignedForm};
use crate::web::portal::page_error::PageError;
use crate::web::session::PostLogin;

/// `POST /consent/{id}`.
pub(crate) async fn decide(signed: SignedForm<DecisionInput>, Id(id): Id<RequestId>) -> PageResult {
    let SignedForm { page, form } = signed;
    // Checked again: a resident who may not see a request cannot decide it either.
    let offer = match view(&page, id).await? {
        Viewed::Open(offer) => offer,
        Viewed::Lapsed => return Err(PageFailure::Page(PageError::RequestExpired)),
        Viewed::Decided => return decided::show_decided_before(&page, id).await,
    };
    match form.decision.as_deref() {
        Some("deny") => decline(&page, id, &form).await,
        Some("allow") => allow(&page, &offer, form).await,
        Some("return") => return_unheld(&page, &offer).await,
        _ => Err(PageFailure::Problem(Problem::new(ProblemKind::BadRequest))),
    }
}

async fn decline(page: &ResidentPage, id: RequestId, form: &DecisionInput) -> PageResult {
    let chosen = form.never.as_deref().filter(|word| !word.is_empty());
    let known = |word: &str| word.parse::<DenialKind>().map_err(|_| Problem::new(ProblemKind::BadRequest));
    let never = chosen.map(known).transpose()?;
    let destination =
        decide_consent::decline(&page.app.node, &page.resident, id, page.language, never).await?;
    page.visitor.drop_choices(id)?;
    Ok(go(page, id, &destination))
}

async fn allow(page: &ResidentPage, offer: &Offer, form: DecisionInput) -> PageResult {
    let (node, id) = (&page.app.node, offer.request.id);
    // Kept until the decision is signed, so that the page can be filled in again after an interruption.
    page.visitor.keep_choices(id, &form)?;
    // Whose data is given may have changed in the register since the page was shown.
    let persons = if offer.dataset.narrowing.is_possible() {
        if !is_strong_enough(node, &page.resident, offer) {
            return step_up(page, offer).await;
        }
        PersonsChoice::of_own(page, offer, &own_values(node, &page.resident, offer).await?)?
    } else {
        PersonsChoice::default()
    };
    let choice = match form.choice(offer, &persons, node.now())? {
        Choice::Complete(choice) => choice,
        Choice::Incomplete(errors) => return show_offer(page, offer, form, errors).await,
    };
    match decide_consent::begin_allow(node, &page.resident, id, page.language, choice).await? {
        Next::Passkey => Ok(page.redirect(&format!("/consent/{id}/passkey"))),
        Next::Login(location, pending) => {
            page.visitor.save_pending_login(pending, PostLogin::Allow(id))?;
            Ok(page.redirect(location.as_str()))
        }
    }
}

/// Ends a request for persons or records that the city does not have about the resident.
async fn return_unheld(page: &ResidentPage, offer: &Offer) -> PageResult {
    let (node, id) = (&page.app.node, offer.request.id);
    let persons = PersonsChoice::of_own(page, offer, &own_values(node, &page.resident, offer).await?)?;
    if !persons.is_not_held() {
        return Err(PageFailure::Problem(Problem::new(ProblemKind::Changed)));
    }
    let why = OAuthCode::InvalidAuthorizationDetails;
    match decide_consent::abandon_request(node, &page.resident, id, why).await? {
        Some(destination) => Ok(go(page, id, &destination)),
        None => Err(PageFailure::Problem(Problem::new(ProblemKind::BadRequest))),
    }
}

/// The provider's response to the signing of the decision.
pub(crate) async fn complete(
    page: &ResidentPage,
    id: RequestId,
    pending: &PendingLogin,
    callback: &Callback,
) -> PageResult {
    let outcome = decide_consent::complete_allow(&page.app.node, &page.resident, id, pending, callback).await;
    match outcome {
        Ok(destination) => {
            page.visitor.drop_choices(id)?;
            Ok(go(page, id, &destination))
        }
        // Cancelled at the provider: nothing is decided, the page still works.
        Err(problem) if problem.kind == ProblemKind::LoginCancelled => {
            Ok(page.redirect(&format!("/consent/{id}")))
        }
        Err(problem) => handle_login_failure(page, id, problem).await,
    }
}

/// Handles a failed login for a request. If the login provider cannot reach the required assurance, the requesting
/// service gets the error.
pub(crate) async fn handle_login_failure(page: &ResidentPage, id: RequestId, problem: Problem) -> PageResult {
    if problem.kind == ProblemKind::LoginTooWeak
        && let Some(destination) = decide_consent::abandon_request(
            &page.app.node,
            &page.resident,
            id,
            OAuthCode::UnmetAuthenticationRequirements,
        )
        .await?
    {
        return Ok(go(page, id, &destination));
    }
    Err(PageFailure::Problem(problem))
}
