//! The judgement: what a bundle proves by itself, and what it does not.

use serde_json::{Map, Value};

use super::chain::{self, Member};
use super::finding::NOT_JUDGED;
use super::{Bundle, FORMAT, HistoryLine, Judgement, MAX_BYTES, SEAL, SEAL_MEMBER, Seal, digest};
use crate::domain::bundle::documents;
use crate::domain::bundle::documents::{KeySet, Log, made_at};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{ConsentDocument, ConsentReceipt, ConsentStatus, ReceiptChange};
use crate::domain::exchange::Receipt;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKey, PublicKeys, UnverifiedJws, id_token, parse_strict_json};
use crate::domain::log::Entry;
use crate::domain::token::consent_token::StatusReference;
use crate::domain::token::status_list::{self, TokenStatus};

/// How long after a change a list may still say what was before, in seconds.
const STATUS_DELAY_SECS: i64 = 5;

/// What is asked of a bundle.
#[derive(Debug, Default)]
pub struct VerifyOptions {
    /// At which moment the consent is looked at; when the bundle was written where absent.
    pub as_of: Option<Timestamp>,
    /// The trust anchor's keys, from elsewhere than the bundle.
    pub anchor_keys: Option<PublicKeys>,
    /// The login provider's key set, from elsewhere than the bundle.
    pub provider_keys: Option<Value>,
}

/// A bundle on its way through the checks.
struct Verification<'a> {
    bundle: &'a Bundle,
    members: &'a Map<String, Value>,
    seal: &'a str,
    question: &'a VerifyOptions,
    exported_at: Timestamp,
    decided_at: Timestamp,
    /// Changes with their seconds.
    history: Vec<(i64, &'a HistoryLine)>,
    log: Log,
    book: KeySet<'a>,
}

/// Who the parties are, as far as their chains hold.
#[derive(Default)]
struct Members {
    holder_then: Option<Member>,
    holder: Option<Member>,
    recipient_then: Option<Member>,
    recipient: Option<Member>,
}

/// Judges a bundle.
#[must_use]
pub fn verify_bundle(text: &str, question: &VerifyOptions) -> Judgement {
    let mut found = Judgement::default();
    let (bundle, members, seal) = match open(text) {
        Ok(opened) => opened,
        Err((reason, text)) => {
            found.fail("file", reason, text);
            return found;
        }
    };
    let case = match Verification::new(&bundle, &members, &seal, question) {
        Ok(case) => case,
        Err((reason, text)) => {
            found.fail("file", reason, text);
            return found;
        }
    };
    found.not_judged = NOT_JUDGED;
    found.pass("file", format!("written {} by {}", bundle.exported_at, bundle.holder));
    let known = case.members(&mut found);
    case.seal(&known, &mut found);
    let receipts = case.receipts(&known, &mut found);
    case.evidence(&receipts, &mut found);
    case.log(&receipts, &mut found);
    let sound_history = case.history(&receipts, &mut found);
    case.exchanges(&known, &mut found);
    case.status(&known, &mut found);
    if sound_history && !found.has_failed() {
        let at = question.as_of.unwrap_or(case.exported_at);
        found.state_as_of = Some(case.state_at(at));
        found.as_of = Some(at.rfc3339());
    }
    found
}

type Unfit = (&'static str, &'static str);

/// The bundle, its members without the seal, and the seal.
fn open(text: &str) -> Result<(Bundle, Map<String, Value>, String), Unfit> {
    if text.len() > MAX_BYTES {
        return Err(("too_large", "the file is too large"));
    }
    let value = parse_strict_json(text.as_bytes()).map_err(|_| ("not_json", "the file is not JSON"))?;
    if serde_json_canonicalizer::to_string(&value).ok().as_deref() != Some(text) {
        return Err(("not_canonical", "the file is not in its canonical form: it was changed or cut off"));
    }
    let unknown = ("form", "the file is no consent bundle of a known form");
    let Value::Object(mut members) = value else { return Err(unknown) };
    if members.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(unknown);
    }
    let Some(Value::String(seal)) = members.remove(SEAL_MEMBER) else { return Err(unknown) };
    let bundle = serde_json::from_value(Value::Object(members.clone())).map_err(|_| unknown)?;
    Ok((bundle, members, seal))
}

