//! Deferred answers: the register needs time, and the holder signs from when on it has the data.

use serde::{Deserialize, Serialize};

use super::receipt::digest;
use crate::domain::catalogue::Record;
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::{DatasetId, EntityId, GrantId, Jti, KeyId};
use crate::domain::jose::{Claims, JoseError, KeySource, Profile, PublicKeys, UnverifiedJws, check_times};

/// Profile of a deferral.
pub const EXCHANGE_DEFERRAL: Profile = Profile {
    typ: "exchange-deferral+jwt",
    max_bytes: 4 * 1024,
    key_source: KeySource::Kid,
    required: &[
        "iss",
        "aud",
        "iat",
        "jti",
        "grant_id",
        "dataset",
        "available_from",
        "proof_digest",
        "body_digest",
    ],
    optional: Claims::Only(&[]),
    forbidden_headers: &[],
};

/// How far ahead an answer may be deferred, in seconds.
const MAX_AHEAD_SECS: i64 = 30 * 86_400;

/// Whether an answer may be deferred to this moment: it lies ahead, at most 30 days, and within the permission. Anything
/// else would keep a recipient from ever asking again.
#[must_use]
pub(crate) fn is_acceptable(from: Timestamp, until: Day, now: Timestamp) -> bool {
    from > now && from <= now.plus_secs(MAX_AHEAD_SECS) && from < until.end()
}

/// From when on all of these records may be released, if that is later than now.
#[must_use]
pub(crate) fn available_from(records: &[Record], now: Timestamp) -> Option<Timestamp> {
    records.iter().filter_map(|record| record.marks.available_from).filter(|from| *from > now).max()
}

/// A holder's statement that it has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    /// The holder.
    pub iss: EntityId,
    /// The recipient.
    pub aud: EntityId,
    /// Seconds since 1970.
    pub iat: i64,
    /// Identifier of this statement.
    pub jti: Jti,
    /// The consent.
    pub grant_id: GrantId,
    /// The dataset.
    pub dataset: DatasetId,
    /// From when on the data is available, seconds since 1970.
    pub available_from: i64,
    /// SHA-256 of the compact DPoP proof, base64url.
    pub proof_digest: String,
    /// SHA-256 of the body, base64url.
    pub body_digest: String,
}

/// The body of a deferred answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DeferredBody {
    pub(crate) dataset: DatasetId,
    /// RFC 3339.
    pub(crate) available_from: String,
}

/// The recipient's own data about its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeferralExpectation<'a> {
    pub(crate) holder: &'a EntityId,
    pub(crate) recipient: &'a EntityId,
    pub(crate) grant_id: &'a GrantId,
    pub(crate) dataset: &'a DatasetId,
    /// Last day of the permission.
    pub(crate) until: Day,
    /// The proof as sent.
    pub(crate) proof: &'a str,
    /// The body as received.
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
}

