//! A resident's passkeys: which there are, a new one, one less.

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

/// How old a login may be with which a passkey is registered, in seconds: whoever finds an open browser must not leave
/// a key of their own there.
const FRESH_SECS: u32 = 300;

/// How long a registration may take, in seconds.
const REGISTRATION_SECS: i64 = 600;

/// Most passkeys of one resident.
const MOST: usize = 10;

/// Most characters of a passkey's name.
const MOST_CHARACTERS: usize = 60;

/// A registration that is under way. Kept in the session.
#[derive(Serialize, Deserialize)]
pub struct Registering {
    state: String,
    started_at: Timestamp,
}

/// How a resident must have logged in to register a passkey: just now, and as strongly as any dataset here demands, for
/// that is what the passkey will stand beside.
#[must_use]
pub fn demand(node: &Node) -> AssuranceRequirement {
    let levels = node.settings.datasets.iter().filter_map(|dataset| dataset.required_acr.as_ref());
    AssuranceRequirement { acr: node.settings.levels.strongest(levels), max_age: Some(FRESH_SECS) }
}

/// Whether a resident may register a passkey with this login.
#[must_use]
pub fn may_register(node: &Node, resident: &Resident) -> bool {
    demand(node).is_met(&node.settings.levels, resident.acr.as_deref(), resident.auth_time, node.now())
}

/// Begins a registration: the options for the browser, and what the session must remember.
///
/// # Errors
/// [`Problem`]: the login is not strong or fresh enough, there are too many, or this address bears none.
pub async fn begin(node: &Node, resident: &Resident) -> Result<(String, Registering), Problem> {
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

/// Completes a registration with the browser's answer.
///
/// # Errors
/// [`Problem`]: it took too long, the answer does not fit, or the passkey is registered already.
pub async fn finish(
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
/// [`Problem`] when the store is away.
pub async fn list(node: &Node, resident: &Resident) -> Result<Vec<Kept>, Problem> {
    let person = resident.person;
    Ok(node
        .store
        .read("list_passkeys", move |store: &mut Reader<'_>| passkeys::of_person(store, person))
        .await?)
}

/// Removes a passkey. Permissions that it signed stay in force, and their evidence stays.
///
/// # Errors
/// [`Problem`] when this resident has no such passkey.
pub async fn remove(node: &Node, resident: &Resident, id: PasskeyId) -> Result<(), Problem> {
    let person = resident.person;
    Ok(node.store.write("remove_passkey", move |tx| passkeys::remove(tx, person, id)).await?)
}

impl From<PasskeyFault> for Problem {
    fn from(fault: PasskeyFault) -> Self {
        Self::because(ProblemKind::PasskeyRefused, fault)
    }
}
