//! Verification of a bundle: what it proves by itself, and what it does not.

mod decision;
mod exchanges;
mod members;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::chain::Member;
use super::documents::{KeySet, Log};
use super::finding::NOT_JUDGED;
use super::{Bundle, FORMAT, HistoryLine, Judgement, KeyLine, MAX_BYTES, SEAL_MEMBER};
use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentStatus;
use crate::domain::jose::{PublicKey, PublicKeys, parse_strict_json};
use crate::domain::log::Entry;

/// Options of the verification.
#[derive(Debug, Default)]
pub struct VerifyOptions {
    /// The moment of the requested state; when the bundle was written if absent.
    pub as_of: Option<Timestamp>,
    /// The trust anchor's keys, from a source other than the bundle.
    pub anchor_keys: Option<PublicKeys>,
    /// The login provider's key set, from a source other than the bundle.
    pub provider_keys: Option<Value>,
}

/// A bundle during verification.
struct Verification<'a> {
    bundle: &'a Bundle,
    members: &'a Map<String, Value>,
    seal: &'a str,
    question: &'a VerifyOptions,
    exported_at: Timestamp,
    recorded_at: Timestamp,
    /// Changes with their times in seconds.
    history: Vec<(i64, &'a HistoryLine)>,
    log: Log,
    book: KeySet<'a>,
}

/// The parties, as far as their chains are valid.
#[derive(Default)]
struct Members {
    holder_then: Option<Member>,
    holder: Option<Member>,
    recipient_then: Option<Member>,
    recipient: Option<Member>,
}

/// Verifies a bundle.
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

/// Every key is for one of the two purposes, and once in the list: of two lines nobody could say which counts.
fn check_keys(lines: &[KeyLine]) -> Result<(), Unfit> {
    let unfit = ("form", "a key in the file is of no known purpose, cannot be read, or is there twice");
    let (mut kids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for line in lines {
        let key = PublicKey::from_jwk(&line.key).map_err(|_| unfit)?;
        let kid = key.kid().ok_or(unfit)?.as_str().to_owned();
        let new = kids.insert((&line.purpose, kid))
            && keys.insert((&line.purpose, key.thumbprint().as_str().to_owned()));
        if !new || !matches!(line.purpose.as_str(), "receipt" | "token") {
            return Err(unfit);
        }
    }
    Ok(())
}

type Unfit = (&'static str, &'static str);

/// The bundle, the JSON without the seal, and the seal.
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
    let bundle: Bundle = serde_json::from_value(Value::Object(members.clone())).map_err(|_| unknown)?;
    // Nothing is read that would not be written so again: no `null` for what is absent, no member that is passed over.
    let again = serde_json_canonicalizer::to_string(&bundle).map_err(|_| unknown)?;
    if serde_json_canonicalizer::to_string(&members).ok().as_ref() != Some(&again) {
        return Err(unknown);
    }
    Ok((bundle, members, seal))
}

impl<'a> Verification<'a> {
    fn new(
        bundle: &'a Bundle,
        members: &'a Map<String, Value>,
        seal: &'a str,
        question: &'a VerifyOptions,
    ) -> Result<Self, Unfit> {
        let time = |text: &str| {
            let moment = text.parse::<Timestamp>().ok().filter(|moment| moment.rfc3339() == text);
            moment.ok_or(("form", "a time in the file is none"))
        };
        let (exported_at, recorded_at) = (time(&bundle.exported_at)?, time(&bundle.consent.recorded_at)?);
        let mut history = Vec::new();
        for line in &bundle.history {
            history.push((time(&line.at)?.secs(), line));
        }
        let declined = |state| state == ConsentStatus::Declined;
        if declined(bundle.consent.state) || history.iter().any(|(_, line)| declined(line.state)) {
            return Err(("form", "a request that was declined has no bundle"));
        }
        check_keys(&bundle.keys)?;
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
            exported_at,
            recorded_at,
            book: KeySet::of(bundle),
            bundle,
            members,
            seal,
            question,
            history,
            log,
        })
    }
}