/// Why a deferral is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeferralError {
    /// Form, signature or times.
    #[error("the deferral does not verify: {0}")]
    Signature(#[from] JoseError),
    /// It is about another exchange; the text names the part.
    #[error("the deferral is about another {0}")]
    Other(&'static str),
    /// It is in the past, more than 30 days ahead, or after the permission.
    #[error("the deferral is to a moment that cannot be waited for")]
    OutOfBounds,
}

/// The identifier of the signing key, to select the keys to verify with.
#[must_use]
pub(crate) fn claimed_key(text: &str) -> Option<KeyId> {
    UnverifiedJws::parse(text, &EXCHANGE_DEFERRAL).ok()?.kid().cloned()
}

/// Verifies a deferral with the holder's receipt keys, and returns from when on the data is available.
///
/// # Errors
/// [`DeferralError`].
pub(crate) fn check(
    text: &str,
    keys: &PublicKeys,
    expected: &DeferralExpectation<'_>,
) -> Result<Timestamp, DeferralError> {
    let deferral =
        UnverifiedJws::parse(text, &EXCHANGE_DEFERRAL)?.verify_with::<Deferral>(keys)?.into_claims();
    check_times(expected.now, Some(deferral.iat), None, None)?;
    let parts = [
        (&deferral.iss == expected.holder, "holder"),
        (&deferral.aud == expected.recipient, "recipient"),
        (&deferral.grant_id == expected.grant_id, "permission"),
        (&deferral.dataset == expected.dataset, "dataset"),
        (deferral.proof_digest == digest(expected.proof.as_bytes()), "request"),
        (deferral.body_digest == digest(expected.body), "body"),
    ];
    if let Some((_, part)) = parts.iter().find(|(fits, _)| !fits) {
        return Err(DeferralError::Other(part));
    }
    let from = Timestamp::from_secs(deferral.available_from);
    if !is_acceptable(from, expected.until, expected.now) {
        return Err(DeferralError::OutOfBounds);
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::SigningKey;

    const NOW: Timestamp = Timestamp::from_secs(1_795_445_173);
    const BODY: &[u8] = b"{}";

    fn until() -> Day {
        "2027-12-31".parse().unwrap()
    }

    #[test]
    fn an_answer_is_put_off_only_to_a_moment_that_somebody_can_wait_for() {
        let acceptable = |secs| is_acceptable(NOW.plus_secs(secs), until(), NOW);
        assert!(acceptable(1) && acceptable(30 * 86_400));
        assert!(!acceptable(0) && !acceptable(-1) && !acceptable(30 * 86_400 + 1));
        let last_day: Day = "2026-11-23".parse().unwrap();
        assert!(is_acceptable(last_day.end().plus_secs(-1), last_day, NOW));
        assert!(!is_acceptable(last_day.end(), last_day, NOW), "the permission is over then");
    }

    fn deferral() -> Deferral {
        Deferral {
            iss: EntityId::new("https://holder.example").unwrap(),
            aud: EntityId::new("https://recipient.example").unwrap(),
            iat: NOW.secs(),
            jti: Jti::new("BKivzVgLCi2LE35Zc-tWSg").unwrap(),
            grant_id: "bAHw-U7pmvm_I2yceIFaEA".parse().unwrap(),
            dataset: "placements".parse().unwrap(),
            available_from: NOW.secs() + 3600,
            proof_digest: digest(b"proof"),
            body_digest: digest(BODY),
        }
    }

    fn checked(deferral: &Deferral, by: &SigningKey, keys: &PublicKeys) -> Result<Timestamp, DeferralError> {
        let own = self::deferral();
        let expected = DeferralExpectation {
            holder: &own.iss,
            recipient: &own.aud,
            grant_id: &own.grant_id,
            dataset: &own.dataset,
            until: until(),
            proof: "proof",
            body: BODY,
            now: NOW,
        };
        check(&by.sign(EXCHANGE_DEFERRAL.typ, deferral).unwrap(), keys, &expected)
    }

    #[test]
    fn a_deferral_counts_only_for_the_request_it_answers_and_only_by_the_holders_key() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let keys = PublicKeys::from_keys(vec![key.public().clone()]).unwrap();
        assert_eq!(checked(&deferral(), &key, &keys), Ok(NOW.plus_secs(3600)));
        assert!(matches!(checked(&deferral(), &other, &keys), Err(DeferralError::Signature(_))));
        type Change = fn(&mut Deferral);
        let changed: [(Change, &str); 6] = [
            (|deferral| deferral.iss = EntityId::new("https://other.example").unwrap(), "holder"),
            (|deferral| deferral.aud = EntityId::new("https://other.example").unwrap(), "recipient"),
            (|deferral| deferral.grant_id = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(), "permission"),
            (|deferral| deferral.dataset = "decisions".parse().unwrap(), "dataset"),
            (|deferral| deferral.proof_digest = digest(b"another"), "request"),
            (|deferral| deferral.body_digest = digest(b"another"), "body"),
        ];
        for (change, part) in changed {
            let mut deferral = deferral();
            change(&mut deferral);
            assert_eq!(checked(&deferral, &key, &keys), Err(DeferralError::Other(part)));
        }
        let late = Deferral { available_from: NOW.secs() + 31 * 86_400, ..deferral() };
        assert_eq!(checked(&late, &key, &keys), Err(DeferralError::OutOfBounds));
    }
}
