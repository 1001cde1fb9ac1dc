//! Grant Management for OAuth 2.0 at the holder: a recipient queries or revokes one of its grants, with a management
//! token (client credentials) that is bound to its key and gives no access to data.

use serde::Serialize;

use super::authenticate_client::{ClientCredentials, authenticate_client};
use super::issue_token::check_proof;
use crate::domain::consent::{Actor, AuthorizationDetail, Consent, Reason};
use crate::domain::federation::TrustError;
use crate::domain::ids::{EntityId, GrantId};
use crate::domain::token::management_token::{LIFETIME_SECS, NewManagementToken};
use crate::domain::token::{
    ManagementScope, ManagementToken, ProofExpectation, Refusal, RefusalCode, RefusalReason, VerifiedProof,
};
use crate::node::holder::exchange::record_refusal::{RefusalContext, record};
use crate::node::holder::permissions::record_change::apply_transition;
use crate::node::{KeyPurpose, Node, OAuthCode, OAuthError};
use crate::store::holder::consents;
use crate::store::used_once;
use crate::store::{Reader, StoreError};

/// The token response for a management token.
#[derive(Serialize)]
pub(crate) struct ManagementAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

/// Issues a management token (RFC 6749 §4.4).
///
/// # Errors
/// [`OAuthError`] by the standard's code.
pub(crate) async fn issue_management_token(
    node: &Node,
    credentials: &ClientCredentials,
    scope: Option<&str>,
    proof: Option<&str>,
) -> Result<ManagementAnswer, OAuthError> {
    let proof = check_proof(node, proof)?;
    let known = authenticate_client(node, credentials).await?;
    let scopes = scope.and_then(ManagementScope::parse).ok_or(OAuthError::new(
        OAuthCode::InvalidScope,
        "scope must be grant_management_query, grant_management_revoke or both",
    ))?;
    let jkt = proof.jkt().clone();
    node.store
        .write("use_management_proof", move |tx| {
            used_once::consume_proof(tx, &proof, OAuthError::proof_replayed())
        })
        .await?;
    let jti = node
        .jti()
        .map_err(|_| OAuthError::new(OAuthCode::ServerError, "the server could not complete the request"))?;
    let new = NewManagementToken {
        holder: &node.settings.id,
        client: &known.peer().id,
        jkt: &jkt,
        scopes: &scopes,
        jti,
        now: node.now(),
    };
    Ok(ManagementAnswer {
        access_token: new.sign(&node.keys.active(KeyPurpose::Token)?)?,
        token_type: "DPoP",
        expires_in: LIFETIME_SECS,
        scope: new.scope(),
    })
}

/// One request at the grant management endpoint, parsed and not verified.
pub(crate) struct GrantRequest {
    /// The grant's name in the path.
    pub(crate) grant: String,
    /// The commitment of the consent that is meant; the one that has the grant when absent.
    pub(crate) commitment: Option<String>,
    /// The token and its proof, or the fault of the headers.
    pub(crate) credentials: Result<(String, String), Refusal>,
}

/// A grant as its client may see it (Grant Management §6.3), with its state.
#[derive(Debug, Serialize)]
pub(crate) struct GrantView {
    grant_id: GrantId,
    /// `active` or `suspended`.
    status: &'static str,
    /// The reason of the state, a stable code.
    reason: &'static str,
    authorization_details: Vec<AuthorizationDetail>,
    created_at: i64,
}

/// Returns one of a client's grants that have not ended.
///
/// # Errors
/// [`Refusal`] when it is unknown, another client's or ended.
pub(crate) async fn query_grant(node: &Node, request: GrantRequest) -> Result<GrantView, Refusal> {
    let mut known = RefusalContext::default();
    match query(node, request, &mut known).await {
        Ok(consent) => Ok(GrantView {
            status: consent.state.as_str(),
            reason: consent.reason.as_str(),
            authorization_details: vec![consent.terms.to_detail()],
            created_at: consent.decided_at.secs(),
            grant_id: consent.grant_id,
        }),
        Err(refusal) => {
            record(node, refusal, known).await;
            Err(refusal)
        }
    }
}

async fn query(node: &Node, request: GrantRequest, known: &mut RefusalContext) -> Result<Consent, Refusal> {
    let client = authorize(node, &request, "GET", ManagementScope::Query, known).await?;
    let grant = parse(&request.grant)?;
    node.store.read("query_grant", move |store| find_own(store, &grant, &client)?.ok_or(UNKNOWN)).await
}

