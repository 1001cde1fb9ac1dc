//! Operator's statement that the database was restored from a backup.

use crate::app::{StartError, SystemClock, open_store};
use crate::config::Config;
use crate::ports::Clock;
use crate::store::restore;

/// Begins a new epoch: at its next start the node asks every peer for its consents, and releases no data before.
///
/// # Errors
/// [`StartError`] when the store cannot be used.
pub(crate) async fn restore_finished(config: &Config) -> Result<(), StartError> {
    let store = open_store(&config.store, &config.keys, Some(&config.node.base_url))?.store;
    store.migrate().await?;
    let now = SystemClock.now();
    store.write("begin_epoch", move |tx| restore::begin_epoch(tx, now)).await?;
    Ok(())
}
