//! What an anchor or intermediate says and how long, as its configuration has it.

use std::collections::BTreeMap;

use crate::domain::federation::{StatementRules, TrustMarkOwner};
use crate::domain::ids::EntityId;

/// What an anchor says and how long, from its configuration; may change while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Who vouches for it; with any it is an intermediate.
    pub superiors: Vec<EntityId>,
    /// Life of its statements, in seconds: how long the federation lives on while the anchor is away, and how long a
    /// member who was taken out may still be trusted by whom cannot reach the anchor.
    pub statement_secs: i64,
    /// What statements about every member say, where the member has no rules of its own.
    pub subordinates: StatementRules,
    /// The anchor whose types the trust marks have that it gives.
    pub marks_of: EntityId,
    /// Life of a trust mark, in seconds.
    pub mark_secs: i64,
    /// Who else may give trust marks of which type.
    pub mark_issuers: BTreeMap<String, Vec<EntityId>>,
    /// To whom types of trust marks belong.
    pub mark_owners: BTreeMap<String, TrustMarkOwner>,
    /// Time after which a member is asked for its keys again, in seconds.
    pub refresh_secs: i64,
    /// Whether members without keys are met (demo profile only).
    pub first_contact: bool,
}
