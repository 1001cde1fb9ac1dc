//! Reloads the operator's files with the anchors' keys while a node runs.

use std::sync::Arc;
use std::time::Duration;

use super::settings::read_jwks;
use crate::config::KnownEntity;
use crate::domain::jose::PublicKeys;
use crate::outbound::FederationPeers;
use crate::ports::StopSignal;

/// Interval at which the files are checked for changes.
const INTERVAL: Duration = Duration::from_secs(5);

/// Takes over the keys of an anchor when its `jwks_file` changes, without a restart. A file that cannot be read or has
/// no usable key changes nothing and is logged once.
pub(super) async fn follow(peers: Arc<FederationPeers>, anchors: Vec<KnownEntity>, stop: StopSignal) {
    let mut files: Vec<(KnownEntity, Option<PublicKeys>, bool)> = anchors
        .into_iter()
        .filter(|known| known.jwks_file.is_some())
        .map(|known| {
            let keys = read_jwks(&known).ok().flatten();
            (known, keys, false)
        })
        .collect();
    while stop.pause(INTERVAL).await {
        for (known, current, reported) in &mut files {
            let read = tokio::task::spawn_blocking({
                let known = known.clone();
                move || read_jwks(&known).ok().flatten()
            });
            match read.await {
                Ok(Some(keys)) if !keys.is_empty() => {
                    *reported = false;
                    if current.as_ref() != Some(&keys) {
                        tracing::info!(
                            event = "anchor_keys_configured",
                            anchor = %known.entity_id,
                            "the file with a trust anchor's keys has changed and is in use",
                        );
                        peers.configure_anchor_keys(&known.entity_id, keys.clone());
                        *current = Some(keys);
                    }
                }
                _ if *reported => {}
                _ => {
                    *reported = true;
                    tracing::error!(
                        event = "anchor_keys_unreadable",
                        anchor = %known.entity_id,
                        remedy = "write the anchor's JWK Set into [[trust_anchors]] jwks_file",
                        "the file with a trust anchor's keys cannot be read; the keys from before stay in use",
                    );
                }
            }
        }
    }
}
