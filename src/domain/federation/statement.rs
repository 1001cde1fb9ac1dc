//! The entity statement on the wire (OpenID Federation 1.0 §3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TrustError;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of an entity statement, and with `application/` in front its media type (§15.1).
pub const ENTITY_STATEMENT_TYP: &str = "entity-statement+jwt";

/// What an entity statement must look like. Statements of other software may carry claims that we do not know;
/// those that must be understood are named in `crit`, and then the statement is refused.
pub static ENTITY_STATEMENT: Profile = Profile {
    typ: ENTITY_STATEMENT_TYP,
    max_bytes: 64 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "iat", "exp", "jwks"],
    optional: Claims::Any,
    extra_headers: &["trust_chain", "peer_trust_chain"],
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
    pub authority_hints: Option<Vec<EntityId>>,
    /// Metadata by entity type; in a subordinate statement it overrides what the subject says (§6.1.4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Rules for the metadata of everyone below (§6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy: Option<Map<String, Value>>,
    /// Limits of the chain below the issuer (§6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// Names of claims that must be understood (§3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<Value>,
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
            Ok(_) => Err(TrustError::NotTrusted("the statement has no usable key")),
            Err(error) => Err(refused(error)),
        }
    }

    /// Checks what every statement of a chain must fulfil by itself.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), TrustError> {
        check_times(now, Some(self.iat), None, Some(self.exp)).map_err(refused)?;
        if self.crit.is_some() {
            return Err(TrustError::NotTrusted("a statement has a critical claim that is not understood"));
        }
        if self.metadata_policy.as_ref().is_some_and(|policy| !policy.is_empty()) {
            return Err(TrustError::NotTrusted("a statement has a metadata policy, which is not understood"));
        }
        Ok(())
    }
}

/// The parser's reason as a trust decision: what is malformed now will be malformed when asked again.
pub(super) fn refused(error: JoseError) -> TrustError {
    TrustError::NotTrusted(error.reason())
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
        return Err(TrustError::NotTrusted("an entity configuration is not about its issuer"));
    }
    let statement = verify_with(text, &claimed.keys()?)?;
    statement.check(now)?;
    Ok(statement)
}

/// What a statement claims, before anything is known about who signed it: to find the next statement with.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is malformed.
pub fn claimed_statement(text: &str) -> Result<EntityStatement, TrustError> {
    UnverifiedJws::parse(text, &ENTITY_STATEMENT).map_err(refused)?.claimed().map_err(refused)
}
