//! Token Status List (IETF OAuth, `draft-ietf-oauth-status-list`): two bits for every consent, published signed; and
//! its verification.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::consent::{ConsentState, End};
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, UnverifiedJws, b64url, check_times, from_b64url,
};

/// Bits per entry: valid, invalid, suspended.
const BITS: u8 = 2;

/// Entries in one list. Indexes are drawn at random, so that their order reveals nothing; the more entries, the less a
/// fetch reveals whose status is queried. The content compresses well.
pub const LIST_SIZE: u32 = 1 << 20;

/// How long others may cache a list, in seconds.
pub(crate) const TTL_SECS: i64 = 60;

/// `typ` of a status list token.
pub const TYP: &str = "statuslist+jwt";

/// Maximum decompressed size of another holder's list in bytes: sixteen million entries of two bits.
const MAX_INFLATED: u64 = 4 << 20;

/// Profile of a status list token. Other implementations may add claims.
pub(crate) const STATUS_LIST: Profile = Profile {
    typ: TYP,
    max_bytes: 1 << 20,
    key_source: KeySource::Kid,
    required: &["sub", "iat", "status_list"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// An entry's reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReference {
    /// Index.
    pub idx: u32,
    /// The list's address.
    pub uri: String,
}

/// The list's number and the index as in a token.
#[must_use]
pub fn reference(holder: &EntityId, index: u32) -> StatusReference {
    StatusReference { idx: index % LIST_SIZE, uri: list_uri(holder, index / LIST_SIZE) }
}

/// Address of one list.
#[must_use]
pub fn list_uri(holder: &EntityId, list: u32) -> String {
    format!("{holder}/oauth/status-lists/{list}")
}

/// Address of the aggregation of all lists.
#[must_use]
pub(crate) fn aggregation_uri(holder: &EntityId) -> String {
    format!("{holder}/oauth/status-lists")
}

/// The entry's value: 0 valid, 1 invalid, 2 suspended.
#[must_use]
pub(crate) const fn value(state: ConsentState) -> u8 {
    match state {
        ConsentState::Active => 0,
        ConsentState::Suspended => 2,
        // An exhausted consent's token was never revoked, only used up. Both have ended.
        ConsentState::Ended {
            how: End::Revoked(_) | End::Expired | End::Exhausted | End::Replaced, ..
        } => 1,
    }
}

/// The claims of a status list token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusListClaims {
    /// The holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The list's address.
    pub sub: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Cache lifetime in seconds (`ttl`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<i64>,
    /// The list itself.
    pub status_list: StatusList,
}

/// A compressed list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusList {
    pub(crate) bits: u8,
    /// base64url of the zlib-compressed entries.
    pub(crate) lst: String,
    /// Address of the aggregation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aggregation_uri: Option<String>,
}

/// Packs entries that are not valid into the bytes of one list, lowest index in the lowest bits.
#[must_use]
pub fn pack(entries: impl IntoIterator<Item = (u32, u8)>) -> Vec<u8> {
    let per_byte = 8 / u32::from(BITS);
    let mut bytes = vec![0_u8; usize::try_from(LIST_SIZE / per_byte).unwrap_or_default()];
    for (index, value) in entries {
        set(&mut bytes, index, value);
    }
    bytes
}

/// Sets one entry of a packed list.
pub(crate) fn set(packed: &mut [u8], index: u32, value: u8) {
    let per_byte = 8 / u32::from(BITS);
    let place = usize::try_from(index / per_byte).unwrap_or(usize::MAX);
    if let Some(byte) = packed.get_mut(place) {
        let shift = (index % per_byte) * u32::from(BITS);
        *byte = (*byte & !(0b11 << shift)) | ((value & 0b11) << shift);
    }
}

/// Compresses packed entries (zlib, best compression).
///
/// # Errors
/// Never: writes to memory only.
pub fn compress(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(packed)?;
    encoder.finish()
}

/// How long others may cache a list of that lifetime, in seconds. It is signed again when half its lifetime is over, so
/// that no cached copy outlives its `exp`.
#[must_use]
pub(crate) fn ttl(lifetime_secs: i64) -> i64 {
    TTL_SECS.min(lifetime_secs / 2)
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
        iss: Some(holder.to_string()),
        sub: list_uri(holder, list),
        iat: now.secs(),
        exp: Some(now.plus_secs(lifetime_secs).secs()),
        ttl: Some(ttl(lifetime_secs)),
        status_list: StatusList {
            bits: BITS,
            lst: b64url(compressed),
            aggregation_uri: Some(aggregation_uri(holder)),
        },
    }
}

/// A token's status in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// 0: valid.
    Valid,
    /// 1: invalid.
    Invalid,
    /// 2: suspended.
    Suspended,
    /// An application-specific value: not valid.
    Other(u8),
}

impl TokenStatus {
    const fn from_value(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }
}

/// Why a list gives no status of a token, which must then not be taken for valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// Format, type, key or signature.
    #[error("the status list is not signed as it must be: {0}")]
    Signature(JoseError),
    /// A list of another address, or of another issuer.
    #[error("the status list is another one than the token names")]
    OtherList,
    /// Expired, issued in the future, or without any lifetime.
    #[error("the status list does not count at this moment")]
    Stale,
    /// The list is malformed.
    #[error("the status list cannot be read")]
    Malformed,
    /// The index is beyond the list's end.
    #[error("the token's place is not in the status list")]
    OutOfRange,
}

