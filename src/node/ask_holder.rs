//! What a recipient says to a holder: token requests and fetches with DPoP, its own assertion, and the holder's nonces.

use std::sync::PoisonError;

use serde::Deserialize;

use super::{KeyPurpose, Node, Problem, ProblemKind};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, HeldTokens};
use crate::domain::federation::{AuthorizationServer, TrustedPeer};
use crate::domain::ids::{EntityId, GrantId};
use crate::domain::jose::SigningKey;
use crate::domain::token::client_assertion::{self, ASSERTION_TYPE};
use crate::domain::token::proof::{self, ProofClaims, token_hash};
use crate::ports::{OutboundAnswer, OutboundBody, OutboundRequest};

/// Most bytes of an OAuth answer.
const MAX_OAUTH_BYTES: usize = 64 * 1024;

/// Most bytes of an exchange's answer.
const MAX_EXCHANGE_BYTES: usize = 8 * 1024 * 1024;

/// A good answer of a token endpoint.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    expires_in: i64,
    authorization_details: Vec<AuthorizationDetail>,
    grant_id: GrantId,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Tokens as a holder gave them.
pub(super) struct Granted {
    /// The tokens.
    pub(super) tokens: HeldTokens,
    /// What was allowed.
    pub(super) detail: AuthorizationDetail,
    /// The consent.
    pub(super) grant_id: GrantId,
}

/// Why a holder gave nothing.
#[derive(Debug)]
pub(super) enum AskError {
    /// It said no, with this error code.
    Refused(String),
    /// It could not be asked, or its answer is no answer.
    Failed(Problem),
}

impl From<Problem> for AskError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(code) => Self::because(ProblemKind::HolderRefused, code),
            AskError::Failed(problem) => problem,
        }
    }
}

/// The holder's authorization server, which a holder must have.
pub(super) fn authorization_server(holder: &TrustedPeer) -> Result<&AuthorizationServer, Problem> {
    holder
        .authorization_server
        .as_ref()
        .ok_or(Problem::because(ProblemKind::PeerNotTrusted, "no authorization server"))
}

/// The form parts with which this node proves who it is (`private_key_jwt`).
pub(super) fn client_authentication(
    node: &Node,
    holder: &EntityId,
    now: Timestamp,
) -> Result<Vec<(String, String)>, Problem> {
    let key = node.keys.active(KeyPurpose::Client)?;
    let assertion = client_assertion::sign(&key, &node.settings.id, holder.as_str(), node.jti()?, now)?;
    Ok(vec![
        ("client_id".to_owned(), node.settings.id.to_string()),
        ("client_assertion_type".to_owned(), ASSERTION_TYPE.to_owned()),
        ("client_assertion".to_owned(), assertion),
    ])
}

/// Posts a form to one of a holder's OAuth endpoints.
pub(super) async fn post_form(
    node: &Node,
    url: &url::Url,
    form: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
) -> Result<OutboundAnswer, Problem> {
    let request = OutboundRequest {
        url: url.clone(),
        body: OutboundBody::Form(form),
        headers,
        max_bytes: MAX_OAUTH_BYTES,
    };
    node.outbound.send(request).await.map_err(|error| Problem::because(ProblemKind::PeerUnavailable, error))
}

/// The `error` of an OAuth answer; the status stands in where there is none.
pub(super) fn oauth_error(answer: &OutboundAnswer) -> AskError {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    if answer.status >= 500 {
        return AskError::Failed(Problem::because(ProblemKind::PeerUnavailable, answer.status));
    }
    match serde_json::from_slice::<Body>(&answer.body) {
        Ok(body) if body.error.len() <= 64 => AskError::Refused(body.error),
        _ => AskError::Failed(Problem::because(ProblemKind::PeerUnavailable, answer.status)),
    }
}

