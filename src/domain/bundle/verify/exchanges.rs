//! Verifies the exchanges, the status list, and the state as of a moment.

use std::collections::BTreeSet;

use super::{Members, Verification};
use crate::domain::bundle::{Judgement, documents};
use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentStatus;
use crate::domain::exchange::Receipt;
use crate::domain::ids::Jti;
use crate::domain::jose::{PublicKeys, UnverifiedJws};
use crate::domain::log::Entry;
use crate::domain::token::status_list::{self, StatusError, StatusReference, TokenStatus};

/// How long after a change a list may still have the previous status, in seconds.
const STATUS_DELAY_SECS: i64 = 5;

/// The exchanges that were looked at.
#[derive(Default)]
struct Made {
    receipts: BTreeSet<Jti>,
    /// Their entries in the log, by leaf hash.
    entries: BTreeSet<String>,
    moments: Vec<i64>,
}

impl Verification<'_> {
    /// Every exchange was under this consent.
    pub(super) fn exchanges(&self, known: &Members, found: &mut Judgement) {
        let count = self.bundle.exchanges.len();
        if usize::try_from(self.bundle.consent.exchanges).ok() != Some(count) {
            return found.fail("exchanges", "exchange_missing", "an exchange is missing from the file");
        }
        let mut unconfirmed = 0_usize;
        let mut made = Made::default();
        let members = [&known.recipient, &known.recipient_then].into_iter().flatten();
        let keys: Vec<&PublicKeys> = members.map(|member| &member.acknowledging_keys).collect();
        for papers in &self.bundle.exchanges {
            let checked = documents::exchange_receipt(&papers.receipt, &self.book, &self.log)
                .and_then(|receipt| self.is_covered(&receipt, &mut made).map(|()| receipt));
            let receipt = match checked {
                Ok(receipt) => receipt,
                Err(reason) => {
                    return found.fail("exchanges", reason, "the receipt of an exchange does not hold");
                }
            };
            match documents::acknowledgement(papers, &receipt, &keys) {
                Ok(()) => {}
                Err(None) => unconfirmed = unconfirmed.saturating_add(1),
                Err(Some(reason)) => {
                    return found.fail(
                        "exchanges",
                        reason,
                        "the recipient's signature on an exchange does not hold",
                    );
                }
            }
        }
        let mut log = self.log.iter();
        if log.any(|(hash, entry)| matches!(entry, Entry::Exchange { .. }) && !made.entries.contains(hash)) {
            let text = "the log has an exchange that is not in the file";
            return found.fail("exchanges", "exchange_missing", text);
        }
        if self.is_too_often(made.moments) {
            return found.fail(
                "exchanges",
                "exchange_too_often",
                "more exchanges than the permission allows",
            );
        }
        found.pass("exchanges", format!("{count} made, each within the permission"));
        if unconfirmed > 0 {
            found.cannot_tell(
                "acknowledgements",
                "not_acknowledged",
                format!("whether the recipient got what {unconfirmed} of {count} exchanges released"),
            );
        } else {
            found.pass("acknowledgements", format!("{count} signed by the recipient"));
        }
    }

    /// Whether more exchanges were made than the terms allow, in all or in some stretch of time.
    fn is_too_often(&self, mut moments: Vec<i64>) -> bool {
        let terms = &self.bundle.consent.terms;
        let Ok(most) = usize::try_from(terms.max_exchanges) else { return false };
        let Some(per) = &terms.per else { return moments.len() > most };
        moments.sort_unstable();
        let later = moments.iter().skip(most);
        moments.iter().zip(later).any(|(first, last)| last.saturating_sub(*first) < per.secs())
    }

    /// Whether an exchange is within the permission, and none of those before it.
    fn is_covered(&self, receipt: &Receipt, made: &mut Made) -> Result<(), &'static str> {
        let consent = &self.bundle.consent;
        let terms = &consent.terms;
        let same = receipt.iss == self.bundle.holder
            && receipt.aud == terms.recipient
            && receipt.grant_id == consent.grant_id
            && receipt.dataset == terms.dataset;
        if !same {
            return Err("exchange_other");
        }
        let new = made.receipts.insert(receipt.jti.clone()) && made.entries.insert(receipt.log_entry.clone());
        if !new {
            return Err("exchange_twice");
        }
        made.moments.push(receipt.iat);
        if !receipt.fields.iter().all(|field| terms.fields.contains(field)) {
            return Err("exchange_beyond_fields");
        }
        let covered = terms
            .persons
            .as_ref()
            .is_none_or(|persons| persons.covers_all(&receipt.persons, receipt.records));
        if !covered {
            return Err("exchange_beyond_persons");
        }
        let in_force =
            self.was_in_force(receipt.iat) && Timestamp::from_secs(receipt.iat) < terms.until.end();
        if !in_force {
            return Err("exchange_out_of_time");
        }
        match self.log.get(&receipt.log_entry) {
            Some(Entry::Exchange {
                consent: logged,
                recipient,
                dataset,
                fields,
                persons,
                proof_digest,
                body_digest,
                at,
            }) if *logged == consent.id
                && *recipient == receipt.aud
                && *dataset == receipt.dataset
                && *fields == receipt.fields
                && *persons == receipt.persons
                && *proof_digest == receipt.proof_digest
                && *body_digest == receipt.body_digest
                && *at == receipt.iat =>
            {
                Ok(())
            }
            Some(_) => Err("log_entry_other"),
            None => Err("log_entry_missing"),
        }
    }

    /// Whether the consent was in force at any time within that second.
    fn was_in_force(&self, secs: i64) -> bool {
        let before = self.history.iter().rev().find(|(at, _)| *at < secs);
        let within = self.history.iter().filter(|(at, _)| *at == secs);
        before.into_iter().chain(within).any(|(_, line)| line.state == ConsentStatus::Active)
    }

    /// The status in the published list when the bundle was written.
    pub(super) fn status(&self, known: &Members, found: &mut Judgement) {
        let Some(holder) = &known.holder else {
            let text = "what the status list said: its signer's chain is not there";
            return found.cannot_tell("status_list", "chain_not_kept", text);
        };
        let consent = &self.bundle.consent;
        let reference = StatusReference { idx: consent.status_index, uri: consent.status_list.clone() };
        let said = status_list::verify(
            &self.bundle.status_list,
            &holder.token_keys,
            &self.bundle.holder,
            &reference,
            self.exported_at,
        );
        match said {
            Ok(status) => match self.could_be_listed(status) {
                Some(true) => found.pass("status_list", "said the same as the changes"),
                Some(false) => {
                    found.fail("status_list", "status_other", "the status list says something else");
                }
                None => {
                    let text = "what the status list said: it was signed before the permission stood in it";
                    found.cannot_tell("status_list", "status_list_older", text);
                }
            },
            Err(error) => {
                let reason = match error {
                    StatusError::Signature(_) => "status_list_signature",
                    other => other.reason(),
                };
                found.fail("status_list", reason, error.to_string());
            }
        }
    }

    /// Whether a list that was signed at its moment, or up to five seconds after a change, can have this status. `None`
    /// if it may be older than the first change: then it says nothing about this consent.
    fn could_be_listed(&self, status: TokenStatus) -> Option<bool> {
        let signed = UnverifiedJws::parse(&self.bundle.status_list, &status_list::STATUS_LIST)
            .and_then(|jws| jws.claimed::<status_list::StatusListClaims>());
        let Ok(signed) = signed else { return Some(false) };
        let from = signed.iat.saturating_sub(STATUS_DELAY_SECS);
        let before = self.history.iter().rev().find(|(at, _)| *at < from);
        let within = self.history.iter().filter(|(at, _)| (from..=signed.iat).contains(at));
        let fits = before.into_iter().chain(within).any(|(_, line)| {
            let expected = match line.state {
                ConsentStatus::Active => TokenStatus::Valid,
                ConsentStatus::Suspended => TokenStatus::Suspended,
                ConsentStatus::Revoked
                | ConsentStatus::Returned
                | ConsentStatus::Withdrawn
                | ConsentStatus::Expired
                | ConsentStatus::Exhausted
                | ConsentStatus::Replaced
                | ConsentStatus::Declined => TokenStatus::Invalid,
            };
            status == expected
        });
        (fits || before.is_some()).then_some(fits)
    }

    pub(super) fn state_at(&self, at: Timestamp) -> String {
        let before = self.history.iter().rev().find(|(secs, _)| *secs <= at.secs());
        let Some((_, line)) = before else { return "not_given".to_owned() };
        let over = self.bundle.consent.terms.until.end() <= at;
        // The last day ends the consent, whether or not the change was recorded yet.
        let passed = over && matches!(line.state, ConsentStatus::Active | ConsentStatus::Suspended);
        if passed { ConsentStatus::Expired.to_string() } else { line.state.to_string() }
    }
}
