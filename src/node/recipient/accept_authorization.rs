//! The authorization response at the recipient (RFC 6749 §4.1.2, RFC 9207).

use super::redeem_code;
use crate::domain::consent::{HeldCause, HeldConsent};
use crate::node::{Node, OAuthCode, Problem, ProblemKind};
use crate::store::recipient::held_consents;
use crate::store::recipient::held_consents::Returned;

/// The query of the authorization response.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: Option<String>,
    /// `state` as sent.
    pub(crate) state: Option<String>,
    /// `iss`: must be the holder that was asked.
    pub(crate) iss: Option<String>,
    /// The error code of a refusal.
    pub(crate) error: Option<String>,
}

/// The redirect, and the browser binding that is used up.
pub(crate) struct Accepted {
    /// The service's own address, with the state of its consent.
    pub(crate) location: url::Url,
    /// The binding of the request that was answered.
    pub(crate) browser_binding: String,
}

/// Accepts the authorization response and returns the redirect.
///
/// `browser_bindings` are the browser's cookie values, one for each of its requests in progress.
///
/// # Errors
/// [`Problem`]: state, browser or issuer do not match, or the holder does not redeem the code.
pub(crate) async fn accept_authorization(
    node: &Node,
    answer: Answer,
    browser_bindings: &[String],
) -> Result<Accepted, Problem> {
    let now = node.now();
    let state = answer.state.ok_or(Problem::new(ProblemKind::NotFound))?;
    let bindings = browser_bindings.to_vec();
    // Used up whatever the response is: a second response with the same state is not from the holder.
    let (back, browser_binding) = node
        .store
        .write("take_pending_authorization", move |tx| {
            held_consents::take_pending_of_any(tx, &state, &bindings, now)
        })
        .await?;
    if answer.iss.as_deref() != Some(back.held.holder.as_str()) {
        return Err(Problem::because(ProblemKind::AnswerNotTrusted, "another issuer answered"));
    }
    let held = match (answer.code, answer.error) {
        (Some(code), None) => redeem(node, back, &code).await?,
        (None, Some(error)) => decline(node, back.held, &error).await?,
        _ => return Err(Problem::with_detail(ProblemKind::BadRequest, "neither code nor error")),
    };
    Ok(Accepted { location: back_to_service(&held)?, browser_binding })
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

/// Most errors leave the request open: the service may start it again.
async fn decline(node: &Node, held: HeldConsent, error: &str) -> Result<HeldConsent, Problem> {
    let declined = error == "access_denied";
    let not_held = error == OAuthCode::InvalidAuthorizationDetails.as_str();
    if !declined && !not_held && error != OAuthCode::UnmetAuthenticationRequirements.as_str() {
        return Ok(held);
    }
    let (id, now) = (held.id, node.now());
    let changed = node.store.write("decline_held_consent", move |tx| {
        let mut held = held_consents::find(tx, id)?;
        if declined {
            held.life.decline(now)?;
        } else if not_held {
            // It asked for persons or records that the holder does not have about this resident.
            held.life.fail(HeldCause::InvalidAuthorizationDetails, now)?;
        } else {
            // The login provider there cannot reach the required assurance.
            held.life.note_attempt(Some(HeldCause::UnmetAuthenticationRequirements), now)?;
        }
        held_consents::save(tx, &held)?;
        Ok::<_, Problem>(held)
    });
    changed.await
}

/// The service's address, with the consent and its state. Parameters of these names in the service's address would be
/// ambiguous, and are replaced.
pub(super) fn back_to_service(held: &HeldConsent) -> Result<url::Url, Problem> {
    let text = held.return_url.as_deref().ok_or(Problem::new(ProblemKind::NotFound))?;
    let url = url::Url::parse(text).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    Ok(with_answer(url, &held.id.to_string(), held.status().as_str()))
}

fn with_answer(mut url: url::Url, consent: &str, state: &str) -> url::Url {
    let is_ours = |pair: &&str| {
        url::form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| matches!(&*name, "consent" | "state"))
    };
    // The service's own parameters stay byte for byte as it wrote them.
    let own: Vec<&str> = url.query().unwrap_or_default().split('&').filter(|pair| !is_ours(pair)).collect();
    let own = own.join("&");
    url.set_query(Some(&own).filter(|own| !own.is_empty()).map(String::as_str));
    url.query_pairs_mut().append_pair("consent", consent).append_pair("state", state);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_comes_once_and_the_services_own_parameters_stay_as_written() {
        for (given, expected) in [
            ("https://a.example/back", "https://a.example/back?consent=c1&state=active"),
            ("https://a.example/?case=1%202&x", "https://a.example/?case=1%202&x&consent=c1&state=active"),
            (
                "https://a.example/?state=own&case=7&consent=old&st%61te=x",
                "https://a.example/?case=7&consent=c1&state=active",
            ),
        ] {
            let url = with_answer(url::Url::parse(given).unwrap(), "c1", "active");
            assert_eq!(url.as_str(), expected);
        }
    }
}
