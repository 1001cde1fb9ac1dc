//! Requests of a recipient to a holder: token requests and fetches with DPoP, client assertions, and the holder's
//! nonces.

use serde::Deserialize;

use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, Commitment, HeldGrant, HeldTokens};
use crate::domain::federation::{AuthorizationServer, TrustedPeer};
use crate::domain::ids::{EntityId, GrantId, KeyId};
use crate::domain::jose::SigningKey;
use crate::domain::token::CONSENT_COMMITMENT;
use crate::domain::token::client_assertion::{self, ASSERTION_TYPE};
use crate::domain::token::{ManagementScope, Refusal, TokenPolicy, UnverifiedToken};
use crate::node::federation::resolve_signing_peer;
use crate::node::recipient::proof_request::{ProofRequest, ProvedAnswer, send_with_proof};
use crate::node::{KeyPurpose, Node, Problem, ProblemKind};
use crate::ports::{OutboundAnswer, OutboundBody, OutboundRequest};
use crate::store::keys::signing_keys;

/// Maximum size of an OAuth response in bytes.
const MAX_OAUTH_BYTES: usize = 64 * 1024;

/// Maximum size of an exchange's response in bytes.
const MAX_EXCHANGE_BYTES: usize = 8 * 1024 * 1024;

/// A successful token response.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    authorization_details: Vec<AuthorizationDetail>,
    grant_id: GrantId,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Tokens as issued by a holder.
pub(crate) struct Granted {
    /// The grant with its tokens.
    pub(crate) grant: HeldGrant,
    pub(crate) detail: AuthorizationDetail,
}

/// Why a request to a holder failed.
#[derive(Debug)]
pub(crate) enum AskError {
    /// The holder refused, with this error code.
    Refused(String),
    /// The holder's response does not match its own signature or the request: the holder's fault.
    NotTrusted(&'static str),
    /// The holder is unreachable, or its response is malformed.
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
            AskError::NotTrusted(why) => Self::because(ProblemKind::AnswerNotTrusted, why),
            AskError::Failed(problem) => problem,
        }
    }
}

/// The holder's authorization server; requires its role.
pub(crate) fn authorization_server(holder: &TrustedPeer) -> Result<&AuthorizationServer, Problem> {
    Ok(holder.consent_issuer()?.authorization_server())
}

/// The form parameters of this node's client authentication (`private_key_jwt`).
pub(crate) fn client_authentication(
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

/// Posts a form to one of a holder's OAuth endpoints, without a proof.
pub(crate) async fn post_form(
    node: &Node,
    url: &url::Url,
    form: Vec<(String, String)>,
) -> Result<OutboundAnswer, Problem> {
    let request = OutboundRequest {
        url: url.clone(),
        body: OutboundBody::Form(form),
        headers: Vec::new(),
        max_bytes: MAX_OAUTH_BYTES,
    };
    node.outbound.send(request).await.map_err(|error| Problem::because(ProblemKind::PeerUnavailable, error))
}

/// The `error` of an OAuth response, or the status without one.
pub(crate) fn oauth_error(answer: &OutboundAnswer) -> AskError {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    if answer.status == 429 {
        let after = answer.headers.get("retry-after").and_then(|secs| secs.parse().ok()).unwrap_or(60);
        return AskError::Failed(Problem::try_later(ProblemKind::TooOften, after));
    }
    if answer.status >= 500 {
        return AskError::Failed(Problem::because(ProblemKind::PeerUnavailable, answer.status));
    }
    match serde_json::from_slice::<Body>(&answer.body) {
        Ok(body) if body.error.len() <= 64 => AskError::Refused(body.error),
        _ => AskError::Failed(Problem::because(ProblemKind::PeerUnavailable, answer.status)),
    }
}

/// A token request, repeated if the holder demands a nonce. `dpop_kid` is the key that the grant is bound to, if it is;
/// the token is bound to that key, else to the active one.
pub(crate) async fn token(
    node: &Node,
    holder: &TrustedPeer,
    dpop_kid: Option<&KeyId>,
    grant: &[(&str, &str)],
) -> Result<Granted, AskError> {
    let url = &authorization_server(holder)?.token_endpoint;
    let key = match dpop_kid {
        Some(kid) => match bound_key(node, kid).await {
            // Revoked meanwhile: the holder decides whether it accepts another.
            Err(problem) if problem.kind == ProblemKind::NotFound => {
                node.keys.active(KeyPurpose::Dpop).map_err(Problem::from)?
            }
            bound => bound?,
        },
        None => node.keys.active(KeyPurpose::Dpop).map_err(Problem::from)?,
    };
    let request = ProofRequest {
        holder: &holder.id,
        key: &key,
        url,
        query: None,
        token: None,
        max_bytes: MAX_OAUTH_BYTES,
    };
    let answered = send_with_proof(node, &request, |now| {
        let mut form = client_authentication(node, &holder.id, now)?;
        form.extend(grant.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(OutboundBody::Form(form))
    })
    .await?;
    if answered.answer.status == 200 {
        granted(node, holder, &answered.answer, &key, answered.sent_at).await
    } else {
        Err(oauth_error(&answered.answer))
    }
}

/// The status of a grant at its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantStatus {
    Active,
    Suspended,
    Gone,
}

/// Queries the status of a grant at its holder; `None` when it has no endpoint for that.
pub(crate) async fn grant_status(
    node: &Node,
    holder: &TrustedPeer,
    grant: &GrantId,
) -> Result<Option<GrantStatus>, Problem> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        status: Option<String>,
    }
    let Some(answer) = manage_grant(node, holder, grant, GrantRequest::Query).await? else {
        return Ok(None);
    };
    match answer.status {
        200 => {
            let body: Body = serde_json::from_slice(&answer.body)
                .map_err(|_| Problem::because(ProblemKind::AnswerNotTrusted, "grant answer"))?;
            let suspended = body.status.as_deref() == Some("suspended");
            Ok(Some(if suspended { GrantStatus::Suspended } else { GrantStatus::Active }))
        }
        404 => Ok(Some(GrantStatus::Gone)),
        other => Err(Problem::because(ProblemKind::PeerUnavailable, other)),
    }
}

