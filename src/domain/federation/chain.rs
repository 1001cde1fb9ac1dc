//! Trust chains: from an entity's configuration up to a configured anchor (OpenID Federation 1.0 §4 and §10.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::resolved_metadata::resolve_metadata;
use super::statement::{EntityStatement, TrustMarkEntry, verify_self_signed, verify_with};
use super::{MarkRules, TrustError, TrustFault, constraints};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// A configured trust anchor.
#[derive(Debug, Clone)]
pub struct TrustAnchor {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys, from a source other than the federation.
    pub keys: PublicKeys,
}

/// Maximum number of statements of one chain: a leaf, an anchor's configuration and six statements between them, which
/// is five intermediates.
pub const MAX_CHAIN_LENGTH: usize = 8;

/// A chain that was verified link by link. Only [`verify_statements`] creates one.
#[derive(Debug, Clone)]
pub struct VerifiedChain {
    subject: EntityId,
    anchor: EntityId,
    superiors: Vec<EntityId>,
    statements: Vec<String>,
    vouched: BTreeMap<EntityId, PublicKeys>,
    rules: Option<MarkRules>,
    shown_marks: Vec<TrustMarkEntry>,
    metadata: Map<String, Value>,
    named_by_superior: bool,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl VerifiedChain {
    /// The subject.
    #[must_use]
    pub const fn subject(&self) -> &EntityId {
        &self.subject
    }

    /// The anchor that it ends at.
    #[must_use]
    pub const fn anchor(&self) -> &EntityId {
        &self.anchor
    }

    /// The superiors, from the subject's immediate one to the anchor.
    #[must_use]
    pub fn superiors(&self) -> &[EntityId] {
        &self.superiors
    }

    /// The statements, in the standard's order.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        &self.statements
    }

    /// The federation keys of any entity in the chain, from its superior's statement.
    #[must_use]
    pub fn keys_of(&self, entity: &EntityId) -> Option<&PublicKeys> {
        self.vouched.get(entity)
    }

    /// The anchor's trust mark rules; `None` when the chain lacks its configuration.
    #[must_use]
    pub(crate) const fn mark_rules(&self) -> Option<&MarkRules> {
        self.rules.as_ref()
    }

    /// The subject's trust marks, not verified yet: see [`MarkRules::verify`].
    #[must_use]
    pub(crate) fn shown_marks(&self) -> &[TrustMarkEntry] {
        &self.shown_marks
    }

    /// The subject's metadata after every superior's metadata, constraint and policy.
    #[must_use]
    pub const fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Whether a superior sets the subject's name: its `organization_name` is then not the subject's own claim.
    #[must_use]
    pub(crate) const fn is_named_by_superior(&self) -> bool {
        self.named_by_superior
    }

    /// When the subject's immediate superior issued its statement; an older one must not replace a newer.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Expiry of the chain: the earliest `exp` in it.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Verifies a chain link by link, from the anchor down to the leaf.
///
/// The statements are in the standard's order: the leaf's entity configuration, then the statement of each superior
/// about the one before, and at the end, optionally, the anchor's own configuration. Each statement is verified with
/// the keys in the statement above it, the topmost with the anchor's configured keys.
///
/// # Errors
/// [`TrustError::NotTrusted`] with the first check that fails.
pub fn verify_statements<S: AsRef<str>>(
    statements: &[S],
    anchors: &[TrustAnchor],
    now: Timestamp,
) -> Result<VerifiedChain, TrustError> {
    if statements.len() > MAX_CHAIN_LENGTH {
        return Err(TrustError::NotTrusted(TrustFault::ChainTooLong));
    }
    let top = split(statements, anchors, now)?;
    let mut walk = Walk {
        superior: top.anchor.id.clone(),
        keys: top.anchor.keys.clone(),
        seen: vec![top.anchor.id.clone()],
        vouched: BTreeMap::from([(top.anchor.id.clone(), top.anchor.keys.clone())]),
        earliest_exp: top.configuration.as_ref().map_or(i64::MAX, |statement| statement.exp),
    };
    let mut links = Vec::new();
    for text in top.subordinates.iter().rev() {
        links.push(walk.down(text.as_ref(), now)?);
    }
    let leaf = walk.leaf(top.leaf, now)?;
    check_constraints(&links, &walk.seen)?;
    let (metadata, named_by_superior) = resolve_metadata(leaf.metadata.clone().unwrap_or_default(), &links)?;
    let immediate = links.last().ok_or(TrustError::NotTrusted(TrustFault::NoSuperior))?;
    let superiors = walk.seen.iter().rev().skip(1).cloned().collect();
    Ok(VerifiedChain {
        subject: leaf.sub,
        anchor: top.anchor.id.clone(),
        superiors,
        statements: statements.iter().map(|text| text.as_ref().to_owned()).collect(),
        vouched: walk.vouched,
        rules: top.configuration.as_ref().map(MarkRules::of_anchor),
        shown_marks: leaf.trust_marks.unwrap_or_default(),
        metadata,
        named_by_superior,
        issued_at: Timestamp::from_secs(immediate.iat),
        expires_at: Timestamp::from_secs(walk.earliest_exp),
    })
}

/// Verifies an anchor's own configuration with its configured keys.
///
/// # Errors
/// [`TrustError::NotTrusted`] with the first check that fails.
pub fn verify_anchor(
    text: &str,
    anchor: &TrustAnchor,
    now: Timestamp,
) -> Result<EntityStatement, TrustError> {
    let statement = verify_with(text, &anchor.keys)?;
    if statement.iss != anchor.id || statement.sub != anchor.id {
        return Err(TrustError::NotTrusted(TrustFault::AnchorConfigurationNotOwn));
    }
    statement.check(now)?;
    statement.check_configuration()?;
    Ok(statement)
}

/// A parsed chain, with the anchor's configuration if it has one.
struct Top<'a, S> {
    anchor: &'a TrustAnchor,
    configuration: Option<EntityStatement>,
    subordinates: &'a [S],
    leaf: &'a str,
}

