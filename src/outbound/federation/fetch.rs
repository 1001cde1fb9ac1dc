//! Entity statements and lists over HTTP, and the trust decision for a failed request.

use std::collections::BTreeSet;

use async_trait::async_trait;
use url::Url;

use crate::domain::federation::{EntityStatement, Outage, TrustError, TrustFault};
use crate::domain::ids::EntityId;
use crate::domain::jose::parse_strict_json;
use crate::http::guard::{Expected, GuardError, GuardedClient, Reply};
use crate::ports::MemberConfigurations;

/// Where entity configurations are served (OpenID Federation 1.0 §9).
const CONFIGURATION_PATH: &str = "/.well-known/openid-federation";

/// Media type and maximum size of an entity statement.
const STATEMENT: Expected =
    Expected { content_types: &["application/entity-statement+jwt"], max_bytes: 64 * 1024 };

/// A list of entity identifiers.
const LIST: Expected = Expected { content_types: &["application/json"], max_bytes: 1024 * 1024 };

/// Maximum number of members in one list.
const MAX_MEMBERS: usize = 10_000;

/// Fetches an entity's configuration from its well-known location.
pub(crate) async fn fetch_configuration(guard: &GuardedClient, id: &EntityId) -> Result<String, TrustError> {
    let url = Url::parse(&format!("{id}{CONFIGURATION_PATH}"))
        .map_err(|_| TrustError::NotTrusted(TrustFault::IdentifierNotUrl))?;
    fetch_statement(guard, &url).await
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
        // The caller knows that it is a member: that allows its origin and no other.
        self.0.set_members(id, [id]);
        fetch_configuration(&self.0, id).await
    }
}

pub(crate) async fn fetch_statement(guard: &GuardedClient, url: &Url) -> Result<String, TrustError> {
    let reply = classify_reply(guard.get(url, &[], STATEMENT).await)?;
    String::from_utf8(reply.body).map_err(|_| TrustError::NotTrusted(TrustFault::StatementNotText))
}

/// The entities of a superior's list endpoint. An entry that is no entity identifier is skipped.
pub(crate) async fn fetch_list(guard: &GuardedClient, url: &Url) -> Result<BTreeSet<EntityId>, TrustError> {
    let reply = classify_reply(guard.get(url, &[], LIST).await)?;
    let listed = parse_strict_json(&reply.body)
        .ok()
        .and_then(|list| list.as_array().cloned())
        .filter(|list| list.len() <= MAX_MEMBERS)
        .ok_or(TrustError::Unavailable(Outage::MalformedList))?;
    Ok(listed.iter().filter_map(|id| EntityId::new(id.as_str()?).ok()).collect())
}

/// A successful response, or the trust decision: a definite refusal differs from a temporary failure.
pub(crate) fn classify_reply(reply: Result<Reply, GuardError>) -> Result<Reply, TrustError> {
    match reply {
        Ok(reply) if reply.status.is_success() => Ok(reply),
        Ok(reply) if reply.status == 404 => Err(TrustError::NotTrusted(TrustFault::NotFound)),
        Ok(reply) if reply.status.is_client_error() && reply.status != 408 && reply.status != 429 => {
            Err(TrustError::NotTrusted(TrustFault::Refused))
        }
        Ok(_) => Err(TrustError::Unavailable(Outage::ServerError)),
        Err(GuardError::Forbidden(rule)) => Err(TrustError::NotTrusted(TrustFault::Forbidden(rule))),
        Err(GuardError::TooLarge) => Err(TrustError::NotTrusted(TrustFault::AnswerTooLarge)),
        Err(GuardError::Unexpected(kind)) => Err(TrustError::NotTrusted(TrustFault::UnexpectedAnswer(kind))),
        Err(GuardError::Malformed) => Err(TrustError::NotTrusted(TrustFault::MalformedUrl)),
        Err(GuardError::Timeout) => Err(TrustError::Unavailable(Outage::Timeout)),
        Err(GuardError::Unreachable) => Err(TrustError::Unavailable(Outage::Unreachable)),
    }
}

/// One of a superior's endpoints, which must exist and have its own origin.
pub(crate) fn superior_endpoint(configuration: &EntityStatement, name: &str) -> Result<Url, TrustError> {
    let endpoint = configuration.same_origin_endpoint(name).ok().flatten();
    endpoint.ok_or(TrustError::NotTrusted(TrustFault::SuperiorEndpoint))
}
