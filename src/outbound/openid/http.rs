//! The HTTP client for the login provider.
//!
//! The provider is the city's own, named by its operator, and may be in the city's internal network: its address need
//! not be public, unlike those of the federation's members. All other limits apply: https only (in the demo also http
//! to this machine), no redirects, no proxy but the configured one, timeouts, a maximum size of responses.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::http::special::is_localhost;
use crate::http::{Failures, GuardError, Route};

/// Maximum size of a response in bytes; provider documents are a few kilobytes.
const MAX_ANSWER: usize = 256 * 1024;
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Total timeout of a request.
const TOTAL_DEADLINE: Duration = Duration::from_secs(10);

/// The allowed addresses of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderNetwork {
    /// Over https only.
    Production,
    /// Also plain http on this machine; names under `localhost` resolve to it.
    Demo,
}

/// Why a request has no response. Contains nothing of the request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the address is not allowed: https is needed")]
    NotAllowed,
    #[error("no connection, no answer in time, or an answer that broke off")]
    Net(#[source] reqwest::Error),
    #[error("the answer is larger than the bound")]
    TooLarge,
    #[error("the answer is not HTTP as it should be")]
    Malformed(#[source] http::Error),
}

/// The error type for openidconnect.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

/// The client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    network: ProviderNetwork,
    failures: Failures,
    /// The address of the proxy, for messages.
    proxy: Option<String>,
}

impl Http {
    pub(crate) fn new(network: ProviderNetwork, route: &Route) -> Result<Self, GuardError> {
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(TOTAL_DEADLINE)
            .user_agent(concat!("omadata/", env!("CARGO_PKG_VERSION")));
        if network == ProviderNetwork::Demo {
            client = client.dns_resolver(Arc::new(LocalhostResolver));
        }
        let client = route.apply(client)?.build().map_err(|_| GuardError::Malformed)?;
        Ok(Self { client, network, failures: Failures::default(), proxy: route.proxy_origin() })
    }

    /// Whether the node itself, or a browser on its behalf, may be sent to this address.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.network == ProviderNetwork::Demo && is_this_machine(url),
            _ => false,
        }
    }

    /// The client as openidconnect calls it.
    pub(crate) fn as_function(&self) -> impl Fn(HttpRequest) -> Answering + Send + Sync + use<> {
        let http = self.clone();
        move |request| {
            let http = http.clone();
            Box::pin(async move { http.send(request).await })
        }
    }

    /// Sends one request and reads the whole response.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|_| HttpError::NotAllowed)?;
        if !self.allows(&url) {
            return Err(HttpError::NotAllowed);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let sent = self.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
        let mut response = sent.map_err(|error| {
            self.failures.record(&host, self.proxy.as_deref(), &error);
            HttpError::Net(error)
        })?;
        self.failures.forget(&host);
        let mut answer = http::Response::builder().status(response.status());
        if let Some(kind) = response.headers().get(http::header::CONTENT_TYPE) {
            answer = answer.header(http::header::CONTENT_TYPE, kind);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(HttpError::Net)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(HttpError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        answer.body(bytes).map_err(HttpError::Malformed)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Resolves `localhost` and every name under it to this machine (RFC 6761 §6.3), as browsers do and not every system
/// does; other names are resolved by the system.
struct LocalhostResolver;

impl Resolve for LocalhostResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str().to_owned();
            if is_localhost(&name) {
                let here: Addrs = Box::new([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter());
                return Ok(here);
            }
            let found: Addrs =
                Box::new(tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs()).await??);
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leads_to_this_machine_alone_and_only_in_the_demo() {
        let cases = [
            ("https://login.city.example/token", true, true),
            ("http://login.localhost:8409/token", false, true),
            ("http://localhost/token", false, true),
            ("http://127.0.0.1:1/token", false, true),
            ("http://[::1]:1/token", false, true),
            ("http://login.city.example/token", false, false),
            ("http://localhost.evil.example/token", false, false),
            ("http://10.0.0.1/token", false, false),
            ("file:///etc/passwd", false, false),
        ];
        for (url, production, demo) in cases {
            let url = Url::parse(url).unwrap();
            assert_eq!(
                Http::new(ProviderNetwork::Production, &Route::default()).unwrap().allows(&url),
                production,
                "{url}"
            );
            assert_eq!(
                Http::new(ProviderNetwork::Demo, &Route::default()).unwrap().allows(&url),
                demo,
                "{url}"
            );
        }
    }
}
