//! `/consent/{id}/passkey`: a passkey signs the pending decision.

use crate::domain::catalogue::Text;
use crate::domain::ids::RequestId;
use crate::node::holder::decision::sign_with_passkey;
use crate::web::extract::{Id, Parameters};
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage, SignedForm};
use crate::web::portal::party::{Party, asker, dataset_title};
use crate::web::portal::reply::Look;
use crate::web::session::PostLogin;

/// The page that asks for a passkey's confirmation of a decision.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmPasskeyView {
    /// The request that was decided.
    pub(crate) request: RequestId,
    pub(crate) asker: Party,
    /// Display name of the data.
    pub(crate) dataset: Text,
    /// The options for the browser, JSON.
    pub(crate) options: String,
}

/// `GET /consent/{id}/passkey`. Read only.
pub(crate) async fn ask(page: ResidentPage, Id(id): Id<RequestId>) -> PageResult {
    let to_sign = sign_with_passkey::begin(&page.app.node, &page.resident, id).await?;
    let view = ConfirmPasskeyView {
        request: id,
        asker: asker(&to_sign.request),
        dataset: dataset_title(&page.app, &to_sign.request.terms.dataset),
        options: to_sign.options,
    };
    page.show_as(&view, Look { form_leads_out: true, script: true, ..Look::default() })
}

/// `POST /consent/{id}/passkey`: the passkey's signature; then the login provider's.
pub(crate) async fn confirm(signed: SignedForm<Parameters>, Id(id): Id<RequestId>) -> PageResult {
    let SignedForm { page, mut form } = signed;
    let answer = form.take("answer").unwrap_or_default();
    let (location, pending) =
        sign_with_passkey::finish(&page.app.node, &page.resident, id, &answer, page.language).await?;
    page.visitor.save_pending_login(pending, PostLogin::Allow(id))?;
    Ok(page.redirect(location.as_str()))
}

page!(ConfirmPasskeyView, "passkey_confirm.html");
