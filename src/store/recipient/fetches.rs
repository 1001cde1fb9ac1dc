//! The recipient's own record of its fetches: time, outcome, receipt. Never the data.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::HeldConsentId;
use crate::domain::jose::sha256;
use crate::store::engine::schema::{fetches, held_consents};
use crate::store::{Reader, StoreError, Tx};

/// A fetch to be recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewFetch<'a> {
    pub(crate) held: HeldConsentId,
    pub(crate) at: Timestamp,
    /// The outcome, a stable code.
    pub(crate) outcome: &'a str,
    /// The holder's receipt, compact, where it was verified.
    pub(crate) receipt: Option<&'a str>,
    /// SHA-256 of the body, base64url.
    pub(crate) body_digest: Option<&'a str>,
    /// From when on the holder has the data, of a deferred answer.
    pub(crate) available_from: Option<Timestamp>,
}

/// A fetch as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = fetches)]
pub struct Fetch {
    /// Under which consent.
    pub held: HeldConsentId,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: String,
    /// The holder's receipt, compact.
    pub receipt: Option<String>,
    /// SHA-256 of the body, base64url.
    pub body_digest: Option<String>,
    /// From when on the holder has the data, of a deferred answer.
    pub available_from: Option<Timestamp>,
}

/// The outcome of a fetch that returned data.
pub(crate) const RECEIVED: &str = "received";

/// The outcome of a fetch that the holder answers later.
pub(crate) const DEFERRED: &str = "deferred";

/// Until when the holder has put its last answer off, with its signed statement.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn deferred(
    reader: &mut Reader<'_>,
    held: HeldConsentId,
) -> Result<Option<(Timestamp, String)>, StoreError> {
    let latest = of_held(reader, held, 1)?.pop();
    Ok(latest
        .filter(|fetch| fetch.outcome == DEFERRED)
        .and_then(|fetch| Some((fetch.available_from?, fetch.receipt?))))
}

/// Records a fetch.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, fetch: &NewFetch<'_>) -> Result<(), StoreError> {
    diesel::insert_into(fetches::table)
        .values((
            fetches::held.eq(fetch.held),
            fetches::at.eq(fetch.at),
            fetches::outcome.eq(fetch.outcome),
            fetches::receipt.eq(fetch.receipt),
            fetches::receipt_hash.eq(fetch.receipt.map(hash)),
            fetches::body_digest.eq(fetch.body_digest),
            fetches::available_from.eq(fetch.available_from),
        ))
        .execute(tx.db)?;
    if fetch.outcome == RECEIVED {
        diesel::update(held_consents::table.find(fetch.held))
            .set(held_consents::received.eq(held_consents::received + 1))
            .execute(tx.db)?;
    }
    Ok(())
}

/// By which a receipt is found.
fn hash(receipt: &str) -> Vec<u8> {
    sha256(receipt.as_bytes()).to_vec()
}

/// The number of fetches under one consent that returned data.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn received(reader: &mut Reader<'_>, held: HeldConsentId) -> Result<u32, StoreError> {
    let count: i64 = held_consents::table.find(held).select(held_consents::received).get_result(reader.db)?;
    u32::try_from(count).map_err(|_| StoreError::Corrupt("held_consents.received"))
}

/// When the latest fetches under one consent returned data, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn latest_received(
    reader: &mut Reader<'_>,
    held: &[HeldConsentId],
    limit: u32,
) -> Result<Vec<Timestamp>, StoreError> {
    let mut latest: Vec<Timestamp> = Vec::new();
    // One by one: the planners read and sort all fetches of several consents.
    for id in held {
        let of_one: Vec<Timestamp> = fetches::table
            .filter(fetches::held.eq(id).and(fetches::outcome.eq(RECEIVED)))
            .order(fetches::seq.desc())
            .limit(i64::from(limit))
            .select(fetches::at)
            .load(reader.db)?;
        latest.extend(of_one);
    }
    latest.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
    latest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(latest)
}

/// When data was received with exactly this receipt, if it was.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn received_with(reader: &mut Reader<'_>, receipt: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetches::table
        .filter(fetches::receipt_hash.eq(hash(receipt)))
        .filter(fetches::receipt.eq(receipt).and(fetches::outcome.eq(RECEIVED)))
        .order(fetches::seq.asc())
        .select(fetches::at)
        .first(reader.db)
        .optional()?)
}

/// The fetches under one consent, latest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_held(reader: &mut Reader<'_>, held: HeldConsentId, limit: u32) -> Result<Vec<Fetch>, StoreError> {
    Ok(fetches::table
        .filter(fetches::held.eq(held))
        .order(fetches::seq.desc())
        .limit(i64::from(limit))
        .select(Fetch::as_select())
        .load(reader.db)?)
}
