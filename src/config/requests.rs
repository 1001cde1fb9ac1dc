//! `[datasets.request]`: what a service is asked for a dataset, and how its answer is read.

use http::HeaderName;
use serde::Deserialize;

use super::reader::{Document, Found, Location, Section};
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::service::{Method, Paging, SUBJECT, ServiceRequest, WhoseRecord, fill};

pub(super) const REQUEST: &str =
    "add [datasets.request] with path = \"/persons/{subject}/records\" after the dataset's own keys";
const PATH: &str =
    "write a path with {subject} where the person's identifier goes, such as \"/persons/{subject}\"";
const BODY: &str = "write the JSON body with \"{subject}\" in one of its texts, and method = \"POST\"";
const POINTER: &str = "write a JSON Pointer such as \"/data/items\"";
const PAGE: &str = "write next = \"/links/next\", or page = { parameter = \"page\", first = 1, step = 1 }";
const STATUS: &str = "write a list of statuses from 400 to 499, such as [404]";
const SUBJECT_AT: &str = "write subject_column with the member or pointer that says whose each record is; only where an answer names \
                          nobody, write subject_is_asked = true";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    parameter: String,
    #[serde(default = "one")]
    first: u32,
    #[serde(default = "one")]
    step: u32,
}

const fn one() -> u32 {
    1
}

/// The dataset's own keys that say how records are read.
pub(super) struct Mapping<'f> {
    pub(super) subject: Option<Found<String>>,
    pub(super) asked: Option<Found<bool>>,
    /// The marks of a record, and whom it is about.
    pub(super) marks: Vec<(&'f Location, &'f String)>,
}

/// Reads the request of a dataset; `tree` where the answer is one of the GDPR API.
pub(super) fn read(mut section: Section<'_, '_>, mapping: Mapping<'_>, tree: bool) -> Option<ServiceRequest> {
    let document = section.document();
    let method = section.optional::<Method>("method", "write \"GET\" or \"POST\"");
    let path = section.required::<String>("path", PATH);
    let body = section.optional::<String>("body", BODY);
    let header = section.optional::<String>("subject_header", "write a name such as \"X-Person\"");
    let records = section.optional::<String>("records", POINTER).map(|found| pointer(document, &found));
    let next = section.optional::<String>("next", PAGE);
    let page = section.optional::<Page>("page", PAGE);
    let none_status = section.optional::<Vec<u16>>("none_status", STATUS);
    let available_from =
        section.optional::<String>("available_from", POINTER).map(|found| pointer(document, &found));
    let absent = section.optional::<bool>("absent_is_null", "write true or false");
    if let Some(found) = &none_status
        && !found.value.iter().all(|status| (400..500).contains(status) && ![401, 403, 429].contains(status))
    {
        document.problem(&found.at, "not statuses that can mean that nothing is held", STATUS);
    }
    if let Some(path) = &path
        && !is_path(&path.value)
    {
        document.problem(&path.at, "not a path as it is sent", PATH);
    }
    let method = method.map_or(Method::Get, |found| found.value);
    let body = body.and_then(|found| read_body(document, &found, method));
    if let Some(header) = &header
        && HeaderName::from_bytes(header.value.as_bytes()).is_err()
    {
        document.problem(&header.at, "not the name of a header", "write a name such as \"X-Person\"");
    }
    let path = path?.value;
    let in_body = body.as_ref().is_some_and(|body| body.to_string().contains(SUBJECT));
    if !path.contains(SUBJECT) && !in_body && header.is_none() {
        section.problem("the request does not say about whom", PATH);
    }
    let paging = read_paging(document, next, page, tree);
    check_places(document, &mapping);
    section.close();
    Some(ServiceRequest {
        method,
        path,
        body,
        subject_header: header.map(|found| found.value),
        records: records.unwrap_or_default(),
        whose: read_subject(document, &mapping)?,
        absent_is_null: absent.is_some_and(|found| found.value),
        paging,
        none_status: none_status.map_or_else(|| vec![404], |found| found.value),
        available_from,
    })
}

fn pointer(document: &Document<'_>, found: &Found<String>) -> Pointer {
    Pointer::parse(&found.value).unwrap_or_else(|| {
        document.problem(&found.at, "not a JSON Pointer (RFC 6901)", POINTER);
        Pointer::default()
    })
}

/// Whether a path is sent as it is written, whoever is asked for.
fn is_path(path: &str) -> bool {
    let sent = format!("https://host.example{}", fill(path, "x"));
    path.starts_with('/')
        && !path.contains('#')
        && url::Url::parse(&sent).is_ok_and(|url| url.as_str() == sent)
}

fn read_body(document: &Document<'_>, found: &Found<String>, method: Method) -> Option<serde_json::Value> {
    if method == Method::Get {
        document.problem(&found.at, "a GET has no body", BODY);
    }
    match serde_json::from_str(&found.value) {
        Ok(body) => Some(body),
        Err(_) => {
            document.problem(&found.at, "not JSON", BODY);
            None
        }
    }
}

fn read_paging(
    document: &Document<'_>,
    next: Option<Found<String>>,
    page: Option<Found<Page>>,
    tree: bool,
) -> Option<Paging> {
    let complain = |at: &Location, complaint: &str| {
        document.problem(at, complaint, PAGE);
        None
    };
    match (next, page) {
        (None, None) => None,
        (Some(Found { at, .. }), _) | (None, Some(Found { at, .. })) if tree => {
            complain(&at, "the GDPR API has no pages")
        }
        (Some(next), None) => Some(Paging::Link(pointer(document, &next))),
        (None, Some(Found { value: Page { parameter, first, step }, at })) => {
            if parameter.is_empty() || step == 0 {
                return complain(&at, "not a parameter that counts");
            }
            Some(Paging::Count { parameter, first, step })
        }
        (Some(next), Some(_)) => complain(&next.at, "pages are found by next or by page"),
    }
}

fn read_subject(document: &Document<'_>, mapping: &Mapping<'_>) -> Option<WhoseRecord> {
    match (&mapping.subject, &mapping.asked) {
        (None, Some(Found { value: true, .. })) => Some(WhoseRecord::Asked),
        (Some(found), None | Some(Found { value: false, .. })) => match Pointer::place(&found.value) {
            Some(pointer) => Some(WhoseRecord::At(pointer)),
            None => {
                document.problem(&found.at, "neither a member nor a JSON Pointer", SUBJECT_AT);
                None
            }
        },
        (Some(found), Some(_)) => {
            document.problem(&found.at, "subject_is_asked says that no record names its person", SUBJECT_AT);
            None
        }
        // The caller has reported it.
        (None, _) => None,
    }
}

/// The remedy for a dataset that does not say whose its records are.
pub(super) const SUBJECT_REMEDY: &str = SUBJECT_AT;

fn check_places(document: &Document<'_>, mapping: &Mapping<'_>) {
    for (at, text) in &mapping.marks {
        if Pointer::place(text).is_none() {
            document.problem(at, "neither a member nor a JSON Pointer", POINTER);
        }
    }
}

/// Whether a text is a member's name or a JSON Pointer.
pub(super) fn is_place(text: &str) -> bool {
    Pointer::place(text).is_some()
}
