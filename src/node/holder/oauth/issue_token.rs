//! The token endpoint (RFC 6749 §3.2): a code or a refresh token becomes a consent token bound to the client's key.

use serde::Serialize;
use subtle::ConstantTimeEq;

use super::authenticate_client::{ClientCredentials, authenticate_client};
use super::request_parameters::{check_resource, parse_detail};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, AuthorizationDetail, Consent, Reason};
use crate::domain::ids::{ConsentId, EntityId, GrantId, Jti};
use crate::domain::jose::{b64url, sha256};
use crate::domain::token::PRE_AUTHORIZED;
use crate::domain::token::consent_token::CONSENT_TOKEN;
use crate::domain::token::{ConsentTokenClaims, ProofExpectation, TokenPolicy, VerifiedProof};
use crate::node::holder::permissions::record_change::apply_transition;
use crate::node::{KeyPurpose, Node, OAuthCode, OAuthError};
use crate::ports::random;
use crate::store::holder::authorization_codes;
use crate::store::holder::authorization_codes::{Code, CodeKind, Redeemed as Presented};
use crate::store::holder::consents;
use crate::store::holder::tokens;
use crate::store::holder::tokens::IssuedToken;
use crate::store::used_once;
use crate::store::{StoreError, Tx};

/// The form of a token request.
#[derive(Default)]
pub(crate) struct TokenForm {
    pub(crate) credentials: ClientCredentials,
    /// `grant_type`.
    pub(crate) grant_type: Option<String>,
    /// `code`.
    pub(crate) code: Option<String>,
    /// `redirect_uri`.
    pub(crate) redirect_uri: Option<String>,
    /// `code_verifier`.
    pub(crate) code_verifier: Option<String>,
    /// `pre-authorized_code`.
    pub(crate) pre_authorized_code: Option<String>,
    /// `refresh_token`.
    pub(crate) refresh_token: Option<String>,
    /// `resource` (RFC 8707).
    pub(crate) resource: Option<String>,
    /// `authorization_details` (RFC 9396 §6): requested content of the token; as granted when absent.
    pub(crate) authorization_details: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    authorization_details: Vec<AuthorizationDetail>,
    grant_id: GrantId,
    /// Seconds until the resident's permission ends (draft-ietf-oauth-refresh-token-expiration §6.1), and with it the
    /// refresh token.
    authorization_expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// The result of the transaction.
enum Redeemed {
    Issued {
        consent: Box<Consent>,
        claims: Box<ConsentTokenClaims>,
        refresh_token: Option<String>,
    },
    /// The code had been used before: its consent is revoked (RFC 6749 §4.1.2).
    Replayed,
}

/// The transaction's input besides the grant.
struct Mint {
    client: EntityId,
    proof: VerifiedProof,
    policy: TokenPolicy,
    jti: Jti,
    refresh_token: String,
    /// The requested content of the token.
    asked: Option<AuthorizationDetail>,
    now: Timestamp,
}

/// Why no token is issued.
enum IssueError {
    /// The grant is unknown, used, ended or another client's.
    NotValid,
    /// The proof was used before.
    ProofReplayed,
    /// The `authorization_details` differ from the grant's.
    OtherDetails,
    /// The store is unavailable.
    Store(StoreError),
}

impl From<StoreError> for IssueError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotValid,
            other => Self::Store(other),
        }
    }
}

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::NotValid => Self::grant("the code or refresh token is not valid"),
            IssueError::ProofReplayed => Self::proof_replayed(),
            IssueError::OtherDetails => Self::new(
                OAuthCode::InvalidAuthorizationDetails,
                "a token carries the grant's authorization_details, neither more nor fewer",
            ),
            IssueError::Store(error) => error.into(),
        }
    }
}

enum Grant {
    Code { code: String, redirect_uri: Option<String>, verifier: Option<String>, kind: CodeKind },
    Refresh(String),
}

