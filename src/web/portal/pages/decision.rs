//! The decision: `/consent/{request}`, its form, and the signing login's return.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Page, PageProblem, see_other};
use crate::domain::clock::Day;
use crate::domain::consent::{ConsentRequest, DenialKind, Frequency, Period, RequestState};
use crate::domain::ids::{FieldName, RequestId, UseId};
use crate::domain::login::Resident;
use crate::domain::login::{Callback, PendingLogin};
use crate::node::holder::decision::decide_consent;
use crate::node::holder::decision::decide_consent::{DecisionForm, Destination, Next};
use crate::node::holder::decision::start_consent;
use crate::node::holder::decision::view_consent_request;
use crate::node::holder::decision::view_consent_request::{Offer, Viewed, own_values};
use crate::node::holder::oauth::authorize;
use crate::node::holder::oauth::authorize::Opened;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::resident::register_passkey;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{FormParameters, MAX_FORM_BYTES};
use crate::web::portal::pages::view_models;
use crate::web::portal::views::{DecidedView, Decision, PageError, PasskeyNeed, WrongPersonView};
use crate::web::session::PostLogin;

/// `POST /partners/use`: the resident starts a permission of their own.
pub(super) async fn start(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let use_id: UseId = form
        .take("id")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| page.problem(Problem::new(ProblemKind::NotFound)))?;
    let id = start_consent::start_consent(&app.node, &resident, &use_id)
        .await
        .map_err(|problem| page.problem(problem))?;
    Ok(page.redirect(&format!("/consent/{id}")))
}

/// `GET /consent/{request}`.
pub(super) async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let id = parse(&page, &id)?;
    match look(&page, &resident, id).await? {
        Viewed::Open(offer) => {
            if let Some(to_login) = step_up(&page, &resident, &offer).await? {
                return Ok(to_login);
            }
            let records =
                own_values(&app.node, &resident, &offer).await.map_err(|problem| page.problem(problem))?;
            let replaced = view_consent_request::replaced(&app.node, &resident, &offer.request)
                .await
                .map_err(|problem| page.problem(problem))?;
            let passkey = passkey_need(&page, &resident, &offer).await?;
            let view = view_models::consent(&page, &offer, records, replaced.as_ref(), passkey);
            page.show_with(&view, Vec::new(), Some(form_targets(&page)))
        }
        Viewed::Decided(_) => Err(page.trouble(PageError::AlreadyDecided)),
        Viewed::Lapsed => Err(page.trouble(PageError::RequestExpired)),
    }
}

/// A browser comes with a pushed request: first the login, where nobody has logged in, then the request is opened.
///
/// # Errors
/// [`PageProblem`]: the request URI is of no use, or the login provider cannot be reached.
pub async fn begin_authorization(
    app: &web::Data<App>,
    request: &HttpRequest,
    client_id: Option<&str>,
    request_uri: Option<&str>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(app, request);
    let id = authorize::find(&app.node, client_id, request_uri).await.map_err(unknown_request(&page))?;
    if let Some(resident) = page.visitor.resident() {
        return open(&page, &resident, id).await;
    }
    let fail = |problem| page.problem(problem);
    let (location, pending) =
        log_in::begin(&app.node, LoginRequirement::default(), page.language).await.map_err(fail)?;
    page.visitor.save_pending_login(pending, PostLogin::Arrive(id)).map_err(fail)?;
    Ok(page.redirect(location.as_str()))
}

/// Opens the request with which the browser of this resident came.
pub(super) async fn open(
    page: &Page,
    resident: &Resident,
    id: RequestId,
) -> Result<HttpResponse, PageProblem> {
    let opened = authorize::open(&page.app.node, resident, id, page.language).await;
    match opened.map_err(unknown_request(page))? {
        Opened::Here => Ok(page.redirect(&format!("/consent/{id}"))),
        Opened::WrongPerson(request) => {
            page.show_at("/", &WrongPersonView { asker: view_models::asker(&request), back: None })
        }
        Opened::Refused(destination) => Ok(go(page, id, &destination)),
    }
}

