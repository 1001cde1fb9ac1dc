//! A member as stored by its superior, and how the superior follows the member's keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::describe::named;
use super::metadata::organization_name;
use super::statement::{Constraints, verify_with};
use super::{Role, TrustError, TrustFault, verify_self_signed};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// The state of a membership.
    pub enum MemberState {
        /// Statements about it are issued.
        Active = "active",
        /// Suspended: no statements about it are issued.
        Suspended = "suspended",
        /// Former member.
        Removed = "removed",
    }
}

word_enum! {
    /// Who decided the state of a membership. An unchanged file does not undo a decision by command.
    pub enum DecidedBy {
        /// The configuration or the members file.
        File = "file",
        /// `omadata members`.
        Command = "command",
    }
}

/// Content of a superior's statement about a member besides the member's keys (OpenID Federation 1.0 §3.1.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementRules {
    /// Display name of the member: its `organization_name` in the statements about it. Unique below one superior.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Metadata that overrides the member's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Policy for its metadata and that of all entities below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata_policy: Option<Map<String, Value>>,
    /// Constraints on chains through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
}

/// A member of a trust anchor or intermediate.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its entity identifier.
    pub id: EntityId,
    /// The state of its membership.
    pub state: MemberState,
    pub(crate) state_by: DecidedBy,
    /// Its federation keys; none until the first contact (demo profile only).
    pub keys: Option<PublicKeys>,
    /// Its roles, each with a trust mark.
    pub roles: Vec<Role>,
    /// Content of statements about it besides its keys.
    pub rules: StatementRules,
    /// Its description when a file was last applied, as text to compare with.
    pub(crate) declared: Option<String>,
    /// The entity types in its latest configuration.
    pub(crate) entity_types: Vec<String>,
    /// Whether it has members of its own, by its latest configuration.
    pub intermediate: bool,
    /// The reason of its state.
    pub reason: Option<String>,
    /// When it first became a member.
    pub(crate) added_at: Timestamp,
    /// When anything of this changed last.
    pub(crate) changed_at: Timestamp,
    /// When its latest followed configuration was issued.
    pub(crate) seen_at: Option<Timestamp>,
}

impl StatementRules {
    /// The metadata in statements about the member: its own rules', or the default ones; and its name.
    #[must_use]
    pub(crate) fn metadata_or(&self, of_all: Option<&Map<String, Value>>) -> Option<Map<String, Value>> {
        let mut metadata = self.metadata.as_ref().or(of_all).cloned();
        if let Some(name) = &self.name {
            let types = metadata.get_or_insert_default();
            let entity = types.entry("federation_entity").or_insert_with(|| Map::new().into());
            if let Some(members) = entity.as_object_mut() {
                members.extend(named("organization_name", name));
                members.extend(named("display_name", name));
            }
        }
        metadata
    }
}

impl Member {
    /// Whether statements about it are issued.
    #[must_use]
    pub(crate) fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// Whether it may have members of its own. A member with a role may not, so that no city becomes an intermediate by
    /// its own claim.
    #[must_use]
    pub(crate) fn may_vouch(&self) -> bool {
        let constrained = self.rules.constraints.as_ref().and_then(|limits| limits.max_path_length);
        self.roles.is_empty() && constrained != Some(0)
    }
}

/// The parts of a member's configuration that its superior stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Its own name, if it may be displayed.
    pub name: Option<Text>,
    /// Its federation keys.
    pub keys: PublicKeys,
    /// When the configuration was issued.
    pub issued_at: Timestamp,
    pub(crate) entity_types: Vec<String>,
    /// Whether it has members of its own.
    pub intermediate: bool,
}

/// Parses a member's configuration at first contact: its author has the keys that it lists, and nothing more is known.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed, another entity's, not signed with a key that it lists, or not
/// current.
pub fn first_contact(member: &EntityId, text: &str, now: Timestamp) -> Result<Presented, TrustError> {
    let statement = verify_self_signed(text, now)?;
    if statement.sub != *member {
        return Err(TrustError::NotTrusted(TrustFault::MemberIdentifier));
    }
    let metadata = statement.metadata.as_ref();
    Ok(Presented {
        name: organization_name(&statement),
        keys: statement.keys()?,
        issued_at: Timestamp::from_secs(statement.iat),
        entity_types: metadata.map(|types| types.keys().cloned().collect()).unwrap_or_default(),
        intermediate: metadata
            .and_then(|types| types.get("federation_entity")?.get("federation_fetch_endpoint"))
            .is_some(),
    })
}

/// Follows a member's keys from one configuration to the next: one that is signed with a known key may list new keys,
/// and known keys that it does not list are dropped.
///
/// # Errors
/// [`TrustError::NotTrusted`] as for [`first_contact`], when no known key signed it, and when it is older than the last
/// one: an old configuration could restore a key that the member revoked.
pub fn follow_keys(
    member: &EntityId,
    known: &PublicKeys,
    seen_at: Option<Timestamp>,
    text: &str,
    now: Timestamp,
) -> Result<Presented, TrustError> {
    let presented = first_contact(member, text, now)?;
    verify_with(text, known)?;
    if seen_at.is_some_and(|seen| presented.issued_at < seen) {
        return Err(TrustError::NotTrusted(TrustFault::ConfigurationOlder));
    }
    Ok(presented)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::federation::subordinate_statement;
    use crate::domain::jose::SigningKey;

    fn id() -> EntityId {
        EntityId::new("https://espoo.example").unwrap()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    fn set(keys: &[&SigningKey]) -> PublicKeys {
        PublicKeys::from_keys(keys.iter().map(|key| key.public().clone()).collect()).unwrap()
    }

    fn configuration(names: &[&SigningKey], signer: &SigningKey, issued: i64) -> String {
        subordinate_statement(&id(), &id(), &set(names), at(issued), 3600).sign(signer).unwrap()
    }

    #[test]
    fn keys_are_followed_by_continuity_and_in_no_other_way() {
        let (old, new, stranger) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let follow = |known: &[&SigningKey], seen: Option<i64>, text: &str| {
            follow_keys(&id(), &set(known), seen.map(at), text, at(100))
        };
        // The old key lists the next, then the next signs, then the old one is dropped.
        let overlap = configuration(&[&old, &new], &old, 10);
        assert_eq!(follow(&[&old], None, &overlap).unwrap().keys, set(&[&old, &new]));
        let gone = configuration(&[&new], &new, 20);
        assert_eq!(follow(&[&old, &new], Some(10), &gone).unwrap().keys, set(&[&new]));

        let refused = |known: &[&SigningKey], seen, text: &str| match follow(known, seen, text) {
            Err(TrustError::NotTrusted(fault)) => fault.as_str(),
            other => panic!("{other:?}"),
        };
        // An unknown key cannot add itself, not even beside a known one.
        assert_eq!(refused(&[&old], None, &configuration(&[&old, &stranger], &stranger, 30)), "unknown_key");
        // A revoked key is not restored by an old configuration, and signs no new one.
        assert_eq!(refused(&[&old, &new], Some(20), &overlap), "the configuration is older than the last");
        assert_eq!(refused(&[&new], Some(20), &configuration(&[&old, &new], &old, 40)), "unknown_key");
        // Signed with a key that the configuration itself no longer lists.
        assert_eq!(refused(&[&old, &new], None, &configuration(&[&new], &old, 40)), "unknown_key");
        let other = EntityId::new("https://turku.example").unwrap();
        assert!(follow_keys(&other, &set(&[&old]), None, &overlap, at(100)).is_err());
    }
}
