//! The one HTTP client of this node.
//!
//! It connects only to origins that the configuration or the federation names, only over https and to public addresses
//! and configured networks (in the demo profile: only to loopback, plain http allowed), follows no redirect, uses no
//! proxy but the configured one, asks for no compression, and limits time, size and type of every response. Its errors
//! contain nothing of the request or the response.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::{Host, Url};

use super::address::{AddressPolicy, GuardedResolver};
pub(crate) use super::error::GuardError;
use super::refusal::{AddressRefused, Failures, Refusals};
use super::route::Route;
use super::special::is_localhost;
use crate::domain::ids::EntityId;
use crate::domain::sync::{read, write};

/// Longest time to connect, TLS included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// Longest time from the call to the last byte of the answer.
const TOTAL_DEADLINE: Duration = Duration::from_secs(10);

/// How long an unused connection is kept; shorter than the time after which a node closes it.
const IDLE: Duration = Duration::from_secs(4);

/// Maximum size of an error response in bytes.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// What a valid response is.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Content types, without parameters. A response without a body needs none.
    pub content_types: &'static [&'static str],
    /// Maximum size of its body in bytes.
    pub max_bytes: usize,
}

/// A response, complete and within its limits.
#[derive(Clone)]
pub struct Reply {
    /// Status, never a redirect.
    pub status: StatusCode,
    /// The body. Empty where a status of 400 or more came with anything else than JSON.
    pub body: Vec<u8>,
    headers: HeaderMap,
}

impl Reply {
    /// The value of a header that occurs exactly once and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// All headers, including repeated ones.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

/// The guarded client. Cheap to clone; clones share their connections and their list of origins.
#[derive(Debug, Clone)]
pub struct GuardedClient {
    http: reqwest::Client,
    policy: AddressPolicy,
    deadline: Duration,
    origins: Arc<RwLock<Origins>>,
    refusals: Refusals,
    failures: Failures,
    /// The address of the proxy, for messages.
    proxy: Option<String>,
}

/// The origins that requests may go to.
#[derive(Debug, Default)]
struct Origins {
    fixed: BTreeSet<String>,
    /// Listed by an anchor, by anchor.
    members: BTreeMap<EntityId, BTreeSet<String>>,
    /// Allowed for single requests, with the number of them in progress.
    visited: BTreeMap<String, usize>,
}

/// Allows requests to one origin until it is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    origin: String,
    origins: Arc<RwLock<Origins>>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut origins = write(&self.origins);
        if let Some(visits) = origins.visited.get_mut(&self.origin) {
            *visits = visits.saturating_sub(1);
            if *visits == 0 {
                origins.visited.remove(&self.origin);
            }
        }
    }
}

impl GuardedClient {
    /// A client without allowed origins; see [`Self::allow`].
    ///
    /// # Errors
    /// [`GuardError::Malformed`] when TLS cannot be set up.
    pub fn new(policy: AddressPolicy) -> Result<Self, GuardError> {
        Self::over(policy, &Route::default())
    }

    /// As [`Self::new`], with a configured route for outgoing requests.
    ///
    /// # Errors
    /// [`GuardError::Malformed`] when TLS cannot be set up, or proxy or certificates cannot be used.
    pub fn over(policy: AddressPolicy, route: &Route) -> Result<Self, GuardError> {
        let refusals = Refusals::default();
        let resolver = GuardedResolver {
            policy: policy.clone(),
            proxy_host: route.proxy_host(),
            refusals: refusals.clone(),
        };
        Self::with_resolver(policy, route, resolver, refusals)
    }

