//! The configured content and lifetime of an anchor's or intermediate's statements.

use std::collections::BTreeMap;

use crate::domain::federation::{StatementRules, TrustMarkOwner};
use crate::domain::ids::EntityId;

/// The configured content and lifetime of an anchor's statements; may change while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Its superiors; an intermediate has some.
    pub superiors: Vec<EntityId>,
    /// Lifetime of its statements, in seconds: how long members stay trusted while the anchor is unavailable, and how
    /// long a removed member may still be trusted by nodes that cannot reach the anchor.
    pub statement_secs: i64,
    /// Default rules in the statements about every member.
    pub subordinates: StatementRules,
    /// The anchor whose trust mark types it issues.
    pub marks_of: EntityId,
    /// Lifetime of a trust mark, in seconds.
    pub mark_secs: i64,
    /// Other issuers of each trust mark type.
    pub mark_issuers: BTreeMap<String, Vec<EntityId>>,
    /// Owners of trust mark types.
    pub mark_owners: BTreeMap<String, TrustMarkOwner>,
    /// Interval after which a member's keys are fetched again, in seconds.
    pub refresh_secs: i64,
    /// Whether keys of members without configured ones are accepted at first contact (demo profile only).
    pub first_contact: bool,
}
