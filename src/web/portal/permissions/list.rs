//! `/me/sharing`: the resident's permissions.

use crate::node::resident::list_mine;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::permissions::card::{PermissionCard, card};

#[derive(Debug, Clone)]
pub(crate) struct SharingView {
    /// In force or suspended, newest first.
    pub(crate) in_force: Vec<PermissionCard>,
    pub(crate) ended: Vec<PermissionCard>,
}

/// `GET /me/sharing`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let mine = list_mine::overview(&page.app.node, &page.resident).await?;
    page.show(&SharingView {
        in_force: mine.in_force.iter().map(|permission| card(&page.app, permission)).collect(),
        ended: mine.ended.iter().map(|permission| card(&page.app, permission)).collect(),
    })
}

page!(SharingView, "sharing.html", Sharing);
