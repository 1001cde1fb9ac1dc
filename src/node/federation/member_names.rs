//! Display names of members: unique below one superior, since other members show them.

use crate::domain::catalogue::{Language, Text};
use crate::domain::federation::{Member, MemberState, are_confusable, is_proper_name};
use crate::domain::ids::EntityId;
use crate::store::federation::members;
use crate::store::{StoreError, Tx};

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// The name equals, or is confusable with, that of another member or of the superior.
    #[error("the name could be taken for that of {0}: choose another")]
    Taken(String),
    /// The name contains characters that may not be displayed.
    #[error("the name is empty, too long, or has characters that are not printed")]
    Unfit,
    /// The store.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
}

/// Checks that a member may have this name.
pub(super) fn check_name(
    tx: &mut Tx<'_>,
    id: &EntityId,
    name: Option<&Text>,
    own: Option<&Text>,
) -> Result<(), NameRefused> {
    let Some(name) = name else { return Ok(()) };
    if !Language::ALL.into_iter().all(|language| is_proper_name(name.get(language))) {
        return Err(NameRefused::Unfit);
    }
    if own.is_some_and(|own| are_confusable(name, own)) {
        return Err(NameRefused::Taken("the superior itself".to_owned()));
    }
    match name_holder(tx, id, name)? {
        Some(holder) => Err(NameRefused::Taken(holder.to_string())),
        None => Ok(()),
    }
}

/// The other member, including suspended ones, whose name is confusable with this one.
fn name_holder(tx: &mut Tx<'_>, id: &EntityId, name: &Text) -> Result<Option<EntityId>, StoreError> {
    let holds = |member: &Member| {
        member.id != *id
            && member.state != MemberState::Removed
            && member.rules.name.as_ref().is_some_and(|other| are_confusable(name, other))
    };
    Ok(members::list(tx)?.into_iter().find(holds).map(|member| member.id))
}

/// The member's own name, if it is not taken below this superior.
pub(super) fn free_name(
    tx: &mut Tx<'_>,
    id: &EntityId,
    name: Option<Text>,
    own: &Text,
) -> Result<Option<Text>, StoreError> {
    let Some(name) = name else { return Ok(None) };
    let taken_by =
        if are_confusable(&name, own) { Some(None) } else { name_holder(tx, id, &name)?.map(Some) };
    let Some(holder) = taken_by else { return Ok(Some(name)) };
    tracing::warn!(
        event = "member_name_taken",
        member = %id,
        holder = holder.as_ref().map_or("the superior itself", EntityId::as_str),
        remedy = "give the member a name: omadata members change --name",
        "a member calls itself what another is called; others show its host in place of a name"
    );
    Ok(None)
}
