//! A dataset whose records a service answers as JSON, on one page or several.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::super::envelope::{Envelope, Found, find};
use super::super::failure::Failure;
use super::super::json::{Json, Parser, Place};
use super::super::mapping::Mapping;
use super::super::marks::MarkColumns;
use super::super::names;
use super::super::values::Collected;
use super::super::{Bounds, Reader};
use super::{Client, Outgoing, deferred, refused_with};
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::register::NameColumns;
use crate::domain::catalogue::service::{Paging, ServiceRequest, WhoseRecord, fill, fill_body};
use crate::domain::catalogue::{Field, Record};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::http::Reply;
use crate::ports::{Clock, Question, RegisterError};

/// Maximum number of pages of one answer.
const MAX_PAGES: u32 = 100;

/// A dataset of a service that answers JSON.
pub(crate) struct ServiceDataset {
    asked: Asked,
    bounds: Bounds,
}

/// A request to a service, and what its answers mean whatever their form is.
pub(crate) struct Asked {
    pub(crate) client: Arc<Client>,
    pub(crate) request: ServiceRequest,
    /// Where the fields stand in a record.
    pub(crate) mapping: Mapping,
    pub(crate) marks: MarkColumns,
    pub(crate) names: NameColumns,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Asked {
    /// The address of the first page.
    pub(crate) fn first(&self, subject: &str) -> Result<Url, Failure> {
        let mut url = self.client.url(&fill(&self.request.path, subject))?;
        if let Some(Paging::Count { parameter, first, .. }) = &self.request.paging {
            url.query_pairs_mut().append_pair(parameter, &first.to_string());
        }
        Ok(url)
    }

    /// The body of an answer; `None` when nothing is held about the person.
    pub(crate) async fn page(&self, url: &Url, subject: &str) -> Result<Option<Vec<u8>>, Failure> {
        let mut headers = Vec::new();
        if let Some(name) = &self.request.subject_header {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Failure::new(RegisterError::Unavailable, "this side: subject_header is no header's name")
            })?;
            headers.push((name, subject.to_owned()));
        }
        let body = self.request.body.as_ref().map(|body| fill_body(body, subject).to_string());
        let outgoing = Outgoing {
            method: self.request.method,
            url: url.clone(),
            headers,
            body: body.map(String::into_bytes),
        };
        let reply = self.client.send(&outgoing, subject).await?;
        match reply.status {
            StatusCode::OK => Ok(Some(reply.body)),
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::ACCEPTED => Err(self.accepted(&reply)),
            status if self.request.none_status.contains(&status.as_u16()) => Ok(None),
            status => Err(refused_with(status)),
        }
    }

    /// An answer that is not ready.
    fn accepted(&self, reply: &Reply) -> Failure {
        let document = Parser::new(reply.body.as_slice()).and_then(Parser::single).ok();
        let told = document.map_or(Ok(None), |document| self.available_from(&document));
        match told {
            Ok(None) => match deferred::retry_after(reply, self.clock.now()) {
                Some(from) => RegisterError::AvailableFrom(from).into(),
                None => Failure::new(
                    RegisterError::Unavailable,
                    "the service answered 202 and not when: its side, with Retry-After within a year",
                ),
            },
            Ok(Some(from)) => RegisterError::AvailableFrom(from).into(),
            Err(failure) => failure,
        }
    }

    /// From when on there is an answer, if the document says so.
    pub(crate) fn available_from(&self, document: &Json) -> Result<Option<Timestamp>, Failure> {
        let Some(pointer) = &self.request.available_from else { return Ok(None) };
        let text = match find(document, pointer) {
            Found::Value(Json::String(text)) => text,
            Found::Value(Json::Null) | Found::WithinNull | Found::Nothing => return Ok(None),
            Found::Value(_) => "",
        };
        let time = text.parse::<Timestamp>().ok().and_then(|time| deferred::believed(time, self.clock.now()));
        time.map(Some).ok_or_else(|| {
            Failure::new(
                RegisterError::Unfit("the time of the answer is unclear"),
                format!("{pointer} is no RFC 3339 time within a year"),
            )
        })
    }

    /// Whose a record is, as it says itself, or the asked person's.
    pub(crate) fn subject(
        &self,
        named: impl FnOnce(&Pointer) -> Option<String>,
        asked: &NationalIdentifier,
    ) -> Result<NationalIdentifier, Failure> {
        let WhoseRecord::At(pointer) = &self.request.whose else { return Ok(asked.clone()) };
        named(pointer).and_then(|text| NationalIdentifier::exact(&text).ok()).ok_or_else(|| {
            Failure::new(
                RegisterError::Unfit("a record does not say whose it is"),
                format!("{pointer} is no identifier"),
            )
        })
    }
}

/// The place that a column names; the configuration has none that is no place.
pub(crate) fn place(column: &str) -> Pointer {
    Pointer::place(column).unwrap_or_else(|| Pointer::member(column))
}

/// A field that the service does not answer: renamed, or left out because it is empty.
pub(crate) fn absent(place: &Pointer, field: &Field) -> Failure {
    Failure::new(
        RegisterError::Unfit("a field is missing"),
        format!(
            "field {}: the record has no {place}; where the service leaves out what is empty, write \
                 absent_is_null = true",
            field.name
        ),
    )
}

