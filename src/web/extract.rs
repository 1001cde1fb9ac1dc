//! Requests taken apart strictly: a parameter or header that comes twice is refused, not chosen from.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, web};

use super::App;
use super::problem::HttpProblem;
use crate::node::services::authenticate_service;
use crate::node::{Problem, ProblemKind, Service};

/// Most bytes of a form.
pub const MAX_FORM_BYTES: usize = 64 * 1024;

/// Parameters of a form or a query, each at most once.
#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded` bytes.
    ///
    /// # Errors
    /// The constant reason: a parameter comes twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err("a parameter comes twice");
            }
        }
        Ok(Self(parameters))
    }

    /// Takes a parameter out; an empty one counts as absent (RFC 6749 §3.1).
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// The query's parameters.
///
/// # Errors
/// [`HttpProblem`] when one comes twice.
pub fn query(request: &HttpRequest) -> Result<Parameters, HttpProblem> {
    Parameters::parse(request.query_string().as_bytes())
        .map_err(|why| HttpProblem(Problem::with_detail(ProblemKind::BadRequest, why)))
}

/// Whether a browser only looks ahead (prefetch, prerender): nobody wants yet what the address would set off.
#[must_use]
pub fn is_prefetch(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| {
        let values = request.headers().get_all(name);
        values.filter_map(|value| value.to_str().ok()).any(|value| value.starts_with("pre"))
    })
}

/// A header that may come once.
///
/// # Errors
/// `Err(())` when it comes twice or is not text.
pub fn single_header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Result<Option<&'a str>, Ambiguous> {
    let mut all = request.headers().get_all(name);
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Ambiguous),
        (Some(_), Some(_)) => Err(Ambiguous),
    }
}

/// A header that comes twice, or is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous;

/// The city's own service that calls, by its bearer token.
pub struct CallingService(pub Service);

impl FromRequest for CallingService {
    type Error = HttpProblem;
    type Future = std::future::Ready<Result<Self, HttpProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(calling_service(request))
    }
}

fn calling_service(request: &HttpRequest) -> Result<CallingService, HttpProblem> {
    let unauthenticated = || HttpProblem::from(ProblemKind::Unauthenticated);
    let app = request.app_data::<web::Data<App>>().ok_or(HttpProblem::from(ProblemKind::Internal))?;
    let header = single_header(request, &actix_web::http::header::AUTHORIZATION)
        .ok()
        .flatten()
        .ok_or_else(unauthenticated)?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(unauthenticated)?;
    let service = authenticate_service::verify(&app.node, token)?;
    Ok(CallingService(service.clone()))
}

/// A form's parameters, each at most once, from a body of the right type.
pub struct FormParameters(pub Parameters);

impl FromRequest for FormParameters {
    type Error = HttpProblem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpProblem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = actix_web::HttpMessage::content_type(request)
            .eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_form {
                let detail = "the body must be application/x-www-form-urlencoded";
                return Err(HttpProblem(Problem::with_detail(ProblemKind::BadRequest, detail)));
            }
            let bytes = bytes.await.map_err(|_| HttpProblem::from(ProblemKind::TooLarge))?;
            Parameters::parse(&bytes)
                .map(FormParameters)
                .map_err(|why| HttpProblem(Problem::with_detail(ProblemKind::BadRequest, why)))
        })
    }
}
