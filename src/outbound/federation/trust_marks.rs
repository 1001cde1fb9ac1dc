//! Verification of a member's trust marks: issued by an issuer that the anchor allows, valid now, and not revoked.

use std::sync::Arc;

use futures_util::future::join_all;
use url::Url;

use super::fetch::classify_reply;
use crate::domain::federation::{
    ChainHint, HeldMark, MarkRules, MarkStatus, MarkStatusResponse, Role, TrustError, TrustFault, TrustMark,
    TrustMarkEntry, VerifiedChain,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::http::guard::{Expected, GuardError, Reply};
use crate::outbound::federation::bounded_cache::BoundedCache;
use crate::outbound::federation::budget::Budget;
use crate::outbound::federation::cache::RefreshCell;
use crate::outbound::federation::resolver::{ChainQuery, Resolver};

/// Media type and maximum size of a status response.
const STATUS: Expected =
    Expected { content_types: &["application/trust-mark-status-response+jwt"], max_bytes: 32 * 1024 };

/// Maximum number of marks of one member that are verified: one for each role, and some to spare.
pub(crate) const MAX_MARKS: usize = 8;

/// The issuer of a mark.
struct Issuer {
    keys: PublicKeys,
    /// Its trust mark status endpoint.
    status_endpoint: Option<Url>,
}

pub(crate) struct TrustMarkChecker {
    resolver: Arc<Resolver>,
    /// By anchor: the issuers of one anchor's federation are not those of another's.
    issuers: Vec<(EntityId, BoundedCache<RefreshCell<Issuer>>)>,
}

impl TrustMarkChecker {
    pub(crate) fn new(resolver: Arc<Resolver>) -> Self {
        let issuers =
            resolver.anchors.iter().map(|anchor| (anchor.id.clone(), BoundedCache::default())).collect();
        Self { resolver, issuers }
    }

    /// The marks of a chain's subject that give it roles now. An invalid one is left out; if the status of one is not
    /// available, the result is undecided.
    pub(crate) async fn marks(
        &self,
        chain: &VerifiedChain,
        budget: &Budget,
    ) -> Result<Vec<HeldMark>, TrustError> {
        let Some(rules) = chain.mark_rules() else { return Ok(Vec::new()) };
        let ours = |entry: &&TrustMarkEntry| Role::of_mark(&entry.trust_mark_type, rules.anchor()).is_some();
        let shown = chain.shown_marks().iter().filter(ours).take(MAX_MARKS);
        let judged = join_all(shown.map(|entry| self.mark(entry, chain, rules, budget))).await;
        let mut held = Vec::new();
        for outcome in judged {
            match outcome {
                Ok(mark) => held.push(mark),
                Err(TrustError::NotTrusted(fault)) => tracing::info!(
                    event = "trust_mark_refused",
                    member = %chain.subject(),
                    reason = fault.as_str(),
                    "a trust mark does not hold",
                ),
                Err(error @ TrustError::Unavailable(_)) => return Err(error),
            }
        }
        Ok(held)
    }

    pub(crate) async fn mark(
        &self,
        entry: &TrustMarkEntry,
        chain: &VerifiedChain,
        rules: &MarkRules,
        budget: &Budget,
    ) -> Result<HeldMark, TrustError> {
        let ctx = &self.resolver.ctx;
        let claimed = TrustMark::claimed(&entry.trust_mark)?;
        if claimed.trust_mark_type != entry.trust_mark_type {
            return Err(TrustError::NotTrusted(TrustFault::MarkType));
        }
        // Before any request because of it.
        if !rules.allows(&claimed.trust_mark_type, &claimed.iss) {
            return Err(TrustError::NotTrusted(TrustFault::MarkIssuer));
        }
        let issuer = self.issuer(&claimed.iss, chain.anchor(), budget).await?;
        let held = rules.verify(&entry.trust_mark, chain.subject(), &issuer.keys, ctx.clock.now())?;
        if let Some(endpoint) = &issuer.status_endpoint {
            budget.spend()?;
            let form = [("trust_mark", held.text())];
            let answer = status(ctx.guard.post_form(endpoint, &form, &[], STATUS).await)?;
            match MarkStatusResponse::verify(&answer, &held, &issuer.keys, ctx.clock.now())? {
                MarkStatus::Active => {}
                MarkStatus::Revoked => return Err(TrustError::NotTrusted(TrustFault::MarkRevoked)),
                MarkStatus::Expired | MarkStatus::Invalid | MarkStatus::Other(_) => {
                    return Err(TrustError::NotTrusted(TrustFault::MarkInactive));
                }
            }
        }
        Ok(held)
    }

    /// The issuer of trust marks: an anchor, or another entity that is trusted below the same anchor.
    async fn issuer(
        &self,
        id: &EntityId,
        anchor: &EntityId,
        budget: &Budget,
    ) -> Result<Arc<Issuer>, TrustError> {
        let of_anchor = self.issuers.iter().find(|(of, _)| of == anchor);
        let (_, issuers) = of_anchor.ok_or(TrustError::NotTrusted(TrustFault::AnchorNotConfigured))?;
        let ctx = &self.resolver.ctx;
        let fetch = async {
            let own = self.resolver.anchors.iter().find(|known| known.id == *id && id == anchor);
            if let Some(own) = own {
                let state = own.state(ctx, budget).await?;
                let status_endpoint = state.status_endpoint.clone()?;
                let issuer = Issuer { keys: state.keys.clone(), status_endpoint };
                return Ok((issuer, self.resolver.now().plus_secs(1)));
            }
            let (hint, list_age) = (&ChainHint::default(), ctx.ttls.list);
            let chain = self.resolver.chain(&ChainQuery { id, last: &[], hint, list_age, budget }).await?;
            if chain.anchor() != anchor {
                return Err(TrustError::NotTrusted(TrustFault::MarkIssuerAnchor));
            }
            let keys = chain.keys_of(id).cloned().unwrap_or_default();
            // A mark whose issuer's status endpoint is unusable differs from one whose issuer has none.
            let status_endpoint = chain
                .same_origin_endpoint("federation_trust_mark_status_endpoint")
                .map_err(|_| TrustError::NotTrusted(TrustFault::MarkStatusEndpoint))?;
            Ok((Issuer { keys, status_endpoint }, chain.expires_at()))
        };
        issuers.get(id).get(&*ctx.clock, ctx.ttls.stranger, fetch).await
    }
}

fn status(reply: Result<Reply, GuardError>) -> Result<String, TrustError> {
    String::from_utf8(classify_reply(reply)?.body)
        .map_err(|_| TrustError::NotTrusted(TrustFault::MarkStatusNotText))
}
