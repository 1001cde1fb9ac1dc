//! Stateless DPoP nonces: an HMAC over a time slot, the same in every process that shares the session key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::clock::Timestamp;
use crate::domain::jose::{b64url, sha256};

/// Issues and verifies this node's nonces (RFC 9449 §8).
#[derive(Clone)]
pub struct NonceMint {
    mac: Hmac<Sha256>,
    /// Length of a time slot, in seconds. A nonce is accepted in its own slot and the next.
    slot_secs: i64,
}

impl NonceMint {
    /// From the session key; a nonce is valid for at most `nonce_secs` and at least half of that.
    #[must_use]
    pub fn new(session_key: &[u8; 32], nonce_secs: i64) -> Self {
        // Domain-separated, so that nonces and cookies never share a key.
        let key = sha256(&[session_key.as_slice(), b"omadata dpop nonce"].concat());
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block.iter_mut().zip(key).for_each(|(to, from)| *to = from);
        Self { mac: <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block), slot_secs: (nonce_secs / 2).max(1) }
    }

    /// The nonce to issue now.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> String {
        self.of_slot(now.secs().div_euclid(self.slot_secs))
    }

    /// The nonces accepted now.
    #[must_use]
    pub(crate) fn accepted(&self, now: Timestamp) -> [String; 2] {
        let slot = now.secs().div_euclid(self.slot_secs);
        [self.of_slot(slot), self.of_slot(slot.saturating_sub(1))]
    }

    fn of_slot(&self, slot: i64) -> String {
        let mut mac = self.mac.clone();
        mac.update(&slot.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        b64url(tag.get(..18).unwrap_or(&tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_holds_for_its_slot_and_the_next_and_no_longer() {
        let mint = NonceMint::new(&[7; 32], 300);
        let now = Timestamp::from_secs(1_800_000_000);
        let nonce = mint.current(now);
        assert!(mint.accepted(now).contains(&nonce));
        assert!(mint.accepted(now.plus_secs(150)).contains(&nonce));
        assert!(!mint.accepted(now.plus_secs(300)).contains(&nonce));
        assert!(!NonceMint::new(&[8; 32], 300).accepted(now).contains(&nonce));
    }
}
