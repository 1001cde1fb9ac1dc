//! Reminders before a permission ends.

use super::BATCH;
use super::ends::full;
use crate::domain::clock::Timestamp;
use crate::domain::log::Entry;
use crate::node::messaging::outbox_message;
use crate::store::holder::consents;
use crate::store::{StoreError, Tx};

/// Records a reminder for each permission that ends soon. The resident sees it on their first page, and the log shows
/// that they were reminded.
pub(crate) fn remind(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let due = consents::due_for_reminder(tx, now, BATCH)?;
    for id in &due {
        consents::remind(tx, *id, now)?;
        outbox_message::log(tx, &Entry::Reminder { consent: *id, at: now.secs() }, now)?;
    }
    Ok(full(due.len()))
}