impl StatusError {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Signature(error) => error.reason(),
            Self::OtherList => "status_list_other",
            Self::Stale => "status_list_stale",
            Self::Malformed => "status_list_malformed",
            Self::OutOfRange => "status_index_out_of_range",
        }
    }
}

/// The status of a token with this reference in a holder's list at a moment.
///
/// `keys` are the token keys of that holder, which the caller found through its trust chain; nothing in the list
/// selects a key. A list without `exp` is valid for its `ttl`; one with neither is refused.
///
/// # Errors
/// [`StatusError`]: the list must not be used.
pub fn verify(
    text: &str,
    keys: &PublicKeys,
    holder: &EntityId,
    reference: &StatusReference,
    now: Timestamp,
) -> Result<TokenStatus, StatusError> {
    let unverified = UnverifiedJws::parse(text, &STATUS_LIST).map_err(StatusError::Signature)?;
    let claims =
        unverified.verify_with::<StatusListClaims>(keys).map_err(StatusError::Signature)?.into_claims();
    if claims.sub != reference.uri || claims.iss.as_ref().is_some_and(|iss| iss != holder.as_str()) {
        return Err(StatusError::OtherList);
    }
    let ttl = claims.ttl.filter(|ttl| *ttl > 0);
    let until =
        claims.exp.or_else(|| ttl.map(|ttl| claims.iat.saturating_add(ttl))).ok_or(StatusError::Stale)?;
    check_times(now, Some(claims.iat), None, Some(until)).map_err(|_| StatusError::Stale)?;
    let entries = inflate(&claims.status_list)?;
    entry(&entries, claims.status_list.bits, reference.idx).map(TokenStatus::from_value)
}

/// The entries of a list, within a size limit.
fn inflate(list: &StatusList) -> Result<Vec<u8>, StatusError> {
    let compressed = from_b64url(&list.lst).map_err(|_| StatusError::Malformed)?;
    let mut decoder = ZlibDecoder::new(compressed.as_slice());
    let mut entries = Vec::new();
    let read = Read::by_ref(&mut decoder).take(MAX_INFLATED + 1).read_to_end(&mut entries);
    let whole = usize::try_from(decoder.total_in()).is_ok_and(|taken| taken == compressed.len());
    match read {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= MAX_INFLATED) && whole => {
            Ok(entries)
        }
        _ => Err(StatusError::Malformed),
    }
}

fn entry(entries: &[u8], bits: u8, index: u32) -> Result<u8, StatusError> {
    let mask = match bits {
        1 => 0b1,
        2 => 0b11,
        4 => 0b1111,
        8 => 0xff,
        _ => return Err(StatusError::Malformed),
    };
    let per_byte = 8 / u32::from(bits);
    let place = usize::try_from(index / per_byte).map_err(|_| StatusError::OutOfRange)?;
    let byte = entries.get(place).ok_or(StatusError::OutOfRange)?;
    Ok((byte >> ((index % per_byte) * u32::from(bits))) & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example list of the standard with two bits per entry.
    const OF_THE_STANDARD: (&str, [u8; 12]) = ("eNo76fITAAPfAgc", [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);

    #[test]
    fn the_standards_own_lists_read_as_it_says() {
        let (lst, values) = OF_THE_STANDARD;
        let list = StatusList { bits: 2, lst: lst.to_owned(), aggregation_uri: None };
        let entries = inflate(&list).unwrap();
        assert_eq!(entries, [0xc9, 0x44, 0xf9]);
        for (index, value) in (0..).zip(values) {
            assert_eq!(entry(&entries, 2, index), Ok(value), "{index}");
        }
        assert_eq!(entry(&entries, 2, 12), Err(StatusError::OutOfRange));
        assert_eq!(entry(&entries, 3, 0), Err(StatusError::Malformed));
        let one = StatusList { bits: 1, lst: "eNrbuRgAAhcBXQ".to_owned(), aggregation_uri: None };
        assert_eq!(inflate(&one).unwrap(), [0xb9, 0xa3]);
        let packed = pack((0..).zip(values));
        assert_eq!(packed.get(..3), Some([0xc9, 0x44, 0xf9].as_slice()));
        assert!(packed.get(3..).unwrap().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_inflates_without_end_or_is_cut_off_is_no_list() {
        let bomb = compress(&vec![0; usize::try_from(MAX_INFLATED).unwrap() + 1]).unwrap();
        let list = |bytes: &[u8]| StatusList { bits: 2, lst: b64url(bytes), aggregation_uri: None };
        assert_eq!(inflate(&list(&bomb)), Err(StatusError::Malformed));
        let good = compress(&pack([])).unwrap();
        assert!(inflate(&list(&good)).is_ok());
        assert_eq!(inflate(&list(good.get(..good.len() - 5).unwrap())), Err(StatusError::Malformed));
        assert_eq!(inflate(&list(&[&good[..], b"more"].concat())), Err(StatusError::Malformed));
        assert_eq!(inflate(&list(b"")), Err(StatusError::Malformed));
    }

    #[test]
    fn suspended_and_over_are_told_apart() {
        let at = Timestamp::from_secs(1);
        for (state, status) in [
            (ConsentState::Active, TokenStatus::Valid),
            (ConsentState::Suspended, TokenStatus::Suspended),
            (ConsentState::Ended { at, how: End::Expired }, TokenStatus::Invalid),
            (ConsentState::Ended { at, how: End::Replaced }, TokenStatus::Invalid),
        ] {
            assert_eq!(TokenStatus::from_value(value(state)), status);
        }
    }
}
