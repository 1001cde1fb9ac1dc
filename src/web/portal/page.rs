//! The extractors of the portal's handlers, and the writing of a page.
//!
//! Who may see a page is the type of the handler's first argument: [`Page`] is for anyone, [`ResidentPage`] for a resident
//! who has logged in, [`SignedForm`] for a form that such a resident sent from a page of this portal.

use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures_util::{Stream, StreamExt, stream};

use super::failure::PageFailure;
use super::language::language;
use super::reply::{self, Look, see_other};
use crate::domain::catalogue::Language;
use crate::domain::login::Resident;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{Parameters, form_body, is_form};
use crate::web::html::chrome::{Chrome, Notice, login_href};
use crate::web::html::frame::{View, render};
use crate::web::made_once::MadeOf;
use crate::web::problem::HttpProblem;
use crate::web::representation::Representation;
use crate::web::session::Visitor;

/// The result of a portal handler.
pub(crate) type PageResult = Result<HttpResponse, PageFailure>;

/// A request for a page, from anyone.
pub(crate) struct Page {
    pub(crate) app: web::Data<App>,
    pub(crate) request: HttpRequest,
    pub(crate) visitor: Visitor,
    pub(crate) language: Language,
}

impl FromRequest for Page {
    type Error = HttpProblem;
    type Future = Ready<Result<Self, HttpProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Page {
    /// The page behind a request.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, HttpProblem> {
        let app = request.app_data::<web::Data<App>>().ok_or(HttpProblem::from(ProblemKind::Internal))?;
        Ok(Self {
            app: app.clone(),
            visitor: Visitor::of(request, Arc::clone(&app.node)),
            language: language(request),
            request: request.clone(),
        })
    }

    /// Path and query of this page.
    pub(crate) fn path(&self) -> String {
        reply::path(&self.request)
    }

    /// A page with the default headers.
    pub(crate) fn show(&self, view: &impl View) -> PageResult {
        self.show_as(view, Look::default())
    }

    /// A page with a message about the last action.
    pub(crate) fn show_with_notice(&self, view: &impl View, notice: Option<Notice>) -> PageResult {
        self.show_as(view, Look { notice, ..Look::default() })
    }

    /// A page that is public: with a validator, and compressed for who wants that. To a resident who has logged in it is a page like
    /// any other, since it has their name and their session's CSRF token.
    pub(crate) fn show_public(&self, view: &impl View) -> PageResult {
        let chrome = reply::chrome(&self.app, &self.visitor, self.path())?;
        if chrome.signed_in.is_some() {
            return self.show(view);
        }
        let page = public_page(view, self.language, &chrome)?;
        Ok(reply::public(&self.app, &self.request, self.language, &page))
    }

    /// The same, made once for each path and language as long as what it is made of stays the same. A page that depends on its query
    /// is not kept.
    pub(crate) async fn show_kept<V: View>(
        &self,
        made_of: MadeOf,
        view: impl FnOnce() -> V + Send + 'static,
    ) -> PageResult {
        let (path, language) = (self.path(), self.language);
        let chrome = reply::chrome(&self.app, &self.visitor, path.clone())?;
        let query = self.request.query_string();
        let tag = query.strip_prefix("lang=");
        let known = query.is_empty() || Language::ALL.iter().any(|language| Some(language.tag()) == tag);
        // An address may be spelt in many ways with percent signs: only one is kept.
        if chrome.signed_in.is_some() || !known || path.contains('%') {
            return self.show_public(&view());
        }
        let name = format!("{} {path}", language.tag());
        let make = move || public_page(&view(), language, &chrome);
        let page = self.app.catalogue.get(&name, made_of, make).await?;
        Ok(reply::public(&self.app, &self.request, language, &page))
    }

    /// A page with options.
    pub(super) fn show_as(&self, view: &impl View, look: Look) -> PageResult {
        let path = look.path.map_or_else(|| self.path(), str::to_owned);
        let chrome = reply::chrome(&self.app, &self.visitor, path)?;
        let chrome = Chrome { notices: look.notice.into_iter().collect(), ..chrome };
        let html = render(view, self.language, &chrome)
            .map_err(|error| Problem::because(ProblemKind::Internal, error))?;
        Ok(reply::html(&self.app, self.language, html, &look))
    }

