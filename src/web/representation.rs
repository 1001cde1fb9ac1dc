//! A response body that is the same for everybody, as it is and compressed, each with a strong validator (RFC 9110 §8.8.3).
//!
//! Only such bodies are compressed. The length of a compressed body tells what repeats in it (the BREACH attack): a page
//! with a session's CSRF token, a code or somebody's data, beside text that the address or a form may choose, would give
//! it away. So nothing is compressed because of its type: a handler says by this type that its body holds no secret.

use std::borrow::Cow;
use std::io::Write;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{StatusCode, header::HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::negotiate::prefers_gzip;
use crate::domain::jose::{b64url, sha256};

/// A smaller body fits into one packet with its head: compressing it saves nothing.
const MIN_COMPRESSED: usize = 1024;

/// A public body.
#[derive(Debug, Clone)]
pub(crate) struct Representation {
    media_type: Cow<'static, str>,
    plain: Coded,
    gzip: Option<Coded>,
}

/// A body in one content coding.
#[derive(Debug, Clone)]
struct Coded {
    bytes: Bytes,
    /// An entity tag as in `ETag`.
    tag: String,
}

impl Representation {
    /// Compresses the body if its type and size make that worth it.
    pub(crate) fn new(media_type: impl Into<Cow<'static, str>>, body: impl Into<Bytes>) -> Self {
        let (media_type, bytes) = (media_type.into(), body.into());
        let digest = sha256(&bytes);
        let digest = b64url(digest.get(..16).unwrap_or(&digest));
        let worth = bytes.len() >= MIN_COMPRESSED && is_text(&media_type);
        let gzip = worth.then(|| compress(&bytes)).flatten().filter(|smaller| smaller.len() < bytes.len());
        // The codings have different bytes, so a strong validator of each (RFC 9110 §8.8.3.3).
        let gzip = gzip.map(|bytes| Coded { bytes, tag: format!("\"{digest}-gzip\"") });
        Self { media_type, plain: Coded { bytes, tag: format!("\"{digest}\"") }, gzip }
    }

    /// Memory of the bodies in bytes.
    pub(crate) fn size(&self) -> usize {
        self.plain.bytes.len().saturating_add(self.gzip.as_ref().map_or(0, |coded| coded.bytes.len()))
    }

    /// The response to a request, or 304 if the client has this body; `response` has the headers of both.
    pub(crate) fn respond(&self, request: &HttpRequest, response: &mut HttpResponseBuilder) -> HttpResponse {
        let wanted = list(request.headers(), &header::ACCEPT_ENCODING);
        let coded = self.gzip.as_ref().filter(|_| prefers_gzip(&wanted));
        let chosen = coded.unwrap_or(&self.plain);
        response.insert_header((header::ETAG, chosen.tag.as_str()));
        if has_tag(&list(request.headers(), &header::IF_NONE_MATCH), &chosen.tag) {
            let mut unchanged = response.status(StatusCode::NOT_MODIFIED).finish();
            vary(unchanged.headers_mut());
            unchanged.headers_mut().remove(header::CONTENT_LANGUAGE);
            unchanged.headers_mut().remove(header::CONTENT_TYPE);
            return unchanged;
        }
        if coded.is_some() {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
        }
        let mut answer = response.content_type(&*self.media_type).body(chosen.bytes.clone());
        vary(answer.headers_mut());
        answer
    }
}

/// Whether a type is text: pictures and archives are compressed already.
fn is_text(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.starts_with("text/")
        || matches!(media_type, "application/json" | "image/svg+xml")
        || ["+json", "+xml"].iter().any(|suffix| media_type.ends_with(suffix))
}

/// `None` if memory cannot be written, which does not happen.
fn compress(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// A header that is a list, also where it is repeated (RFC 9110 §5.3); what is not text is left out.
fn list(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers.get_all(name).filter_map(|value| value.to_str().ok()).collect();
    values.join(", ")
}

/// Whether `If-None-Match` has an entity tag, by the weak comparison (RFC 9110 §13.1.2): a proxy that compresses for
/// itself weakens ours.
fn has_tag(listed: &str, tag: &str) -> bool {
    let mut members = listed.split(',').map(str::trim);
    listed.trim() == "*" || members.any(|member| member.strip_prefix("W/").unwrap_or(member) == tag)
}

/// Adds the coding to what the response depends on.
fn vary(headers: &mut HeaderMap) {
    const CODING: &str = "accept-encoding";
    let others = headers.get(header::VARY).and_then(|value| value.to_str().ok());
    let all = others.map_or_else(|| CODING.to_owned(), |others| format!("{others}, {CODING}"));
    if let Ok(value) = HeaderValue::from_str(&all) {
        headers.insert(header::VARY, value);
    }
}

#[cfg(test)]
#[path = "representation_tests.rs"]
mod tests;
