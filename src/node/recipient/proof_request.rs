//! A request to a holder with a DPoP proof (RFC 9449), repeated if the holder demands a nonce.

use serde::Deserialize;

use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::SigningKey;
use crate::domain::sync::lock;
use crate::domain::token::proof::{self, ProofClaims, token_hash};
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::{OutboundAnswer, OutboundBody, OutboundRequest};

/// The constant part of all attempts.
pub(super) struct ProofRequest<'a> {
    pub(super) holder: &'a EntityId,
    /// The key that signs the proof.
    pub(super) key: &'a SigningKey,
    /// The address without query, as the proof names it (`htu`, RFC 9449 §4.2).
    pub(super) url: &'a url::Url,
    /// The query's one parameter, where there is one.
    pub(super) query: Option<(&'a str, &'a str)>,
    /// The access token of the request.
    pub(super) token: Option<&'a str>,
    /// Maximum size of the response in bytes.
    pub(super) max_bytes: usize,
}

/// A request with its response.
pub(super) struct ProvedAnswer {
    pub(super) answer: OutboundAnswer,
    /// The proof of the request.
    pub(super) proof: String,
    /// When it was sent.
    pub(super) sent_at: Timestamp,
}

impl ProvedAnswer {
    /// Whether the response's challenge has this error (RFC 6750 §3).
    pub(super) fn is_challenged_for(&self, error: &str) -> bool {
        self.answer.status == 401
            && self
                .answer
                .headers
                .get("www-authenticate")
                .is_some_and(|challenge| challenge.contains(&format!("error=\"{error}\"")))
    }

    /// Whether the holder demands a nonce: as a resource server (RFC 9449 §9) or as an authorization server (§8).
    fn demands_nonce(&self) -> bool {
        #[derive(Deserialize)]
        struct Body {
            error: String,
        }
        const DEMAND: &str = "use_dpop_nonce";
        self.is_challenged_for(DEMAND)
            || (matches!(self.answer.status, 400 | 401)
                && serde_json::from_slice::<Body>(&self.answer.body).is_ok_and(|body| body.error == DEMAND))
    }
}

/// Sends a request with a proof. `body` is built for each attempt: an assertion in it can be used once.
///
/// # Errors
/// [`Problem`] when the holder cannot be reached, or keeps demanding other nonces.
pub(super) async fn send_with_proof(
    node: &Node,
    request: &ProofRequest<'_>,
    body: impl Fn(Timestamp) -> Result<OutboundBody, Problem> + Send + Sync,
) -> Result<ProvedAnswer, Problem> {
    for _ in 0..2 {
        let now = node.now();
        let body = body(now)?;
        let method = match body {
            OutboundBody::None => "GET",
            OutboundBody::Delete => "DELETE",
            OutboundBody::Form(_) | OutboundBody::Bytes { .. } => "POST",
        };
        let (proof, sent) = sign_proof(node, request, method, now)?;
        let mut url = request.url.clone();
        if let Some((name, value)) = request.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut headers = vec![("dpop", proof.clone())];
        headers.extend(request.token.map(|token| ("authorization", format!("DPoP {token}"))));
        let outbound = OutboundRequest { url, body, headers, max_bytes: request.max_bytes };
        let answer = node
            .outbound
            .send(outbound)
            .await
            .map_err(|error| Problem::because(ProblemKind::PeerUnavailable, error))?;
        let handed_out = remember_nonce(node, request.holder, &answer);
        let answered = ProvedAnswer { answer, proof, sent_at: now };
        // Compared with this request's nonce: another one may have stored the new nonce meanwhile.
        if !answered.demands_nonce() || handed_out == sent {
            return Ok(answered);
        }
    }
    Err(Problem::because(ProblemKind::PeerUnavailable, "the nonce changes at every request"))
}

/// A proof and the nonce in it.
fn sign_proof(
    node: &Node,
    request: &ProofRequest<'_>,
    method: &str,
    now: Timestamp,
) -> Result<(String, Option<String>), Problem> {
    let nonces = lock(&node.peer_nonces);
    let claims = ProofClaims {
        exp: None,
        nbf: None,
        htm: method.to_owned(),
        htu: request.url.to_string(),
        iat: now.secs(),
        jti: node.jti()?,
        ath: request.token.map(token_hash),
        nonce: nonces.get(request.holder).cloned(),
    };
    Ok((proof::sign(request.key, &claims)?, claims.nonce))
}

/// Stores a holder's new nonce.
pub(super) fn remember_nonce(node: &Node, holder: &EntityId, answer: &OutboundAnswer) -> Option<String> {
    let nonce = answer.headers.get("dpop-nonce").filter(|nonce| nonce.len() <= 256)?;
    let mut nonces = lock(&node.peer_nonces);
    nonces.insert(holder.clone(), nonce.clone());
    Some(nonce.clone())
}
