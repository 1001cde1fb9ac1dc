//! The handlers of the portal: a request is taken apart, one use case is called, a view is filled and rendered.

mod decision;
mod denials;
mod login;
mod page;
mod partners;
mod passkeys;
mod personal;
mod public;
mod receipts;
mod view_models;

pub use decision::begin_authorization;
pub use page::PageProblem;

use actix_web::web::{self, ServiceConfig};

/// Registers the pages.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(public::home))
        .route("/assets/omadata.css", web::get().to(public::stylesheet))
        .route("/assets/city.css", web::get().to(public::city_stylesheet))
        .route("/assets/passkey.js", web::get().to(public::passkey_script))
        .route("/assets/icon.svg", web::get().to(public::icon))
        .route("/assets/logo", web::get().to(public::logo))
        .route("/catalogue", web::get().to(public::catalogue))
        .route("/catalogue/uses", web::get().to(public::uses))
        .route("/catalogue/datasets/{id}", web::get().to(public::dataset))
        .route("/catalogue/datasets/{id}/schema", web::get().to(public::schema))
        .route("/partners", web::get().to(partners::show))
        .route("/partners/use", web::get().to(public::declared_use))
        .route("/partners/use", web::post().to(decision::start))
        .route("/problems/{slug}", web::get().to(public::problem))
        .route("/login", web::get().to(login::begin))
        .route("/login/callback", web::get().to(login::callback))
        .route("/logout", web::post().to(login::log_out))
        .route("/logged-out", web::get().to(login::logged_out))
        .route("/me", web::get().to(personal::me))
        .route("/me/log", web::get().to(personal::log))
        .route("/me/sharing", web::get().to(personal::sharing))
        .route("/me/sharing/{id}", web::get().to(personal::permission))
        .route("/me/sharing/{id}/stop", web::get().to(personal::stop))
        .route("/me/sharing/{id}/stop", web::post().to(personal::confirm_stop))
        .route("/me/sharing/{id}/pause", web::post().to(personal::pause))
        .route("/me/sharing/{id}/resume", web::post().to(personal::resume))
        .route("/me/denials", web::get().to(denials::show))
        .route("/me/denials", web::post().to(denials::add))
        .route("/me/denials/{id}/remove", web::post().to(denials::remove))
        .route("/me/receipts", web::get().to(receipts::all))
        .route("/me/sharing/{id}/receipt", web::get().to(receipts::newest))
        .route("/me/sharing/{id}/receipt/{version}", web::get().to(receipts::one))
        .route("/me/sharing/{id}/receipt/{version}/signed", web::get().to(receipts::signed))
        .route("/me/sharing/{id}/receipt/{version}/readable", web::get().to(receipts::readable))
        .route("/me/sharing/{id}/bundle", web::get().to(receipts::bundle))
        .route("/receipt/verify", web::get().to(receipts::verify_form))
        .route("/receipt/verify", web::post().to(receipts::verify))
        .route("/me/passkeys", web::get().to(passkeys::list))
        .route("/me/passkeys", web::post().to(passkeys::register))
        .route("/me/passkeys/new", web::get().to(passkeys::new))
        .route("/me/passkeys/{id}/remove", web::post().to(passkeys::remove))
        .route("/consent/{id}/passkey", web::get().to(passkeys::confirm))
        .route("/consent/{id}/passkey", web::post().to(passkeys::confirmed))
        .route("/consent/{id}", web::get().to(decision::show))
        .route("/consent/{id}", web::post().to(decision::decide))
        .route("/consent/{id}/done", web::get().to(decision::done))
        .default_service(web::to(public::unknown));
}
