//! What data trackers answer about the uses of a resident's data, asked when somebody looks. Nothing of it is stored.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::holdings::Turn;
use crate::domain::export::TrackerCoverage;
use crate::domain::export::content::{ExportedTrackedUse, ExportedTracker};
use crate::domain::ids::NationalIdentifier;
use crate::domain::login::Resident;
use crate::domain::uses::tracker::{Part, TrackedUse, TrackedUses, Tracker};
use crate::node::Node;
use crate::ports::RegisterError;

/// Uses of a tracker on one page.
pub(crate) const PAGE_USES: u32 = 50;

/// How long a tracker may take for a page.
const PAGE_WAIT: Duration = Duration::from_secs(20);

/// Trackers asked at a time for a copy.
const AT_ONCE: usize = 8;

/// Waits for the resident's turn: the trackers are asked for one page of theirs at a time. `None` when another page of
/// theirs does not become complete in time.
pub(crate) async fn turn(node: &Node, resident: &Resident) -> Option<Turn> {
    node.tracker_reads.turn(resident.person).await.ok()
}

/// A page of a tracker's uses; `None` when it did not answer, or not correctly.
pub(crate) async fn page(
    node: &Node,
    subject: &NationalIdentifier,
    tracker: &Tracker,
    offset: u32,
) -> Option<TrackedUses> {
    let asked = node.trackers.part(&tracker.id, subject, Part { offset, limit: PAGE_USES });
    match tokio::time::timeout(PAGE_WAIT, asked).await {
        Ok(answer) => answer.ok(),
        Err(_) => {
            tracing::warn!(
                event = "data_tracker_failed", tracker = %tracker.id, cause = "no answer within 20 seconds",
                "a data tracker did not answer in the time of a page"
            );
            None
        }
    }
}

/// Everything that the trackers answer, for a copy that says of each whether it is complete.
pub(crate) async fn for_copy(node: &Node, subject: &NationalIdentifier) -> Vec<ExportedTracker> {
    let asked: Vec<_> = node
        .settings
        .trackers
        .iter()
        .map(|tracker| async move { exported(tracker, node.trackers.all(&tracker.id, subject).await) })
        .collect();
    stream::iter(asked).buffered(AT_ONCE).collect().await
}

fn exported(tracker: &Tracker, answer: Result<TrackedUses, RegisterError>) -> ExportedTracker {
    let (coverage, uses, kept) = match answer {
        Ok(TrackedUses { uses, next: None, kept }) => (TrackerCoverage::Complete, uses, kept),
        Ok(TrackedUses { uses, next: Some(_), kept }) => (TrackerCoverage::Latest, uses, kept),
        Err(_) => (TrackerCoverage::Unavailable, Vec::new(), None),
    };
    ExportedTracker {
        id: tracker.id.clone(),
        title: tracker.title.clone(),
        coverage,
        kept_from: kept.map(|kept| kept.from.rfc3339()),
        kept_until: kept.and_then(|kept| kept.to).map(|to| to.rfc3339()),
        uses: uses.into_iter().map(exported_use).collect(),
    }
}

fn exported_use(used: TrackedUse) -> ExportedTrackedUse {
    ExportedTrackedUse {
        at: used.at.rfc3339(),
        action: used.action,
        receiver_code: used.receiver_code,
        receiver_name: used.receiver_name,
        receiver_system: used.receiver_system,
    }
}
