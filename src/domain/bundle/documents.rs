//! The signed documents of a bundle, each with its key and the key's later revocation.

use std::collections::BTreeMap;

use super::{Bundle, ExchangePapers, KeyLine};
use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentReceipt;
use crate::domain::consent::receipt::CONSENT_RECEIPT;
use crate::domain::exchange::receipt::{EXCHANGE_RECEIPT, digest};
use crate::domain::exchange::{Event, Receipt};
use crate::domain::jose::{JoseError, KeyStanding, PublicKey, PublicKeys, RevokeReason, UnverifiedJws};
use crate::domain::log::Entry;

/// The holder's receipt keys, current and former, from the sealed bundle.
pub(super) struct KeySet<'a>(Vec<(PublicKey, &'a KeyLine)>);

impl<'a> KeySet<'a> {
    pub(super) fn of(bundle: &'a Bundle) -> Self {
        let receipts = bundle.keys.iter().filter(|line| line.purpose == "receipt");
        Self(receipts.filter_map(|line| Some((PublicKey::from_jwk(&line.key).ok()?, line))).collect())
    }

    pub(super) fn all(&self) -> Vec<&PublicKey> {
        self.0.iter().map(|(key, _)| key).collect()
    }

    fn find(&self, jws: &UnverifiedJws) -> Option<&(PublicKey, &'a KeyLine)> {
        self.0.iter().find(|(key, _)| key.kid().is_some() && key.kid() == jws.kid())
    }

    /// Whether a signature of that moment, which no log has, counts with what the file says about its key.
    pub(super) fn uphold(&self, key: &PublicKey, issued: i64) -> Result<(), &'static str> {
        let mut same = self.0.iter().filter(|(known, _)| known.thumbprint() == key.thumbprint());
        same.try_for_each(|(_, line)| stands(line, issued, None))
    }
}

/// The log entries of a bundle by leaf hash.
pub(super) type Log = BTreeMap<String, Entry>;

/// When an entry was made, seconds since 1970.
const fn made_at(entry: &Entry) -> i64 {
    match entry {
        Entry::Consent { at, .. }
        | Entry::Exchange { at, .. }
        | Entry::Reminder { at, .. }
        | Entry::SubjectAccess { at, .. }
        | Entry::UseHiding { at, .. } => *at,
    }
}

/// Whether a signature counts although its key was revoked: it does if it was recorded before.
fn stands(line: &KeyLine, issued: i64, recorded: Option<i64>) -> Result<(), &'static str> {
    let standing = match &line.revoked {
        None => KeyStanding::Sound,
        Some(revoked) => {
            let moment = Timestamp::from_secs(revoked.at);
            match revoked.reason {
                RevokeReason::Superseded => KeyStanding::Superseded { at: moment },
                RevokeReason::Compromised => KeyStanding::Compromised { since: moment },
            }
        }
    };
    let recorded = recorded.map(Timestamp::from_secs);
    standing.upholds(Timestamp::from_secs(issued), recorded).map_err(|given_up| given_up.reason())
}

/// A consent receipt that the holder signed.
pub(super) fn consent_receipt(
    text: &str,
    book: &KeySet<'_>,
    log: &Log,
) -> Result<(ConsentReceipt, PublicKey), &'static str> {
    let jws = UnverifiedJws::parse(text, &CONSENT_RECEIPT).map_err(|_| "receipt_form")?;
    let (key, line) = book.find(&jws).ok_or("receipt_key_unknown")?;
    let receipt = ConsentReceipt::verify(text, &PublicKeys::single(key.clone()))
        .map_err(|error| unfit(error, "receipt_form", "receipt_signature"))?;
    let recorded = log.get(&receipt.log_entry).map(made_at);
    stands(line, receipt.iat, recorded)?;
    Ok((receipt, key.clone()))
}

/// An exchange receipt that the holder signed.
pub(super) fn exchange_receipt(text: &str, book: &KeySet<'_>, log: &Log) -> Result<Receipt, &'static str> {
    let jws = UnverifiedJws::parse(text, &EXCHANGE_RECEIPT).map_err(|_| "exchange_receipt_form")?;
    let (key, line) = book.find(&jws).ok_or("exchange_receipt_key_unknown")?;
    let receipt: Receipt = jws
        .verify(key)
        .map_err(|error| unfit(error, "exchange_receipt_form", "exchange_receipt_signature"))?
        .into_claims();
    let recorded = log.get(&receipt.log_entry).map(made_at);
    stands(line, receipt.iat, recorded)?;
    Ok(receipt)
}

/// The word for claims that are not of their form, and the one for everything before them.
fn unfit(error: JoseError, form: &'static str, signature: &'static str) -> &'static str {
    if error == JoseError::MalformedClaims { form } else { signature }
}

/// The recipient's signature on an exchange: valid, or undecided without its key.
pub(super) fn acknowledgement(
    papers: &ExchangePapers,
    receipt: &Receipt,
    keys: &[&PublicKeys],
) -> Result<(), Option<&'static str>> {
    let broken = Some("acknowledgement_form");
    let text = papers.acknowledgement.as_deref().ok_or(None)?;
    let (sender, jws) = Event::open(text).map_err(|_| broken)?;
    if sender != receipt.aud {
        return Err(Some("acknowledgement_other"));
    }
    let kid = jws.kid().cloned().ok_or(broken)?;
    let keys = keys.iter().find(|keys| keys.find(&kid).is_some()).ok_or(None)?;
    let signed = jws.claimed::<serde_json::Value>().ok();
    let iat = signed.and_then(|claims| claims.get("iat")?.as_i64()).ok_or(broken)?;
    // Verified as of the moment that it states: its age does not matter.
    let at = Timestamp::from_secs(iat);
    let (_, event) = Event::verify(jws, keys, &receipt.iss, at)
        .map_err(|error| Some(unfit(error, "acknowledgement_other", "acknowledgement_signature")))?;
    let Event::ExchangeAcknowledged(said) = event else { return Err(Some("acknowledgement_other")) };
    let same = said.exchange == receipt.jti
        && said.grant_id == receipt.grant_id
        && said.body_digest == receipt.body_digest
        && said.receipt_digest == digest(papers.receipt.as_bytes());
    if same { Ok(()) } else { Err(Some("acknowledgement_other")) }
}
