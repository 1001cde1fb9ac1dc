//! A member as its superior stores it, and how the superior follows the member's keys.

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
        /// For now they are not; it keeps its place.
        Suspended = "suspended",
        /// It is a member no more.
        Removed = "removed",
    }
}

word_enum! {
    /// Who decided the state of a membership. What a command decided, a file that did not change does not undo.
    pub enum DecidedBy {
        /// The configuration or the members file.
        File = "file",
        /// `omadata members`.
        Command = "command",
    }
}

/// What a superior's statement about a member says beside the member's keys (OpenID Federation 1.0 §3.1.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementRules {
    /// The name under which others show the member: its `organization_name` in the statements about it. A superior gives
    /// each name below it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Metadata that overrides the member's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Policy for its metadata and for everyone's below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy: Option<Map<String, Value>>,
    /// Limits of chains through it.
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
    /// Who decided that.
    pub state_by: DecidedBy,
    /// Its federation keys; none until the first contact, which only the demo profile has.
    pub keys: Option<PublicKeys>,
    /// The roles whose trust marks it gets.
    pub roles: Vec<Role>,
    /// What statements about it say beside its keys.
    pub rules: StatementRules,
    /// What a file said about it when it was applied last, as text to compare with.
    pub declared: Option<String>,
    /// The entity types that its own configuration had last.
    pub entity_types: Vec<String>,
    /// Whether it has members of its own, as its own configuration said last.
    pub intermediate: bool,
    /// Why its membership is in that state.
    pub reason: Option<String>,
    /// When it became a member first.
    pub added_at: Timestamp,
    /// When anything of this changed last.
    pub changed_at: Timestamp,
    /// When the newest of its configurations that was followed had been issued.
    pub seen_at: Option<Timestamp>,
}

impl StatementRules {
    /// The metadata of statements about the member: its rules', or those that hold for every member; and its name.
    #[must_use]
    pub fn metadata_or(&self, of_all: Option<&Map<String, Value>>) -> Option<Map<String, Value>> {
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
    pub fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// Whether it may have members of its own: whoever plays a role itself may not, and so no city makes itself an
    /// intermediate by saying that it is one.
    #[must_use]
    pub fn may_vouch(&self) -> bool {
        let constrained = self.rules.constraints.as_ref().and_then(|limits| limits.max_path_length);
        self.roles.is_empty() && constrained != Some(0)
    }
}

/// What a member's own configuration says that its superior keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// What it calls itself, where that can be shown.
    pub name: Option<Text>,
    /// Its federation keys.
    pub keys: PublicKeys,
    /// When the configuration was issued.
    pub issued_at: Timestamp,
    /// Its entity types.
    pub entity_types: Vec<String>,
    /// Whether it has members of its own.
    pub intermediate: bool,
}

/// Reads a member's configuration at first contact: whoever wrote it has the keys that it names, and nothing more is
/// known.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed, another's, not signed with a key that it names, or does not hold now.
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

/// Follows a member's keys from one configuration to the next: what is signed with a key that is vouched for may name
/// others, and a key that it names no longer is vouched for no longer.
///
/// # Errors
/// [`TrustError::NotTrusted`] as for [`first_contact`], when no known key signed it, and when it is older than what was
/// followed last: an old configuration could bring a key back that the member gave up.
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
        // The old key names the next, then the next signs, then the old one is gone.
        let overlap = configuration(&[&old, &new], &old, 10);
        assert_eq!(follow(&[&old], None, &overlap).unwrap().keys, set(&[&old, &new]));
        let gone = configuration(&[&new], &new, 20);
        assert_eq!(follow(&[&old, &new], Some(10), &gone).unwrap().keys, set(&[&new]));

        let refused = |known: &[&SigningKey], seen, text: &str| match follow(known, seen, text) {
            Err(TrustError::NotTrusted(fault)) => fault.as_str(),
            other => panic!("{other:?}"),
        };
        // A key that nobody vouches for cannot bring itself in, not even beside a known one.
        assert_eq!(refused(&[&old], None, &configuration(&[&old, &stranger], &stranger, 30)), "unknown_key");
        // What the member gave up does not come back by an old configuration, and signs no new one.
        assert_eq!(refused(&[&old, &new], Some(20), &overlap), "the configuration is older than the last");
        assert_eq!(refused(&[&new], Some(20), &configuration(&[&old, &new], &old, 40)), "unknown_key");
        // A signature with a key that the configuration itself no longer names.
        assert_eq!(refused(&[&old, &new], None, &configuration(&[&new], &old, 40)), "unknown_key");
        let other = EntityId::new("https://turku.example").unwrap();
        assert!(follow_keys(&other, &set(&[&old]), None, &overlap, at(100)).is_err());
    }
}
