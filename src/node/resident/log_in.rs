//! Begins and completes a login at the city's OpenID provider.

use crate::domain::catalogue::{AssuranceRequirement, Language};
use crate::domain::login::{AuthenticatedPerson, Callback, LoginStart, PendingLogin, Resident};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::resident::persons;

/// How long a login may take at the provider, in seconds.
const LOGIN_SECS: i64 = 15 * 60;

/// The purpose of a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LoginRequirement {
    /// The `nonce` to be signed; random when absent.
    pub(crate) nonce: Option<String>,
    /// The required assurance; none by default.
    pub(crate) known: AssuranceRequirement,
    /// Whether the person has logged in already without the required assurance.
    pub(crate) step_up: bool,
}

/// Begins a login: the address for the browser, and the state for the session.
///
/// # Errors
/// [`Problem`] when the provider cannot be reached.
pub(crate) async fn begin(
    node: &Node,
    demand: LoginRequirement,
    language: Language,
) -> Result<(url::Url, PendingLogin), Problem> {
    let start = LoginStart {
        nonce: demand.nonce.unwrap_or_else(|| node.secret()),
        state: node.secret(),
        code_verifier: node.secret(),
        acr: demand.known.acr.map(|least| node.settings.levels.acr_values(&least)),
        max_age: demand.known.max_age,
        step_up: demand.step_up,
        language,
    };
    Ok(node.identity.begin(start).await?)
}

/// Verifies the provider's response to a pending login.
///
/// # Errors
/// [`Problem`]: the login took too long, was cancelled, or its response does not match.
pub(crate) async fn authenticate(
    node: &Node,
    pending: &PendingLogin,
    callback: &Callback,
) -> Result<AuthenticatedPerson, Problem> {
    let now = node.now();
    if now > pending.started_at.plus_secs(LOGIN_SECS) {
        return Err(Problem::new(ProblemKind::SessionEnded));
    }
    Ok(node.identity.complete(pending, callback, now).await?)
}

/// Completes a login and records the person.
///
/// # Errors
/// [`Problem`] as [`authenticate`], or the store is unavailable.
pub(crate) async fn complete(
    node: &Node,
    pending: &PendingLogin,
    callback: &Callback,
) -> Result<Resident, Problem> {
    let known = authenticate(node, pending, callback).await?;
    let now = node.now();
    let (issuer, subject, identifier) =
        (known.issuer.clone(), known.subject.clone(), known.identifier.clone());
    let person = node
        .store
        .write("log_in", move |tx| persons::upsert_login(tx, &issuer, &subject, &identifier, now))
        .await?;
    Ok(Resident {
        person,
        issuer: known.issuer,
        subject: known.subject,
        display_name: known.display_name,
        acr: known.acr,
        auth_time: known.auth_time,
        id_token: known.id_token,
    })
}
