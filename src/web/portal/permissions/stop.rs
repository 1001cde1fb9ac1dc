//! Stopping, pausing and resuming a permission.

use std::future::Future;
use std::time::Duration;

use actix_web::HttpResponse;

use crate::domain::ids::ConsentId;
use crate::node::holder::permissions::revoke_consent;
use crate::node::holder::permissions::suspend_consent;
use crate::node::holder::permissions::suspend_consent::Resumed;
use crate::node::resident::list_mine;
use crate::node::{Problem, ProblemKind};
use crate::web::extract::Id;
use crate::web::html::page;
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::{Confirmation, PageResult, ResidentPage, SignedForm};
use crate::web::portal::page_error::PageError;
use crate::web::portal::permissions::card::{PermissionCard, card};

/// The confirmation page before a permission is stopped.
#[derive(Debug, Clone)]
pub(crate) struct StopView {
    /// The permission, active or suspended.
    pub(crate) card: PermissionCard,
    /// The recipient's retention, ISO 8601 duration.
    pub(crate) retention: String,
}

/// Maximum time that a resident waits for the database when stopping or pausing a permission. The change continues
/// after that.
const PATIENCE: Duration = Duration::from_secs(8);

/// `GET /me/sharing/{id}/stop`: the effects of stopping. Read only.
pub(crate) async fn ask(page: ResidentPage, Id(id): Id<ConsentId>) -> PageResult {
    let detail = list_mine::permission(&page.app.node, &page.resident, id).await?;
    let card = card(&page.app, &detail.permission);
    if !card.status.can_be_stopped() {
        return Err(PageFailure::Page(PageError::PermissionEnded));
    }
    page.show(&StopView { card, retention: detail.permission.consent.terms.retention.to_string() })
}

/// `POST /me/sharing/{id}/stop`: stops it. Responds after the commit.
pub(crate) async fn stop(signed: SignedForm<Confirmation>, Id(id): Id<ConsentId>) -> PageResult {
    let SignedForm { page, .. } = signed;
    let changed = known_outcome(revoke_consent::revoke(&page.app.node, &page.resident, id)).await?;
    Ok(back(&page, id, if changed { "?notice=stopped" } else { "?notice=had-ended" }))
}

/// `POST /me/sharing/{id}/pause`: suspends it. Responds after the commit.
pub(crate) async fn pause(signed: SignedForm<Confirmation>, Id(id): Id<ConsentId>) -> PageResult {
    let SignedForm { page, .. } = signed;
    let changed = known_outcome(suspend_consent::pause(&page.app.node, &page.resident, id)).await?;
    Ok(back(&page, id, if changed { "?notice=paused" } else { "" }))
}

/// `POST /me/sharing/{id}/resume`: resumes it.
pub(crate) async fn resume(signed: SignedForm<Confirmation>, Id(id): Id<ConsentId>) -> PageResult {
    let SignedForm { page, .. } = signed;
    let resumed = suspend_consent::resume(&page.app.node, &page.resident, id).await?;
    let notice = match resumed {
        Resumed::Yes => "?notice=resumed",
        Resumed::UseDoesNotFit => "?notice=not-resumed",
        Resumed::WasNotSuspended => "",
    };
    Ok(back(&page, id, notice))
}

fn back(page: &ResidentPage, id: ConsentId, notice: &str) -> HttpResponse {
    page.redirect(&format!("/me/sharing/{id}{notice}"))
}

/// The result of a change, or that it is unknown: when the database does not answer in time or the connection breaks,
/// the change may have been made. Both changes are idempotent.
async fn known_outcome<T>(change: impl Future<Output = Result<T, Problem>>) -> Result<T, PageFailure> {
    match tokio::time::timeout(PATIENCE, change).await {
        Ok(Err(problem))
            if matches!(problem.kind, ProblemKind::Unavailable | ProblemKind::OutcomeUnknown) =>
        {
            crate::web::problem::log(&problem);
            Err(PageFailure::Page(PageError::StopUnknown))
        }
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(PageFailure::Page(PageError::StopUnknown)),
    }
}

page!(StopView, "stop.html", Sharing);

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(outcome: Result<bool, Problem>) -> Result<bool, PageFailure> {
        known_outcome(std::future::ready(outcome)).await
    }

    #[tokio::test]
    async fn a_stop_that_may_have_taken_effect_is_told_as_unknown() {
        for kind in [ProblemKind::Unavailable, ProblemKind::OutcomeUnknown] {
            let broken_off = told(Err(Problem::new(kind))).await;
            assert!(matches!(broken_off, Err(PageFailure::Page(PageError::StopUnknown))));
        }
        let not_theirs = told(Err(Problem::new(ProblemKind::NotFound))).await;
        assert!(matches!(not_theirs, Err(PageFailure::Problem(_))));
        assert!(matches!(told(Ok(true)).await, Ok(true)));
    }
}