/// The login that must come before the values of a dataset that demands a stronger one; none when this one is enough.
async fn step_up(
    page: &Page,
    resident: &Resident,
    offer: &Offer,
) -> Result<Option<HttpResponse>, PageProblem> {
    let fail = |problem| page.problem(problem);
    if view_consent_request::is_strong_enough(&page.app.node, resident, offer) {
        return Ok(None);
    }
    let demand = LoginRequirement { nonce: None, known: offer.demand.clone(), step_up: true };
    let (location, pending) = log_in::begin(&page.app.node, demand, page.language).await.map_err(fail)?;
    page.visitor.save_pending_login(pending, PostLogin::Show(offer.request.id)).map_err(fail)?;
    Ok(Some(page.redirect(location.as_str())))
}

/// What the page says about passkeys: nothing, or that one signs, or that one must be added first.
async fn passkey_need(page: &Page, resident: &Resident, offer: &Offer) -> Result<PasskeyNeed, PageProblem> {
    if !offer.dataset.required_passkey {
        return Ok(PasskeyNeed::None);
    }
    let kept = register_passkey::list(&page.app.node, resident).await;
    let none = kept.map_err(|problem| page.problem(problem))?.is_empty();
    Ok(if none { PasskeyNeed::Missing } else { PasskeyNeed::Ready })
}

/// Where a form's answer may lead besides this portal: to the login provider, and at the end of a decision through the
/// recipient to its service. Browsers hold the whole way against the form's policy.
pub(super) fn form_targets(page: &Page) -> &'static str {
    if page.app.cookies.secure { "https:" } else { "http://*.localhost:*" }
}

async fn look(page: &Page, resident: &Resident, id: RequestId) -> Result<Viewed, PageProblem> {
    view_consent_request::view(&page.app.node, resident, id, page.language)
        .await
        .map_err(unknown_request(page))
}

fn unknown_request(page: &Page) -> impl Fn(Problem) -> PageProblem {
    move |problem| match problem.kind {
        ProblemKind::NotFound => page.trouble(PageError::RequestUnknown),
        _ => page.problem(problem),
    }
}

pub(super) fn parse(page: &Page, id: &str) -> Result<RequestId, PageProblem> {
    id.parse().map_err(|_| page.trouble(PageError::RequestUnknown))
}

/// `POST /consent/{request}`.
pub(super) async fn decide(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.visitor.require_resident().map_err(fail)?;
    let form = Form::parse(&body).ok_or_else(|| fail(Problem::new(ProblemKind::BadRequest)))?;
    page.check_form(form.csrf.as_deref())?;
    let id = parse(&page, &id)?;
    // Looked at again: whoever may not see a request cannot decide it either.
    let offer = match look(&page, &resident, id).await? {
        Viewed::Open(offer) => offer,
        Viewed::Lapsed => return Err(page.trouble(PageError::RequestExpired)),
        Viewed::Decided(_) => return Err(page.trouble(PageError::AlreadyDecided)),
    };
    match form.decision.as_deref() {
        Some("deny") => {
            let chosen = form.never.as_deref().filter(|word| !word.is_empty());
            let known =
                |word: &str| word.parse::<DenialKind>().map_err(|_| Problem::new(ProblemKind::BadRequest));
            let never = chosen.map(known).transpose().map_err(fail)?;
            let destination = decide_consent::decline(&app.node, &resident, id, page.language, never)
                .await
                .map_err(fail)?;
            Ok(go(&page, id, &destination))
        }
        Some("allow") => {
            let choice = form.choice(&offer).ok_or_else(|| fail(Problem::new(ProblemKind::BadRequest)))?;
            let next = decide_consent::begin_allow(&app.node, &resident, id, page.language, choice)
                .await
                .map_err(fail)?;
            match next {
                Next::Passkey => Ok(page.redirect(&format!("/consent/{id}/passkey"))),
                Next::Login(location, pending) => {
                    page.visitor.save_pending_login(pending, PostLogin::Allow(id)).map_err(fail)?;
                    Ok(page.redirect(location.as_str()))
                }
            }
        }
        _ => Err(fail(Problem::new(ProblemKind::BadRequest))),
    }
}

/// The provider has signed the decision, or has not.
pub(super) async fn signed(
    page: &Page,
    id: RequestId,
    pending: &PendingLogin,
    callback: &Callback,
) -> Result<HttpResponse, PageProblem> {
    let fail = |problem| page.problem(problem);
    let resident = page.visitor.require_resident().map_err(fail)?;
    let outcome = decide_consent::complete_allow(&page.app.node, &resident, id, pending, callback).await;
    match outcome {
        Ok(destination) => Ok(go(page, id, &destination)),
        // Turned back at the provider: nothing is decided, the page is still there.
        Err(problem) if problem.kind == ProblemKind::LoginCancelled => {
            Ok(page.redirect(&format!("/consent/{id}")))
        }
        Err(problem) => handle_login_failure(page, &resident, id, problem).await,
    }
}