    fn with_resolver(
        policy: AddressPolicy,
        route: &Route,
        resolver: impl reqwest::dns::Resolve + 'static,
        refusals: Refusals,
    ) -> Result<Self, GuardError> {
        let builder = reqwest::Client::builder()
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(policy != AddressPolicy::Demo)
            .connect_timeout(CONNECT_DEADLINE)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("OmaData/", env!("CARGO_PKG_VERSION")));
        let http = route.apply(builder)?.build().map_err(|_| GuardError::Malformed)?;
        Ok(Self {
            http,
            policy,
            deadline: TOTAL_DEADLINE,
            origins: Arc::default(),
            refusals,
            failures: Failures::default(),
            proxy: route.proxy_origin(),
        })
    }

    /// The same with another limit of the time from the call to the last byte of the answer.
    #[must_use]
    pub(crate) fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The address policy of this client.
    #[must_use]
    pub(crate) const fn address_policy(&self) -> &AddressPolicy {
        &self.policy
    }

    /// Why a host name was last refused, for diagnosis; `None` when it was not, or resolves to allowed addresses now.
    #[must_use]
    pub(crate) fn refused_address(&self, host: &str) -> Option<AddressRefused> {
        self.refusals.of(host)
    }

    /// Why no connection to a host came about when it was last tried, for diagnosis; `None` when one did.
    #[must_use]
    pub(crate) fn failed_connection(&self, host: &str) -> Option<String> {
        self.failures.of(host)
    }

    /// Lets this client ask the origin of a URL that configuration names.
    pub fn allow(&self, url: &Url) {
        let mut origins = write(&self.origins);
        origins.fixed.insert(url.origin().ascii_serialization());
    }

    /// Allows the origin of an entity that is not listed, for as long as the result lives. The address policy applies
    /// to it as to every other; the caller limits how often unauthenticated requests cause this.
    #[must_use]
    pub(crate) fn allow_for_now(&self, id: &EntityId) -> Visit {
        let origin =
            Url::parse(id.as_str()).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let mut origins = write(&self.origins);
        let visits = origins.visited.entry(origin.clone()).or_default();
        *visits = visits.saturating_add(1);
        Visit { origin, origins: Arc::clone(&self.origins) }
    }

    /// Allows the members that a trust anchor lists, in place of those that it listed before.
    pub fn set_members<'a>(&self, anchor: &EntityId, members: impl IntoIterator<Item = &'a EntityId>) {
        let listed = members
            .into_iter()
            .filter_map(|id| Url::parse(id.as_str()).ok())
            .map(|url| url.origin().ascii_serialization())
            .collect();
        let mut origins = write(&self.origins);
        origins.members.insert(anchor.clone(), listed);
    }

    /// `GET`.
    ///
    /// # Errors
    /// [`GuardError`]. A response with an error status is a response.
    pub async fn get(
        &self,
        url: &Url,
        headers: &[(HeaderName, &str)],
        expected: Expected,
    ) -> Result<Reply, GuardError> {
        self.execute(request(Method::GET, url, headers, Vec::new())?, expected).await
    }

    /// `POST` of a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        headers: &[(HeaderName, &str)],
        expected: Expected,
    ) -> Result<Reply, GuardError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.post(url, "application/x-www-form-urlencoded", body.into_bytes(), headers, expected).await
    }

    /// `POST` of bytes.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(
        &self,
        url: &Url,
        content_type: &str,
        body: Vec<u8>,
        headers: &[(HeaderName, &str)],
        expected: Expected,
    ) -> Result<Reply, GuardError> {
        let mut request = request(Method::POST, url, headers, body)?;
        let content_type = HeaderValue::from_str(content_type).map_err(|_| GuardError::Malformed)?;
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        self.execute(request, expected).await
    }

    /// Any request. `Accept` is set to what is expected where it is not set.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn execute(
        &self,
        mut request: http::Request<Vec<u8>>,
        expected: Expected,
    ) -> Result<Reply, GuardError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| GuardError::Malformed)?;
        self.check(&url)?;
        if !expected.content_types.is_empty() && !request.headers().contains_key(ACCEPT) {
            let accept = HeaderValue::from_str(&expected.content_types.join(", "))
                .map_err(|_| GuardError::Malformed)?;
            request.headers_mut().insert(ACCEPT, accept);
        }
        let request = reqwest::Request::try_from(request).map_err(|_| GuardError::Malformed)?;
        tokio::time::timeout(self.deadline, self.exchange(request, expected))
            .await
            .map_err(|_| GuardError::Timeout)?
    }

    fn explain(&self, host: &str, error: &reqwest::Error) -> GuardError {
        let translated = translate(error);
        if !matches!(translated, GuardError::Forbidden(_)) {
            self.failures.record(host, self.proxy.as_deref(), error);
        }
        translated
    }

    async fn exchange(&self, request: reqwest::Request, expected: Expected) -> Result<Reply, GuardError> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let mut response = self.http.execute(request).await.map_err(|error| self.explain(&host, &error))?;
        self.failures.forget(&host);
        let status = response.status();
        if status.is_redirection() {
            return Err(GuardError::Unexpected("a redirect"));
        }
        if response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(GuardError::Unexpected("compressed"));
        }
        let failed = status.is_client_error() || status.is_server_error();
        let limit = if failed { MAX_ERROR_BYTES } else { expected.max_bytes };
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if !failed && announced.is_some_and(|length| length > limit) {
            return Err(GuardError::TooLarge);
        }
        let types: &[&str] =
            if failed { &["application/json", "application/problem+json"] } else { expected.content_types };
        let fits = has_type(response.headers(), types);
        if failed && !fits {
            return Ok(reply(&mut response, Vec::new()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| translate(&error))? {
            if !fits && !chunk.is_empty() {
                return Err(GuardError::Unexpected("another content type"));
            }
            if body.len().saturating_add(chunk.len()) > limit {
                // The body of an error is optional; its status is not.
                return if failed { Ok(reply(&mut response, Vec::new())) } else { Err(GuardError::TooLarge) };
            }
            body.extend_from_slice(&chunk);
        }
        Ok(reply(&mut response, body))
    }

    /// Checks a URL before anything is sent.
    fn check(&self, url: &Url) -> Result<(), GuardError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardError::Forbidden("user information"));
        }
        match (&self.policy, url.scheme()) {
            (_, "https") | (AddressPolicy::Demo, "http") => {}
            _ => return Err(GuardError::Forbidden("not https")),
        }
        // IP addresses in URLs do not reach the resolver. The URL parser reads decimal, octal and short forms as IPv4.
        let literal = match url.host() {
            None => return Err(GuardError::Forbidden("no host")),
            Some(Host::Domain(name)) => {
                if self.policy == AddressPolicy::Demo && !is_localhost(name) {
                    return Err(GuardError::Forbidden("not loopback"));
                }
                None
            }
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        match (&self.policy, literal) {
            (AddressPolicy::Public | AddressPolicy::Allowed(_), Some(_)) => {
                return Err(GuardError::Forbidden("an address instead of a name"));
            }
            (AddressPolicy::Demo, Some(address)) if !address.is_loopback() => {
                return Err(GuardError::Forbidden("not loopback"));
            }
            _ => {}
        }
        let origin = url.origin().ascii_serialization();
        let origins = read(&self.origins);
        let listed = origins.members.values().any(|listed| listed.contains(&origin));
        if listed || origins.fixed.contains(&origin) || origins.visited.contains_key(&origin) {
            Ok(())
        } else {
            Err(GuardError::Forbidden("neither configured nor listed by an anchor"))
        }
    }
}

