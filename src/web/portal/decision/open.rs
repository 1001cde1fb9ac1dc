//! A browser brings a pushed request (RFC 9126 §4): login first if necessary, then the request is opened.

use super::outcome::{go, unknown_request};
use crate::domain::ids::RequestId;
use crate::node::holder::oauth::authorize;
use crate::node::holder::oauth::authorize::Opened;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::web::extract::{answer_to_probe, query};
use crate::web::html::page;
use crate::web::portal::page::{Page, PageResult, ResidentPage};
use crate::web::portal::party::{Party, asker};
use crate::web::portal::reply::Look;
use crate::web::session::PostLogin;

/// The page for somebody else than the expected person. Does not say who is expected.
#[derive(Debug, Clone)]
pub(crate) struct WrongPersonView {
    pub(crate) asker: Party,
}

/// `GET /oauth/authorize` at the holder.
pub(crate) async fn authorize(page: Page) -> PageResult {
    if let Some(answer) = answer_to_probe(&page.request) {
        return Ok(answer);
    }
    let node = &page.app.node;
    let mut query = query(&page.request)?;
    let (client, uri) = (query.take("client_id"), query.take("request_uri"));
    let id = authorize::find(node, client.as_deref(), uri.as_deref()).await.map_err(unknown_request)?;
    if let Some(resident) = page.visitor.resident() {
        return open(&ResidentPage::logged_in(page, resident), id).await;
    }
    let (location, pending) = log_in::begin(node, LoginRequirement::default(), page.language).await?;
    page.visitor.save_pending_login(pending, PostLogin::Arrive(id))?;
    Ok(page.redirect(location.as_str()))
}

/// Opens the request that this resident's browser brought.
pub(crate) async fn open(page: &ResidentPage, id: RequestId) -> PageResult {
    let opened = authorize::open(&page.app.node, &page.resident, id, page.language).await;
    match opened.map_err(unknown_request)? {
        Opened::Here => Ok(page.redirect(&format!("/consent/{id}"))),
        Opened::WrongPerson(request) => page.show_as(
            &WrongPersonView { asker: asker(&request) },
            Look { path: Some("/"), ..Look::default() },
        ),
        Opened::Refused(destination) => Ok(go(page, id, &destination)),
    }
}

page!(WrongPersonView, "wrong_person.html");
