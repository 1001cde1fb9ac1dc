//! X-Road Message Protocol for REST, version 1.

use http::HeaderName;

use super::super::failure::Failure;
use crate::domain::catalogue::service::{SUBJECT, XRoad};
use crate::http::Reply;
use crate::ports::RegisterError;

/// The headers of a request (§4.3). The security server adds `X-Road-Id`.
pub(super) fn headers(xroad: &XRoad, subject: Option<&str>) -> Vec<(HeaderName, String)> {
    let mut headers = vec![(HeaderName::from_static("x-road-client"), xroad.client.clone())];
    if let (Some(user), Some(subject)) = (&xroad.user, subject) {
        headers.push((HeaderName::from_static("x-road-userid"), user.replace(SUBJECT, subject)));
    }
    headers
}

/// What failed between both services, where a security server says so (§4.6). Its body may quote addresses and is not read.
pub(super) fn failure(reply: &Reply) -> Option<Failure> {
    let kind = reply.header("x-road-error")?;
    let plain = |text: &str| {
        text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let kind = if plain(kind) { kind } else { "an error of unknown form" };
    let side = if kind.starts_with("Client.") {
        "this side: the request does not fit the protocol, check client and service of xroad"
    } else if kind.starts_with("Server.ClientProxy") {
        "this city's security server"
    } else if kind.starts_with("Server.ServerProxy") {
        "the provider's security server or service"
    } else {
        "a security server"
    };
    let id = reply.header("x-road-request-id").or_else(|| reply.header("x-road-id")).filter(|id| plain(id));
    let id = id.map(|id| format!(", request {id}")).unwrap_or_default();
    Some(Failure::new(RegisterError::Unavailable, format!("X-Road: {kind} ({side}{id})")))
}
