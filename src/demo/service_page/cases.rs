//! The page's handlers: begin a case, show it, fetch, list the consents.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::Operation;
use super::case::Case;
use super::{CASE_SECS, City, ServicePage, views};
use crate::demo::pages;

#[derive(Deserialize)]
pub(super) struct Cities {
    asking: Option<String>,
    holding: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AskForm {
    asking: String,
    holding: String,
    /// Index of the declared use among the requesting city's uses, and the holding city's dataset.
    choice: String,
    /// Username of the customer; empty when the service does not name an expected person.
    #[serde(default)]
    person: String,
    /// Present when the data is to be fetched as often as the declared use allows; once otherwise.
    often: Option<String>,
}

/// `GET /`: choose cities and data.
pub(super) async fn home(page: web::Data<ServicePage>, cities: web::Query<Cities>) -> HttpResponse {
    let find = |id: &Option<String>| id.as_deref().and_then(|id| page.city(id));
    let mut all = page.0.config.cities.iter();
    let first = all.next();
    let (Some(asking), Some(default_holding)) = (find(&cities.asking).or(first), all.next().or(first)) else {
        return views::message(StatusCode::NOT_FOUND, "No city", "This demo runs without cities.");
    };
    let holding = find(&cities.holding).unwrap_or(default_holding);
    views::home(&page, asking, holding)
}

/// `POST /ask`: begins a case and requests the consent.
pub(super) async fn ask(
    page: web::Data<ServicePage>,
    http: HttpRequest,
    form: web::Form<AskForm>,
) -> HttpResponse {
    if !pages::is_own_form(http.headers(), &page.0.config.base_url) {
        return foreign_form();
    }
    let Some((asking, mut case, mut request)) = new_case(&page, &form) else {
        return views::message(
            StatusCode::BAD_REQUEST,
            "Nothing was asked",
            "Choose two cities and what to ask for.",
        );
    };
    let name = page.new_name();
    if let Value::Object(members) = &mut request {
        members.insert("returnUrl".to_owned(), json!(page.address(&format!("/cases/{name}"))));
    }
    let mut calls = Vec::new();
    match page.0.caller.call(asking, &Operation::Ask(request), &mut calls).await {
        Ok(answer) => {
            case.consent = answer.get("id").and_then(Value::as_str).map(str::to_owned);
            case.take(&answer);
        }
        Err(problem) => case.problem = Some(problem),
    }
    case.record(calls);
    keep(&page, &name, case);
    pages::see_other(&format!("/cases/{name}")).finish()
}

/// The case of the form, and the request to make for it; `None` when the form's choices do not match.
fn new_case<'a>(page: &'a ServicePage, form: &AskForm) -> Option<(&'a City, Case, Value)> {
    let (asking, holding) = (page.city(&form.asking)?, page.city(&form.holding)?);
    let (index, dataset) = form.choice.split_once(' ')?;
    let declared = asking.uses.get(index.parse::<usize>().ok()?)?;
    let dataset = holding.datasets.iter().find(|held| held.id == dataset)?;
    let customer = page.0.config.residents.iter().find(|customer| customer.username == form.person);
    let reference = {
        let mut memory = page.memory();
        memory.counter = memory.counter.saturating_add(1);
        format!("{}-{:04}", asking.id.to_uppercase(), memory.counter)
    };
    let mut request = json!({
        "holder": holding.entity(),
        "dataset": dataset.id,
        "use": declared.url,
        "times": if form.often.is_some() { declared.max_exchanges } else { 1 },
        "caseReference": reference,
    });
    if let (Some(customer), Value::Object(members)) = (customer, &mut request) {
        members.insert("person".to_owned(), json!(customer.identifier.reveal()));
    }
    let case = Case {
        reference,
        city: asking.id.clone(),
        customer: customer.map(|customer| customer.name.clone()),
        subject: format!("{}: {} from {}", declared.title, dataset.title, holding.name),
        consent: None,
        start_url: None,
        state: None,
        reason: None,
        fetched: None,
        problem: None,
        calls: Vec::new(),
        created_at: page.now(),
    };
    Some((asking, case, request))
}

