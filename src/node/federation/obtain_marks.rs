//! This node's own trust marks: fetched from its superiors in the background, renewed before they expire, published in
//! its entity configuration. They are stored, so that none is lost at a restart while the superior is unavailable.

use std::time::Duration;

use crate::domain::federation::{Role, TrustError, TrustFault};
use crate::domain::ids::EntityId;
use crate::node::Node;
use crate::ports::StopSignal;
use crate::store::StoreError;
use crate::store::federation::trust_marks;
use crate::store::federation::trust_marks::OwnMark;

/// Interval between two rounds while a mark is missing.
const SOON: Duration = Duration::from_secs(2);

/// Background task that renews the marks.
pub(crate) async fn run(node: &Node, stop: &StopSignal) {
    loop {
        let complete = match obtain_marks(node).await {
            Ok(complete) => complete,
            Err(error) => {
                tracing::warn!(event = "trust_marks_not_renewed", %error, "this node's own trust marks could not be renewed");
                false
            }
        };
        let often = Duration::from_secs(node.settings.limits.trust_mark_refresh_secs);
        if !stop.pause(if complete { often } else { SOON.min(often) }).await {
            return;
        }
    }
}

/// One round: requests the marks of every role from the superiors. `true` when every request was answered.
///
/// # Errors
/// [`StoreError`] when the store is away.
pub(crate) async fn obtain_marks(node: &Node) -> Result<bool, StoreError> {
    let mut complete = true;
    for anchor in &node.settings.trust_anchors {
        for role in Role::ALL {
            let mark_type = role.mark_type(anchor);
            match ask_superiors(node, &mark_type).await {
                Ok(Some(mark)) => keep(node, mark).await?,
                Ok(None) => lose(node, mark_type).await?,
                Err(error) => {
                    tracing::debug!(event = "trust_mark_not_renewed", mark = mark_type, %error, "could not renew a trust mark");
                    complete = false;
                }
            }
        }
    }
    Ok(complete)
}

/// The mark of a type from the first superior that issues it; `None` when all superiors answer that they issue none.
async fn ask_superiors(node: &Node, mark_type: &str) -> Result<Option<OwnMark>, TrustError> {
    let mut unanswered = None;
    for superior in &node.settings.authority_hints {
        match ask(node, superior, mark_type).await {
            Ok(Some(mark)) => return Ok(Some(mark)),
            Ok(None) => {}
            Err(error) => unanswered = Some(error),
        }
    }
    unanswered.map_or(Ok(None), Err)
}

async fn ask(node: &Node, superior: &EntityId, mark_type: &str) -> Result<Option<OwnMark>, TrustError> {
    let id = &node.settings.id;
    let Some((mark, text)) = node.superiors.trust_mark(superior, mark_type, id).await? else {
        return Ok(None);
    };
    if mark.iss != *superior || mark.sub != *id || mark.trust_mark_type != mark_type {
        return Err(TrustError::NotTrusted(TrustFault::UnrequestedMark));
    }
    let exp = mark.exp.unwrap_or(i64::MAX);
    Ok(Some(OwnMark {
        mark_type: mark_type.to_owned(),
        mark: text,
        expires_at: crate::domain::clock::Timestamp::from_secs(exp),
    }))
}

async fn keep(node: &Node, mark: OwnMark) -> Result<(), StoreError> {
    let now = node.now();
    node.store
        .write("keep_own_trust_mark", move |tx| {
            if trust_marks::list_own(tx, now)?.contains(&mark) {
                return Ok(());
            }
            trust_marks::keep_own(tx, &mark)
        })
        .await
}

async fn lose(node: &Node, mark_type: String) -> Result<(), StoreError> {
    let now = node.now();
    let lost_type = mark_type.clone();
    let lost = node
        .store
        .write("lose_own_trust_mark", move |tx| {
            let had = trust_marks::list_own(tx, now)?.iter().any(|own| own.mark_type == mark_type);
            if had {
                trust_marks::lose_own(tx, &mark_type)?;
            }
            Ok::<_, StoreError>(had)
        })
        .await?;
    if lost {
        tracing::warn!(
            event = "trust_mark_lost",
            mark = lost_type,
            "no superior gives this trust mark any more"
        );
    }
    Ok(())
}
