//! `/me/passkeys` and `/me/passkeys/new`.

use crate::domain::clock::Timestamp;
use crate::domain::ids::PasskeyId;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::resident::register_passkey;
use crate::web::extract::{Id, Parameters, is_own_path, query};
use crate::web::html::chrome::Notice;
use crate::web::html::page;
use crate::web::portal::page::{Confirmation, PageResult, ResidentPage, SignedForm};
use crate::web::portal::reply::Look;
use crate::web::session::PostLogin;

#[derive(Debug, Clone)]
pub(crate) struct PasskeyItem {
    pub(crate) id: PasskeyId,
    /// The resident's name for it.
    pub(crate) label: String,
    /// When it was added.
    pub(crate) created_at: Timestamp,
    /// When it last signed.
    pub(crate) last_used_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(crate) struct PasskeysView {
    pub(crate) passkeys: Vec<PasskeyItem>,
}

/// The page that asks the browser for a new passkey.
#[derive(Debug, Clone)]
pub(crate) struct NewPasskeyView {
    /// The options for the browser, JSON.
    pub(crate) options: String,
    /// The page to return to; empty for the list.
    pub(crate) return_to: String,
}

/// `GET /me/passkeys`.
pub(crate) async fn list(page: ResidentPage) -> PageResult {
    let notice = match query(&page.request)?.take("notice").as_deref() {
        Some("added") => Some(Notice::PasskeyAdded),
        Some("removed") => Some(Notice::PasskeyRemoved),
        _ => None,
    };
    let kept = register_passkey::list(&page.app.node, &page.resident).await?;
    let passkeys = kept
        .into_iter()
        .map(|kept| PasskeyItem {
            id: kept.id,
            label: kept.passkey.label,
            created_at: kept.created_at,
            last_used_at: kept.last_used_at,
        })
        .collect();
    page.show_with_notice(&PasskeysView { passkeys }, notice)
}

/// `GET /me/passkeys/new?return_to=`: first the login that registration requires, then the page that asks the browser.
pub(crate) async fn ask(page: ResidentPage) -> PageResult {
    let node = &page.app.node;
    if !register_passkey::may_register(node, &page.resident) {
        let demand = LoginRequirement { nonce: None, known: register_passkey::demand(node), step_up: true };
        let (location, pending) = log_in::begin(node, demand, page.language).await?;
        page.visitor.save_pending_login(pending, PostLogin::Open(page.path()))?;
        return Ok(page.redirect(location.as_str()));
    }
    let return_to = query(&page.request)?.take("return_to").filter(|path| is_own_path(path));
    let (options, registering) = register_passkey::begin(node, &page.resident).await?;
    page.visitor.register(&registering)?;
    // Back to a decision, which may still require a stronger login.
    let look = Look { form_leads_out: return_to.is_some(), script: true, ..Look::default() };
    page.show_as(&NewPasskeyView { options, return_to: return_to.unwrap_or_default() }, look)
}

/// `POST /me/passkeys`: the browser's response.
pub(crate) async fn register(signed: SignedForm<Parameters>) -> PageResult {
    let SignedForm { page, mut form } = signed;
    let registering = page.visitor.registered()?;
    let (label, answer) = (form.take("label").unwrap_or_default(), form.take("answer").unwrap_or_default());
    register_passkey::finish(&page.app.node, &page.resident, &registering, &label, &answer).await?;
    let back = form.take("return_to").filter(|path| is_own_path(path));
    Ok(page.redirect(&back.unwrap_or_else(|| "/me/passkeys?notice=added".to_owned())))
}

/// `POST /me/passkeys/{id}/remove`.
pub(crate) async fn remove(signed: SignedForm<Confirmation>, Id(id): Id<PasskeyId>) -> PageResult {
    let SignedForm { page, .. } = signed;
    register_passkey::remove(&page.app.node, &page.resident, id).await?;
    Ok(page.redirect("/me/passkeys?notice=removed"))
}

page!(PasskeysView, "passkeys.html", Overview);
page!(NewPasskeyView, "passkey_new.html", Overview);
