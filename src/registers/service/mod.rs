//! Registers that are services: one HTTP client for each, with its own credentials, networks and limits.

pub(crate) mod dataset;
pub(crate) mod deferred;
pub(crate) mod gdpr;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
mod tokens;
mod xroad;

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::failure::Failure;
use super::{Bounds, RegisterConfigError};
use crate::domain::catalogue::service::{Credentials, HttpService, Method};
use crate::domain::ids::RegisterId;
use crate::http::{AddressPolicy, Expected, GuardError, GuardedClient, Reply, Route};
use crate::ports::RegisterError;

use tokens::Tokens;

/// A request, complete but for its authorization.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
}

/// The client of one service.
pub(crate) struct Client {
    guarded: GuardedClient,
    service: HttpService,
    tokens: Option<Tokens>,
    expected: Expected,
}

impl Client {
    /// A client that has not connected yet.
    pub(crate) fn new(
        id: &RegisterId,
        service: &HttpService,
        timeout: Duration,
        bounds: Bounds,
    ) -> Result<Self, RegisterConfigError> {
        let unread = |file, source| RegisterConfigError::File { register: id.clone(), file, source };
        let ca_pem = service
            .ca_file
            .as_ref()
            .map(|path| std::fs::read(path).map_err(|source| unread("ca_file", source)))
            .transpose()?;
        let identity_pem = match &service.client_certificate {
            Some((certificate, key)) => {
                let certificate = std::fs::read_to_string(certificate)
                    .map_err(|source| unread("client_certificate_file", source))?;
                let key = std::fs::read_to_string(key)
                    .map(zeroize::Zeroizing::new)
                    .map_err(|source| unread("client_key_file", source))?;
                Some(SecretString::from(format!("{certificate}\n{}", key.as_str())))
            }
            None => None,
        };
        let policy = if service.demo {
            AddressPolicy::Demo
        } else {
            AddressPolicy::production(&service.private_networks)
        };
        let guarded = GuardedClient::over(policy, &Route { ca_pem, identity_pem, ..Route::default() })
            .map_err(|_| RegisterConfigError::Address {
                register: id.clone(),
                reason: "its certificates or its key cannot be used",
            })?
            .with_deadline(timeout);
        guarded.allow(&service.base_url);
        let tokens = match &service.credentials {
            Credentials::Client(client) => {
                guarded.allow(&client.token_url);
                Some(Tokens::new(client.clone()))
            }
            _ => None,
        };
        let expected = Expected {
            content_types: &["application/json", "application/hal+json"],
            max_bytes: bounds.answer_bytes(),
        };
        Ok(Self { guarded, service: service.clone(), tokens, expected })
    }

    /// The maximum size of one answer in bytes.
    pub(crate) const fn max_bytes(&self) -> usize {
        self.expected.max_bytes
    }

    /// The service's own address.
    pub(crate) const fn address(&self) -> &Url {
        &self.service.base_url
    }

