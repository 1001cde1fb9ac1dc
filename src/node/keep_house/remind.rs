//! Reminders before a permission ends.

use super::ends::full;
use super::{BATCH, REMINDER_SECS};
use crate::domain::audit::Entry;
use crate::domain::clock::Timestamp;
use crate::node::promise;
use crate::store::{StoreError, Tx, consents};

/// Marks the permissions that end soon, once each. The resident sees it on their first page, and the log shows that they
/// were told.
pub(super) fn remind(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let due = consents::due_for_reminder(tx, now, now.plus_secs(REMINDER_SECS), BATCH)?;
    for id in &due {
        consents::remind(tx, *id, now)?;
        promise::log(tx, &Entry::Reminder { consent: *id, at: now.secs() }, now)?;
    }
    Ok(full(due.len()))
}
