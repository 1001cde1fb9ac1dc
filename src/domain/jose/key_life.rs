//! What a signature is worth once its key was given up: the same rule for a node that decides now and for whoever
//! verifies years later.

use crate::domain::clock::Timestamp;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// Why a key was revoked (OpenID Federation 1.0 §8.7.3).
    pub enum RevokeReason {
        /// Somebody else may have the private part.
        Compromised = "compromised",
        /// Given up in favour of another, through no fault.
        Superseded = "superseded",
    }
}

/// How far a key's signatures can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// Nothing is known against it: it waits, signs, or has retired.
    Sound,
    /// Given up at this moment; what it signed until then holds.
    Superseded {
        /// When.
        at: Timestamp,
    },
    /// Somebody else may have signed with it from this moment on.
    Compromised {
        /// The moment.
        since: Timestamp,
    },
}

/// Why a good signature is worth nothing: its key was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyGivenUp {
    /// The message says that it was signed after the key was given up, and nobody recorded it.
    #[error("the key was given up before the message was signed")]
    Superseded,
    /// Nobody recorded the message before the key was compromised. When it says that it was signed is no evidence:
    /// whoever has the key writes what they like.
    #[error("the key was compromised, and the message is not known from before")]
    Compromised,
}

impl KeyGivenUp {
    /// A stable identifier for refusal records and reports.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Superseded => "key_revoked",
            Self::Compromised => "key_compromised",
        }
    }
}

impl KeyStanding {
    /// Whether a message holds whose signature verifies with this key.
    ///
    /// `issued_at` is what the message says of itself. `recorded_at` is when someone other than the message's bearer
    /// recorded this very message (the issuer's own table, a log), where somebody did.
    ///
    /// # Errors
    /// [`KeyGivenUp`] says why it does not hold.
    pub fn upholds(self, issued_at: Timestamp, recorded_at: Option<Timestamp>) -> Result<(), KeyGivenUp> {
        match self {
            Self::Sound => Ok(()),
            // Another process may have signed in the moment before it noticed; what it issued, it recorded.
            Self::Superseded { at } if issued_at <= at || recorded_at.is_some() => Ok(()),
            Self::Superseded { .. } => Err(KeyGivenUp::Superseded),
            // Records are kept in whole seconds: one of the very second of the compromise may have come after it.
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
            // A date before the compromise proves nothing; a record does, whatever the date.
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