    /// The address of a path below the service's, unless the URL parser would read another one in it.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        let base = self.service.base_url.as_str().trim_end_matches('/');
        let service = self.service.xroad.as_ref().map(|xroad| format!("/r1/{}", xroad.service));
        let text = format!("{base}{}{path}", service.unwrap_or_default());
        match Url::parse(&text) {
            Ok(url) if url.as_str() == text => Ok(url),
            _ => Err(Failure::new(
                RegisterError::Unfit("the identifier cannot stand in the service's address"),
                "the identifier cannot stand in the service's address",
            )),
        }
    }

    /// Whether an address has the service's own origin, to which alone its credentials go.
    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.service.base_url.origin()
    }

    /// Sends a request about a person. An answer with an error status is an answer; a redirect is not.
    pub(crate) async fn send(&self, outgoing: &Outgoing, subject: &str) -> Result<Reply, Failure> {
        self.exchange(outgoing, Some(subject)).await
    }

    /// The same for a request about nobody.
    pub(crate) async fn send_about_nobody(&self, outgoing: &Outgoing) -> Result<Reply, Failure> {
        self.exchange(outgoing, None).await
    }

    async fn exchange(&self, outgoing: &Outgoing, subject: Option<&str>) -> Result<Reply, Failure> {
        let first = self.attempt(outgoing, subject).await?;
        let reply = match (&self.tokens, first.status) {
            (Some(tokens), StatusCode::UNAUTHORIZED) => {
                tokens.forget().await;
                self.attempt(outgoing, subject).await?
            }
            _ => first,
        };
        match xroad::failure(&reply) {
            Some(failure) if self.service.xroad.is_some() => Err(failure),
            _ => Ok(reply),
        }
    }

    async fn attempt(&self, outgoing: &Outgoing, subject: Option<&str>) -> Result<Reply, Failure> {
        let unmade = || {
            let cause = "this side: a header cannot carry the identifier or the secret";
            Failure::new(RegisterError::Unavailable, cause)
        };
        let mut request =
            http::Request::builder().method(outgoing.method.as_str()).uri(outgoing.url.as_str());
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        if outgoing.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(xroad) = &self.service.xroad {
            for (name, value) in xroad::headers(xroad, subject) {
                request = request.header(name, value);
            }
        }
        if let Some((name, value)) = self.authorization().await? {
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unmade())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let request = request.body(outgoing.body.clone().unwrap_or_default()).map_err(|_| unmade())?;
        self.guarded.execute(request, self.expected).await.map_err(|error| self.explain(&outgoing.url, error))
    }

    /// The header that authorises a request. Files are read anew each time, so that a secret can be replaced.
    async fn authorization(&self) -> Result<Option<(HeaderName, SecretString)>, Failure> {
        let bearer = |token: &SecretString| SecretString::from(format!("Bearer {}", token.expose_secret()));
        match &self.service.credentials {
            Credentials::None => Ok(None),
            Credentials::Bearer(file) => {
                Ok(Some((AUTHORIZATION, bearer(&tokens::secret(file, "bearer_file")?))))
            }
            Credentials::Header(name, file) => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                    Failure::new(RegisterError::Unavailable, "this side: api_key_header is no header's name")
                })?;
                Ok(Some((name, tokens::secret(file, "api_key_file")?)))
            }
            Credentials::Client(_) => match &self.tokens {
                Some(tokens) => {
                    let token = tokens.current(&self.guarded, |url, error| self.explain(url, error)).await?;
                    Ok(Some((AUTHORIZATION, bearer(&token))))
                }
                None => Ok(None),
            },
        }
    }

    /// Why there is no answer, with whose side it is on. Names the host and nothing else of the address.
    fn explain(&self, url: &Url, error: GuardError) -> Failure {
        let host = url.host_str().unwrap_or_default();
        let unfit = |cause: String| {
            Failure::new(RegisterError::Unfit("the answer is not of the expected kind"), cause)
        };
        match error {
            GuardError::Forbidden(rule) => {
                let refused = self.guarded.refused_address(host).map(|refused| refused.to_string());
                let cause = refused.unwrap_or_else(|| format!("{host} may not be used: {rule}"));
                Failure::new(RegisterError::Unavailable, cause)
            }
            GuardError::Unreachable => {
                let cause = self.guarded.failed_connection(host).unwrap_or_else(|| {
                    format!("the service's side: {host} closed the connection before its answer was complete")
                });
                Failure::new(RegisterError::Unavailable, cause)
            }
            GuardError::Timeout => {
                Failure::new(RegisterError::Unavailable, format!("{host} did not answer within timeout_ms"))
            }
            GuardError::TooLarge => Failure::new(
                RegisterError::TooLarge,
                format!("the answer of {host} is larger than {} bytes", self.expected.max_bytes),
            ),
            GuardError::Unexpected("a redirect") => {
                unfit(format!("{host} redirects elsewhere, which is never followed: write the final address"))
            }
            GuardError::Unexpected("compressed") => {
                unfit(format!("the service's side: {host} compresses its answer without being asked"))
            }
            GuardError::Unexpected(_) => {
                unfit(format!("the service's side: {host} answers another content type than JSON in UTF-8"))
            }
            GuardError::Malformed => Failure::new(RegisterError::Unavailable, "the request cannot be made"),
        }
    }
}

/// The failure that a status tells, with whose side it is on.
pub(crate) fn refused_with(status: StatusCode) -> Failure {
    let code = status.as_u16();
    let cause = match code {
        401 => "it does not accept this node's credentials; this side: check the register's secret files"
            .to_owned(),
        403 => "this node's credentials may not do this; the service's side: grant the right or the scope"
            .to_owned(),
        400 | 405 | 415 | 422 => {
            "it does not understand the request; this side: check path, method and body".to_owned()
        }
        429 => {
            "it takes no more requests now; this side: lower at_once, or its side: raise the quota".to_owned()
        }
        500..=599 => "it failed; the service's side".to_owned(),
        _ => "a status that the dataset does not expect".to_owned(),
    };
    Failure::new(RegisterError::Unavailable, format!("the service answered {code}: {cause}"))
}
