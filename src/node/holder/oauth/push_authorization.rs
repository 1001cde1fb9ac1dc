//! PAR (RFC 9126) at the holder: a recipient pushes its service's request; it is checked before a resident sees it.

use std::sync::Arc;

use super::authenticate_client::{ClientCredentials, authenticate_client};
use super::manage_grant::find_own;
use super::request_parameters::{check_resource, parse_detail};
use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse, Levels};
use crate::domain::clock::Timestamp;
use crate::domain::consent::request::ReturnPath;
use crate::domain::consent::terms::{Bounds, DetailError, fits_until};
use crate::domain::consent::{
    AuthorizationDetail, Consent, ConsentRequest, GrantAction, Origin, RequestState, Terms,
};
use crate::domain::federation::{TrustError, TrustedPeer};
use crate::domain::ids::{EntityId, GrantId, NationalIdentifier, RequestId, Thumbprint};
use crate::domain::token::{ProofExpectation, VerifiedProof};
use crate::node::quota::{QuotaError, demand_room};
use crate::node::{Node, OAuthCode, OAuthError, Quotas};
use crate::ports::random;
use crate::store::holder::consent_requests;
use crate::store::{Tx, used_once};

/// Prefix of all request URIs (RFC 9126 §2.2).
pub(crate) const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The form of a pushed authorization request.
#[derive(Default)]
pub(crate) struct PushedForm {
    pub(crate) credentials: ClientCredentials,
    /// `response_type`.
    pub(crate) response_type: Option<String>,
    /// `redirect_uri`.
    pub(crate) redirect_uri: Option<String>,
    /// `response_mode`: only `query` is supported.
    pub(crate) response_mode: Option<String>,
    /// `resource` (RFC 8707): must be this holder.
    pub(crate) resource: Option<String>,
    /// `state`.
    pub(crate) state: Option<String>,
    /// `code_challenge`.
    pub(crate) code_challenge: Option<String>,
    /// `code_challenge_method`.
    pub(crate) code_challenge_method: Option<String>,
    /// `dpop_jkt` (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<String>,
    /// `authorization_details`.
    pub(crate) authorization_details: Option<String>,
    /// `grant_management_action`.
    pub(crate) grant_management_action: Option<String>,
    /// `acr_values` (RFC 9470 §4): levels of assurance, any of which the client accepts.
    pub(crate) acr_values: Option<String>,
    /// `max_age` (RFC 9470 §4): maximum age of the login, in seconds.
    pub(crate) max_age: Option<String>,
    /// `grant_id`: the grant that the action is about.
    pub(crate) grant_id: Option<String>,
    /// `expected_person`: the national identifier of the expected person.
    pub(crate) expected_person: Option<String>,
    /// Whether the form has parameters that are not allowed in a pushed request (`request`, `request_uri`).
    pub(crate) has_request_object: bool,
}

/// The answer to a pushed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// `request_uri`.
    pub(crate) request_uri: String,
    /// Seconds.
    pub(crate) expires_in: i64,
}

