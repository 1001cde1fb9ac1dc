//! Strict request parsing: a repeated parameter or header is refused, none of the values is chosen.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::problem::HttpProblem;
use crate::node::{Problem, ProblemKind};

/// Maximum size of a form in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 64 * 1024;

/// Parameters of a form or a query, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded` bytes.
    ///
    /// # Errors
    /// A parameter is repeated.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err("a parameter comes twice");
            }
        }
        Ok(Self(parameters))
    }

    /// Removes and returns a parameter; an empty one counts as absent (RFC 6749 §3.1).
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is present.
    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// The query's parameters.
///
/// # Errors
/// [`HttpProblem`] when one is repeated.
pub(crate) fn query(request: &HttpRequest) -> Result<Parameters, HttpProblem> {
    Parameters::parse(request.query_string().as_bytes())
        .map_err(|why| HttpProblem(Problem::with_detail(ProblemKind::BadRequest, why)))
}

/// The response to a request that must have no effect on an address with effects: a browser's prefetch or prerender,
/// which is repeated when the person follows the link, and `HEAD` (RFC 9110 §9.3.2). `None` for a real request.
#[must_use]
pub(crate) fn answer_to_probe(request: &HttpRequest) -> Option<HttpResponse> {
    let ahead = ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| {
        let values = request.headers().get_all(name);
        values.filter_map(|value| value.to_str().ok()).any(|value| value.starts_with("pre"))
    });
    if ahead {
        return Some(HttpResponse::ServiceUnavailable().finish());
    }
    (request.method() == Method::HEAD).then(|| HttpResponse::Ok().finish())
}

/// A header that may occur once.
///
/// # Errors
/// `Err(())` when it is repeated or not text.
pub(crate) fn single_header<'a>(
    request: &'a HttpRequest,
    name: &HeaderName,
) -> Result<Option<&'a str>, Ambiguous> {
    let mut all = request.headers().get_all(name);
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Ambiguous),
        (Some(_), Some(_)) => Err(Ambiguous),
    }
}

/// The problem of a header that is repeated, or not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// The path parameter `id` as a typed identifier. A malformed one is not found.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + 'static> FromRequest for Id<T> {
    type Error = HttpProblem;
    type Future = std::future::Ready<Result<Self, HttpProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = request.match_info().get("id").and_then(|text| text.parse().ok());
        std::future::ready(parsed.map(Id).ok_or(HttpProblem::from(ProblemKind::NotFound)))
    }
}

/// Whether an address is a path of this node's portal (no open redirect), safe for a `Location` header.
#[must_use]
pub(crate) fn is_own_path(path: &str) -> bool {
    let starts_well = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    // Browsers drop control characters before they parse an address, and a header cannot contain them.
    let is_plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    starts_well && is_plain && path.len() <= 2048
}

/// A body within the server's limit; one that is too large or does not arrive is a problem, not a plain text.
pub(crate) struct Body(pub(crate) web::Bytes);

impl FromRequest for Body {
    type Error = HttpProblem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpProblem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move { bytes.await.map(Body).map_err(|error| HttpProblem::of_body(&error)) })
    }
}

/// Media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The body of a form with the right media type, within [`MAX_FORM_BYTES`].
///
/// # Errors
/// [`HttpProblem`]: another media type, a body that is too large or does not arrive in time.
pub(crate) async fn form_body(
    is_form: bool,
    bytes: impl Future<Output = Result<web::Bytes, actix_web::Error>>,
) -> Result<web::Bytes, HttpProblem> {
    if !is_form {
        let detail = "the body must be application/x-www-form-urlencoded";
        return Err(HttpProblem(Problem::with_detail(ProblemKind::BadRequest, detail)));
    }
    let bytes = bytes.await.map_err(|error| HttpProblem::of_body(&error))?;
    if bytes.len() > MAX_FORM_BYTES {
        return Err(HttpProblem::from(ProblemKind::TooLarge));
    }
    Ok(bytes)
}

/// Whether a request declares its body as a form.
#[must_use]
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    actix_web::HttpMessage::content_type(request).eq_ignore_ascii_case(FORM)
}

/// A form's parameters, each at most once.
pub(crate) struct FormParameters(pub(crate) Parameters);

impl FromRequest for FormParameters {
    type Error = HttpProblem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpProblem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (is_form, bytes) = (is_form(request), web::Bytes::from_request(request, payload));
        Box::pin(async move {
            let bytes = form_body(is_form, bytes).await?;
            Parameters::parse(&bytes)
                .map(FormParameters)
                .map_err(|why| HttpProblem(Problem::with_detail(ProblemKind::BadRequest, why)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_of_this_portal_are_returned_to() {
        for good in ["/", "/me", "/consent/abc?lang=fi", "/partners/use?id=https%3A%2F%2Fa.example"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "me",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/a\\b",
            "/a\tb",
            "/a\u{0}b",
            "/a\u{7f}b",
            "/a\u{1b}[31m",
            "/a\u{202e}b",
            "/\u{85}/evil.example",
            "/a b",
        ] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }
}
