//! Trust chains: from a member's own statement up to a configured anchor (OpenID Federation 1.0 §4 and §10.2).

use serde_json::{Map, Value};

use super::statement::{EntityStatement, verify_self_signed, verify_with};
use super::{TrustError, TrustedPeer, constraints, metadata};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// An entity whose word makes others members, with the keys that were configured for it.
#[derive(Debug, Clone)]
pub struct TrustAnchor {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys, known from elsewhere than the federation.
    pub keys: PublicKeys,
}

/// Most statements of one chain: a leaf, an anchor's configuration and four statements between them.
pub const MAX_CHAIN_LENGTH: usize = 6;

/// A chain that was checked link by link.
#[derive(Debug, Clone)]
pub struct VerifiedChain {
    /// The leaf.
    pub peer: TrustedPeer,
    /// When the leaf's immediate superior issued its statement; an older one must not replace a newer.
    pub issued_at: Timestamp,
}

/// Checks a chain and says who its leaf is; see [`verify_statements`].
///
/// # Errors
/// [`TrustError::NotTrusted`] with the first check that fails.
pub fn verify_chain<S: AsRef<str>>(
    statements: &[S],
    anchors: &[TrustAnchor],
    now: Timestamp,
) -> Result<TrustedPeer, TrustError> {
    Ok(verify_statements(statements, anchors, now)?.peer)
}

/// Checks a chain link by link, from the anchor down to the leaf.
///
/// The statements are in the standard's order: the leaf's entity configuration, then the statement of each superior
/// about the one before, and at the end, optionally, the anchor's own configuration. Each statement is verified with
/// keys that the one above vouches for, the topmost with the anchor's configured keys.
///
/// # Errors
/// [`TrustError::NotTrusted`] with the first check that fails.
pub fn verify_statements<S: AsRef<str>>(
    statements: &[S],
    anchors: &[TrustAnchor],
    now: Timestamp,
) -> Result<VerifiedChain, TrustError> {
    if statements.len() > MAX_CHAIN_LENGTH {
        return Err(TrustError::NotTrusted("the chain is too long"));
    }
    let (anchor, subordinates, leaf_text) = split(statements, anchors, now)?;
    let mut walk = Walk {
        superior: anchor.id.clone(),
        keys: anchor.keys.clone(),
        seen: vec![anchor.id.clone()],
        earliest_exp: i64::MAX,
    };
    let mut links = Vec::new();
    for text in subordinates.iter().rev() {
        links.push(walk.down(text.as_ref(), now)?);
    }
    let leaf = walk.leaf(leaf_text, now)?;
    check_constraints(&links, &walk.seen)?;
    let metadata = resolve_metadata(leaf.metadata.clone().unwrap_or_default(), &links)?;
    let immediate = links.last().ok_or(TrustError::NotTrusted("the chain has no superior"))?;
    let expires_at = Timestamp::from_secs(walk.earliest_exp);
    Ok(VerifiedChain {
        issued_at: Timestamp::from_secs(immediate.iat),
        peer: metadata::trusted_peer(leaf.sub, anchor.id.clone(), expires_at, &metadata)?,
    })
}

/// Checks an anchor's own configuration with the keys that were configured for it.
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
        return Err(TrustError::NotTrusted("the anchor's configuration is not its own"));
    }
    statement.check(now)?;
    Ok(statement)
}

/// Finds the anchor at the top, checks its configuration where the chain has it, and takes leaf and links apart.
fn split<'a, S: AsRef<str>>(
    statements: &'a [S],
    anchors: &'a [TrustAnchor],
    now: Timestamp,
) -> Result<(&'a TrustAnchor, &'a [S], &'a str), TrustError> {
    let (leaf, superiors) = statements.split_first().ok_or(TrustError::NotTrusted("the chain is empty"))?;
    let (top, below) = superiors.split_last().ok_or(TrustError::NotTrusted("the chain has no superior"))?;
    let claimed = super::claimed_statement(top.as_ref())?;
    let anchor = anchors
        .iter()
        .find(|anchor| anchor.id == claimed.iss)
        .ok_or(TrustError::NotTrusted("the chain does not end at a configured anchor"))?;
    if claimed.sub != anchor.id {
        return Ok((anchor, superiors, leaf.as_ref()));
    }
    verify_anchor(top.as_ref(), anchor, now)?;
    if below.is_empty() {
        return Err(TrustError::NotTrusted("the chain has no superior"));
    }
    Ok((anchor, below, leaf.as_ref()))
}

