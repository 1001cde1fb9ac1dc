//! Trust marks: the roles of members (OpenID Federation 1.0 §7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::role::Role;
use super::statement::{EntityStatement, TrustMarkOwner, refused};
use super::{EntityIds, TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of a trust mark; its media type with the prefix `application/`.
pub const TRUST_MARK_TYP: &str = "trust-mark+jwt";

/// The `typ` of a delegation.
pub const DELEGATION_TYP: &str = "trust-mark-delegation+jwt";

/// Profile of a trust mark.
pub static TRUST_MARK: Profile = Profile {
    typ: TRUST_MARK_TYP,
    max_bytes: 16 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "trust_mark_type", "iat"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// Profile of a delegation.
static DELEGATION: Profile = Profile { typ: DELEGATION_TYP, max_bytes: 8 * 1024, ..TRUST_MARK };

/// The claims of a trust mark (§7.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustMark {
    /// The issuer.
    pub iss: EntityId,
    /// The subject.
    pub sub: EntityId,
    /// Its type.
    pub trust_mark_type: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970; without it the mark is valid until revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// A page about it.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A [`Delegation`], when the type belongs to someone else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
}

impl TrustMark {
    /// Signs it as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(TRUST_MARK_TYP, self)
    }

    /// The unverified claims of a mark, to find the issuer's keys with.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it is malformed.
    pub fn claimed(text: &str) -> Result<Self, TrustError> {
        UnverifiedJws::parse(text, &TRUST_MARK).map_err(refused)?.claimed().map_err(refused)
    }

    /// Verifies only the signature of a mark: for its issuer, when asked for its status.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it is malformed or not signed with one of these keys.
    pub(crate) fn verify_signature(text: &str, keys: &PublicKeys) -> Result<Self, TrustError> {
        let jws = UnverifiedJws::parse(text, &TRUST_MARK).map_err(refused)?;
        Ok(jws.verify_with(keys).map_err(refused)?.into_claims())
    }
}

/// Delegation of the right to issue trust marks of one type, by the owner of the type (§7.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The owner of the type.
    pub iss: EntityId,
    /// The delegated issuer.
    pub sub: EntityId,
    /// The type.
    pub trust_mark_type: String,
    /// When it was given, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
}

impl Delegation {
    /// Signs it as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(DELEGATION_TYP, self)
    }
}

/// An anchor's rules for the issuers of trust marks, from its verified configuration.
#[derive(Debug, Clone)]
pub struct MarkRules {
    anchor: EntityId,
    issuers: BTreeMap<String, EntityIds>,
    owners: BTreeMap<String, serde_json::Value>,
}

/// A verified trust mark: its subject has the role until it expires or is revoked. Only [`MarkRules::verify`] creates
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMark {
    role: Role,
    mark: TrustMark,
    text: String,
}

impl HeldMark {
    /// The role that it gives.
    #[must_use]
    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    /// Its claims.
    #[must_use]
    pub const fn mark(&self) -> &TrustMark {
        &self.mark
    }

    /// The mark itself, compact JWS.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl MarkRules {
    /// The rules in an anchor's own configuration.
    #[must_use]
    pub(super) fn of_anchor(configuration: &EntityStatement) -> Self {
        Self {
            anchor: configuration.sub.clone(),
            issuers: configuration.trust_mark_issuers.clone().unwrap_or_default(),
            owners: configuration.trust_mark_owners.clone().unwrap_or_default(),
        }
    }

    /// The anchor.
    #[must_use]
    pub const fn anchor(&self) -> &EntityId {
        &self.anchor
    }

    /// Whether marks of this type may be issued by that issuer. The anchor itself may issue any.
    #[must_use]
    pub fn allows(&self, mark_type: &str, issuer: &EntityId) -> bool {
        *issuer == self.anchor
            || self.issuers.get(mark_type).is_some_and(|listed| listed.is_empty() || listed.contains(issuer))
    }

    /// Verifies a member's mark (§7.3): it is of one of this product's roles, for this member, current, and its issuer
    /// is allowed. `keys` are the issuer's, which must be trusted already.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] with the first check that fails.
    pub fn verify(
        &self,
        text: &str,
        member: &EntityId,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<HeldMark, TrustError> {
        let refuse = |reason| Err(TrustError::NotTrusted(reason));
        let mark = TrustMark::verify_signature(text, keys)?;
        let Some(role) = Role::of_mark(&mark.trust_mark_type, &self.anchor) else {
            return refuse(TrustFault::MarkWithoutRole);
        };
        if mark.sub != *member {
            return refuse(TrustFault::MarkOfAnother);
        }
        if !self.allows(&mark.trust_mark_type, &mark.iss) {
            return refuse(TrustFault::MarkIssuer);
        }
        check_times(now, Some(mark.iat), None, mark.exp).map_err(refused)?;
        match (self.owners.get(&mark.trust_mark_type), &mark.delegation) {
            (None, None) => {}
            (Some(owner), Some(delegation)) => {
                let owner = serde_json::from_value::<TrustMarkOwner>(owner.clone())
                    .map_err(|_| TrustError::NotTrusted(TrustFault::MalformedMarkOwner))?;
                check_delegation(delegation, &owner, &mark, now)?;
            }
            (Some(_), None) => return refuse(TrustFault::NoMarkDelegation),
            (None, Some(_)) => return refuse(TrustFault::UnknownMarkOwner),
        }
        Ok(HeldMark { role, mark, text: text.to_owned() })
    }
}

/// §7.2.2.
fn check_delegation(
    text: &str,
    owner: &TrustMarkOwner,
    mark: &TrustMark,
    now: Timestamp,
) -> Result<(), TrustError> {
    let keys = PublicKeys::from_jwks(&owner.jwks).map_err(refused)?;
    let jws = UnverifiedJws::parse(text, &DELEGATION).map_err(refused)?;
    let delegation = jws.verify_with::<Delegation>(&keys).map_err(refused)?.into_claims();
    check_times(now, Some(delegation.iat), None, delegation.exp).map_err(refused)?;
    let fits = delegation.iss == owner.sub
        && delegation.sub == mark.iss
        && delegation.trust_mark_type == mark.trust_mark_type;
    if fits { Ok(()) } else { Err(TrustError::NotTrusted(TrustFault::MarkDelegation)) }
}
