//! Expiry of consents and requests.

use super::BATCH;
use crate::domain::clock::Timestamp;
use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{Actor, Consent, Reason};
use crate::domain::ids::ConsentId;
use crate::node::holder::permissions::record_change::{apply_transition, record_change};
use crate::store::holder::{authorization_codes, consent_requests, consents};
use crate::store::recipient::held_consents;
use crate::store::{StoreError, Tx};

/// Ends consents whose last day is over, and those whose code was never redeemed. `true` when there are more.
pub(crate) fn consents(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let due = consents::due_to_expire(tx, now, BATCH)?;
    let mut ended = 0_usize;
    for id in &due {
        let Some(mut consent) = readable(tx, *id)? else { continue };
        if let Ok(transition) = consent.expire(now) {
            record_change(tx, &consent, &transition)?;
            ended = ended.saturating_add(1);
        }
    }
    // The recipient never redeemed the code: nobody can use such a permission.
    let unredeemed = authorization_codes::unredeemed(tx, now, BATCH)?;
    for id in &unredeemed {
        let Some(consent) = readable(tx, *id)? else { continue };
        if apply_transition(tx, consent, |it| it.revoke(Actor::Node, Reason::Unredeemed, now))? {
            ended = ended.saturating_add(1);
        }
    }
    // If nothing could be ended, an immediate retry is useless.
    Ok(ended > 0 && (full(due.len()) || full(unredeemed.len())))
}

/// A due consent, locked until the transaction ends; `None` when it cannot be read, so that a damaged one does not
/// block the others. Nothing is released under it either.
fn readable(tx: &mut Tx<'_>, id: ConsentId) -> Result<Option<Consent>, StoreError> {
    match consents::lock(tx, id) {
        Ok(consent) => Ok(Some(consent)),
        Err(error @ StoreError::Corrupt(_)) => {
            tracing::error!(
                event = "consent_unreadable", consent = %id, %error,
                "a consent that is due to end cannot be read"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a batch was full, so that there may be more.
pub(crate) fn full(length: usize) -> bool {
    u32::try_from(length).is_ok_and(|length| length >= BATCH)
}

/// How long a request is kept that nobody decided, in seconds: so long its page says that the time is over.
const LAPSED_SECS: i64 = 3600;

/// Lets the requests lapse that nobody decided, at the holder and at the recipient. Says whether there are more.
pub(crate) fn requests(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let lapsed = [
        consent_requests::lapse_due(tx, now, BATCH)?,
        consent_requests::delete_lapsed(tx, now.plus_secs(-LAPSED_SECS), BATCH)?,
        held_consents::lapse_older(tx, now.plus_secs(-WAIT_SECS), now, BATCH)?,
    ];
    Ok(lapsed.into_iter().any(full))
}