/// Accepts a pushed authorization request.
///
/// `proof` is the DPoP header, if the client binds the code to its key that way (RFC 9449 §10.1).
///
/// # Errors
/// [`OAuthError`] by the standard's code; nothing is stored then.
pub(crate) async fn push_authorization(
    node: &Node,
    form: PushedForm,
    proof: Option<&str>,
) -> Result<Pushed, OAuthError> {
    // The proof before the client: with a refused proof the assertion stays unused.
    let now = node.now();
    let proof = proof.map(|proof| check_proof(node, proof, now)).transpose()?;
    let known = authenticate_client(node, &form.credentials).await?;
    let limits = node.settings.limits;
    check_resource(node, form.resource.as_deref())?;
    let return_path = return_path(&form, &known.client().redirect_uris, proof.as_ref())?;
    let asked = asked(&form, &node.settings.levels)?;
    let detail = parse_detail(form.authorization_details.as_deref())?;
    let replaced = replaced(node, &form, &known.peer().id, &detail).await?;
    let detail = match &replaced {
        Some((GrantAction::Merge, old)) => detail.merged_with(&old.terms.to_detail()),
        _ => detail,
    };
    let (terms, declared_use) = narrowed_terms(node, known.peer(), &detail, now).await?;
    let expected = form
        .expected_person
        .as_deref()
        .map(NationalIdentifier::new)
        .transpose()
        .map_err(|_| OAuthError::request("expected_person is malformed"))?;
    let request = ConsentRequest {
        id: RequestId::from_bytes(random(&*node.entropy)),
        origin: Origin::Pushed,
        terms,
        declared_use: (*declared_use).clone(),
        recipient_name: known.peer().name.clone(),
        return_path: Some(return_path),
        expected_person: None,
        asked,
        person: replaced.as_ref().map(|(_, old)| old.person),
        replaces: replaced.as_ref().map(|(how, old)| (*how, old.id)),
        state: RequestState::Requested,
        created_at: now,
        expires_at: now.plus_secs(limits.decision_secs),
    };
    if request.is_too_long() {
        return Err(OAuthError::new(
            OAuthCode::InvalidAuthorizationDetails,
            "the request and its declared use are longer than 32 KiB together",
        ));
    }
    let request_uri = format!("{REQUEST_URI_PREFIX}{}", node.secret());
    let uri = request_uri.clone();
    node.store
        .write("push_authorization", move |tx| {
            if let Some(proof) = &proof {
                used_once::consume_proof(tx, proof, OAuthError::proof_replayed())?;
            }
            let mut request = request.clone();
            request.expected_person =
                expected.as_ref().map(|person| tx.lookup().identifier(person).as_bytes().to_vec());
            demand_room_for(tx, &request, &limits.quotas, now).map_err(no_room)?;
            let uri = Some((uri.as_str(), now.plus_secs(limits.request_uri_secs)));
            Ok::<_, OAuthError>(consent_requests::insert(tx, &request, uri)?)
        })
        .await?;
    Ok(Pushed { request_uri, expires_in: limits.request_uri_secs })
}

fn no_room(error: QuotaError) -> OAuthError {
    match error {
        QuotaError::Full => {
            OAuthError::new(OAuthCode::TooManyRequests, "too many of the client's requests are undecided")
        }
        QuotaError::Store(error) => error.into(),
    }
}

/// Limits a client's undecided requests, in all and for one person.
fn demand_room_for(
    tx: &mut Tx<'_>,
    request: &ConsentRequest,
    quotas: &Quotas,
    now: Timestamp,
) -> Result<(), QuotaError> {
    let recipient = &request.terms.recipient;
    let open = consent_requests::count_open_pushed(tx, recipient, None, now)?;
    demand_room(open, quotas.pushed_open, "undecided pushed requests", recipient)?;
    if let Some(expected) = &request.expected_person {
        let open = consent_requests::count_open_pushed(tx, recipient, Some(expected), now)?;
        let most = quotas.pushed_open_per_person;
        demand_room(open, most, "undecided pushed requests for one person", recipient)?;
    }
    Ok(())
}

/// The request, checked against the client's declared use as it is published now and this holder's dataset.
async fn narrowed_terms(
    node: &Node,
    client: &TrustedPeer,
    detail: &AuthorizationDetail,
    now: Timestamp,
) -> Result<(Terms, Arc<DeclaredUse>), OAuthError> {
    let refuse = |description| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, description);
    let dataset = node
        .settings
        .dataset(&detail.identifier)
        .ok_or(refuse("identifier names no dataset of this holder"))?;
    if detail.declared_use.recipient() != client.id.as_str() {
        return Err(refuse("the declared use is not the client's own"));
    }
    let declared_use =
        node.member_documents.declared_use(&detail.declared_use).await.map_err(|error| match error {
            TrustError::NotTrusted(_) => refuse("the declared use is not published by the client"),
            TrustError::Unavailable(_) => error.into(),
        })?;
    let bounds = Bounds {
        holder: &node.settings.id,
        recipient: &client.id,
        dataset,
        declared_use: &declared_use,
        now,
    };
    let terms = Terms::narrowed(detail, &bounds).map_err(|error| refuse(error.message()))?;
    if !fits_until(terms.until, now, i64::from(node.settings.limits.consent_max_days)) {
        return Err(refuse(DetailError::Until.message()));
    }
    Ok((terms, declared_use))
}

/// The client's assurance requirement. It can only be stricter than the dataset's.
fn asked(form: &PushedForm, levels: &Levels) -> Result<AssuranceRequirement, OAuthError> {
    let acr = form
        .acr_values
        .as_deref()
        .map(|values| {
            let unmet = OAuthError::new(
                OAuthCode::UnmetAuthenticationRequirements,
                "acr_values names no level of acr_values_supported",
            );
            levels.weakest_of(values).ok_or(unmet)
        })
        .transpose()?;
    let max_age = form
        .max_age
        .as_deref()
        .map(|text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse()
                .ok()
                .filter(|_| digits)
                .ok_or(OAuthError::request("max_age is not a number of seconds"))
        })
        .transpose()?;
    Ok(AssuranceRequirement { acr, max_age })
}