impl ServiceDataset {
    pub(crate) const fn new(asked: Asked, bounds: Bounds) -> Self {
        Self { asked, bounds }
    }

    /// Reads one page; the records go to `collected`.
    fn take(&self, body: &[u8], question: &Question, collected: &mut Collected) -> Result<Envelope, Failure> {
        let mut number = 0_usize;
        Parser::new(body)?.envelope(&self.asked.request.records, |at, record| {
            number = number.saturating_add(1);
            let taken = self.record(record, question).and_then(|record| Ok(collected.push(record)?));
            taken.map_err(|failure| failure.within(&format!("record {number}, {at}")))
        })
    }

    fn record(&self, found: &Json, question: &Question) -> Result<Record, Failure> {
        let named = |pointer: &_| match find(found, pointer) {
            Found::Value(Json::String(text)) => Some(text.clone()),
            _ => None,
        };
        let subject = self.asked.subject(named, &question.subject)?;
        let marks = self.asked.marks.read(|column| match find(found, &place(column)) {
            Found::Value(value) => Some(value.clone()),
            Found::WithinNull | Found::Nothing => None,
        })?;
        let names = names::read(&self.asked.names, |_, column| match find(found, &place(column)) {
            Found::Value(value) => names::text(value),
            Found::WithinNull | Found::Nothing => None,
        })?;
        let mut missing = None;
        let record = self.asked.mapping.record(&question.fields, (subject, marks), |column| {
            let pointer = place(column.name);
            let value = match find(found, &pointer) {
                Found::Value(value) => value.clone(),
                Found::WithinNull => Json::Null,
                Found::Nothing => {
                    if !self.asked.request.absent_is_null && missing.is_none() {
                        missing = Some(absent(&pointer, column.field));
                    }
                    Json::Null
                }
            };
            (None::<Place>, value)
        })?;
        missing.map_or(Ok(Record { names, ..record }), Err)
    }

    /// The address of the next page; `None` at the end.
    fn next(
        &self,
        url: &Url,
        page: u32,
        taken: usize,
        document: &Json,
        subject: &str,
    ) -> Result<Option<Url>, Failure> {
        let unfit = |cause: String| {
            Err(Failure::new(RegisterError::Unfit("the address of the next page is unclear"), cause))
        };
        match &self.asked.request.paging {
            None => Ok(None),
            Some(Paging::Link(pointer)) => match find(document, pointer) {
                Found::Nothing | Found::WithinNull | Found::Value(Json::Null) => Ok(None),
                Found::Value(Json::String(text)) if text.is_empty() => Ok(None),
                Found::Value(Json::String(text)) => match url.join(text) {
                    Ok(next) if self.asked.client.is_own(&next) => Ok(Some(next)),
                    _ => unfit(format!("{pointer} leads to another host, which is never asked")),
                },
                Found::Value(_) => unfit(format!("{pointer} is not a text")),
            },
            Some(Paging::Count { step, .. }) if taken == 0 || (*step > 1 && taken < to_usize(*step)) => {
                Ok(None)
            }
            Some(Paging::Count { parameter, first, step }) => {
                let mut next = self.asked.client.url(&fill(&self.asked.request.path, subject))?;
                let count = first.saturating_add(step.saturating_mul(page));
                next.query_pairs_mut().append_pair(parameter, &count.to_string());
                Ok(Some(next))
            }
        }
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[async_trait]
impl Reader for ServiceDataset {
    async fn read(&self, question: Question, _slot: OwnedSemaphorePermit) -> Result<Vec<Record>, Failure> {
        let asked = &self.asked;
        let mut collected = Collected::new(self.bounds);
        let (mut url, mut bytes) = (asked.first(question.subject.reveal())?, 0_usize);
        for page in 1..=MAX_PAGES {
            let within = |failure: Failure| match &asked.request.paging {
                Some(_) => failure.within(&format!("page {page}")),
                None => failure,
            };
            let Some(body) = asked.page(&url, question.subject.reveal()).await.map_err(within)? else {
                if page > 1 && matches!(asked.request.paging, Some(Paging::Link(_))) {
                    // The page before named it: without it the answer would be cut short.
                    let unfit = RegisterError::Unfit("the next page is not there");
                    return Err(within(Failure::new(
                        unfit,
                        "the service has nothing where its own link leads",
                    )));
                }
                return Ok(collected.into_records());
            };
            bytes = bytes.saturating_add(body.len());
            if bytes > asked.client.max_bytes().saturating_mul(2) {
                let cause = "the pages together are larger than twice the bound of one";
                return Err(within(Failure::new(RegisterError::TooLarge, cause)));
            }
            let before = collected.len();
            let Envelope { rest, found } = self.take(&body, &question, &mut collected).map_err(within)?;
            if let Some(from) = asked.available_from(&rest).map_err(within)? {
                return Err(RegisterError::AvailableFrom(from).into());
            }
            if !found {
                let cause = format!("the answer has no {}", asked.request.records);
                return Err(within(Failure::new(RegisterError::Unfit("the records are not there"), cause)));
            }
            let taken = collected.len().saturating_sub(before);
            match self.next(&url, page, taken, &rest, question.subject.reveal()).map_err(within)? {
                Some(next) => url = next,
                None => return Ok(collected.into_records()),
            }
        }
        Err(Failure::new(RegisterError::TooLarge, format!("more than {MAX_PAGES} pages")))
    }
}
