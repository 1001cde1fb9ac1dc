//! Membership: entity statements, trust chains and the resulting peers (OpenID Federation 1.0).
//!
//! [`verify_statements`] is the only way from statements to a [`VerifiedChain`], [`MarkRules::verify`] the only way to
//! a trust mark, and both together make a [`TrustedPeer`], which gives access to a role only with its mark. A statement
//! with critical parts that this version does not understand (`crit`, `metadata_policy_crit`) is refused, never
//! ignored.

mod chain;
#[cfg(test)]
mod chain_tests;
mod constraints;
mod describe;
mod endpoint;
mod expiry;
mod fault;
mod former_keys;
mod hint;
mod historical_keys;
mod identifiers;
mod links;
mod mark_status;
mod member;
mod metadata;
mod names;
mod peer;
mod policy;
#[cfg(test)]
mod policy_tests;
mod report;
mod resolve_response;
mod resolved_metadata;
mod role;
mod statement;
mod trust_mark;
#[cfg(test)]
mod trust_mark_tests;

pub(crate) use crate::domain::federation::expiry::{
    Expiry, ExpiryKind, ExpiryWarning, WarningThreshold, expiries_of, mark_name, warnings,
};
pub use chain::{MAX_CHAIN_LENGTH, TrustAnchor, VerifiedChain, verify_anchor, verify_statements};
pub use describe::{AnchorDescription, NodeDescription, subordinate_statement};
pub(crate) use fault::{Outage, TrustFault};
pub use former_keys::{FORMER_KEYS_TYP, FormerKeys};
pub use hint::ChainHint;
pub use historical_keys::{HistoricalKey, HistoricalKeys, KEY_SET_TYP, Revocation, RevocationReason};
pub(crate) use identifiers::EntityIds;
pub(crate) use links::{superior_is_sound, vouched_keys};
pub use mark_status::{MARK_STATUS_TYP, MarkStatus, MarkStatusResponse};
pub use member::{DecidedBy, Member, MemberState, Presented, StatementRules, first_contact, follow_keys};
pub(crate) use names::{are_confusable, is_proper_name, with_host};
pub use peer::{
    AuthorizationServer, Client, ConsentIssuer, Holder, Recipient, ResolvedEntity, Resource, TrustedPeer,
};
pub use policy::MetadataPolicy;
pub use report::{FaultKind, Finding, PeerReport, ResponsibleParty, Step, Verdict};
pub use resolve_response::{RESOLVE_RESPONSE_TYP, ResolveResponse};
pub use role::Role;
pub use statement::{
    Constraints, ENTITY_STATEMENT, ENTITY_STATEMENT_TYP, EntityStatement, NamingConstraints, TrustMarkEntry,
    TrustMarkOwner, claimed_statement, verify_self_signed,
};
pub use trust_mark::{
    DELEGATION_TYP, Delegation, HeldMark, MarkRules, TRUST_MARK, TRUST_MARK_TYP, TrustMark,
};

/// Why an entity is not trusted. The texts are for operators; other parties get the standard's error code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No chain to a configured anchor exists, or a link in it does not verify. A retry gives the same result.
    #[error("not a trusted member: {0}")]
    NotTrusted(TrustFault),
    /// Not decidable now: a member or anchor is unreachable and the cached result has expired.
    #[error("trust cannot be decided now: {0}")]
    Unavailable(Outage),
}

impl TrustError {
    /// The reason, for operators and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotTrusted(fault) => fault.as_str(),
            Self::Unavailable(outage) => outage.as_str(),
        }
    }
}