impl<'a> Verification<'a> {
    fn new(
        bundle: &'a Bundle,
        members: &'a Map<String, Value>,
        seal: &'a str,
        question: &'a VerifyOptions,
    ) -> Result<Self, Unfit> {
        let time = |text: &str| text.parse::<Timestamp>().map_err(|_| ("form", "a time in the file is none"));
        let mut history = Vec::new();
        for line in &bundle.history {
            history.push((time(&line.at)?.secs(), line));
        }
        let mut log = Log::new();
        for line in &bundle.log {
            let unfit = ("log_entry_form", "a log entry is not in its canonical form");
            let entry: Entry = serde_json::from_str(&line.entry).map_err(|_| unfit)?;
            let leaf = entry.leaf().map_err(|_| unfit)?;
            if leaf.entry != line.entry {
                return Err(unfit);
            }
            log.insert(leaf.hash, entry);
        }
        Ok(Self {
            exported_at: time(&bundle.exported_at)?,
            decided_at: time(&bundle.consent.decided_at)?,
            book: KeySet::of(bundle),
            bundle,
            members,
            seal,
            question,
            history,
            log,
        })
    }

    fn members(&self, found: &mut Judgement) -> Members {
        let evidence = self.bundle.evidence.chains.clone().unwrap_or_default();
        let chains = &self.bundle.chains;
        let (holder, recipient) = (&self.bundle.holder, &self.bundle.consent.terms.recipient);
        let (then, now) = (self.decided_at, self.exported_at);
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
    fn seal(&self, known: &Members, found: &mut Judgement) {
        let Ok(jws) = UnverifiedJws::parse(self.seal, &SEAL) else {
            return found.fail("seal", "seal_form", "the seal is malformed");
        };
        let vouched = [&known.holder, &known.holder_then].into_iter().flatten();
        let vouched: Vec<&PublicKey> = vouched.flat_map(|member| member.receipt_keys.iter()).collect();
        let own = self.book.all();
        let named = |keys: &[&PublicKey]| {
            keys.iter().find(|key| key.kid().is_some() && key.kid() == jws.kid()).map(|key| (*key).clone())
        };
        let is_vouched = named(&vouched).is_some();
        let Some(key) = named(&vouched).or_else(|| named(&own)) else {
            return found.fail("seal", "seal_key_unknown", "the seal was made with an unknown key");
        };
        let Ok(seal) = jws.verify::<Seal>(&key).map(crate::domain::jose::Verified::into_claims) else {
            return found.fail("seal", "seal_signature", "the seal's signature does not verify");
        };
        if digest(self.members).ok().as_ref() != Some(&seal.digest) {
            return found.fail("seal", "changed_after_sealing", "the file was changed after it was sealed");
        }
        if seal.iss != self.bundle.holder || seal.iat != self.exported_at.secs() {
            return found.fail("seal", "seal_other", "the seal is of another file");
        }
        if is_vouched {
            found.pass("seal", "not a byte was changed since the holder sealed it");
        } else {
            let text = "whose seal it is: it fits a key in the file that no chain vouches for";
            found.cannot_tell("seal", "seal_key_not_vouched_for", text);
        }
    }

    /// The consent's receipts, when all of them hold.
    fn receipts(&self, known: &Members, found: &mut Judgement) -> Vec<ConsentReceipt> {
        if self.bundle.receipts.is_empty() {
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
            before = Some(crate::domain::consent::document::digest(text));
            receipts.push(receipt);
        }
        let decision = receipts.first().ok_or("receipt_missing")?;
        let decided = decision.event.event_type == ReceiptChange::Given
            && decision.evidence.is_some()
            && decision.iat == self.decided_at.secs();
        if decided { Ok(receipts) } else { Err("receipt_other") }
    }

    /// The provider's signature on what the resident saw, and whose key it was.
    fn evidence(&self, receipts: &[ConsentReceipt], found: &mut Judgement) {
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

    /// Every receipt names an entry of the log that says the same.
    fn log(&self, receipts: &[ConsentReceipt], found: &mut Judgement) {
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
        if ordered {
            found.pass("log", format!("{} entries, each as its receipt says", self.log.len()));
        } else {
            found.fail("log", "log_order", "the log entries are out of order");
        }
    }

    fn history(&self, receipts: &[ConsentReceipt], found: &mut Judgement) -> bool {
        let told = receipts.is_empty()
            || (receipts.len() == self.history.len()
                && receipts.iter().zip(&self.history).all(|(receipt, (at, line))| {
                    receipt.event.event_type.status() == line.state && receipt.iat == *at
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

    /// What was released was released under this consent.
    fn exchanges(&self, known: &Members, found: &mut Judgement) {
        let count = self.bundle.exchanges.len();
        if usize::try_from(self.bundle.consent.exchanges).ok() != Some(count) {
            return found.fail("exchanges", "exchange_missing", "an exchange is missing from the file");
        }
        let mut unconfirmed = 0_usize;
        let members = [&known.recipient, &known.recipient_then].into_iter().flatten();
        let keys: Vec<&PublicKeys> = members.map(|member| &member.acknowledging_keys).collect();
        for papers in &self.bundle.exchanges {
            let checked = documents::exchange_receipt(&papers.receipt, &self.book, &self.log)
                .and_then(|receipt| self.is_covered(&receipt).map(|()| receipt));
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

    fn is_covered(&self, receipt: &Receipt) -> Result<(), &'static str> {
        let consent = &self.bundle.consent;
        let terms = &consent.terms;
        let same = receipt.iss == self.bundle.holder
            && receipt.aud == terms.recipient
            && receipt.grant_id == consent.grant_id
            && receipt.dataset == terms.dataset;
        if !same {
            return Err("exchange_other");
        }
        if !receipt.fields.iter().all(|field| terms.fields.contains(field)) {
            return Err("exchange_beyond_fields");
        }
        let in_force =
            self.was_in_force(receipt.iat) && Timestamp::from_secs(receipt.iat) < terms.until.end();
        if !in_force {
            return Err("exchange_out_of_time");
        }
        match self.log.get(&receipt.log_entry) {
            Some(entry @ Entry::Exchange { consent: logged, proof_digest, body_digest, .. })
                if *logged == consent.id
                    && *proof_digest == receipt.proof_digest
                    && *body_digest == receipt.body_digest
                    && made_at(entry) == receipt.iat =>
            {
                Ok(())
            }
            Some(_) => Err("log_entry_other"),
            None => Err("log_entry_missing"),
        }
    }

    /// Whether the consent was in force at some moment of that second.
    fn was_in_force(&self, secs: i64) -> bool {
        let before = self.history.iter().rev().find(|(at, _)| *at < secs);
        let within = self.history.iter().filter(|(at, _)| *at == secs);
        before.into_iter().chain(within).any(|(_, line)| line.state == ConsentStatus::Active)
    }

    /// What the published list said when the bundle was written.
    fn status(&self, known: &Members, found: &mut Judgement) {
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
            Err(error) => found.fail("status_list", error.reason(), error.to_string()),
        }
    }

    /// Whether a list that was signed at its moment, or up to five seconds after a change, could say so. None where it may
    /// be older than the first change: such a list says nothing about this consent.
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
                _ => TokenStatus::Invalid,
            };
            status == expected
        });
        (fits || before.is_some()).then_some(fits)
    }

    fn state_at(&self, at: Timestamp) -> String {
        let before = self.history.iter().rev().find(|(secs, _)| *secs <= at.secs());
        let Some((_, line)) = before else { return "not_given".to_owned() };
        let over = self.bundle.consent.terms.until.end() <= at;
        // The last day passes by itself, whether or not a change was written down yet.
        let passed = over && matches!(line.state, ConsentStatus::Active | ConsentStatus::Suspended);
        if passed { ConsentStatus::Expired.to_string() } else { line.state.to_string() }
    }
}

fn publishes(jwks: &Value, thumbprint: &str) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().any(|key| id_token::thumbprint(key).is_ok_and(|known| known == thumbprint))
}
