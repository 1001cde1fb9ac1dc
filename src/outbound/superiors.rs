//! What this node asks its superiors for: its own trust marks.

use async_trait::async_trait;
use url::Url;

use super::anchor::{answered, configuration, endpoint};
use super::guard::{Expected, GuardError, GuardedClient};
use crate::domain::federation::{TrustError, TrustMark, verify_self_signed};
use crate::domain::ids::EntityId;
use crate::ports::{Clock, Superiors};
use std::sync::Arc;

/// A trust mark over HTTP.
const MARK: Expected = Expected { content_types: &["application/trust-mark+jwt"], max_bytes: 16 * 1024 };

/// Asks the superiors that the configuration names.
pub struct SuperiorContact {
    guard: GuardedClient,
    clock: Arc<dyn Clock>,
}

impl SuperiorContact {
    /// Contact with these superiors, whose origins the client may ask from then on.
    ///
    /// # Errors
    /// [`GuardError::Malformed`] when a name is no address.
    pub fn new(
        guard: GuardedClient,
        superiors: &[EntityId],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        for id in superiors {
            guard.allow(&Url::parse(id.as_str()).map_err(|_| GuardError::Malformed)?);
        }
        Ok(Self { guard, clock })
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
        let own_word = configuration(&self.guard, superior).await?;
        let statement = verify_self_signed(&own_word, self.clock.now())?;
        if statement.sub != *superior {
            return Err(TrustError::NotTrusted("the superior presents itself under another name"));
        }
        let mut url = endpoint(&statement, "federation_trust_mark_endpoint")?;
        url.query_pairs_mut().append_pair("trust_mark_type", mark_type).append_pair("sub", subject.as_str());
        let reply = self.guard.get(&url, &[], MARK).await;
        if reply.as_ref().is_ok_and(|reply| reply.status == 404) {
            return Ok(None);
        }
        let text = String::from_utf8(answered(reply)?.body)
            .map_err(|_| TrustError::NotTrusted("a trust mark is not text"))?;
        // Others judge the mark by the chain of its issuer; here it is enough that it is what the superior says.
        Ok(Some((TrustMark::verify_signature(&text, &statement.keys()?)?, text)))
    }
}
