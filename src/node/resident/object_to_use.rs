//! A resident objects to a use of their data (GDPR article 21).

use crate::domain::catalogue::Processing;
use crate::domain::ids::{ObjectionId, ProcessingId};
use crate::domain::login::Resident;
use crate::domain::outside_text;
use crate::domain::uses::objection::{MAX_STATEMENT_CHARS, Objection};
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::random;
use crate::store::resident::use_objections;

/// The activity that one may object to.
///
/// # Errors
/// [`Problem`] when there is none of that name, or the law gives no right to object to it.
pub(crate) fn find<'a>(node: &'a Node, id: &ProcessingId) -> Result<&'a Processing, Problem> {
    let found = node.settings.processing.iter().find(|one| one.id == *id && one.may_object);
    found.ok_or(Problem::new(ProblemKind::NotFound))
}

/// Records an objection; one that waits for its answer stands instead. `true` when it is new.
///
/// # Errors
/// [`Problem`]: no such right, a statement that is too long, or the store is unavailable.
pub(crate) async fn object(
    node: &Node,
    resident: &Resident,
    id: &ProcessingId,
    statement: Option<String>,
) -> Result<bool, Problem> {
    let activity = find(node, id)?.id.clone();
    let statement = statement.map(|text| outside_text::clean(&text)).filter(|text| !text.is_empty());
    if statement.as_ref().is_some_and(|text| text.chars().count() >= MAX_STATEMENT_CHARS) {
        return Err(Problem::with_detail(ProblemKind::BadRequest, "the statement is too long"));
    }
    let new = Objection {
        id: ObjectionId::from_bytes(random(&*node.entropy)),
        activity,
        statement,
        made_at: node.now(),
        answer: None,
    };
    let (person, id, activity) = (resident.person, new.id, new.activity.clone());
    let made = node
        .store
        .write("object_to_use", move |tx| use_objections::make(tx, person, &new))
        .await
        .map_err(Problem::from)?;
    if made {
        tracing::info!(
            event = "objection_made",
            objection = %id,
            activity = %activity,
            "a resident objected to a use of their data: `omadata uses objections` shows it"
        );
    }
    Ok(made)
}
