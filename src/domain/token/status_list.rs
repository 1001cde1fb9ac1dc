//! Token Status List: one bit pair for every consent token's consent, published signed.

use serde::Serialize;

use super::consent_token::StatusReference;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{ConsentState, End};
use crate::domain::ids::EntityId;

/// Bits for one entry: valid, invalid, suspended.
const BITS: u8 = 2;

/// Entries in one list. Indexes are drawn at random, so that their order says nothing.
pub const LIST_SIZE: u32 = 1 << 17;

/// How long a list may be kept by others, in seconds.
pub const TTL_SECS: i64 = 60;

/// `typ` of a status list token.
pub const TYP: &str = "statuslist+jwt";

/// The list's number and the place in it as a token refers to them.
#[must_use]
pub fn reference(holder: &EntityId, index: u32) -> StatusReference {
    StatusReference { idx: index % LIST_SIZE, uri: list_uri(holder, index / LIST_SIZE) }
}

/// Address of one list.
#[must_use]
pub fn list_uri(holder: &EntityId, list: u32) -> String {
    format!("{holder}/oauth/status-lists/{list}")
}

/// The entry's value: 0 valid, 1 invalid, 2 suspended.
#[must_use]
pub const fn value(state: ConsentState) -> u8 {
    match state {
        ConsentState::Active => 0,
        ConsentState::Suspended => 2,
        // An exhausted consent's token was never wrong; it has simply been used up. Both are over.
        ConsentState::Ended {
            how: End::Revoked(_) | End::Expired | End::Exhausted | End::Replaced, ..
        } => 1,
    }
}

/// The claims of a status list token.
#[derive(Debug, Clone, Serialize)]
pub struct StatusListClaims {
    /// The holder.
    pub iss: String,
    /// The list's address.
    pub sub: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// Seconds for which it may be kept.
    pub ttl: i64,
    /// The list itself.
    pub status_list: StatusList,
}

/// A compressed list.
#[derive(Debug, Clone, Serialize)]
pub struct StatusList {
    /// Bits for one entry.
    pub bits: u8,
    /// base64url of the zlib-compressed entries.
    pub lst: String,
}

/// Packs entries that are not valid into the bytes of one list, lowest index in the lowest bits.
#[must_use]
pub fn pack(entries: impl IntoIterator<Item = (u32, u8)>) -> Vec<u8> {
    let per_byte = 8 / u32::from(BITS);
    let mut bytes = vec![0_u8; usize::try_from(LIST_SIZE / per_byte).unwrap_or_default()];
    for (index, value) in entries {
        let place = usize::try_from(index / per_byte).unwrap_or(usize::MAX);
        if let Some(byte) = bytes.get_mut(place) {
            *byte |= (value & 0b11) << ((index % per_byte) * u32::from(BITS));
        }
    }
    bytes
}

/// The claims of one list from its compressed bytes.
#[must_use]
pub fn claims(
    holder: &EntityId,
    list: u32,
    compressed: &[u8],
    now: Timestamp,
    lifetime_secs: i64,
) -> StatusListClaims {
    StatusListClaims {
        iss: holder.to_string(),
        sub: list_uri(holder, list),
        iat: now.secs(),
        exp: now.plus_secs(lifetime_secs).secs(),
        ttl: TTL_SECS.min(lifetime_secs),
        status_list: StatusList { bits: BITS, lst: crate::domain::jose::b64url(compressed) },
    }
}
