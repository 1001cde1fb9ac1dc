//! The entity statement on the wire (OpenID Federation 1.0 §3).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{EntityIds, TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of an entity statement, and with `application/` in front its media type (§15.1).
pub const ENTITY_STATEMENT_TYP: &str = "entity-statement+jwt";

/// What an entity statement must look like. Statements of other software may carry claims that we do not know; those that
/// must be understood are named in `crit`, and then the statement is refused. It is part of a chain and carries none
/// (§4.3 and §4.4).
pub static ENTITY_STATEMENT: Profile = Profile {
    typ: ENTITY_STATEMENT_TYP,
    max_bytes: 64 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "iat", "exp", "jwks"],
    optional: Claims::Any,
    forbidden_headers: &["trust_chain", "peer_trust_chain"],
};

/// The claims of an entity configuration (`iss` = `sub`) or of a subordinate statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityStatement {
    /// Who speaks.
    pub iss: EntityId,
    /// About whom.
    pub sub: EntityId,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it stops to hold, in seconds since 1970.
    pub exp: i64,
    /// The subject's federation keys, as a JWK Set.
    pub jwks: Value,
    /// The subject's superiors; only in an entity configuration that is not an anchor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_hints: Option<EntityIds>,
    /// The trust anchors that the subject itself trusts (§3.1.2); only in an entity configuration that is not an anchor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchor_hints: Option<EntityIds>,
    /// Metadata by entity type; in a subordinate statement it overrides what the subject says (§6.1.4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The subject's trust marks; only in its own configuration (§7). Entries of another form are left out: they are marks
    /// of other federations, and none of them changes what ours say.
    #[serde(default, deserialize_with = "readable_marks", skip_serializing_if = "Option::is_none")]
    pub trust_marks: Option<Vec<TrustMarkEntry>>,
    /// Who may issue trust marks of which type; an empty list means anyone. Counts in an anchor's configuration only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_mark_issuers: Option<BTreeMap<String, EntityIds>>,
    /// To whom a type of trust mark belongs when its issuers act for someone else: each a [`TrustMarkOwner`], read when a
    /// mark of that type is. Counts in an anchor's configuration only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_mark_owners: Option<BTreeMap<String, Value>>,
    /// Rules for the metadata of everyone below (§6.1); only in a subordinate statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy: Option<Map<String, Value>>,
    /// Operators of those rules, beside the standard's own, that must be understood (§6.1.3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy_crit: Option<Vec<String>>,
    /// Limits of the chain below the issuer (§6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// Names of claims that must be understood (§3.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<Value>,
    /// The fetch endpoint that this subordinate statement came from (§3.1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_endpoint: Option<String>,
    /// Only in messages of explicit registration (§3.1.4, §3.1.5), which this product does not use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<Value>,
    /// Only in responses of explicit registration (§3.1.5), which this product does not use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchor: Option<Value>,
}

/// One entry of `trust_marks` (§3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustMarkEntry {
    /// Its type; must be the one that the mark itself names.
    pub trust_mark_type: String,
    /// The mark, compact JWS.
    pub trust_mark: String,
}

/// One value of `trust_mark_owners` (§3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustMarkOwner {
    /// The owner.
    pub sub: EntityId,
    /// The owner's federation keys, as a JWK Set.
    pub jwks: Value,
}

/// `constraints` of a subordinate statement (§6.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraints {
    /// Most intermediates between the issuer and the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_path_length: Option<usize>,
    /// Which hosts the subordinates may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naming_constraints: Option<NamingConstraints>,
    /// Which entity types the subordinates may be, beside `federation_entity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_entity_types: Option<Vec<String>>,
}

/// `naming_constraints` (§6.2.2): host names, or domains written with a leading dot (RFC 5280 §4.2.1.10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamingConstraints {
    /// One of these must match, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permitted: Option<Vec<String>>,
    /// None of these may match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Vec<String>>,
}

impl EntityStatement {
    /// A statement of `iss` about `sub`, whose federation keys are these, from `now` on for `lifetime` seconds. What
    /// else it says is set by its fields.
    #[must_use]
    pub fn new(iss: &EntityId, sub: &EntityId, keys: &PublicKeys, now: Timestamp, lifetime: i64) -> Self {
        Self {
            iss: iss.clone(),
            sub: sub.clone(),
            iat: now.secs(),
            exp: now.secs().saturating_add(lifetime),
            jwks: keys.to_jwks(),
            authority_hints: None,
            trust_anchor_hints: None,
            metadata: None,
            trust_marks: None,
            trust_mark_issuers: None,
            trust_mark_owners: None,
            metadata_policy: None,
            metadata_policy_crit: None,
            constraints: None,
            crit: None,
            source_endpoint: None,
            aud: None,
            trust_anchor: None,
        }
    }

