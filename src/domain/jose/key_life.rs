//! Validity of signatures by a revoked key: one rule for a node that decides now and for verifiers years later.

use crate::domain::clock::Timestamp;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// Why a key was revoked (OpenID Federation 1.0 §8.7.3).
    pub enum RevokeReason {
        /// Key compromise.
        Compromised = "compromised",
        /// Superseded by another key.
        Superseded = "superseded",
    }
}

/// How far a key's signatures are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// Fully: pending, active or retired.
    Sound,
    /// Revoked without compromise at this moment; earlier signatures are valid.
    Superseded {
        /// When.
        at: Timestamp,
    },
    /// Compromised: somebody else may have signed with it from this moment on.
    Compromised {
        /// The moment.
        since: Timestamp,
    },
}

/// Why a valid signature does not count: its key was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyGivenUp {
    /// The message states a time after the revocation, and nobody recorded it.
    #[error("the key was given up before the message was signed")]
    Superseded,
    /// Nobody recorded the message before the key was compromised. The time in the message is no evidence: whoever has
    /// the key can write any.
    #[error("the key was compromised, and the message is not known from before")]
    Compromised,
}

impl KeyGivenUp {
    /// A stable code for refusal records and reports.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Superseded => "key_revoked",
            Self::Compromised => "key_compromised",
        }
    }
}

impl KeyStanding {
    /// Whether a message with a valid signature by this key counts.
    ///
    /// `issued_at` is the time in the message. `recorded_at` is when a party other than the message's bearer recorded
    /// this very message (the issuer's own table, a log), if any did.
    ///
    /// # Errors
    /// [`KeyGivenUp`] with the reason.
    pub(crate) fn upholds(
        self,
        issued_at: Timestamp,
        recorded_at: Option<Timestamp>,
    ) -> Result<(), KeyGivenUp> {
        match self {
            Self::Sound => Ok(()),
            // Another process may have signed just before it noticed; what it issued, it recorded.
            Self::Superseded { at } if issued_at <= at || recorded_at.is_some() => Ok(()),
            Self::Superseded { .. } => Err(KeyGivenUp::Superseded),
            // Records have whole seconds: one of the very second of the compromise may be later than it.
            Self::Compromised { since }
                if recorded_at.is_some_and(|recorded| recorded.secs() < since.secs()) =>
            {
                Ok(())
            }
            Self::Compromised { .. } => Err(KeyGivenUp::Compromised),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn what_a_key_signed_is_judged_by_its_standing() {
        let sound = KeyStanding::Sound;
        let superseded = KeyStanding::Superseded { at: at(100) };
        let compromised = KeyStanding::Compromised { since: at(100) };
        for (standing, issued, recorded, expected) in [
            (sound, 1, None, Ok(())),
            (sound, 1_000, None, Ok(())),
            (superseded, 100, None, Ok(())),
            (superseded, 101, None, Err(KeyGivenUp::Superseded)),
            (superseded, 101, Some(101), Ok(())),
            (compromised, 50, Some(50), Ok(())),
            (compromised, 99, Some(99), Ok(())),
            (compromised, 100, Some(100), Err(KeyGivenUp::Compromised)),
            // A time before the compromise proves nothing; a record does, whatever the time.
            (compromised, 1, None, Err(KeyGivenUp::Compromised)),
            (compromised, 1, Some(100), Err(KeyGivenUp::Compromised)),
        ] {
            assert_eq!(
                standing.upholds(at(issued), recorded.map(at)),
                expected,
                "{standing:?} {issued} {recorded:?}"
            );
        }
    }
}
