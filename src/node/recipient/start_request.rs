//! The resident's browser starts a service's request at the recipient: PAR to the holder, then the redirect to its
//! consent page.

use serde::Deserialize;

use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{HeldCause, HeldConsent, HeldStatus, PendingAuthorization};
use crate::domain::ids::HeldConsentId;
use crate::domain::jose::{SigningKey, b64url, sha256};
use crate::node::recipient::accept_authorization::back_to_service;
use crate::node::recipient::holder_client::{
    AskError, authorization_server, client_authentication, oauth_error, post_form,
};
use crate::node::recipient::proof_request::remember_nonce;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::recipient::held_consents;

/// The redirect, and the cookie value that binds the browser.
pub(crate) struct Started {
    /// The holder's authorization endpoint with the `request_uri`.
    pub(crate) location: url::Url,
    /// Random; must be returned with the response.
    pub(crate) browser_binding: String,
}

/// The redirect of a browser that starts a request.
pub(crate) enum Start {
    /// To the holder, to decide.
    Holder(Started),
    /// Back to the service: the holder does not offer what was requested, and the request has failed.
    Service(url::Url),
}

/// Pushes the request to the holder.
///
/// # Errors
/// [`Problem`]: unknown, decided already, or the holder refused temporarily or is unavailable.
pub(crate) async fn start_request(node: &Node, id: HeldConsentId) -> Result<Start, Problem> {
    let now = node.now();
    let held = node.store.read("find_held_consent", move |store| held_consents::find(store, id)).await?;
    if held.status() != HeldStatus::Requested || now >= held.created_at.plus_secs(WAIT_SECS) {
        return Err(Problem::new(ProblemKind::NotFound));
    }
    let holder = node.peers.resolve(&held.holder).await?;
    let server = authorization_server(&holder)?;
    let dpop_key = node.keys.active(crate::node::KeyPurpose::Dpop)?;
    let pending = PendingAuthorization {
        state: node.secret(),
        code_verifier: node.secret(),
        browser_binding: node.secret(),
        dpop_kid: Some(dpop_key.kid().clone()),
    };
    let mut form = client_authentication(node, &holder.id, now)?;
    form.extend(parameters(node, &held, &pending, &dpop_key)?);
    form.extend(action(node, &held).await?);
    let answer = post_form(node, &server.pushed_authorization_request_endpoint, form).await?;
    remember_nonce(node, &holder.id, &answer);
    if answer.status != 201 {
        let refused = oauth_error(&answer);
        return match refused_for(&refused) {
            Some(cause) => conclude_refused(node, id, cause).await,
            None => Err(refused.into()),
        };
    }
    #[derive(Deserialize)]
    struct Pushed {
        request_uri: String,
    }
    let pushed: Pushed = serde_json::from_slice(&answer.body)
        .map_err(|_| Problem::because(ProblemKind::AnswerNotTrusted, "pushed request answer"))?;
    let mut location = server.authorization_endpoint.clone();
    location
        .query_pairs_mut()
        .append_pair("client_id", node.settings.id.as_str())
        .append_pair("request_uri", &pushed.request_uri);
    let browser_binding = pending.browser_binding.clone();
    node.store.write("start_request", move |tx| held_consents::set_pending(tx, id, &pending, now)).await?;
    Ok(Start::Holder(Started { location, browser_binding }))
}

/// The permanent meaning of a holder's refusal, if a retry would be useless.
fn refused_for(error: &AskError) -> Option<HeldCause> {
    let AskError::Refused(code) = error else { return None };
    // The standards' codes are known here; any other one says nothing about the request.
    code.parse().ok().filter(|cause| {
        matches!(
            cause,
            HeldCause::UnmetAuthenticationRequirements
                | HeldCause::InvalidAuthorizationDetails
                | HeldCause::InvalidGrantId
        )
    })
}

/// Records why the holder cannot show the request to a resident, and sends the browser back to the service. An unmet
/// assurance may be met later; something that the holder does not offer makes the request fail.
async fn conclude_refused(node: &Node, id: HeldConsentId, cause: HeldCause) -> Result<Start, Problem> {
    let now = node.now();
    let changed = node.store.write("conclude_refused_request", move |tx| {
        let mut held = held_consents::find(tx, id)?;
        tracing::info!(
            event = "holder_refused_request", consent = %id, holder = %held.holder, cause = %cause,
            "a holder refuses a request"
        );
        if cause == HeldCause::UnmetAuthenticationRequirements {
            held.life.note_attempt(Some(cause), now)?;
        } else {
            held.life.fail(cause, now)?;
        }
        held_consents::save(tx, &held)?;
        Ok::<_, Problem>(held)
    });
    let held = changed.await?;
    if held.status().is_end() {
        Ok(Start::Service(back_to_service(&held)?))
    } else {
        Err(Problem::because(ProblemKind::HolderRefused, cause))
    }
}

/// The grant management action of the request (Grant Management for OAuth 2.0 §5.1).
async fn action(node: &Node, held: &HeldConsent) -> Result<Vec<(String, String)>, Problem> {
    let word = |word: &str| ("grant_management_action".to_owned(), word.to_owned());
    let Some((how, old)) = held.replaces else { return Ok(vec![word("create")]) };
    let old = node.store.read("find_replaced_consent", move |store| held_consents::find(store, old)).await?;
    let grant = old
        .life
        .grant_id()
        .filter(|_| !old.status().is_end())
        .ok_or(Problem::new(ProblemKind::ConsentNotInForce))?;
    Ok(vec![word(how.as_str()), ("grant_id".to_owned(), grant.to_string())])
}

fn parameters(
    node: &Node,
    held: &HeldConsent,
    pending: &PendingAuthorization,
    dpop_key: &SigningKey,
) -> Result<Vec<(String, String)>, Problem> {
    let challenge = b64url(&sha256(pending.code_verifier.as_bytes()));
    let details = serde_json::to_string(&[held.life.detail()])?;
    let mut form = vec![
        ("response_type", "code".to_owned()),
        ("redirect_uri", node.settings.url("/oauth/callback")),
        ("state", pending.state.clone()),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256".to_owned()),
        ("dpop_jkt", dpop_key.public().thumbprint().to_string()),
        ("authorization_details", details),
    ];
    if let Some(acr_values) = &held.asked.acr {
        form.push(("acr_values", acr_values.clone()));
    }
    if let Some(max_age) = held.asked.max_age {
        form.push(("max_age", max_age.to_string()));
    }
    if let Some(person) = &held.expected_person {
        form.push(("expected_person", person.reveal().to_owned()));
    }
    Ok(form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
