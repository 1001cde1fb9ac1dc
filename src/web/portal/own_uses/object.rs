//! `/me/uses/{id}/object`: an objection, with its grounds if the resident gives any.

use crate::domain::catalogue::Processing;
use crate::domain::ids::ProcessingId;
use crate::node::resident::object_to_use;
use crate::web::extract::{Id, Parameters};
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage, SignedForm};

/// The form of an objection.
#[derive(Debug, Clone)]
pub(crate) struct ObjectView {
    pub(crate) processing: Processing,
}

/// `GET /me/uses/{id}/object`.
pub(crate) async fn ask(page: ResidentPage, Id(id): Id<ProcessingId>) -> PageResult {
    let processing = object_to_use::find(&page.app.node, &id)?.clone();
    page.show(&ObjectView { processing })
}

/// `POST /me/uses/{id}/object`.
pub(crate) async fn object(signed: SignedForm<Parameters>, Id(id): Id<ProcessingId>) -> PageResult {
    let SignedForm { page, mut form } = signed;
    let statement = form.take("statement");
    let made = object_to_use::object(&page.app.node, &page.resident, &id, statement).await?;
    let notice = if made { "objected" } else { "objected-before" };
    Ok(page.redirect(&format!("/me/uses?notice={notice}")))
}

page!(ObjectView, "object.html", Uses);