/// Revokes a consent at its holder, by its grant and its commitment: the grant may have passed to another consent. An
/// unknown grant, or a holder without the endpoint, is no error.
pub(crate) async fn give_grant_back(
    node: &Node,
    holder: &TrustedPeer,
    grant: &GrantId,
    commitment: Option<&Commitment>,
) -> Result<(), Problem> {
    let answer = manage_grant(node, holder, grant, GrantRequest::Revoke(commitment)).await?;
    match answer.map(|answer| answer.status) {
        None | Some(200 | 204 | 404) => Ok(()),
        Some(other) => Err(Problem::because(ProblemKind::PeerUnavailable, other)),
    }
}

/// An action on a grant at its holder.
#[derive(Clone, Copy)]
enum GrantRequest<'a> {
    Query,
    /// Revoke it; only one consent of it, if the commitment is known.
    Revoke(Option<&'a Commitment>),
}

impl GrantRequest<'_> {
    const fn scope(self) -> ManagementScope {
        match self {
            Self::Query => ManagementScope::Query,
            Self::Revoke(_) => ManagementScope::Revoke,
        }
    }
}

/// One request at a holder's grant management endpoint, with a management token.
async fn manage_grant(
    node: &Node,
    holder: &TrustedPeer,
    grant: &GrantId,
    action: GrantRequest<'_>,
) -> Result<Option<OutboundAnswer>, Problem> {
    let Some(endpoint) = &authorization_server(holder)?.grant_management_endpoint else { return Ok(None) };
    let url = url::Url::parse(&format!("{}/{grant}", endpoint.as_str().trim_end_matches('/')))
        .map_err(|error| Problem::because(ProblemKind::PeerNotTrusted, error))?;
    let key = node.keys.active(KeyPurpose::Dpop)?;
    let token = management_token(node, holder, &key, action.scope()).await?;
    let request = ProofRequest {
        holder: &holder.id,
        key: &key,
        url: &url,
        query: match action {
            GrantRequest::Query => None,
            GrantRequest::Revoke(commitment) => {
                commitment.map(|commitment| (CONSENT_COMMITMENT, commitment.as_str()))
            }
        },
        token: Some(&token),
        max_bytes: MAX_OAUTH_BYTES,
    };
    let body = |_| {
        Ok(match action {
            GrantRequest::Query => OutboundBody::None,
            GrantRequest::Revoke(_) => OutboundBody::Delete,
        })
    };
    Ok(Some(send_with_proof(node, &request, body).await?.answer))
}

