//! Login and logout. The login page itself is the provider's.

use crate::domain::login::{Callback, PendingLogin};
use crate::node::Problem;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::web::extract::{answer_to_probe, is_own_path, query};
use crate::web::html::page;
use crate::web::portal::decision::{decide, open};
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::{Confirmation, Page, PageResult, ResidentPage, SignedForm};
use crate::web::portal::reply::Look;
use crate::web::session::PostLogin;

/// The page after logging out.
#[derive(Debug, Clone)]
pub(crate) struct LoggedOutView {
    /// The provider's end-session address; the page forwards there automatically.
    pub(crate) onward: Option<url::Url>,
}

/// `GET /login?return_to=`: redirects to the city's login provider.
pub(crate) async fn begin(page: Page) -> PageResult {
    if let Some(answer) = answer_to_probe(&page.request) {
        return Ok(answer);
    }
    let return_to = query(&page.request)?.take("return_to").filter(|path| is_own_path(path));
    let return_to = return_to.unwrap_or_else(|| "/me".to_owned());
    let (location, pending) =
        log_in::begin(&page.app.node, LoginRequirement::default(), page.language).await?;
    page.visitor.save_pending_login(pending, PostLogin::Open(return_to))?;
    Ok(page.redirect(location.as_str()))
}

/// `GET /login/callback`: the provider's response, to a login or to the signing of a decision.
pub(crate) async fn callback(page: Page) -> PageResult {
    let mut query = query(&page.request)?;
    let callback = Callback {
        code: query.take("code"),
        state: query.take("state"),
        iss: query.take("iss"),
        error: query.take("error"),
    };
    let (pending, after) = page.visitor.take_pending_login(callback.state.as_deref())?;
    match after {
        PostLogin::Open(path) => {
            let page = log_in(page, &pending, &callback).await?;
            Ok(page.redirect(&path))
        }
        PostLogin::Arrive(request) => open::open(&log_in(page, &pending, &callback).await?, request).await,
        PostLogin::Show(request) => match log_in::complete(&page.app.node, &pending, &callback).await {
            Ok(resident) => {
                page.visitor.log_in(&resident)?;
                Ok(page.redirect(&format!("/consent/{request}")))
            }
            Err(problem) => {
                let resident = page.visitor.require_resident()?;
                let page = ResidentPage::logged_in(page, resident);
                decide::handle_login_failure(&page, request, problem).await
            }
        },
        PostLogin::Allow(request) => {
            let resident = page.visitor.require_resident()?;
            let page = ResidentPage::logged_in(page, resident);
            decide::complete(&page, request, &pending, &callback).await
        }
    }
}

async fn log_in(page: Page, pending: &PendingLogin, callback: &Callback) -> Result<ResidentPage, Problem> {
    let resident = log_in::complete(&page.app.node, pending, callback).await?;
    page.visitor.log_in(&resident)?;
    Ok(ResidentPage::logged_in(page, resident))
}

/// `POST /logout`: ends the session here, and at the provider if it has an endpoint for that.
pub(crate) async fn log_out(page: Page, signed: Result<SignedForm<Confirmation>, PageFailure>) -> PageResult {
    if page.visitor.resident().is_none() {
        return Ok(page.redirect("/logged-out"));
    }
    let SignedForm { page, .. } = signed?;
    page.visitor.log_out();
    let back = format!("{}/", page.app.node.settings.id);
    let onward = match url::Url::parse(&back) {
        Ok(back) => page.app.node.identity.logout_url(&page.resident.id_token, &back).await,
        Err(_) => None,
    };
    // A page that forwards, not a redirect: browsers check redirects that follow a form against its `form-action`
    // policy, and the provider may redirect to any number of hosts.
    let look = Look { path: Some("/logged-out"), ..Look::default() };
    page.show_as(&LoggedOutView { onward }, look)
}

/// `GET /logged-out`.
pub(crate) async fn logged_out(page: Page) -> PageResult {
    page.show(&LoggedOutView { onward: None })
}

page!(LoggedOutView, "logged_out.html");
