//! Verifies the decision: receipts, evidence, log entries and changes, each against the others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Members, Verification};
use crate::domain::bundle::{Judgement, documents};
use crate::domain::clock::Timestamp;
use crate::domain::consent::document::digest;
use crate::domain::consent::{Actor, ConsentDocument, ConsentReceipt, Reason, ReceiptChange};
use crate::domain::jose::id_token;
use crate::domain::log::Entry;

impl Verification<'_> {
    /// The consent's receipts, if all of them are valid.
    pub(super) fn receipts(&self, known: &Members, found: &mut Judgement) -> Vec<ConsentReceipt> {
        if self.bundle.receipts.is_empty() && !self.logs_other_changes(&[]) {
            let text =
                "what the holder signed when the resident decided: the permission is older than receipts";
            found.cannot_tell("receipts", "receipts_not_kept", text);
            return Vec::new();
        }
        match self.read_receipts(known) {
            Ok(receipts) => {
                found.pass(
                    "receipts",
                    format!("{} signed by the holder, none missing between", receipts.len()),
                );
                receipts
            }
            Err(reason) => {
                found.fail("receipts", reason, "a receipt does not hold");
                Vec::new()
            }
        }
    }

    fn read_receipts(&self, known: &Members) -> Result<Vec<ConsentReceipt>, &'static str> {
        let consent = &self.bundle.consent;
        let mut receipts: Vec<ConsentReceipt> = Vec::new();
        let mut before: Option<String> = None;
        for (version, text) in (1_u32..).zip(&self.bundle.receipts) {
            let (receipt, key) = documents::consent_receipt(text, &self.book, &self.log)?;
            let fits = receipt.iss == self.bundle.holder
                && receipt.record_id == consent.id
                && receipt.sub == consent.subject
                && receipt.grant_id.as_ref() == Some(&consent.grant_id);
            if !fits {
                return Err("receipt_other");
            }
            if receipt.version != version || receipt.previous != before {
                return Err("receipt_missing");
            }
            if let (1, Some(member)) = (version, &known.holder_then)
                && !member.receipt_keys.iter().any(|known| known.thumbprint() == key.thumbprint())
            {
                return Err("receipt_key_not_of_then");
            }
            before = Some(digest(text));
            receipts.push(receipt);
        }
        let decision = receipts.first().ok_or("receipt_missing")?;
        if self.logs_other_changes(&receipts) {
            return Err("receipt_missing");
        }
        let decided = decision.event.event_type == ReceiptChange::Given
            && decision.evidence.is_some()
            && decision.iat == self.recorded_at.secs();
        if decided { Ok(receipts) } else { Err("receipt_other") }
    }

    /// Whether the log has a change that none of these receipts names.
    fn logs_other_changes(&self, receipts: &[ConsentReceipt]) -> bool {
        let named: BTreeSet<&String> = receipts.iter().map(|receipt| &receipt.log_entry).collect();
        let mut log = self.log.iter();
        log.any(|(hash, entry)| matches!(entry, Entry::Consent { .. }) && !named.contains(hash))
    }

    /// The provider's signature on the document, and the owner of its key.
    pub(super) fn evidence(&self, receipts: &[ConsentReceipt], found: &mut Judgement) {
        let consent = &self.bundle.consent;
        let evidence = &self.bundle.evidence;
        let committed = receipts.first().and_then(|receipt| receipt.evidence.as_ref());
        let verified = match evidence.verify(&consent.commitment, committed) {
            Ok(verified) => verified,
            Err(error) => return found.fail("evidence", error.reason(), error.to_string()),
        };
        let document: &ConsentDocument = &verified.document;
        let same = document.consent == consent.id
            && document.subject == consent.subject
            && document.terms == consent.terms
            && consent.terms.holder == self.bundle.holder;
        if !same {
            let text = "what is recorded is not what the resident signed";
            return found.fail("evidence", "record_changed", text);
        }
        let signed_at = Timestamp::from_secs(verified.signed_at).rfc3339();
        let too = if evidence.passkey.is_some() { ", and by a passkey of the resident's," } else { "" };
        found.pass(
            "evidence",
            format!("signed by {} on {signed_at}{too} for exactly this text", verified.provider),
        );
        let key = id_token::thumbprint(&verified.provider_key).unwrap_or_default();
        match &self.question.provider_keys {
            Some(keys) if publishes(keys, &key) => {
                found.pass("provider_key", format!("{key} is among the provider's keys that you gave"));
            }
            Some(_) => found.fail(
                "provider_key",
                "provider_key_foreign",
                format!("{key} is not among the provider's keys that you gave"),
            ),
            None => found.cannot_tell(
                "provider_key",
                "provider_keys_not_given",
                format!(
                    "whether {key} was a key of {}: compare it with what the provider published on {signed_at}{}",
                    verified.provider,
                    if committed.is_some() { " (the holder signed then that it was)" } else { "" }
                ),
            ),
        }
    }

    /// Every receipt refers to a log entry with the same content.
    pub(super) fn log(&self, receipts: &[ConsentReceipt], found: &mut Judgement) {
        let committed = receipts.first().and_then(|receipt| receipt.evidence.as_ref());
        for receipt in receipts {
            let Some(Entry::Consent { consent, state, at, commitment, provider_key, .. }) =
                self.log.get(&receipt.log_entry)
            else {
                return found.fail(
                    "log",
                    "log_entry_missing",
                    "a receipt names a log entry that is not there",
                );
            };
            let same = *consent == receipt.record_id
                && *state == receipt.event.event_type.status()
                && *at == receipt.iat;
            let decision = receipt.version != 1
                || committed.is_some_and(|committed| {
                    commitment.as_deref() == Some(committed.commitment.as_str())
                        && provider_key.as_deref() == Some(committed.provider_key.as_str())
                });
            if !same || !decision {
                return found.fail(
                    "log",
                    "log_entry_other",
                    "a log entry says something else than its receipt",
                );
            }
        }
        let ordered = self.bundle.log.windows(2).all(|pair| match pair {
            [one, next] => one.index < next.index,
            _ => true,
        });
        // No receipt names one.
        if self
            .log
            .values()
            .any(|entry| matches!(entry, Entry::Reminder { .. } | Entry::SubjectAccess { .. }))
        {
            let text = "the log has an entry that is of no change and no exchange";
            return found.fail("log", "log_entry_other", text);
        }
        if ordered {
            found.pass("log", format!("{} entries, each as its receipt says", self.log.len()));
        } else {
            found.fail("log", "log_order", "the log entries are out of order");
        }
    }

    pub(super) fn history(&self, receipts: &[ConsentReceipt], found: &mut Judgement) -> bool {
        let told = receipts.is_empty()
            || (receipts.len() == self.history.len()
                && receipts.iter().zip(&self.history).all(|(receipt, (at, line))| {
                    receipt.event.event_type.status() == line.state
                        && receipt.iat == *at
                        && self.entity(line.actor, receipt) == receipt.event.entity_id
                        && self.reason_of(receipt) == line.reason
                }));
        let in_order = self.history.windows(2).all(|pair| match pair {
            [(one, _), (next, _)] => one <= next,
            _ => true,
        });
        let last = self.history.last().is_some_and(|(_, line)| line.state == self.bundle.consent.state);
        if told && in_order && last {
            found.pass(
                "history",
                format!("{} changes, the last: {}", self.history.len(), self.bundle.consent.state),
            );
            return true;
        }
        found.fail("history", "history_other", "the changes are not those that were signed");
        false
    }

    /// The entity of a role in a receipt. Inside a city holder and recipient are one.
    fn entity<'b>(&'b self, role: Actor, receipt: &'b ConsentReceipt) -> &'b str {
        match role {
            Actor::Resident => receipt.sub.as_str(),
            Actor::Recipient => self.bundle.consent.terms.recipient.as_str(),
            Actor::Node => receipt.iss.as_str(),
        }
    }

    /// Why a change was made, by the log; a decision needs no reason there.
    fn reason_of(&self, receipt: &ConsentReceipt) -> Option<Reason> {
        let decided = (receipt.version == 1).then_some(Reason::Decided);
        match self.log.get(&receipt.log_entry) {
            Some(Entry::Consent { reason, .. }) => reason.or(decided),
            _ => None,
        }
    }
}

fn publishes(jwks: &Value, thumbprint: &str) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().any(|key| id_token::thumbprint(key).is_ok_and(|known| known == thumbprint))
}
