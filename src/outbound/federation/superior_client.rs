//! Requests to this node's superiors: for its own trust marks, and for the keys in their statements about it.

use async_trait::async_trait;
use url::Url;

use super::fetch::{classify_reply, fetch_configuration, fetch_statement, superior_endpoint};
use crate::domain::federation::{
    EntityStatement, TrustError, TrustFault, TrustMark, verify_self_signed, vouched_keys,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::http::guard::{Expected, GuardedClient};
use crate::ports::{Clock, Superiors};
use std::sync::Arc;

/// Media type and maximum size of a trust mark.
const MARK: Expected = Expected { content_types: &["application/trust-mark+jwt"], max_bytes: 16 * 1024 };

/// Sends requests to the configured superiors, whose origins are then allowed.
pub struct SuperiorContact {
    guard: GuardedClient,
    clock: Arc<dyn Clock>,
}

impl SuperiorContact {
    /// Contact through this client.
    #[must_use]
    pub const fn new(guard: GuardedClient, clock: Arc<dyn Clock>) -> Self {
        Self { guard, clock }
    }

    /// A superior's own configuration. The superior is configured, so its origin is allowed.
    async fn configuration_of(&self, superior: &EntityId) -> Result<EntityStatement, TrustError> {
        if let Ok(url) = Url::parse(superior.as_str()) {
            self.guard.allow(&url);
        }
        let text = fetch_configuration(&self.guard, superior).await?;
        let statement = verify_self_signed(&text, self.clock.now())?;
        if statement.sub != *superior {
            return Err(TrustError::NotTrusted(TrustFault::SuperiorIdentifier));
        }
        Ok(statement)
    }
}

#[async_trait]
impl Superiors for SuperiorContact {
    async fn trust_mark(
        &self,
        superior: &EntityId,
        mark_type: &str,
        subject: &EntityId,
    ) -> Result<Option<(TrustMark, String)>, TrustError> {
        let configuration = self.configuration_of(superior).await?;
        // An anchor need not have a trust mark endpoint (OpenID Federation 1.0 §5.1.1): its marks are then delivered by
        // other means.
        let endpoint = configuration.same_origin_endpoint("federation_trust_mark_endpoint");
        let Some(mut url) = endpoint.map_err(TrustError::NotTrusted)? else { return Ok(None) };
        url.query_pairs_mut().append_pair("trust_mark_type", mark_type).append_pair("sub", subject.as_str());
        let reply = self.guard.get(&url, &[], MARK).await;
        if reply.as_ref().is_ok_and(|reply| reply.status == 404) {
            return Ok(None);
        }
        let text = String::from_utf8(classify_reply(reply)?.body)
            .map_err(|_| TrustError::NotTrusted(TrustFault::MarkNotText))?;
        // Others verify the mark by the chain of its issuer; here it is enough that the superior returned it.
        Ok(Some((TrustMark::verify_signature(&text, &configuration.keys()?)?, text)))
    }

    async fn vouched_keys(
        &self,
        superior: &EntityId,
        subject: &EntityId,
    ) -> Result<Option<PublicKeys>, TrustError> {
        let configuration = self.configuration_of(superior).await?;
        let mut url = superior_endpoint(&configuration, "federation_fetch_endpoint")?;
        url.query_pairs_mut().append_pair("sub", subject.as_str());
        match fetch_statement(&self.guard, &url).await {
            Ok(text) => {
                vouched_keys(&text, superior, subject, &configuration.keys()?, self.clock.now()).map(Some)
            }
            Err(TrustError::NotTrusted(TrustFault::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