    /// Signs it as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(ENTITY_STATEMENT_TYP, self)
    }

    /// The subject's federation keys.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when they are no proper key set, or empty.
    pub fn keys(&self) -> Result<PublicKeys, TrustError> {
        match PublicKeys::from_jwks(&self.jwks) {
            Ok(keys) if !keys.is_empty() => Ok(keys),
            Ok(_) => Err(TrustError::NotTrusted(TrustFault::NoUsableKey)),
            Err(error) => Err(refused(error)),
        }
    }

    /// Checks what every statement of a chain must fulfil by itself: its times, and that it asks for nothing that this
    /// version does not understand.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), TrustError> {
        check_times(now, Some(self.iat), None, Some(self.exp)).map_err(refused)?;
        if self.crit.is_some() {
            return Err(TrustError::NotTrusted(TrustFault::CriticalClaim));
        }
        if self.aud.is_some() || self.trust_anchor.is_some() {
            return Err(TrustError::NotTrusted(TrustFault::RegistrationClaims));
        }
        let nulls = |members: &Value| members.as_object().is_some_and(|all| all.values().any(Value::is_null));
        if self.metadata.as_ref().is_some_and(|kinds| kinds.values().any(nulls)) {
            return Err(TrustError::NotTrusted(TrustFault::NullMetadata));
        }
        Ok(())
    }

    /// Checks that an entity speaks of itself only as far as it may (§3.2): what superiors say is theirs to say.
    pub(super) fn check_configuration(&self) -> Result<(), TrustError> {
        let refuse = |reason| Err(TrustError::NotTrusted(reason));
        if self.constraints.is_some() {
            return refuse(TrustFault::ConfigurationConstraints);
        }
        if self.metadata_policy.is_some() || self.metadata_policy_crit.is_some() {
            return refuse(TrustFault::ConfigurationPolicy);
        }
        if self.source_endpoint.is_some() {
            return refuse(TrustFault::ConfigurationSourceEndpoint);
        }
        if self.authority_hints.as_ref().is_some_and(EntityIds::is_empty) {
            return refuse(TrustFault::EmptyAuthorityHints);
        }
        match &self.trust_anchor_hints {
            Some(hints) if hints.is_empty() => refuse(TrustFault::EmptyTrustAnchorHints),
            Some(_) if self.authority_hints.is_none() => refuse(TrustFault::AnchorTrustAnchorHints),
            _ => Ok(()),
        }
    }

    /// The parts of an entity configuration that are left out because they cannot be used, for operators. Nothing is
    /// verified.
    #[must_use]
    pub fn unusable_parts(&self) -> Vec<String> {
        let hints = |claim: &str, ids: &Option<EntityIds>| {
            let unusable = ids.iter().flat_map(EntityIds::unusable);
            unusable.map(|hint| format!("{claim}: {hint:?} is no entity identifier")).collect::<Vec<_>>()
        };
        let keys = PublicKeys::unusable(&self.jwks);
        let mut parts: Vec<String> =
            keys.into_iter().map(|(kid, error)| format!("jwks: key {kid:?}: {error}")).collect();
        parts.extend(hints("authority_hints", &self.authority_hints));
        parts.extend(hints("trust_anchor_hints", &self.trust_anchor_hints));
        for (kind, members) in self.metadata.iter().flatten() {
            let unusable = members.get("jwks").map(PublicKeys::unusable).unwrap_or_default();
            parts.extend(
                unusable.into_iter().map(|(kid, error)| format!("{kind}: jwks: key {kid:?}: {error}")),
            );
        }
        parts
    }

    /// Checks that a superior says nothing that is the subject's own to say (§3.2), and that every operator of its
    /// metadata policy that must be understood is.
    pub(super) fn check_subordinate(&self) -> Result<(), TrustError> {
        let refuse = |reason| Err(TrustError::NotTrusted(reason));
        if self.authority_hints.is_some() {
            return refuse(TrustFault::SubordinateAuthorityHints);
        }
        if self.trust_anchor_hints.is_some() {
            return refuse(TrustFault::SubordinateTrustAnchorHints);
        }
        if self.trust_marks.is_some() || self.trust_mark_issuers.is_some() || self.trust_mark_owners.is_some()
        {
            return refuse(TrustFault::SubordinateTrustMarks);
        }
        // No operator beside the standard's own is understood, and those must not be listed.
        if self.metadata_policy_crit.is_some() {
            return refuse(TrustFault::CriticalPolicyOperator);
        }
        Ok(())
    }
}

/// The entries of `trust_marks` that can be read at all.
fn readable_marks<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<TrustMarkEntry>>, D::Error> {
    let entries = Option::<Vec<Value>>::deserialize(input)?;
    Ok(entries.map(|all| all.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()))
}

/// The parser's reason as a trust decision: what is malformed now will be malformed when asked again.
pub(super) fn refused(error: JoseError) -> TrustError {
    TrustError::NotTrusted(error.into())
}

/// Reads a statement of proper form and checks its signature with these keys.
pub(super) fn verify_with(text: &str, keys: &PublicKeys) -> Result<EntityStatement, TrustError> {
    let jws = UnverifiedJws::parse(text, &ENTITY_STATEMENT).map_err(refused)?;
    Ok(jws.verify_with::<EntityStatement>(keys).map_err(refused)?.into_claims())
}

/// An entity configuration that is signed with one of the keys that it lists itself. This says that whoever wrote it
/// has those keys, and nothing about who that is: for first contact, and as one of the checks of a chain.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed, not about its issuer, not signed so, or does not hold now.
pub fn verify_self_signed(text: &str, now: Timestamp) -> Result<EntityStatement, TrustError> {
    let claimed = claimed_statement(text)?;
    if claimed.iss != claimed.sub {
        return Err(TrustError::NotTrusted(TrustFault::ConfigurationSubject));
    }
    let statement = verify_with(text, &claimed.keys()?)?;
    statement.check(now)?;
    statement.check_configuration()?;
    Ok(statement)
}

/// What a statement claims, before anything is known about who signed it: to find the next statement with.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed.
pub fn claimed_statement(text: &str) -> Result<EntityStatement, TrustError> {
    UnverifiedJws::parse(text, &ENTITY_STATEMENT).map_err(refused)?.claimed().map_err(refused)
}