/// The consent that a request is to replace or extend (Grant Management for OAuth 2.0 §5): the client's own, not ended,
/// and for the same dataset; to be extended, under the same declared use.
async fn replaced(
    node: &Node,
    form: &PushedForm,
    client: &EntityId,
    detail: &AuthorizationDetail,
) -> Result<Option<(GrantAction, Consent)>, OAuthError> {
    let how = match (form.grant_management_action.as_deref(), &form.grant_id) {
        (None | Some("create"), None) => return Ok(None),
        (None | Some("create"), Some(_)) => {
            return Err(OAuthError::request("grant_id goes with the actions replace and merge"));
        }
        (Some(word), grant) => {
            let how = word.parse().map_err(|_| {
                OAuthError::request("grant_management_action must be create, replace or merge")
            })?;
            if grant.is_none() {
                return Err(OAuthError::request("grant_id is missing"));
            }
            how
        }
    };
    let unknown = OAuthError::new(OAuthCode::InvalidGrantId, "grant_id names no grant of the client's");
    let grant: GrantId =
        form.grant_id.as_deref().and_then(|text| text.parse().ok()).ok_or_else(|| unknown.clone())?;
    let client = client.clone();
    let old = node
        .store
        .read("find_replaced_consent", move |store| find_own(store, &grant, &client))
        .await?
        .ok_or(unknown)?;
    if old.terms.dataset != detail.identifier
        || (how == GrantAction::Merge && old.terms.declared_use != detail.declared_use)
    {
        return Err(OAuthError::new(
            OAuthCode::InvalidAuthorizationDetails,
            "the grant is for another dataset or use",
        ));
    }
    Ok(Some((how, old)))
}

fn return_path(
    form: &PushedForm,
    registered: &[String],
    proof: Option<&VerifiedProof>,
) -> Result<ReturnPath, OAuthError> {
    if form.has_request_object {
        return Err(OAuthError::request("request and request_uri cannot be pushed"));
    }
    if form.response_type.as_deref() != Some("code") {
        return Err(OAuthError::new(OAuthCode::UnsupportedResponseType, "response_type must be code"));
    }
    if form.response_mode.as_deref().is_some_and(|mode| mode != "query") {
        return Err(OAuthError::request("response_mode must be query"));
    }
    let redirect_uri = form
        .redirect_uri
        .as_ref()
        .filter(|uri| registered.contains(uri))
        .ok_or(OAuthError::request("redirect_uri is not registered"))?;
    if form.code_challenge_method.as_deref() != Some("S256") {
        return Err(OAuthError::request("code_challenge_method must be S256"));
    }
    let code_challenge = form
        .code_challenge
        .as_ref()
        .filter(|challenge| Thumbprint::new(challenge.as_str()).is_ok())
        .ok_or(OAuthError::request("code_challenge is missing or malformed"))?;
    if form.state.as_ref().is_some_and(|state| state.len() > 512 || state.chars().any(char::is_control)) {
        return Err(OAuthError::request("state is longer than 512 characters"));
    }
    let stated = form
        .dpop_jkt
        .as_deref()
        .map(Thumbprint::new)
        .transpose()
        .map_err(|_| OAuthError::request("dpop_jkt is malformed"))?;
    let proved = proof.map(|proof| proof.jkt().clone());
    let dpop_jkt = match (stated, proved) {
        (Some(stated), Some(proved)) if stated != proved => {
            return Err(OAuthError::request("dpop_jkt differs from the DPoP proof"));
        }
        (stated, proved) => proved.or(stated),
    };
    Ok(ReturnPath {
        redirect_uri: redirect_uri.clone(),
        state: form.state.clone(),
        code_challenge: code_challenge.clone(),
        dpop_jkt,
    })
}

fn check_proof(node: &Node, proof: &str, now: Timestamp) -> Result<VerifiedProof, OAuthError> {
    let url = node.settings.url("/oauth/par");
    let expected = ProofExpectation {
        method: "POST",
        url: &url,
        token: None,
        jkt: None,
        nonces: None,
        max_age_secs: node.settings.limits.proof_secs,
        now,
    };
    Ok(VerifiedProof::check(proof, &expected)?)
}
