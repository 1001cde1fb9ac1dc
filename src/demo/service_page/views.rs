//! Views of the pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::Value;

use super::calls::{Call, Problem, plain};
use super::case::Case;
use super::{City, Customer, ServicePage};
use crate::demo::pages;

/// A use of the requesting city that matches a dataset of the holding city.
struct Offer<'a> {
    value: String,
    title: &'a str,
    dataset: &'a str,
    purpose: &'a str,
}

/// A line of the list of cases.
struct CaseLine {
    name: String,
    reference: String,
    subject: String,
    chip: Chip,
    created_at: crate::domain::clock::Timestamp,
}

/// A consent's state in words.
#[derive(Clone, Copy)]
struct Chip {
    word: &'static str,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "service/home.html")]
struct HomePage<'a> {
    cities: &'a [City],
    asking: &'a City,
    holding: &'a City,
    offers: Vec<Offer<'a>>,
    residents: &'a [Customer],
    cases: Vec<CaseLine>,
}

#[derive(Template)]
#[template(path = "service/case.html")]
struct CasePage<'a> {
    cities: &'a [City],
    name: &'a str,
    case: &'a Case,
    city: &'a str,
    chip: Chip,
    is_open: bool,
    table: Option<Table>,
    /// From when on the other city has the data, if it needs time.
    later: Option<&'a str>,
    facts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "service/permissions.html")]
struct PermissionsPage<'a> {
    cities: &'a [City],
    city: &'a City,
    rows: Vec<PermissionRow>,
    problem: Option<&'a Problem>,
    calls: &'a [Call],
}

struct PermissionRow {
    id: String,
    chip: Chip,
    dataset: String,
    holder: String,
    origin: &'static str,
}

#[derive(Template)]
#[template(path = "service/message.html")]
struct MessagePage<'a> {
    title: &'a str,
    message: &'a str,
}

/// Records as a table.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Chip {
    fn of(state: Option<&str>, reason: Option<&str>) -> Self {
        let (word, tone) = match (state, reason.unwrap_or_default()) {
            (None, _) => ("Not asked yet", ""),
            (Some("given"), _) => ("Allowed; on its way to the node", "good"),
            (Some("active"), _) => ("In force", "good"),
            (Some("suspended"), _) => ("Paused", ""),
            (Some("declined"), _) => ("The resident did not allow it", "bad"),
            (Some("lapsed"), _) => ("Nobody decided in time", "bad"),
            (Some("ended"), "taken_back") => ("The resident has stopped it", "bad"),
            (Some("ended"), "given_back") => ("Given back", "bad"),
            (Some("ended"), "replaced") => ("Replaced by a new one", "bad"),
            (Some("ended"), "last_day") => ("Over: its last day has passed", "bad"),
            (Some("ended"), "refused_by_holder") => ("The holding city serves it no more", "bad"),
            (Some("ended"), _) => ("Over", "bad"),
            (Some(_), _) => ("Waiting for the resident", ""),
        };
        Self { word, tone }
    }

    fn of_case(case: &Case) -> Self {
        Self::of(case.state.as_deref(), case.reason.as_deref())
    }

    /// Whether the resident still has to decide.
    fn is_open(self) -> bool {
        self.tone.is_empty()
    }
}

/// The page on which a case begins.
pub(super) fn home(page: &ServicePage, asking: &City, holding: &City) -> HttpResponse {
    let offers = asking
        .uses
        .iter()
        .enumerate()
        .flat_map(|(index, declared)| {
            holding.datasets.iter().filter(|held| held.kind == declared.dataset_type).map(move |held| Offer {
                value: format!("{index} {}", held.id),
                title: &declared.title,
                dataset: &held.title,
                purpose: &declared.purpose,
            })
        })
        .collect();
    let mut cases: Vec<CaseLine> = page
        .memory()
        .cases
        .iter(page.now())
        .map(|(name, case)| CaseLine {
            name: name.to_owned(),
            reference: case.reference.clone(),
            subject: case.subject.clone(),
            chip: Chip::of_case(case),
            created_at: case.created_at,
        })
        .collect();
    cases.sort_by_key(|case| std::cmp::Reverse(case.created_at));
    cases.truncate(10);
    let config = &page.0.config;
    let view =
        HomePage { cities: &config.cities, asking, holding, offers, residents: &config.residents, cases };
    pages::page(StatusCode::OK, "", view.render())
}

pub(super) fn case(page: &ServicePage, name: &str, case: &Case) -> HttpResponse {
    let chip = Chip::of_case(case);
    let view = CasePage {
        cities: &page.0.config.cities,
        name,
        case,
        city: page.city(&case.city).map_or("", |city| &city.name),
        chip,
        is_open: chip.is_open(),
        table: case.fetched.as_ref().and_then(|answer| answer.get("data")).and_then(table),
        later: case.fetched.as_ref().and_then(|answer| answer.get("availableFrom")?.as_str()),
        facts: case.fetched.as_ref().map(facts).unwrap_or_default(),
    };
    pages::page(StatusCode::OK, "", view.render())
}

/// The permissions of a city's service.
pub(super) fn permissions(
    page: &ServicePage,
    city: &City,
    answer: Result<Value, Problem>,
    calls: &[Call],
) -> HttpResponse {
    let (list, problem) = match answer {
        Ok(list) => (list, None),
        Err(problem) => (Value::Null, Some(problem)),
    };
    let list = list.get("consents").and_then(Value::as_array);
    let rows = list.map(|list| list.iter().filter_map(permission_row).collect()).unwrap_or_default();
    let view =
        PermissionsPage { cities: &page.0.config.cities, city, rows, problem: problem.as_ref(), calls };
    pages::page(StatusCode::OK, "", view.render())
}

fn permission_row(item: &Value) -> Option<PermissionRow> {
    let text = |name: &str| item.get(name).map(plain).unwrap_or_default();
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    Some(PermissionRow {
        id: item.get("id")?.as_str()?.to_owned(),
        chip: Chip::of(word("state"), word("reason")),
        dataset: text("dataset"),
        holder: text("holder"),
        origin: if word("origin") == Some("portal") { "the resident, in the portal" } else { "this service" },
    })
}

/// Records as a table whose columns are all members that occur, in the order in which they first occur.
fn table(data: &Value) -> Option<Table> {
    let records = data.as_array()?;
    let mut columns: Vec<String> = Vec::new();
    for name in records.iter().filter_map(Value::as_object).flat_map(|record| record.keys()) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let rows = records
        .iter()
        .map(|record| columns.iter().map(|name| record.get(name).map(plain).unwrap_or_default()).collect())
        .collect();
    Some(Table { columns, rows })
}

/// The members besides the data, long signed texts shortened.
fn facts(answer: &Value) -> Vec<(String, String)> {
    let short = |text: String| match text.char_indices().nth(72) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    };
    answer
        .as_object()
        .map(|members| {
            members
                .iter()
                .filter(|(name, _)| *name != "data")
                .map(|(name, value)| (name.clone(), short(plain(value))))
                .collect()
        })
        .unwrap_or_default()
}

/// A page with one message.
pub(super) fn message(status: StatusCode, title: &str, message: &str) -> HttpResponse {
    pages::page(status, "", MessagePage { title, message }.render())
}
