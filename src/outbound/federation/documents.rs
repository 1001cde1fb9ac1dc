//! Documents of trusted members besides their entity configuration: declared uses and former keys.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::fetch::classify_reply;
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{FormerKeys, TrustError, TrustFault, TrustedPeer};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::parse_strict_json;
use crate::http::Expected;
use crate::outbound::federation::bounded_cache::BoundedCache;
use crate::outbound::federation::budget::ResolverContext;
use crate::outbound::federation::cache::RefreshCell;

/// How long a recipient's declared uses are cached, in seconds.
const USES_AGE_SECS: i64 = 60;

/// How long the absence of a declared use is cached, in seconds.
const UNKNOWN_USE_SECS: i64 = 5;

/// The document of declared uses.
const USES: Expected = Expected { content_types: &["application/json"], max_bytes: 512 * 1024 };

/// The former keys of a member.
const FORMER_KEYS: Expected =
    Expected { content_types: &["application/omadata-former-keys+jwt"], max_bytes: 1024 * 1024 };

/// How long a member's former keys are cached, in seconds.
const FORMER_KEYS_AGE_SECS: i64 = 60;

/// A recipient's document of declared uses, as it is and by use.
struct KnownUses {
    document: Arc<DeclaredUses>,
    by_id: HashMap<UseId, Arc<DeclaredUse>>,
}

impl From<DeclaredUses> for KnownUses {
    fn from(document: DeclaredUses) -> Self {
        // Of two with one identifier the first counts.
        let uses = document.uses.iter().rev();
        let by_id = uses.map(|declared| (declared.id.clone(), Arc::new(declared.clone()))).collect();
        Self { document: Arc::new(document), by_id }
    }
}

/// The documents of trusted members, cached. The caller has resolved the member.
pub(crate) struct DocumentCache {
    ctx: ResolverContext,
    uses: BoundedCache<RefreshCell<KnownUses>>,
    former: BoundedCache<RefreshCell<FormerKeys>>,
}

impl DocumentCache {
    pub(crate) fn new(ctx: ResolverContext) -> Self {
        Self { ctx, uses: BoundedCache::default(), former: BoundedCache::default() }
    }

    /// The former keys of a trusted member.
    pub(crate) async fn former_keys(&self, peer: &TrustedPeer) -> Result<Arc<FormerKeys>, TrustError> {
        let fetch = self.fetch_former_keys(peer);
        self.former.get(&peer.id).get(&*self.ctx.clock, FORMER_KEYS_AGE_SECS, fetch).await
    }

    /// All declared uses of a trusted recipient.
    pub(crate) async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        let fetch = self.fetch_uses(recipient);
        let known = self.uses.get(recipient).get(&*self.ctx.clock, USES_AGE_SECS, fetch).await?;
        Ok(Arc::clone(&known.document))
    }

    pub(crate) async fn declared_use(
        &self,
        recipient: &EntityId,
        id: &UseId,
    ) -> Result<Arc<DeclaredUse>, TrustError> {
        let cell = self.uses.get(recipient);
        // An unknown use may have been published just now.
        for max_age in [USES_AGE_SECS, UNKNOWN_USE_SECS] {
            let known = cell.get(&*self.ctx.clock, max_age, self.fetch_uses(recipient)).await?;
            if let Some(declared) = known.by_id.get(id) {
                return Ok(Arc::clone(declared));
            }
        }
        Err(TrustError::NotTrusted(TrustFault::UnknownUse))
    }

    async fn fetch_former_keys(&self, peer: &TrustedPeer) -> Result<(FormerKeys, Timestamp), TrustError> {
        let url =
            peer.former_keys_endpoint().ok_or(TrustError::NotTrusted(TrustFault::NoFormerKeysEndpoint))?;
        let reply = classify_reply(self.ctx.guard.get(url, &[], FORMER_KEYS).await)?;
        let text = String::from_utf8(reply.body)
            .map_err(|_| TrustError::NotTrusted(TrustFault::MalformedKeyHistory))?;
        let now = self.ctx.clock.now();
        let keys = FormerKeys::verify(&text, &peer.id, &peer.federation_keys, now)?;
        Ok((keys, now.plus_secs(FORMER_KEYS_AGE_SECS)))
    }

    async fn fetch_uses(&self, recipient: &EntityId) -> Result<(KnownUses, Timestamp), TrustError> {
        let url = Url::parse(&format!("{recipient}/catalogue/uses"))
            .map_err(|_| TrustError::NotTrusted(TrustFault::IdentifierNotUrl))?;
        let reply =
            classify_reply(self.ctx.guard.get(&url, &[], USES).await).map_err(|error| match error {
                TrustError::NotTrusted(TrustFault::NotFound) => {
                    TrustError::NotTrusted(TrustFault::UsesNotFound)
                }
                other => other,
            })?;
        let malformed = TrustError::NotTrusted(TrustFault::MalformedUses);
        let document = parse_strict_json(&reply.body).map_err(|_| malformed.clone())?;
        let document: DeclaredUses = serde_json::from_value(document).map_err(|_| malformed)?;
        let own = document.recipient == *recipient
            && document.uses.iter().all(|declared| declared.id.recipient() == recipient.as_str());
        if !own {
            return Err(TrustError::NotTrusted(TrustFault::UsesOfAnother));
        }
        Ok((document.into(), self.ctx.clock.now().plus_secs(USES_AGE_SECS)))
    }
}
