//! A resident's passkeys: list, add, remove.

use serde::{Deserialize, Serialize};

use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::ids::PasskeyId;
use crate::domain::login::Resident;
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::{PasskeyFault, random};
use crate::store::resident::passkeys;
use crate::store::resident::passkeys::Kept;
use crate::store::{Reader, StoreError};

/// Maximum age of the login with which a passkey is registered, in seconds: somebody at an open browser must not
/// register their own.
const FRESH_SECS: u32 = 300;

/// How long a registration may take, in seconds.
const REGISTRATION_SECS: i64 = 600;

/// Maximum number of passkeys of one resident.
const MOST: usize = 10;

/// Maximum length of a passkey's name in characters.
const MOST_CHARACTERS: usize = 60;

/// A registration in progress. Kept in the session.
#[derive(Serialize, Deserialize)]
pub(crate) struct Registering {
    state: String,
    started_at: Timestamp,
}

/// The assurance required to register a passkey: a fresh login, as strong as any dataset here requires, since the
/// passkey will supplement such logins.
#[must_use]
pub(crate) fn demand(node: &Node) -> AssuranceRequirement {
    let levels = node.settings.datasets.iter().filter_map(|dataset| dataset.required_acr.as_ref());
    AssuranceRequirement { acr: node.settings.levels.strongest(levels), max_age: Some(FRESH_SECS) }
}

/// Whether a resident may register a passkey with this login.
#[must_use]
pub(crate) fn may_register(node: &Node, resident: &Resident) -> bool {
    demand(node).is_met(&node.settings.levels, resident.acr.as_deref(), resident.auth_time, node.now())
}

/// Begins a registration: the options for the browser, and the state for the session.
///
/// # Errors
/// [`Problem`]: the login lacks the assurance, there are too many passkeys, or this address cannot have any.
pub(crate) async fn begin(node: &Node, resident: &Resident) -> Result<(String, Registering), Problem> {
    if !may_register(node, resident) {
        return Err(Problem::new(ProblemKind::LoginTooWeak));
    }
    let known = list(node, resident).await?;
    if known.len() >= MOST {
        return Err(Problem::with_detail(
            ProblemKind::BadRequest,
            "there are as many passkeys as there may be",
        ));
    }
    let known: Vec<_> = known.into_iter().map(|kept| kept.passkey).collect();
    let name = resident.display_name.as_deref().unwrap_or("–");
    let ceremony = node.passkeys.begin_registration(resident.person, name, &known)?;
    Ok((ceremony.options, Registering { state: ceremony.state, started_at: node.now() }))
}

/// Completes a registration with the browser's response.
///
/// # Errors
/// [`Problem`]: it took too long, the response does not match, or the passkey is registered already.
pub(crate) async fn finish(
    node: &Node,
    resident: &Resident,
    registering: &Registering,
    label: &str,
    answer: &str,
) -> Result<(), Problem> {
    let now = node.now();
    if now > registering.started_at.plus_secs(REGISTRATION_SECS) {
        return Err(Problem::new(ProblemKind::SessionEnded));
    }
    let label = label.trim();
    if label.is_empty() || label.chars().count() > MOST_CHARACTERS || label.chars().any(char::is_control) {
        return Err(Problem::with_detail(ProblemKind::BadRequest, "the passkey's name is empty or too long"));
    }
    let passkey = node.passkeys.finish_registration(&registering.state, answer, label)?;
    let (id, person) = (PasskeyId::from_bytes(random(&*node.entropy)), resident.person);
    node.store.write("add_passkey", move |tx| passkeys::insert(tx, id, person, &passkey, now)).await.map_err(
        |error| match error {
            StoreError::Conflict => Problem::because(ProblemKind::PasskeyRefused, "registered already"),
            other => other.into(),
        },
    )
}

/// A resident's passkeys, oldest first.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn list(node: &Node, resident: &Resident) -> Result<Vec<Kept>, Problem> {
    let person = resident.person;
    Ok(node
        .store
        .read("list_passkeys", move |store: &mut Reader<'_>| passkeys::of_person(store, person))
        .await?)
}

/// Removes a passkey. Permissions that it signed stay in force, with their evidence.
///
/// # Errors
/// [`Problem`] when this resident has no such passkey.
pub(crate) async fn remove(node: &Node, resident: &Resident, id: PasskeyId) -> Result<(), Problem> {
    let person = resident.person;
    Ok(node.store.write("remove_passkey", move |tx| passkeys::remove(tx, person, id)).await?)
}

impl From<PasskeyFault> for Problem {
    fn from(fault: PasskeyFault) -> Self {
        Self::because(ProblemKind::PasskeyRefused, fault)
    }
}
