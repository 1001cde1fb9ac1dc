//! Stylesheets, icon, logo and the one script.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::web::App;
use crate::web::html::assets::{ICON, PASSKEY_SCRIPT, STYLESHEET};

/// `GET /assets/omadata.css`.
pub(crate) async fn stylesheet() -> HttpResponse {
    css(STYLESHEET.to_owned())
}

/// `GET /assets/city.css`.
pub(crate) async fn city_stylesheet(app: web::Data<App>) -> HttpResponse {
    css(app.brand.css.clone())
}

/// `GET /assets/passkey.js`: the only script, on the pages that ask the browser for a passkey.
pub(crate) async fn passkey_script() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(PASSKEY_SCRIPT)
}

/// `GET /assets/icon.svg`.
pub(crate) async fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .body(ICON)
}

/// `GET /assets/logo`: the city's own.
pub(crate) async fn logo(app: web::Data<App>) -> HttpResponse {
    match &app.brand.logo {
        Some((media_type, bytes)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, *media_type))
            .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
            .body(bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

fn css(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(text)
}
