//! Stylesheets, icon, logo and the one script: compressed once, when a process starts or first sends them.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::web::App;
use crate::web::html::assets::{CSS, ICON, PASSKEY_SCRIPT, STYLESHEET};
use crate::web::representation::Representation;

static STYLES: LazyLock<Representation> = LazyLock::new(|| Representation::new(CSS, STYLESHEET));
static SCRIPT: LazyLock<Representation> =
    LazyLock::new(|| Representation::new("text/javascript; charset=utf-8", PASSKEY_SCRIPT));
static ICON_IMAGE: LazyLock<Representation> = LazyLock::new(|| Representation::new("image/svg+xml", ICON));

/// Seconds for which browsers use a style or script without asking: an update of the node shows soon after.
const STYLE_SECS: u32 = 300;

/// `GET /assets/omadata.css`.
pub(crate) async fn stylesheet(request: HttpRequest) -> HttpResponse {
    send(&STYLES, &request, STYLE_SECS)
}

/// `GET /assets/city.css`.
pub(crate) async fn city_stylesheet(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    send(&app.brand.css, &request, STYLE_SECS)
}

/// `GET /assets/passkey.js`: the only script, on the pages that ask the browser for a passkey.
pub(crate) async fn passkey_script(request: HttpRequest) -> HttpResponse {
    send(&SCRIPT, &request, STYLE_SECS)
}

/// `GET /assets/icon.svg`.
pub(crate) async fn icon(request: HttpRequest) -> HttpResponse {
    send(&ICON_IMAGE, &request, 86_400)
}

/// `GET /assets/logo`: the city's own.
pub(crate) async fn logo(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    match &app.brand.logo {
        Some(logo) => send(logo, &request, 3600),
        None => HttpResponse::NotFound().finish(),
    }
}

fn send(asset: &Representation, request: &HttpRequest, secs: u32) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, format!("public, max-age={secs}")));
    asset.respond(request, &mut response)
}