fn request(
    method: Method,
    url: &Url,
    headers: &[(HeaderName, &str)],
    body: Vec<u8>,
) -> Result<http::Request<Vec<u8>>, GuardError> {
    let mut request = http::Request::builder().method(method).uri(url.as_str());
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(body).map_err(|_| GuardError::Malformed)
}

fn reply(response: &mut reqwest::Response, body: Vec<u8>) -> Reply {
    Reply { status: response.status(), body, headers: std::mem::take(response.headers_mut()) }
}

/// Whether the one content type is among these; the only parameter allowed is the charset UTF-8.
fn has_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
        return false;
    };
    let (essence, parameter) = match value.split_once(';') {
        Some((essence, parameter)) => (essence.trim(), Some(parameter.trim())),
        None => (value.trim(), None),
    };
    types.iter().any(|one| one.eq_ignore_ascii_case(essence))
        && parameter.is_none_or(|parameter| {
            parameter.eq_ignore_ascii_case("charset=utf-8")
                || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

fn translate(error: &reqwest::Error) -> GuardError {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<AddressRefused>() {
            return GuardError::Forbidden(refused.rule);
        }
        cause = current.source();
    }
    if error.is_timeout() { GuardError::Timeout } else { GuardError::Unreachable }
}

#[cfg(test)]
mod tests;
