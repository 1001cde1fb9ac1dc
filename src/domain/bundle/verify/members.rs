//! Verifies the members by their trust chains, and the seal.

use super::{Members, Verification};
use crate::domain::bundle::chain::{self, Member};
use crate::domain::bundle::{Judgement, SEAL, Seal, digest};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKey, UnverifiedJws, Verified};

impl Verification<'_> {
    pub(super) fn members(&self, found: &mut Judgement) -> Members {
        let evidence = self.bundle.evidence.chains.clone().unwrap_or_default();
        let chains = &self.bundle.chains;
        let (holder, recipient) = (&self.bundle.holder, &self.bundle.consent.terms.recipient);
        let (then, now) = (self.recorded_at, self.exported_at);
        let members = Members {
            holder_then: self.member("holder_then", &evidence.holder, holder, then, found),
            recipient_then: self.member("recipient_then", &evidence.recipient, recipient, then, found),
            holder: self.member("holder", &chains.holder, holder, now, found),
            recipient: self.member("recipient", &chains.recipient, recipient, now, found),
        };
        let all = [&members.holder_then, &members.recipient_then, &members.holder, &members.recipient];
        let any = all.into_iter().flatten().next();
        match (any, &self.question.anchor_keys) {
            (Some(member), Some(_)) => {
                found.pass("anchor", format!("{}, with the keys that you gave", member.anchor));
            }
            (Some(member), None) => {
                let keys: Vec<&str> =
                    member.anchor_keys.iter().map(|key| key.thumbprint().as_str()).collect();
                found.cannot_tell(
                    "anchor",
                    "anchor_keys_not_given",
                    format!(
                        "whether {} is the federation's trust anchor: compare its keys ({}) with the ones you know",
                        member.anchor,
                        keys.join(", ")
                    ),
                );
            }
            (None, _) => {
                found.cannot_tell("anchor", "no_chain", "who vouches for the members: no chain holds")
            }
        }
        members
    }

    fn member(
        &self,
        subject: &'static str,
        statements: &[String],
        expected: &EntityId,
        at: Timestamp,
        found: &mut Judgement,
    ) -> Option<Member> {
        if statements.is_empty() {
            let text = format!("whether {expected} was a member on {}: no chain was kept", at.rfc3339());
            found.cannot_tell(subject, "chain_not_kept", text);
            return None;
        }
        match chain::verify(statements, expected, at, self.question.anchor_keys.as_ref()) {
            Ok(member) => {
                let text = format!("{expected} was a member under {} on {}", member.anchor, at.rfc3339());
                found.pass(subject, text);
                Some(member)
            }
            Err(error) => {
                found.fail(
                    subject,
                    "chain_broken",
                    format!("the chain of {expected} does not hold: {error}"),
                );
                None
            }
        }
    }

    /// The holder's signature over the whole file.
    pub(super) fn seal(&self, known: &Members, found: &mut Judgement) {
        let Ok(jws) = UnverifiedJws::parse(self.seal, &SEAL) else {
            return found.fail("seal", "seal_form", "the seal is malformed");
        };
        // Who has an old key must not be able to seal with it: the decision's chain counts where today's was not kept.
        let member = if self.bundle.chains.holder.is_empty() { &known.holder_then } else { &known.holder };
        let vouched: Vec<&PublicKey> = member.iter().flat_map(|member| member.receipt_keys.iter()).collect();
        let own = self.book.all();
        let named = |keys: &[&PublicKey]| {
            keys.iter().find(|key| key.kid().is_some() && key.kid() == jws.kid()).map(|key| (*key).clone())
        };
        let is_vouched = named(&vouched).is_some();
        let Some(key) = named(&vouched).or_else(|| named(&own)) else {
            return found.fail("seal", "seal_key_unknown", "the seal was made with an unknown key");
        };
        let Ok(seal) = jws.verify::<Seal>(&key).map(Verified::into_claims) else {
            return found.fail("seal", "seal_signature", "the seal's signature does not verify");
        };
        if digest(self.members).ok().as_ref() != Some(&seal.digest) {
            return found.fail("seal", "changed_after_sealing", "the file was changed after it was sealed");
        }
        if seal.iss != self.bundle.holder || seal.iat != self.exported_at.secs() {
            return found.fail("seal", "seal_other", "the seal is of another file");
        }
        if let Err(reason) = self.book.uphold(&key, seal.iat) {
            return found.fail("seal", reason, "the seal's key was given up before");
        }
        if is_vouched {
            found.pass("seal", "not a byte was changed since the holder sealed it");
        } else {
            let text = "whose seal it is: it fits a key in the file that no chain vouches for";
            found.cannot_tell("seal", "seal_key_not_vouched_for", text);
        }
    }
}
