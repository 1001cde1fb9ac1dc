//! The known keys of an anchor: configured by the operator, and followed from there.

use std::sync::{Mutex, RwLock};

use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, TrustAnchor, TrustError, TrustFault, verify_anchor, verify_self_signed,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{JoseError, PublicKeys};
use crate::domain::sync::{lock, read, write};
use crate::outbound::federation::budget::ResolverContext;

/// Interval between two log entries about one anchor with unknown keys, in seconds.
const REPORT_SECS: i64 = 600;

/// The remedy for an anchor whose signature is not by a known key.
pub(crate) const CHECK_ANCHOR_KEYS: &str =
    "compare [[trust_anchors]] jwks_file with the anchor's keys, over a way that you trust";

/// The keys of one anchor.
#[derive(Default)]
pub(crate) struct AnchorKeys {
    keys: RwLock<Keys>,
    /// When an unknown key of the anchor was last logged.
    reported_at: Mutex<Option<Timestamp>>,
}

#[derive(Clone, Default)]
struct Keys {
    configured: Option<PublicKeys>,
    followed: Option<PublicKeys>,
}

impl AnchorKeys {
    pub(crate) fn configured(configured: Option<PublicKeys>) -> Self {
        Self { keys: RwLock::new(Keys { configured, followed: None }), reported_at: Mutex::default() }
    }

    /// The same keys for another resolver.
    pub(crate) fn copy(&self) -> Self {
        Self {
            keys: RwLock::new(read(&self.keys).clone()),
            reported_at: Mutex::new(*lock(&self.reported_at)),
        }
    }

    /// Replaces the configured keys; keys followed from the previous ones no longer count. `true` when the keys differ.
    pub(crate) fn configure(&self, keys: PublicKeys) -> bool {
        let mut current = write(&self.keys);
        if current.configured.as_ref() == Some(&keys) {
            return false;
        }
        *current = Keys { configured: Some(keys), followed: None };
        true
    }

    /// An anchor's configuration must be signed with a known key that it still lists. Its keys are then the known ones:
    /// this is how an anchor rotates and revokes keys (OpenID Federation 1.0 §11.2).
    pub(crate) async fn verify(
        &self,
        anchor: &EntityId,
        text: &str,
        ctx: &ResolverContext,
    ) -> Result<EntityStatement, TrustError> {
        let now = ctx.clock.now();
        let statement = match self.known(anchor, ctx).await? {
            Some(keys) => match verify_anchor(text, &TrustAnchor { id: anchor.clone(), keys }, now) {
                Ok(statement) => statement,
                Err(error) => match self.verify_with_stored(anchor, text, ctx).await? {
                    Some(statement) => statement,
                    None => {
                        self.report(anchor, &error, now);
                        return Err(error);
                    }
                },
            },
            // At first contact the anchor's own key list is accepted; only the demo profile has anchors without
            // configured keys.
            None => verify_self_signed(text, now)?,
        };
        *lock(&self.reported_at) = None;
        Ok(statement)
    }

    /// The known keys of an anchor: those followed from the configured keys, and only those. A key that the anchor
    /// revoked on the way no longer counts, even in the operator's file; new configured keys discard what was followed
    /// before.
    async fn known(
        &self,
        anchor: &EntityId,
        ctx: &ResolverContext,
    ) -> Result<Option<PublicKeys>, TrustError> {
        let Keys { configured, followed } = read(&self.keys).clone();
        match (followed, configured) {
            (Some(followed), _) => Ok(Some(followed)),
            (None, Some(configured)) => {
                let stored = ctx.anchor_keys.load(anchor, &configured).await?;
                Ok(Some(stored.unwrap_or(configured)))
            }
            (None, None) => Ok(None),
        }
    }

    /// Verifies an anchor's configuration with the stored keys: another process may have followed it further while this
    /// one was idle.
    async fn verify_with_stored(
        &self,
        anchor: &EntityId,
        text: &str,
        ctx: &ResolverContext,
    ) -> Result<Option<EntityStatement>, TrustError> {
        let Some(configured) = read(&self.keys).configured.clone() else { return Ok(None) };
        let Some(keys) = ctx.anchor_keys.load(anchor, &configured).await? else { return Ok(None) };
        Ok(verify_anchor(text, &TrustAnchor { id: anchor.clone(), keys }, ctx.clock.now()).ok())
    }

    pub(crate) async fn follow(
        &self,
        anchor: &EntityId,
        keys: &PublicKeys,
        ctx: &ResolverContext,
    ) -> Result<(), TrustError> {
        let Keys { configured, followed } = read(&self.keys).clone();
        if followed.as_ref() == Some(keys) {
            return Ok(());
        }
        // Keys accepted at first contact are not stored: nobody has confirmed them.
        if let Some(configured) = &configured {
            ctx.anchor_keys.save(anchor, configured, keys, ctx.clock.now()).await?;
        }
        let mut current = write(&self.keys);
        if current.configured == configured {
            current.followed = Some(keys.clone());
        }
        Ok(())
    }

    /// Logs for the operator that no member below this anchor is trusted, with the remedy; not at every attempt.
    fn report(&self, anchor: &EntityId, error: &TrustError, now: Timestamp) {
        let TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey | JoseError::Signature)) = error
        else {
            return;
        };
        let mut reported_at = lock(&self.reported_at);
        if reported_at.is_some_and(|at| (0..REPORT_SECS).contains(&now.secs().saturating_sub(at.secs()))) {
            return;
        }
        *reported_at = Some(now);
        tracing::error!(
            event = "anchor_keys_unknown",
            anchor = %anchor,
            reason = error.reason(),
            remedy = CHECK_ANCHOR_KEYS,
            "the trust anchor signs with a key that is not configured: no member below it is trusted until that is settled"
        );
    }
}
