//! The API of a city's services at their own node. JSON; problems as RFC 9457.

mod consent_requests;
mod consents;
mod deletion;
mod exchange;
mod token;
mod uses;
mod view;

use crate::web::routes::routes;

routes! {
    pub(crate) fn configure, API {
        "/api/v1/token" => { post token::issue }
        "/api/v1/consent-requests" => { post consent_requests::create }
        "/api/v1/consents" => { get consents::list }
        "/api/v1/consents/{id}" => { get consents::show, delete consents::give_back }
        "/api/v1/consents/{id}/deletion" => { post deletion::confirm }
        "/api/v1/consents/{id}/fetch" => { post exchange::fetch }
        "/api/v1/uses" => { post uses::report }
        "/api/v1/uses/hidings" => { get uses::hidings }
        "/api/v1/uses/hidings/{id}/confirm" => { post uses::confirm }
        "/api/v1/uses/hidings/{id}/extend" => { post uses::extend }
    }
}