/// What follows when a login for a request did not succeed. Where the login provider cannot know the resident as well as
/// is demanded, the service that asked hears it.
pub(super) async fn handle_login_failure(
    page: &Page,
    resident: &Resident,
    id: RequestId,
    problem: Problem,
) -> Result<HttpResponse, PageProblem> {
    if problem.kind == ProblemKind::LoginTooWeak {
        let onward = decide_consent::abandon_request(&page.app.node, resident, id).await;
        if let Some(destination) = onward.map_err(|problem| page.problem(problem))? {
            return Ok(go(page, id, &destination));
        }
    }
    Err(page.problem(problem))
}

fn go(page: &Page, id: RequestId, destination: &Destination) -> HttpResponse {
    match destination {
        Destination::Recipient(url) => see_other(url.as_str()),
        Destination::Permission(_) | Destination::Declined => page.redirect(&format!("/consent/{id}/done")),
    }
}

/// `GET /consent/{request}/done`: what was decided, for a permission that the resident started here.
pub(super) async fn done(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let id = parse(&page, &id)?;
    let request: ConsentRequest = view_consent_request::decided(&app.node, &resident, id)
        .await
        .map_err(|problem| page.problem(problem))?;
    let decision = match request.state {
        RequestState::Allowed(permission) => {
            let detail = crate::node::resident::list_mine::permission(&app.node, &resident, permission)
                .await
                .map_err(|problem| page.problem(problem))?;
            let terms = detail.permission.consent.terms;
            let per = terms.per.map(String::from);
            Decision::Allowed { permission, until: terms.until, times: terms.max_exchanges, per }
        }
        RequestState::Declined => Decision::Declined,
        RequestState::Requested | RequestState::Lapsed => {
            return Ok(page.redirect(&format!("/consent/{id}")));
        }
    };
    page.show(&DecidedView {
        decision,
        asker: view_models::asker(&request),
        dataset: view_models::dataset_title(&page, &request.terms.dataset),
        otherwise: request.declared_use.otherwise,
    })
}

/// The consent page's form. `field` comes once for each optional field, all others at most once.
#[derive(Default)]
struct Form {
    csrf: Option<String>,
    offer_hash: Option<String>,
    fields: BTreeSet<FieldName>,
    duration: Option<String>,
    until: Option<String>,
    times: Option<String>,
    reach_from: Option<String>,
    reach_to: Option<String>,
    retention: Option<String>,
    never: Option<String>,
    decision: Option<String>,
}

impl Form {
    fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_FORM_BYTES {
            return None;
        }
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let place = match &*name {
                "field" => {
                    form.fields.insert(value.parse().ok()?);
                    continue;
                }
                "csrf" => &mut form.csrf,
                "offer_hash" => &mut form.offer_hash,
                "duration" => &mut form.duration,
                "until" => &mut form.until,
                "times" => &mut form.times,
                "reach_from" => &mut form.reach_from,
                "reach_to" => &mut form.reach_to,
                "retention" => &mut form.retention,
                "never" => &mut form.never,
                "decision" => &mut form.decision,
                _ => return None,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(form)
    }

    fn choice(&self, offer: &Offer) -> Option<DecisionForm> {
        let (until, frequency): (Day, Frequency) = match self.duration.as_deref() {
            Some("until") => {
                let max = self.times.as_deref()?.parse().ok()?;
                let per = offer.request.terms.per.clone();
                (self.until.as_deref()?.parse().ok()?, Frequency { max, per })
            }
            Some("once") | None => (view_models::once_until(offer), Frequency::in_all(1)),
            Some(_) => return None,
        };
        let day = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let period = match (day(&self.reach_from), day(&self.reach_to)) {
            (None, None) => None,
            (from, to) => Some(Period { from: from?.parse().ok()?, to: to?.parse().ok()? }),
        };
        Some(DecisionForm {
            offer_hash: self.offer_hash.clone()?,
            optional_fields: self.fields.clone(),
            frequency,
            period,
            retention: self.retention.as_deref().map(str::parse).transpose().ok()?,
            until,
        })
    }
}
