//! The trust marks that a member shows, judged: by an issuer that the anchor allows, of now, and not taken back.

use futures_util::future::join_all;
use url::Url;

use super::anchor::classify_reply;
use crate::domain::federation::{
    HeldMark, MarkRules, MarkStatus, MarkStatusResponse, Role, TrustError, TrustMark, TrustMarkEntry,
    VerifiedChain,
};
use crate::domain::jose::PublicKeys;
use crate::http::guard::{Expected, GuardError, Reply};
use crate::outbound::federation::directory::Inner;
use crate::outbound::federation::superior::Budget;

/// An issuer's word about a mark.
const STATUS: Expected =
    Expected { content_types: &["application/trust-mark-status-response+jwt"], max_bytes: 32 * 1024 };

/// Most marks of one member that are looked at: one for each role, and some to spare.
const MAX_MARKS: usize = 8;

/// Who gives marks, as far as it must be known to judge them.
pub(crate) struct Issuer {
    pub(crate) keys: PublicKeys,
    /// Where it tells whether a mark of its own still holds.
    pub(crate) status_endpoint: Option<Url>,
}

impl Inner {
    /// The marks of a chain's subject that give it roles now. One that does not hold is left out; when it cannot be told
    /// whether one holds, nothing can.
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
                Err(TrustError::NotTrusted(reason)) => {
                    tracing::info!(member = %chain.subject(), reason, "a trust mark does not hold");
                }
                Err(error @ TrustError::Unavailable(_)) => return Err(error),
            }
        }
        Ok(held)
    }

    /// Judges one mark.
    pub(crate) async fn mark(
        &self,
        entry: &TrustMarkEntry,
        chain: &VerifiedChain,
        rules: &MarkRules,
        budget: &Budget,
    ) -> Result<HeldMark, TrustError> {
        let claimed = TrustMark::claimed(&entry.trust_mark)?;
        if claimed.trust_mark_type != entry.trust_mark_type {
            return Err(TrustError::NotTrusted("a trust mark is shown under another type"));
        }
        // Before anyone is asked anything because of it.
        if !rules.allows(&claimed.trust_mark_type, &claimed.iss) {
            return Err(TrustError::NotTrusted("a trust mark is not by an issuer that the anchor allows"));
        }
        let issuer = self.issuer(&claimed.iss, chain.anchor(), budget).await?;
        let now = self.around.clock.now();
        let held = rules.verify(&entry.trust_mark, chain.subject(), &issuer.keys, now)?;
        if let Some(endpoint) = &issuer.status_endpoint {
            budget.spend()?;
            let form = [("trust_mark", held.text())];
            let answer = status(self.around.guard.post_form(endpoint, &form, &[], STATUS).await)?;
            match MarkStatusResponse::verify(&answer, &held, &issuer.keys, self.around.clock.now())? {
                MarkStatus::Active => {}
                MarkStatus::Revoked => return Err(TrustError::NotTrusted("a trust mark was revoked")),
                _ => return Err(TrustError::NotTrusted("a trust mark does not hold, says its issuer")),
            }
        }
        Ok(held)
    }
}

fn status(reply: Result<Reply, GuardError>) -> Result<String, TrustError> {
    String::from_utf8(classify_reply(reply)?.body)
        .map_err(|_| TrustError::NotTrusted("a trust mark's status is not text"))
}
