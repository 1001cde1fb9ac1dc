//! Entity statements over HTTP, and what an answer or its absence means for trust.

use async_trait::async_trait;
use url::Url;

use crate::domain::federation::{EntityStatement, TrustError};
use crate::domain::ids::EntityId;
use crate::http::guard::{Expected, GuardError, GuardedClient, Reply};
use crate::ports::MemberConfigurations;

/// Where entity configurations are served (OpenID Federation 1.0 §9).
const CONFIGURATION_PATH: &str = "/.well-known/openid-federation";

/// An entity statement over HTTP.
const STATEMENT: Expected =
    Expected { content_types: &["application/entity-statement+jwt"], max_bytes: 64 * 1024 };

/// Fetches an entity's configuration from where it must be.
pub(crate) async fn configuration(guard: &GuardedClient, id: &EntityId) -> Result<String, TrustError> {
    let url = Url::parse(&format!("{id}{CONFIGURATION_PATH}"))
        .map_err(|_| TrustError::NotTrusted("the identifier is not an address"))?;
    statement(guard, &url).await
}

/// Fetches members' configurations for an anchor.
#[derive(Debug, Clone)]
pub struct MemberContact(GuardedClient);

impl MemberContact {
    /// Contact through this client.
    #[must_use]
    pub const fn new(guard: GuardedClient) -> Self {
        Self(guard)
    }
}

#[async_trait]
impl MemberConfigurations for MemberContact {
    async fn fetch(&self, id: &EntityId) -> Result<String, TrustError> {
        // The caller vouches that it is a member: that opens its origin and no other.
        self.0.set_members(id, [id]);
        configuration(&self.0, id).await
    }
}

pub(crate) async fn statement(guard: &GuardedClient, url: &Url) -> Result<String, TrustError> {
    let reply = classify_reply(guard.get(url, &[], STATEMENT).await)?;
    String::from_utf8(reply.body).map_err(|_| TrustError::NotTrusted("a statement is not text"))
}

/// An answer of success, or what its absence means for trust: a definite "no" is told from "not now".
pub(crate) fn classify_reply(reply: Result<Reply, GuardError>) -> Result<Reply, TrustError> {
    match reply {
        Ok(reply) if reply.status.is_success() => Ok(reply),
        Ok(reply) if reply.status == 404 => Err(TrustError::NotTrusted("not found")),
        Ok(reply) if reply.status.is_client_error() && reply.status != 408 && reply.status != 429 => {
            Err(TrustError::NotTrusted("refused"))
        }
        Ok(_) => Err(TrustError::Unavailable("the other side failed")),
        Err(GuardError::Forbidden(rule)) => Err(TrustError::NotTrusted(rule)),
        Err(GuardError::TooLarge) => Err(TrustError::NotTrusted("the answer is too large")),
        Err(GuardError::Unexpected(kind)) => Err(TrustError::NotTrusted(kind)),
        Err(GuardError::Malformed) => Err(TrustError::NotTrusted("the address is malformed")),
        Err(GuardError::Timeout) => Err(TrustError::Unavailable("no answer in time")),
        Err(GuardError::Unreachable) => Err(TrustError::Unavailable("cannot be reached")),
    }
}

/// A mark whose issuer cannot be asked as it says is not a mark that was never to be asked about.
pub(crate) const UNUSABLE_STATUS: TrustError =
    TrustError::NotTrusted("a trust mark's issuer tells its status nowhere at its own origin");

/// One of a superior's endpoints, at its own origin.
pub(crate) fn endpoint(configuration: &EntityStatement, name: &str) -> Result<Url, TrustError> {
    let own = Url::parse(configuration.sub.as_str()).ok();
    configuration
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.get("federation_entity")?.get(name)?.as_str())
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| own.is_some_and(|own| own.origin() == url.origin()))
        .ok_or(TrustError::NotTrusted("a superior lacks an endpoint at its own origin"))
}