/// Issues a consent token.
///
/// # Errors
/// [`OAuthError`] by the standard's code.
pub(crate) async fn issue_token(
    node: &Node,
    form: TokenForm,
    proof: Option<&str>,
) -> Result<Issued, OAuthError> {
    let grant = grant(&form)?;
    check_resource(node, form.resource.as_deref())?;
    let details = form.authorization_details.as_deref();
    let asked = details.map(|text| parse_detail(Some(text))).transpose()?;
    // The proof before the client: a proof without this node's nonce is answered with a nonce, and the assertion that
    // came with it can be used again.
    let proof = check_proof(node, proof)?;
    let known = authenticate_client(node, &form.credentials).await?;
    let jti = Jti::new(b64url(&random::<16>(&*node.entropy)))
        .map_err(|_| OAuthError::new(OAuthCode::ServerError, "the server could not complete the request"))?;
    let mint = Mint {
        client: known.peer().id.clone(),
        proof,
        policy: node.settings.token_policy.clone(),
        jti,
        refresh_token: node.secret(),
        asked,
        now: node.now(),
    };
    let now = mint.now;
    // A token signed with a key that another process has just revoked would be worthless.
    node.keys.refresh_if_changed(&node.store, now).await?;
    match redeem(node, grant, mint).await? {
        Redeemed::Replayed => {
            node.outbox_bell.notify_one();
            Err(OAuthError::grant("the code or refresh token is not valid"))
        }
        Redeemed::Issued { consent, claims, refresh_token } => Ok(Issued {
            access_token: node.keys.active(KeyPurpose::Token)?.sign(CONSENT_TOKEN.typ, &claims)?,
            token_type: "DPoP",
            expires_in: claims.exp.saturating_sub(now.secs()),
            authorization_details: vec![consent.terms.to_detail()],
            authorization_expires_in: consent.terms.until.end().secs().saturating_sub(now.secs()),
            grant_id: consent.grant_id,
            refresh_token,
        }),
    }
}

fn grant(form: &TokenForm) -> Result<Grant, OAuthError> {
    let missing = OAuthError::request("a parameter of this grant type is missing");
    match form.grant_type.as_deref() {
        Some("authorization_code") => Ok(Grant::Code {
            code: form.code.clone().ok_or(missing)?,
            redirect_uri: form.redirect_uri.clone(),
            verifier: form.code_verifier.clone(),
            kind: CodeKind::Code,
        }),
        Some(PRE_AUTHORIZED) => Ok(Grant::Code {
            code: form.pre_authorized_code.clone().ok_or(missing)?,
            redirect_uri: None,
            verifier: None,
            kind: CodeKind::PreAuthorized,
        }),
        Some("refresh_token") => Ok(Grant::Refresh(form.refresh_token.clone().ok_or(missing)?)),
        Some(_) => Err(OAuthError::new(
            OAuthCode::UnsupportedGrantType,
            "grant_type must be authorization_code, refresh_token or the pre-authorized code's",
        )),
        None => Err(OAuthError::request("grant_type is missing")),
    }
}

/// The proof of a token request.
pub(crate) fn check_proof(node: &Node, proof: Option<&str>) -> Result<VerifiedProof, OAuthError> {
    let missing = OAuthError::new(OAuthCode::InvalidDpopProof, "exactly one DPoP header is needed");
    let now = node.now();
    let url = node.settings.url("/oauth/token");
    let nonces = node.nonces.accepted(now);
    let expected = ProofExpectation {
        method: "POST",
        url: &url,
        token: None,
        jkt: None,
        nonces: node.settings.limits.demand_dpop_nonce.then_some(nonces.as_slice()),
        max_age_secs: node.settings.limits.proof_secs,
        now,
    };
    Ok(VerifiedProof::check(proof.ok_or(missing)?, &expected)?)
}