async fn management_token(
    node: &Node,
    holder: &TrustedPeer,
    key: &SigningKey,
    scope: ManagementScope,
) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Body {
        access_token: String,
    }
    let request = ProofRequest {
        holder: &holder.id,
        key,
        url: &authorization_server(holder)?.token_endpoint,
        query: None,
        token: None,
        max_bytes: MAX_OAUTH_BYTES,
    };
    let answered = send_with_proof(node, &request, |now| {
        let mut form = client_authentication(node, &holder.id, now)?;
        form.push(("grant_type".to_owned(), "client_credentials".to_owned()));
        form.push(("scope".to_owned(), scope.as_str().to_owned()));
        Ok(OutboundBody::Form(form))
    })
    .await?;
    if answered.answer.status != 200 {
        return Err(oauth_error(&answered.answer).into());
    }
    serde_json::from_slice::<Body>(&answered.answer.body)
        .map(|body| body.access_token)
        .map_err(|_| Problem::because(ProblemKind::AnswerNotTrusted, "token answer"))
}

/// Accepts a token response only if the signed token has the same content.
async fn granted(
    node: &Node,
    holder: &TrustedPeer,
    answer: &OutboundAnswer,
    key: &SigningKey,
    now: Timestamp,
) -> Result<Granted, AskError> {
    let unfit = AskError::NotTrusted;
    let body: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| unfit("token answer"))?;
    let [detail] = <[AuthorizationDetail; 1]>::try_from(body.authorization_details)
        .map_err(|_| unfit("authorization_details"))?;
    if !body.token_type.eq_ignore_ascii_case("DPoP") {
        return Err(unfit("token type"));
    }
    // The lifetime of a holder's tokens is the holder's policy.
    let policy = TokenPolicy { holder: holder.id.clone(), max_lifetime_secs: i64::MAX };
    let refused = |refusal: Refusal| unfit(refusal.reason.as_str());
    let unverified = UnverifiedToken::parse(&body.access_token, &policy).map_err(refused)?;
    let kid = unverified.kid().cloned();
    let holder = resolve_signing_peer::peer(node, &holder.id, kid.as_ref(), |holder, kid| {
        authorization_server(holder).is_ok_and(|server| server.token_keys.find(kid).is_some())
    })
    .await
    .map_err(Problem::from)?;
    let keys = &authorization_server(&holder)?.token_keys;
    let token = unverified.verify(&policy, keys, now).map_err(refused)?;
    let claims = token.claims();
    if claims.client_id != node.settings.id
        || &claims.cnf.jkt != key.public().thumbprint()
        || claims.grant_id != body.grant_id
        || token.detail() != &detail
    {
        return Err(unfit("the token says something else than its answer"));
    }
    Ok(Granted {
        grant: HeldGrant {
            grant_id: body.grant_id,
            commitment: Commitment::from_text(claims.consent_commitment.clone()),
            tokens: HeldTokens {
                expires_at: Timestamp::from_secs(claims.exp),
                access_token: body.access_token,
                refresh_token: body.refresh_token,
                dpop_kid: key.kid().clone(),
            },
        },
        detail,
    })
}

/// Fetches from a holder's exchange endpoint.
pub(super) async fn fetch(
    node: &Node,
    holder: &EntityId,
    url: &url::Url,
    tokens: &HeldTokens,
) -> Result<ProvedAnswer, Problem> {
    let key = bound_key(node, &tokens.dpop_kid).await?;
    let request = ProofRequest {
        holder,
        key: &key,
        url,
        query: None,
        token: Some(&tokens.access_token),
        max_bytes: MAX_EXCHANGE_BYTES,
    };
    send_with_proof(node, &request, |_| Ok(OutboundBody::None)).await
}

/// The key that a token is bound to, which may have been retired since: a rotation must not interrupt exchanges.
async fn bound_key(node: &Node, kid: &KeyId) -> Result<SigningKey, Problem> {
    let active = node.keys.active(KeyPurpose::Dpop)?;
    if active.kid() == kid {
        return Ok(active);
    }
    let kid = kid.clone();
    Ok(node.store.read("load_bound_key", move |store| signing_keys::with_private_part(store, &kid)).await?)
}