/// The state of the walk from the anchor down.
struct Walk {
    /// Who vouched last, or is vouched for.
    superior: EntityId,
    /// The keys vouched for.
    keys: PublicKeys,
    /// Everyone on the way.
    seen: Vec<EntityId>,
    /// The earliest `exp` so far.
    earliest_exp: i64,
}

impl Walk {
    /// One subordinate statement.
    fn down(&mut self, text: &str, now: Timestamp) -> Result<EntityStatement, TrustError> {
        let statement = verify_with(text, &self.keys)?;
        if statement.iss != self.superior {
            return Err(TrustError::NotTrusted("a statement is not by the superior above it"));
        }
        if self.seen.contains(&statement.sub) {
            return Err(TrustError::NotTrusted("the chain has a loop"));
        }
        if statement.authority_hints.is_some() {
            return Err(TrustError::NotTrusted("a subordinate statement has authority hints"));
        }
        statement.check(now)?;
        self.keys = statement.keys()?;
        self.superior = statement.sub.clone();
        self.seen.push(statement.sub.clone());
        self.earliest_exp = self.earliest_exp.min(statement.exp);
        Ok(statement)
    }

    /// The leaf's entity configuration: signed with a key that its superior vouches for and that it lists itself.
    fn leaf(&mut self, text: &str, now: Timestamp) -> Result<EntityStatement, TrustError> {
        let statement = verify_with(text, &self.keys)?;
        verify_self_signed(text, now)?;
        if statement.iss != self.superior || statement.sub != self.superior {
            return Err(TrustError::NotTrusted("the entity configuration is not the subject's own"));
        }
        // The one above the leaf, who must be one of the superiors that it names.
        let above = self.seen.iter().rev().nth(1);
        let hints = statement.authority_hints.as_deref().unwrap_or_default();
        if !above.is_some_and(|above| hints.contains(above)) {
            return Err(TrustError::NotTrusted("the entity does not name its superior"));
        }
        if statement.constraints.is_some() {
            return Err(TrustError::NotTrusted("an entity configuration has constraints"));
        }
        self.earliest_exp = self.earliest_exp.min(statement.exp);
        Ok(statement)
    }
}

/// Checks the constraints of every statement. `links` run from the top down, `seen` too, the anchor first.
fn check_constraints(links: &[EntityStatement], seen: &[EntityId]) -> Result<(), TrustError> {
    for (depth, link) in links.iter().enumerate() {
        if let Some(rules) = &link.constraints {
            let below = seen.get(depth.saturating_add(1)..).unwrap_or_default();
            constraints::check(rules, below.len().saturating_sub(1), below)?;
        }
    }
    Ok(())
}

/// The leaf's metadata after what the superiors say: the immediate superior's `metadata` overrides single members
/// (§6.1.4.2), every superior's `allowed_entity_types` leaves out types.
fn resolve_metadata(
    mut metadata: Map<String, Value>,
    links: &[EntityStatement],
) -> Result<Map<String, Value>, TrustError> {
    let overrides = links.last().and_then(|link| link.metadata.as_ref());
    for (kind, members) in overrides.into_iter().flatten() {
        let malformed = TrustError::NotTrusted("a superior's metadata is malformed");
        let (Some(own), Some(members)) = (metadata.get_mut(kind), members.as_object()) else {
            // A superior cannot make an entity into something that it does not say to be.
            if members.is_object() {
                continue;
            }
            return Err(malformed);
        };
        let own = own.as_object_mut().ok_or(malformed)?;
        // A name that a superior sets must not be undone by the leaf's own translation of it (`name#fi`, §5.2.2).
        own.retain(|name, _| !name.split_once('#').is_some_and(|(plain, _)| members.contains_key(plain)));
        own.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    for rules in links.iter().filter_map(|link| link.constraints.as_ref()) {
        constraints::filter_types(rules, &mut metadata);
    }
    Ok(metadata)
}