/// Revokes a grant at its client's request.
///
/// # Errors
/// [`Refusal`] when it is unknown, another client's or ended.
pub(crate) async fn revoke_grant(node: &Node, request: GrantRequest) -> Result<(), Refusal> {
    let mut known = RefusalContext::default();
    let result = revoke(node, request, &mut known).await;
    if let Err(refusal) = result {
        record(node, refusal, known).await;
    }
    result
}

async fn revoke(node: &Node, request: GrantRequest, known: &mut RefusalContext) -> Result<(), Refusal> {
    let client = authorize(node, &request, "DELETE", ManagementScope::Revoke, known).await?;
    let (grant, commitment, now) = (parse(&request.grant)?, request.commitment, node.now());
    node.store
        .write_log("revoke_grant", move |tx| {
            let found = find_own(tx, &grant, &client)?.ok_or(UNKNOWN)?;
            // The consent that is meant has ended: another one has its grant.
            if commitment.as_ref().is_some_and(|meant| meant != found.commitment.as_str()) {
                return Err(UNKNOWN);
            }
            let consent = consents::lock(tx, found.id)?;
            let ended =
                apply_transition(tx, consent, |it| it.revoke(Actor::Recipient, Reason::GivenBack, now))?;
            if ended { Ok(()) } else { Err(UNKNOWN) }
        })
        .await
}

/// Checks token, proof and membership, cheapest first; uses the proof up.
async fn authorize(
    node: &Node,
    request: &GrantRequest,
    method: &str,
    scope: ManagementScope,
    known: &mut RefusalContext,
) -> Result<EntityId, Refusal> {
    let now = node.now();
    let (token_text, proof_text) = request.credentials.as_ref().map_err(|refusal| *refusal)?;
    let open = || {
        let keys = node.keys.verifying(KeyPurpose::Token);
        ManagementToken::open(token_text, &keys, &node.settings.id, now)
    };
    let mut token = open();
    // Another process may have activated a new key just now.
    if matches!(&token, Err(refusal) if refusal.reason == RefusalReason::UnknownKey)
        && node
            .keys
            .refresh_if_changed(&node.store, now)
            .await
            .map_err(|_| Refusal::unavailable(RefusalReason::Keys))?
    {
        token = open();
    }
    let token = token?;
    known.client = Some(token.client.clone());
    let url = node.settings.url(&format!("/oauth/grants/{}", request.grant));
    let nonces = node.nonces.accepted(now);
    let proof = VerifiedProof::check(
        proof_text,
        &ProofExpectation {
            method,
            url: &url,
            token: Some(token_text),
            jkt: Some(&token.jkt),
            nonces: node.settings.limits.demand_dpop_nonce.then_some(nonces.as_slice()),
            max_age_secs: node.settings.limits.proof_secs,
            now,
        },
    )?;
    let peer = node.peers.resolve(&token.client).await.map_err(|error| match error {
        TrustError::NotTrusted(_) => Refusal::token(RefusalReason::RecipientNotTrusted),
        TrustError::Unavailable(_) => Refusal::unavailable(RefusalReason::TrustUndecided),
    })?;
    peer.recipient().map_err(|_| Refusal::token(RefusalReason::RecipientRoleMissing))?;
    token.demand(scope)?;
    node.store
        .write("authorize_grant_management", move |tx| {
            used_once::consume_proof(tx, &proof, Refusal::proof(RefusalReason::ProofReplayed))
        })
        .await?;
    Ok(token.client)
}

const UNKNOWN: Refusal = Refusal::new(RefusalCode::UnknownGrant, RefusalReason::GrantUnknown);

fn parse(grant: &str) -> Result<GrantId, Refusal> {
    grant.parse().map_err(|_| UNKNOWN)
}

/// A client's own grant that has not ended.
pub(crate) fn find_own(
    store: &mut Reader<'_>,
    grant: &GrantId,
    client: &EntityId,
) -> Result<Option<Consent>, StoreError> {
    match consents::find_by_grant(store, grant) {
        Ok(consent) if &consent.terms.recipient == client && consent.state.ended_at().is_none() => {
            Ok(Some(consent))
        }
        Ok(_) | Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
