//! The result: the page after a decision that the resident started here (a service's own request returns to the
//! service), and the page of a request that was decided before.

use actix_web::http::StatusCode;

use super::outcome::unknown_request;
use crate::domain::catalogue::Text;
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::RequestState;
use crate::domain::ids::{ConsentId, RequestId};
use crate::node::holder::decision::view_consent_request;
use crate::node::resident::list_mine;
use crate::web::extract::Id;
use crate::web::html::page;
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::{Party, asker, dataset_title};
use crate::web::portal::reply::Look;

#[derive(Debug, Clone)]
pub(crate) enum Decision {
    /// The permission was given.
    Allowed {
        permission: ConsentId,
        /// When the resident decided.
        at: Timestamp,
        /// The last day on which it holds.
        until: Day,
        /// How many times the data may be fetched.
        times: u32,
        /// In which stretch of time, ISO 8601 duration; in all when none.
        per: Option<String>,
    },
    /// The permission was not given.
    Declined,
}

/// The page after the decision.
#[derive(Debug, Clone)]
pub(crate) struct DecidedView {
    pub(crate) decision: Decision,
    /// Whether the request had been decided before.
    pub(crate) before: bool,
    pub(crate) asker: Party,
    /// Display name of the data.
    pub(crate) dataset: Text,
    /// What "no" means, and the equivalent alternative.
    pub(crate) otherwise: Text,
}

/// `GET /consent/{id}/done`.
pub(crate) async fn show(page: ResidentPage, Id(id): Id<RequestId>) -> PageResult {
    match view_of(&page, id, false).await? {
        Some(view) => page.show(&view),
        None => Ok(page.redirect(&format!("/consent/{id}"))),
    }
}

/// The page of a request that was decided before: the decision, with a link to the permission. It does not say that
/// nothing was sent, because data may have been sent under a permission.
pub(super) async fn show_decided_before(page: &ResidentPage, id: RequestId) -> PageResult {
    let view = view_of(page, id, true).await?;
    let look = Look { status: StatusCode::CONFLICT, ..Look::default() };
    view.map_or_else(|| Ok(page.redirect(&format!("/consent/{id}"))), |view| page.show_as(&view, look))
}

/// `None` while the request is not decided.
async fn view_of(
    page: &ResidentPage,
    id: RequestId,
    before: bool,
) -> Result<Option<DecidedView>, PageFailure> {
    let (node, resident) = (&page.app.node, &page.resident);
    let request = view_consent_request::decided(node, resident, id).await.map_err(unknown_request)?;
    let decision = match request.state {
        RequestState::Allowed(permission) => {
            let consent = list_mine::permission(node, resident, permission).await?.permission.consent;
            let terms = consent.terms;
            Decision::Allowed {
                permission,
                at: consent.decided_at,
                until: terms.until,
                times: terms.max_exchanges,
                per: terms.per.map(String::from),
            }
        }
        RequestState::Declined => Decision::Declined,
        RequestState::Requested | RequestState::Lapsed => return Ok(None),
    };
    Ok(Some(DecidedView {
        decision,
        before,
        asker: asker(&request),
        dataset: dataset_title(&page.app, &request.terms.dataset),
        otherwise: request.declared_use.otherwise,
    }))
}

page!(DecidedView, "decided.html");