    /// A page whose middle comes part by part, as each becomes ready. `before` marks the place in the view.
    pub(crate) fn show_in_parts<V: View + 'static>(
        &self,
        view: &impl View,
        before: &str,
        parts: impl Stream<Item = V> + 'static,
    ) -> PageResult {
        let language = self.language;
        let chrome = reply::chrome(&self.app, &self.visitor, self.path())?;
        let unwritable = |error| Problem::because(ProblemKind::Internal, error);
        let html = render(view, language, &chrome).map_err(unwritable)?;
        let (head, tail) = html
            .split_once(before)
            .map(|(head, tail)| (head.to_owned(), tail.to_owned()))
            .ok_or_else(|| Problem::because(ProblemKind::Internal, "no place for parts"))?;
        let whole = |html: String| stream::once(ready(Ok(html)));
        let parts = parts.map(move |part| render(&part, language, &chrome));
        let body = whole(head).chain(parts).chain(whole(tail)).map(|html| html.map(web::Bytes::from));
        Ok(reply::begin(&self.app, language, &Look::default())
            // Asks nginx not to hold the parts back.
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(body))
    }

    /// Redirects the browser with GET, to a path of this portal or to another address.
    pub(crate) fn redirect(&self, address: &str) -> HttpResponse {
        see_other(address)
    }

    /// Checks that a form was sent from this portal's own page (CSRF): the browser's headers first (Fetch Metadata, RFC
    /// 6454 §7), then the session's token.
    fn check_form(&self, token: Option<&str>) -> Result<(), Problem> {
        if self.sender().contains(&Some(false)) {
            return Err(Problem::new(ProblemKind::ForeignForm));
        }
        self.visitor.check_csrf(token)
    }

    /// Whether the browser reports that the request comes from a page of this portal, with no header against it.
    pub(crate) fn is_from_own_page(&self) -> bool {
        let sender = self.sender();
        sender.contains(&Some(true)) && !sender.contains(&Some(false))
    }

    /// Whether `Sec-Fetch-Site` and `Origin` are this portal's; `None` for an absent one.
    fn sender(&self) -> [Option<bool>; 2] {
        let header =
            |name: &str| self.request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"));
        let own = self.app.node.settings.id.as_str();
        [
            header("sec-fetch-site").map(|site| site == "same-origin"),
            header("origin").map(|origin| origin == own),
        ]
    }
}

/// Renders a page that has no secret.
fn public_page(view: &impl View, language: Language, chrome: &Chrome) -> Result<Representation, Problem> {
    let html = render(view, language, chrome);
    let html = html.map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    Ok(Representation::new(reply::HTML, html))
}

/// A page of a resident who has logged in. Anyone else is redirected to the login and back.
pub(crate) struct ResidentPage {
    page: Page,
    pub(crate) resident: Resident,
}

impl Deref for ResidentPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl ResidentPage {
    /// The page of the resident who has just logged in.
    pub(crate) const fn logged_in(page: Page, resident: Resident) -> Self {
        Self { page, resident }
    }
}

impl FromRequest for ResidentPage {
    type Error = PageFailure;
    type Future = Ready<Result<Self, PageFailure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Page::of(request).map_err(PageFailure::from).and_then(|page| match page.visitor.resident() {
            Some(resident) => Ok(Self { page, resident }),
            None => Err(PageFailure::LogIn(login_href(&page.path()))),
        }))
    }
}

/// A form of this portal, without its CSRF token.
pub(crate) trait FormData: Sized {
    /// The form's CSRF token and the rest of it.
    ///
    /// # Errors
    /// [`Problem`] when it is not such a form.
    fn read(body: &[u8]) -> Result<(Option<String>, Self), Problem>;

    /// Keeps the form's content until the resident has logged in again; `true` when it did.
    fn keep_for_login(&self, _page: &Page) -> bool {
        false
    }
}

impl FormData for Parameters {
    fn read(body: &[u8]) -> Result<(Option<String>, Self), Problem> {
        let mut parameters =
            Self::parse(body).map_err(|why| Problem::with_detail(ProblemKind::BadRequest, why))?;
        Ok((parameters.take("csrf"), parameters))
    }
}

/// A form with a button only.
pub(crate) struct Confirmation;

impl FormData for Confirmation {
    fn read(body: &[u8]) -> Result<(Option<String>, Self), Problem> {
        Parameters::read(body).map(|(csrf, _)| (csrf, Self))
    }
}

/// A form that a resident who is logged in sent from a page of this portal.
pub(crate) struct SignedForm<T> {
    pub(crate) page: ResidentPage,
    pub(crate) form: T,
}

impl<T: FormData> FromRequest for SignedForm<T> {
    type Error = PageFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageFailure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let page = Page::of(request);
        let (is_form, bytes) = (is_form(request), web::Bytes::from_request(request, payload));
        Box::pin(async move {
            let page = page?;
            let body = form_body(is_form, bytes).await?;
            let (csrf, form) = T::read(&body)?;
            let Some(resident) = page.visitor.resident() else {
                return Err(if form.keep_for_login(&page) {
                    PageFailure::ChoicesKept
                } else {
                    PageFailure::from(Problem::new(ProblemKind::SessionEnded))
                });
            };
            page.check_form(csrf.as_deref())?;
            Ok(Self { page: ResidentPage { page, resident }, form })
        })
    }
}
