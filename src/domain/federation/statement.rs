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

/// The `typ` of an entity statement; its media type with the prefix `application/` (§15.1).
pub const ENTITY_STATEMENT_TYP: &str = "entity-statement+jwt";

/// Profile of an entity statement. Other software's statements may have unknown claims; if `crit` lists one, the
/// statement is refused. A statement in a chain has no `trust_chain` header itself (§4.3 and §4.4).
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
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// The subject's federation keys, as a JWK Set.
    pub jwks: Value,
    /// The subject's superiors; only in an entity configuration that is not an anchor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_hints: Option<EntityIds>,
    /// The trust anchors that the subject trusts (§3.1.2); only in an entity configuration that is not an anchor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_anchor_hints: Option<EntityIds>,
    /// Metadata by entity type; in a subordinate statement it overrides the subject's own (§6.1.4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The subject's trust marks; only in its own configuration (§7). Malformed entries are ignored: they are marks of
    /// other federations.
    #[serde(default, deserialize_with = "readable_marks", skip_serializing_if = "Option::is_none")]
    pub trust_marks: Option<Vec<TrustMarkEntry>>,
    /// Allowed issuers of each trust mark type; an empty list means any. Only in an anchor's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_mark_issuers: Option<BTreeMap<String, EntityIds>>,
    /// Owners of trust mark types whose issuers act for someone else: each a [`TrustMarkOwner`], parsed when a mark of
    /// that type is verified. Only in an anchor's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_mark_owners: Option<BTreeMap<String, Value>>,
    /// Policy for the metadata of all entities below (§6.1); only in a subordinate statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy: Option<Map<String, Value>>,
    /// Additional operators of that policy that must be understood (§6.1.3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy_crit: Option<Vec<String>>,
    /// Constraints on the chain below the issuer (§6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// Names of claims that must be understood (§3.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<Value>,
    /// The fetch endpoint of this subordinate statement (§3.1.3).
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
    /// Its type; must equal the mark's own.
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
    /// Maximum number of intermediates between the issuer and the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_path_length: Option<usize>,
    /// Allowed hosts of the subordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) naming_constraints: Option<NamingConstraints>,
    /// Allowed entity types of the subordinates, besides `federation_entity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_entity_types: Option<Vec<String>>,
}

/// `naming_constraints` (§6.2.2): host names, or domains written with a leading dot (RFC 5280 §4.2.1.10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamingConstraints {
    /// One of these must match, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permitted: Option<Vec<String>>,
    /// None of these may match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) excluded: Option<Vec<String>>,
}

impl EntityStatement {
    /// A statement of `iss` about `sub` with these federation keys, valid for `lifetime` seconds from `now`. Further
    /// content is set by its fields.
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

    /// Checks what every statement of a chain must fulfil by itself: its times, and no unknown critical parts.
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

    /// Checks that an entity configuration has no claims that are reserved to superiors (§3.2).
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

    /// The ignored parts of an entity configuration, for operators. Nothing is verified.
    #[must_use]
    pub(crate) fn unusable_parts(&self) -> Vec<String> {
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

    /// Checks that a subordinate statement has no claims that are reserved to the subject (§3.2), and that every
    /// critical operator of its metadata policy is understood.
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
        // No additional operator is understood, and the standard's own must not be listed.
        if self.metadata_policy_crit.is_some() {
            return refuse(TrustFault::CriticalPolicyOperator);
        }
        Ok(())
    }
}

/// The well-formed entries of `trust_marks`.
fn readable_marks<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<TrustMarkEntry>>, D::Error> {
    let entries = Option::<Vec<Value>>::deserialize(input)?;
    Ok(entries.map(|all| all.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()))
}

/// The parser's error as a trust decision: a malformed message stays malformed.
pub(super) fn refused(error: JoseError) -> TrustError {
    TrustError::NotTrusted(error.into())
}

/// Parses a statement and verifies its signature with these keys.
pub(super) fn verify_with(text: &str, keys: &PublicKeys) -> Result<EntityStatement, TrustError> {
    let jws = UnverifiedJws::parse(text, &ENTITY_STATEMENT).map_err(refused)?;
    Ok(jws.verify_with::<EntityStatement>(keys).map_err(refused)?.into_claims())
}

/// An entity configuration that is signed with one of its own listed keys. It proves that its author has those keys,
/// and not who that is: for first contact, and as one of the checks of a chain.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed, not about its issuer, not signed so, or not current.
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

/// The unverified claims of a statement, to find the next statement with.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed.
pub fn claimed_statement(text: &str) -> Result<EntityStatement, TrustError> {
    UnverifiedJws::parse(text, &ENTITY_STATEMENT).map_err(refused)?.claimed().map_err(refused)
}