/// Asks a holder's token endpoint, once more where it demands a nonce.
pub(super) async fn token(
    node: &Node,
    holder: &TrustedPeer,
    grant: &[(&str, &str)],
) -> Result<Granted, AskError> {
    let url = &authorization_server(holder)?.token_endpoint;
    let key = node.keys.active(KeyPurpose::Dpop).map_err(Problem::from)?;
    for _ in 0..2 {
        let now = node.now();
        let mut form = client_authentication(node, &holder.id, now)?;
        form.extend(grant.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let proof = sign_proof(node, &key, &holder.id, "POST", url.as_str(), None, now)?;
        let answer = post_form(node, url, form, vec![("dpop", proof)]).await?;
        let new_nonce = remember_nonce(node, &holder.id, &answer);
        if answer.status == 200 {
            return granted(&answer, &key, now);
        }
        match oauth_error(&answer) {
            AskError::Refused(code) if code == "use_dpop_nonce" && new_nonce => {}
            other => return Err(other),
        }
    }
    Err(AskError::Refused("use_dpop_nonce".to_owned()))
}

fn granted(answer: &OutboundAnswer, key: &SigningKey, now: Timestamp) -> Result<Granted, AskError> {
    let unfit = || Problem::because(ProblemKind::AnswerNotTrusted, "token answer");
    let body: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| unfit())?;
    let [detail] = <[AuthorizationDetail; 1]>::try_from(body.authorization_details).map_err(|_| unfit())?;
    if !body.token_type.eq_ignore_ascii_case("DPoP") || body.expires_in <= 0 {
        return Err(unfit().into());
    }
    Ok(Granted {
        tokens: HeldTokens {
            access_token: body.access_token,
            expires_at: now.plus_secs(body.expires_in),
            refresh_token: body.refresh_token,
            dpop_kid: key.kid().clone(),
        },
        detail,
        grant_id: body.grant_id,
    })
}

/// A fetch as sent and answered.
pub(super) struct Fetched {
    /// The answer.
    pub(super) answer: OutboundAnswer,
    /// The proof that went with the request.
    pub(super) proof: String,
}

/// Fetches from a holder's exchange endpoint, once more where it demands a nonce.
pub(super) async fn fetch(
    node: &Node,
    holder: &EntityId,
    url: &url::Url,
    access_token: &str,
) -> Result<Fetched, Problem> {
    let key = node.keys.active(KeyPurpose::Dpop)?;
    let mut last = None;
    for _ in 0..2 {
        let proof = sign_proof(node, &key, holder, "GET", url.as_str(), Some(access_token), node.now())?;
        let request = OutboundRequest {
            url: url.clone(),
            body: OutboundBody::None,
            headers: vec![("authorization", format!("DPoP {access_token}")), ("dpop", proof.clone())],
            max_bytes: MAX_EXCHANGE_BYTES,
        };
        let answer = node
            .outbound
            .send(request)
            .await
            .map_err(|error| Problem::because(ProblemKind::PeerUnavailable, error))?;
        let new_nonce = remember_nonce(node, holder, &answer);
        let wants_nonce = answer.status == 401
            && answer
                .headers
                .get("www-authenticate")
                .is_some_and(|challenge| challenge.contains("error=\"use_dpop_nonce\""));
        last = Some(Fetched { answer, proof });
        if !(wants_nonce && new_nonce) {
            break;
        }
    }
    last.ok_or(Problem::new(ProblemKind::Internal))
}

fn sign_proof(
    node: &Node,
    key: &SigningKey,
    holder: &EntityId,
    method: &str,
    url: &str,
    token: Option<&str>,
    now: Timestamp,
) -> Result<String, Problem> {
    let nonces = node.peer_nonces.lock().unwrap_or_else(PoisonError::into_inner);
    let claims = ProofClaims {
        htm: method.to_owned(),
        htu: url.to_owned(),
        iat: now.secs(),
        jti: node.jti()?,
        ath: token.map(token_hash),
        nonce: nonces.get(holder).cloned(),
    };
    Ok(proof::sign(key, &claims)?)
}

/// Keeps the nonce that a holder handed out; says whether it is a new one.
fn remember_nonce(node: &Node, holder: &EntityId, answer: &OutboundAnswer) -> bool {
    let Some(nonce) = answer.headers.get("dpop-nonce").filter(|nonce| nonce.len() <= 256) else {
        return false;
    };
    let mut nonces = node.peer_nonces.lock().unwrap_or_else(PoisonError::into_inner);
    nonces.insert(holder.clone(), nonce.clone()).as_ref() != Some(nonce)
}
