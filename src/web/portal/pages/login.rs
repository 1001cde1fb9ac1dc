//! Logging in and out.

use actix_web::{HttpRequest, HttpResponse, web};

use super::decision;
use super::page::{Page, PageProblem};
use crate::domain::login::Callback;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::web::App;
use crate::web::extract::{FormParameters, query};
use crate::web::portal::views::LoggedOutView;
use crate::web::session::PostLogin;

/// `GET /login?return_to=`: off to the city's login provider.
pub(super) async fn begin(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let mut query = query(&request).map_err(|problem| page.problem(problem.0))?;
    let return_to = query.take("return_to").filter(|path| is_own_path(path)).unwrap_or("/me".to_owned());
    let (location, pending) = log_in::begin(&app.node, LoginRequirement::default(), page.language)
        .await
        .map_err(|problem| page.problem(problem))?;
    page.visitor
        .save_pending_login(pending, PostLogin::Open(return_to))
        .map_err(|problem| page.problem(problem))?;
    Ok(page.redirect(location.as_str()))
}

/// Whether an address is a path of this portal and nothing else (no open redirect).
pub(super) fn is_own_path(path: &str) -> bool {
    let starts_well = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    starts_well && !path.contains(['\\', '\r', '\n', '\t']) && path.len() <= 2048
}

/// `GET /login/callback`: the provider's answer, to a login or to the signing of a decision.
pub(super) async fn callback(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let mut query = query(&request).map_err(|problem| fail(problem.0))?;
    let callback = Callback {
        code: query.take("code"),
        state: query.take("state"),
        iss: query.take("iss"),
        error: query.take("error"),
    };
    let (pending, after) = page.visitor.take_pending_login().map_err(fail)?;
    match after {
        PostLogin::Open(path) => {
            let resident = log_in::complete(&app.node, &pending, &callback).await.map_err(fail)?;
            page.visitor.log_in(&resident).map_err(fail)?;
            Ok(page.redirect(&path))
        }
        PostLogin::Arrive(request) => {
            let resident = log_in::complete(&app.node, &pending, &callback).await.map_err(fail)?;
            page.visitor.log_in(&resident).map_err(fail)?;
            decision::open(&page, &resident, request).await
        }
        PostLogin::Show(request) => match log_in::complete(&app.node, &pending, &callback).await {
            Ok(resident) => {
                page.visitor.log_in(&resident).map_err(fail)?;
                Ok(page.redirect(&format!("/consent/{request}")))
            }
            Err(problem) => {
                let resident = page.visitor.require_resident().map_err(fail)?;
                decision::handle_login_failure(&page, &resident, request, problem).await
            }
        },
        PostLogin::Allow(request) => decision::signed(&page, request, &pending, &callback).await,
    }
}

/// `POST /logout`: ends the session here, and at the provider where it offers that.
pub(super) async fn log_out(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let Some(resident) = page.visitor.resident() else { return Ok(page.redirect("/logged-out")) };
    page.check_form(form.take("csrf").as_deref())?;
    page.visitor.log_out();
    let back = format!("{}/", app.node.settings.id);
    let everywhere = match url::Url::parse(&back) {
        Ok(back) => app.node.identity.logout_url(&resident.id_token, &back).await,
        Err(_) => None,
    };
    // A page that leads on, not a redirect: browsers hold redirects that follow a form against its policy, and how many
    // hosts the provider passes through is its own affair.
    page.show_at("/logged-out", &LoggedOutView { onward: everywhere })
}

/// `GET /logged-out`.
pub(super) async fn logged_out(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    Page::new(&app, &request).show(&LoggedOutView { onward: None })
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_paths_of_this_portal_are_returned_to() {
        for good in ["/", "/me", "/consent/abc?lang=fi", "/partners/use?id=https%3A%2F%2Fa.example"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in ["", "me", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/a\\b"]
        {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
