//! Routes as a table: each path with its methods and handlers. `HEAD` is answered for every `GET` (RFC 9110 §9.3.2),
//! and any other method gets 405 with `Allow` (§15.5.6).

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, ResponseError, Route, guard};

use super::problem::HttpProblem;
use crate::node::ProblemKind;

/// Paths with their methods.
pub(super) type Table = &'static [(&'static str, &'static [&'static str])];

/// Answers `GET`, and `HEAD` by leaving the body out.
pub(super) fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Answers `GET` alone: for counted responses, a response without its body would be useless.
pub(super) fn get_without_head() -> Route {
    web::get()
}

/// Answers `POST`.
pub(super) fn post() -> Route {
    web::post()
}

/// Answers `DELETE`.
pub(super) fn delete() -> Route {
    web::delete()
}

/// A path's resource once its methods are known.
pub(super) fn finish(resource: Resource, methods: &'static [&'static str]) -> Resource {
    resource.default_service(web::to(move || std::future::ready(method_not_allowed(methods))))
}

fn method_not_allowed(methods: &[&str]) -> HttpResponse {
    let mut allowed: Vec<String> = Vec::new();
    for method in methods {
        allowed.push(method.trim_end_matches("_without_head").to_uppercase());
        if *method == "get" {
            allowed.push("HEAD".to_owned());
        }
    }
    let problem = HttpProblem::from(ProblemKind::MethodNotAllowed);
    let mut response = HttpResponse::from_error(problem);
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// Answers every other path below these segments with a problem, not with a resident's page.
pub(super) fn close_prefixes(config: &mut ServiceConfig, prefixes: &[&str]) {
    for prefix in prefixes {
        let unknown = || std::future::ready(HttpProblem::from(ProblemKind::NotFound).error_response());
        config.service(web::scope(prefix).default_service(web::to(unknown)));
    }
}

/// Declares a table of paths, and the function that registers them.
macro_rules! routes {
    ($(#[$doc:meta])* $vis:vis fn $configure:ident, $table:ident {
        $($path:literal => { $($method:ident $handler:expr),+ $(,)? })+
    }) => {
        #[doc = "Every path of this part and the methods that it offers."]
        #[allow(dead_code, reason = "a superior's table is not listed")]
        $vis const $table: $crate::web::routes::Table = &[$(($path, &[$(stringify!($method)),+])),+];

        $(#[$doc])*
        $vis fn $configure(config: &mut actix_web::web::ServiceConfig) {
            $(
                config.service($crate::web::routes::finish(
                    actix_web::web::resource($path)
                        $(.route($crate::web::routes::$method().to($handler)))+,
                    &[$(stringify!($method)),+],
                ));
            )+
        }
    };
}
pub(crate) use routes;