/// Finds the anchor at the top, verifies its configuration if the chain has it, and splits leaf and links.
fn split<'a, S: AsRef<str>>(
    statements: &'a [S],
    anchors: &'a [TrustAnchor],
    now: Timestamp,
) -> Result<Top<'a, S>, TrustError> {
    let (leaf, superiors) = statements.split_first().ok_or(TrustError::NotTrusted(TrustFault::EmptyChain))?;
    let (top, below) = superiors.split_last().ok_or(TrustError::NotTrusted(TrustFault::NoSuperior))?;
    let claimed = super::claimed_statement(top.as_ref())?;
    let anchor = anchors
        .iter()
        .find(|anchor| anchor.id == claimed.iss)
        .ok_or(TrustError::NotTrusted(TrustFault::UnknownAnchor))?;
    let leaf = leaf.as_ref();
    if claimed.sub != anchor.id {
        return Ok(Top { anchor, configuration: None, subordinates: superiors, leaf });
    }
    let configuration = Some(verify_anchor(top.as_ref(), anchor, now)?);
    if below.is_empty() {
        return Err(TrustError::NotTrusted(TrustFault::NoSuperior));
    }
    Ok(Top { anchor, configuration, subordinates: below, leaf })
}

/// The state of the walk from the anchor down.
struct Walk {
    /// The entity reached so far.
    superior: EntityId,
    /// Its keys, by the statement about it.
    keys: PublicKeys,
    /// All entities so far.
    seen: Vec<EntityId>,
    /// All entities so far with their keys.
    vouched: BTreeMap<EntityId, PublicKeys>,
    /// The earliest `exp` so far.
    earliest_exp: i64,
}

impl Walk {
    fn down(&mut self, text: &str, now: Timestamp) -> Result<EntityStatement, TrustError> {
        let statement = verify_with(text, &self.keys)?;
        if statement.iss != self.superior {
            return Err(TrustError::NotTrusted(TrustFault::StatementIssuer));
        }
        if self.seen.contains(&statement.sub) {
            return Err(TrustError::NotTrusted(TrustFault::ChainLoop));
        }
        statement.check(now)?;
        statement.check_subordinate()?;
        self.keys = statement.keys()?;
        self.vouched.insert(statement.sub.clone(), self.keys.clone());
        self.superior = statement.sub.clone();
        self.seen.push(statement.sub.clone());
        self.earliest_exp = self.earliest_exp.min(statement.exp);
        Ok(statement)
    }

    /// The leaf's entity configuration: signed with a key that is in its superior's statement and in its own list.
    fn leaf(&mut self, text: &str, now: Timestamp) -> Result<EntityStatement, TrustError> {
        let statement = verify_with(text, &self.keys)?;
        verify_self_signed(text, now)?;
        if statement.iss != self.superior || statement.sub != self.superior {
            return Err(TrustError::NotTrusted(TrustFault::ConfigurationNotOwn));
        }
        // The leaf's immediate superior, which must be one of its authority hints.
        let above = self.seen.iter().rev().nth(1);
        let names =
            |above: &EntityId| statement.authority_hints.as_ref().is_some_and(|all| all.contains(above));
        if !above.is_some_and(names) {
            return Err(TrustError::NotTrusted(TrustFault::SuperiorNotNamed));
        }
        self.earliest_exp = self.earliest_exp.min(statement.exp);
        Ok(statement)
    }
}

/// Checks the constraints of every statement. `links` and `seen` are in order from the top, the anchor first.
fn check_constraints(links: &[EntityStatement], seen: &[EntityId]) -> Result<(), TrustError> {
    for (depth, link) in links.iter().enumerate() {
        if let Some(rules) = &link.constraints {
            let below = seen.get(depth.saturating_add(1)..).unwrap_or_default();
            constraints::check(rules, below.len().saturating_sub(1), below)?;
        }
    }
    Ok(())
}
