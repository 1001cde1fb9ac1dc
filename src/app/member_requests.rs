//! Where a request to a member goes: over the network, or into this process when the member is this node.

use std::sync::Mutex;

use async_trait::async_trait;

use crate::domain::ids::EntityId;
use crate::domain::sync::lock;
use crate::http::guard::GuardedClient;
use crate::ports::{Outbound, OutboundAnswer, OutboundError, OutboundRequest};
use crate::web::own_routes::OwnRoutes;

/// The requests of a node to members of the federation, of which it is one.
pub(crate) struct MemberRequests {
    own: EntityId,
    network: GuardedClient,
    /// Set while this process serves; the operator's commands reach the node over the network.
    routes: Mutex<Option<OwnRoutes>>,
}

impl MemberRequests {
    pub(crate) const fn new(own: EntityId, network: GuardedClient) -> Self {
        Self { own, network, routes: Mutex::new(None) }
    }

    /// From now on this process answers the node's requests to itself.
    pub(crate) fn open(&self, routes: OwnRoutes) {
        *lock(&self.routes) = Some(routes);
    }

    /// The end of that.
    pub(crate) fn close(&self) {
        *lock(&self.routes) = None;
    }

    /// The routes, and the path and query below the base URL, of a request to this node.
    fn inside(&self, request: &OutboundRequest) -> Option<(OwnRoutes, String)> {
        let target = request.url.as_str().strip_prefix(self.own.as_str())?;
        if !target.starts_with('/') {
            return None;
        }
        Some((lock(&self.routes).clone()?, target.to_owned()))
    }
}

#[async_trait]
impl Outbound for MemberRequests {
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        match self.inside(&request) {
            Some((routes, target)) => routes.send(target, request).await,
            None => self.network.send(request).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpRequest, HttpResponse, web};

    use super::*;
    use crate::http::AddressPolicy;
    use crate::ports::OutboundBody;
    use crate::web::server::test_routes;

    /// What the request was, as a handler sees it.
    async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
        let header = |name: &str| request.headers().get(name).map_or("-", |value| value.to_str().unwrap());
        let length = body.len().max(1);
        HttpResponse::Accepted()
            .insert_header(("dpop-nonce", "n"))
            .append_header(("omadata-receipt", "a"))
            .append_header(("omadata-receipt", "b"))
            .json(serde_json::json!({
                "method": request.method().as_str(), "target": request.uri().to_string(), "length": length,
                "host": header("host"), "type": header("content-type"), "dpop": header("dpop"),
                "body": String::from_utf8_lossy(&body),
            }))
    }

    /// Nothing listens there: what is answered came over no connection.
    fn requests() -> MemberRequests {
        MemberRequests::new(
            EntityId::new("http://espoo.localhost:1/data").unwrap(),
            GuardedClient::new(AddressPolicy::Demo).unwrap(),
        )
    }

    fn to(url: &str, body: OutboundBody) -> OutboundRequest {
        let headers = vec![("dpop", "proof".to_owned())];
        OutboundRequest { url: url.parse().unwrap(), body, headers, max_bytes: 1000 }
    }

    #[tokio::test]
    async fn a_node_answers_its_own_requests_without_a_connection() {
        let requests = requests();
        requests.open(test_routes(|config| {
            config.service(web::resource("{path:.*}").to(echo));
        }));
        let form = OutboundBody::Form(vec![("scope".into(), "a b&c".into())]);
        let bytes = OutboundBody::Bytes { content_type: "application/secevent+jwt", bytes: vec![b'x'] };
        for (body, method, content_type, sent) in [
            (OutboundBody::None, "GET", "-", ""),
            (OutboundBody::Delete, "DELETE", "-", ""),
            (form, "POST", "application/x-www-form-urlencoded", "scope=a+b%26c"),
            (bytes, "POST", "application/secevent+jwt", "x"),
        ] {
            let answer =
                requests.send(to("http://espoo.localhost:1/data/oauth/par?a=%2F", body)).await.unwrap();
            let seen: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(
                seen,
                serde_json::json!({
                    "method": method, "target": "/oauth/par?a=%2F", "length": sent.len().max(1),
                    "host": "espoo.localhost:1", "type": content_type, "dpop": "proof", "body": sent,
                })
            );
            assert_eq!(answer.status, 202);
            assert_eq!(answer.headers.get("dpop-nonce").map(String::as_str), Some("n"));
            assert_eq!(answer.headers.get("omadata-receipt"), None, "a repeated header counts as none");
        }
    }

    #[tokio::test]
    async fn an_answer_of_its_own_has_the_same_bound() {
        let requests = requests();
        requests.open(test_routes(|config| {
            let long = || async { HttpResponse::Ok().body("x".repeat(1001)) };
            config.service(web::resource("{path:.*}").to(long));
        }));
        let answer = requests.send(to("http://espoo.localhost:1/data/", OutboundBody::None)).await;
        assert_eq!(answer.unwrap_err(), OutboundError::Unfit("too large"));
    }

    #[tokio::test]
    async fn others_are_asked_over_the_network_and_so_is_a_node_that_does_not_serve() {
        let requests = requests();
        requests.open(test_routes(|config| {
            config.service(web::resource("{path:.*}").to(echo));
        }));
        // The same words at the beginning are not the same city.
        for other in ["http://espoo.localhost:1/database", "http://espoo.localhost:10/data/oauth/par"] {
            assert!(requests.send(to(other, OutboundBody::None)).await.is_err(), "{other}");
        }
        requests.close();
        assert!(requests.send(to("http://espoo.localhost:1/data/", OutboundBody::None)).await.is_err());
    }
}
