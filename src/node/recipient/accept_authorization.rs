//! The browser comes back to the recipient with the holder's answer (RFC 6749 §4.1.2, RFC 9207).

use super::redeem_code;
use crate::domain::consent::{HeldCause, HeldConsent};
use crate::node::{Node, OAuthCode, Problem, ProblemKind};
use crate::store::recipient::held_consents;
use crate::store::recipient::held_consents::Returned;

/// The query with which the holder sends the browser back.
#[derive(Debug, Default)]
pub struct Answer {
    /// The authorization code.
    pub code: Option<String>,
    /// As sent.
    pub state: Option<String>,
    /// The holder, which must be the one that was asked.
    pub iss: Option<String>,
    /// The error code, when the answer is no.
    pub error: Option<String>,
}

/// Takes the holder's answer and says where the browser goes.
///
/// `browser_binding` is the cookie that was set when the browser left.
///
/// # Errors
/// [`Problem`]: state, browser or issuer do not fit, or the holder does not redeem the code.
pub async fn accept_authorization(
    node: &Node,
    answer: Answer,
    browser_binding: Option<&str>,
) -> Result<url::Url, Problem> {
    let now = node.now();
    let unknown = || Problem::new(ProblemKind::NotFound);
    let state = answer.state.ok_or_else(unknown)?;
    let binding = browser_binding.ok_or_else(unknown)?.to_owned();
    // Used up whatever the answer says: a second answer to the same state is somebody else's.
    let back = node
        .store
        .write("take_pending_authorization", move |tx| held_consents::take_pending(tx, &state, &binding, now))
        .await?;
    if answer.iss.as_deref() != Some(back.held.holder.as_str()) {
        return Err(Problem::because(ProblemKind::AnswerNotTrusted, "another issuer answered"));
    }
    let held = match (answer.code, answer.error) {
        (Some(code), None) => redeem(node, back, &code).await?,
        (None, Some(error)) => decline(node, back.held, &error).await?,
        _ => return Err(Problem::with_detail(ProblemKind::BadRequest, "neither code nor error")),
    };
    back_to_service(&held)
}

async fn redeem(node: &Node, back: Returned, code: &str) -> Result<HeldConsent, Problem> {
    let redirect_uri = node.settings.url("/oauth/callback");
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &back.code_verifier),
    ];
    redeem_code::redeem_code(node, back.held, back.dpop_kid.as_ref(), &grant).await
}

/// Anything but the resident's no leaves the request open: the service may start it again.
async fn decline(node: &Node, held: HeldConsent, error: &str) -> Result<HeldConsent, Problem> {
    let declined = error == "access_denied";
    if !declined && error != OAuthCode::UnmetAuthenticationRequirements.as_str() {
        return Ok(held);
    }
    let (id, now) = (held.id, node.now());
    let changed = node.store.write("decline_held_consent", move |tx| {
        let mut held = held_consents::find(tx, id)?;
        if declined {
            held.life.decline(now)?;
        } else {
            // The login provider there cannot know the resident as well as is demanded.
            held.life.note_attempt(Some(HeldCause::UnmetAuthenticationRequirements), now)?;
        }
        held_consents::save(tx, &held)?;
        Ok::<_, Problem>(held)
    });
    changed.await
}

/// Where the resident's browser goes when the holder has answered.
pub(super) fn back_to_service(held: &HeldConsent) -> Result<url::Url, Problem> {
    let text = held.return_url.as_deref().ok_or(Problem::new(ProblemKind::NotFound))?;
    let mut url = url::Url::parse(text).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    url.query_pairs_mut()
        .append_pair("consent", &held.id.to_string())
        .append_pair("state", held.status().as_str());
    Ok(url)
}