/// `GET /cases/{case}`: the case, with the present state of its consent. The resident returns here.
pub(super) async fn show(page: web::Data<ServicePage>, name: web::Path<String>) -> HttpResponse {
    let Some(case) = find(&page, &name) else { return unknown_case() };
    let (Some(consent), Some(city)) = (case.consent.clone(), page.city(&case.city)) else {
        return views::case(&page, &name, &case);
    };
    let mut calls = Vec::new();
    let answer = page.0.caller.call(city, &Operation::State(consent), &mut calls).await;
    let case = change(&page, &name, |case| {
        case.record(calls);
        match answer {
            Ok(answer) => case.take(&answer),
            Err(problem) => case.problem = Some(problem),
        }
    });
    let Some(case) = case else { return unknown_case() };
    let response = views::case(&page, &name, &case);
    // A problem is shown once; reloading the page shows the present state.
    change(&page, &name, |case| case.problem = None);
    response
}

/// `POST /cases/{case}/fetch`.
pub(super) async fn fetch(
    page: web::Data<ServicePage>,
    http: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    if !pages::is_own_form(http.headers(), &page.0.config.base_url) {
        return foreign_form();
    }
    let Some(case) = find(&page, &name) else { return unknown_case() };
    if let (Some(consent), Some(city)) = (case.consent, page.city(&case.city)) {
        let mut calls = Vec::new();
        let answer = page.0.caller.call(city, &Operation::Fetch(consent), &mut calls).await;
        change(&page, &name, |case| {
            case.record(calls);
            match answer {
                Ok(answer) => {
                    case.fetched = Some(answer);
                    case.problem = None;
                }
                Err(problem) => {
                    case.fetched = None;
                    case.problem = Some(problem);
                }
            }
        });
    }
    pages::see_other(&format!("/cases/{name}")).finish()
}

/// `GET /cities/{city}/permissions`: all consents of the city's service, whoever began them.
pub(super) async fn permissions(page: web::Data<ServicePage>, id: web::Path<String>) -> HttpResponse {
    let Some(city) = page.city(&id) else { return not_found().await };
    let mut calls = Vec::new();
    let answer = page.0.caller.call(city, &Operation::List, &mut calls).await;
    views::permissions(&page, city, answer, &calls)
}

/// `POST /cities/{city}/permissions/{consent}`: begins a case with an existing consent.
pub(super) async fn take_up(
    page: web::Data<ServicePage>,
    http: HttpRequest,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    if !pages::is_own_form(http.headers(), &page.0.config.base_url) {
        return foreign_form();
    }
    let (id, consent) = path.into_inner();
    let Some(city) = page.city(&id) else { return not_found().await };
    let now = page.now();
    let known = page
        .memory()
        .cases
        .iter(now)
        .find(|(_, case)| case.city == city.id && case.consent.as_ref() == Some(&consent))
        .map(|(name, _)| name.to_owned());
    let name = known.unwrap_or_else(|| {
        let name = page.new_name();
        let reference = format!("{}-{}", city.id.to_uppercase(), consent.chars().take(6).collect::<String>());
        let case = Case {
            reference,
            city: city.id.clone(),
            customer: None,
            subject: "A permission that the service already has".to_owned(),
            consent: Some(consent),
            start_url: None,
            state: None,
            reason: None,
            fetched: None,
            problem: None,
            calls: Vec::new(),
            created_at: now,
        };
        keep(&page, &name, case);
        name
    });
    pages::see_other(&format!("/cases/{name}")).finish()
}

pub(super) async fn not_found() -> HttpResponse {
    views::message(StatusCode::NOT_FOUND, "Nothing here", "There is no page at this address.")
}

fn unknown_case() -> HttpResponse {
    views::message(
        StatusCode::NOT_FOUND,
        "No such case",
        "The demo keeps its cases in memory for half a day. Begin a new one.",
    )
}

fn foreign_form() -> HttpResponse {
    views::message(StatusCode::FORBIDDEN, "Nothing was done", "This form was not sent by the page itself.")
}

fn find(page: &ServicePage, name: &str) -> Option<Case> {
    page.memory().cases.get(page.now(), name).cloned()
}

fn keep(page: &ServicePage, name: &str, case: Case) {
    let now = page.now();
    page.memory().cases.insert(now, name.to_owned(), now.plus_secs(CASE_SECS), case);
}

/// Changes a case and returns a copy of it.
fn change(page: &ServicePage, name: &str, with: impl FnOnce(&mut Case)) -> Option<Case> {
    let mut memory = page.memory();
    let case = memory.cases.get_mut(page.now(), name)?;
    with(case);
    Some(case.clone())
}