/// One transaction: proof and code used up, token and refresh token stored.
async fn redeem(node: &Node, grant: Grant, mint: Mint) -> Result<Redeemed, OAuthError> {
    node.store
        .write("redeem_grant", move |tx| {
            let proof = &mint.proof;
            used_once::consume_proof(tx, proof, IssueError::ProofReplayed)?;
            match &grant {
                Grant::Refresh(token) => {
                    let consent = tokens::find_refresh(tx, token, &mint.client)?;
                    issue(tx, &mint, consent, false)
                }
                Grant::Code { code, redirect_uri, verifier, kind } => {
                    match authorization_codes::redeem(tx, code, &mint.client, mint.now)? {
                        // The outbox delivers at least once: the same client with the same key repeats a request whose
                        // response it has not received. A thief has neither.
                        Presented::Replayed(stored)
                            if stored.kind == CodeKind::PreAuthorized
                                && *kind == CodeKind::PreAuthorized
                                && tokens::issued_to(tx, stored.consent, proof.jkt())? =>
                        {
                            issue(tx, &mint, stored.consent, true)
                        }
                        Presented::Replayed(stored) => {
                            withdraw(tx, &stored, mint.now)?;
                            Ok(Redeemed::Replayed)
                        }
                        Presented::Fresh(stored) => {
                            let (uri, verifier) = (redirect_uri.as_deref(), verifier.as_deref());
                            if !fits(&stored, *kind, uri, verifier, proof) {
                                return Err(IssueError::NotValid);
                            }
                            issue(tx, &mint, stored.consent, true)
                        }
                    }
                }
            }
        })
        .await
        .map_err(OAuthError::from)
}

fn issue(tx: &mut Tx<'_>, mint: &Mint, id: ConsentId, first: bool) -> Result<Redeemed, IssueError> {
    let consent = consents::find(tx, id)?;
    // Unknown, ended and another client's are not distinguished.
    consent.in_force(mint.now).map_err(|_| IssueError::NotValid)?;
    if mint.asked.as_ref().is_some_and(|asked| asked != &consent.terms.to_detail()) {
        return Err(IssueError::OtherDetails);
    }
    let claims = mint.policy.claims(&consent, mint.proof.jkt().clone(), mint.jti.clone(), mint.now);
    let token = IssuedToken {
        jti: claims.jti.clone(),
        consent: id,
        jkt: claims.cnf.jkt.clone(),
        iat: Timestamp::from_secs(claims.iat),
        exp: Timestamp::from_secs(claims.exp),
    };
    tokens::insert(tx, &token)?;
    // Always with a refresh token, however short the consent: the recipient uses it to change its DPoP key. It is not
    // rotated (FAPI 2.0 §5.3.2.1), because it is bound to the client's own key.
    if first {
        tokens::insert_refresh(tx, &mint.refresh_token, id, &mint.client, mint.now)?;
    }
    Ok(Redeemed::Issued {
        consent: Box::new(consent),
        claims: Box::new(claims),
        refresh_token: first.then(|| mint.refresh_token.clone()),
    })
}

fn fits(
    stored: &Code,
    kind: CodeKind,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
    proof: &VerifiedProof,
) -> bool {
    if stored.kind != kind || stored.dpop_jkt.as_ref().is_some_and(|jkt| jkt != proof.jkt()) {
        return false;
    }
    match kind {
        CodeKind::PreAuthorized => true,
        CodeKind::Code => {
            let challenge = verifier
                .filter(|verifier| (43..=128).contains(&verifier.len()))
                .map(|verifier| b64url(&sha256(verifier.as_bytes())));
            redirect_uri == stored.redirect_uri.as_deref()
                && challenge
                    .zip(stored.code_challenge.as_ref())
                    .is_some_and(|(ours, theirs)| bool::from(ours.as_bytes().ct_eq(theirs.as_bytes())))
        }
    }
}

/// A replayed code was stolen: its consent ends, and its recipient is notified.
fn withdraw(tx: &mut Tx<'_>, stored: &Code, now: Timestamp) -> Result<(), StoreError> {
    let consent = consents::lock(tx, stored.consent)?;
    apply_transition(tx, consent, |it| it.revoke(Actor::Node, Reason::CodeReplayed, now)).map(|_| ())
}
