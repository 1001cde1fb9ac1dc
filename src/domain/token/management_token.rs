//! The token with which a recipient queries and revokes its grants (Grant Management for OAuth 2.0 §6): short-lived,
//! bound to the client's key, without access to data.

use serde::{Deserialize, Serialize};

use super::consent_token::Confirmation;
use super::refusal::Refusal;
use super::refusal_reason::RefusalReason;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, Jti, Thumbprint};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};
use crate::domain::word_enum::word_enum;

/// Lifetime of a management token, in seconds.
pub(crate) const LIFETIME_SECS: i64 = 300;

/// Profile of a management token (RFC 9068). `scope` and the lack of a consent's claims distinguish it from a consent
/// token.
pub(crate) const MANAGEMENT_TOKEN: Profile = Profile {
    typ: "at+jwt",
    max_bytes: 2 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "cnf"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

word_enum! {
    /// Scopes of a management token.
    pub enum ManagementScope {
        /// Querying a grant.
        Query = "grant_management_query",
        /// Revoking a grant.
        Revoke = "grant_management_revoke",
    }
}

impl ManagementScope {
    /// The scopes of a space-delimited list; `None` if it is empty or contains another one.
    #[must_use]
    pub(crate) fn parse(list: &str) -> Option<Vec<Self>> {
        let scopes: Option<Vec<Self>> =
            list.split(' ').map(|word| Self::ALL.into_iter().find(|scope| scope.as_str() == word)).collect();
        scopes.filter(|scopes| !scopes.is_empty())
    }
}

#[derive(Serialize, Deserialize)]
struct ManagementClaims {
    iss: String,
    sub: EntityId,
    aud: String,
    client_id: EntityId,
    iat: i64,
    exp: i64,
    jti: Jti,
    scope: String,
    cnf: Confirmation,
}

/// A verified management token. Its proof and the client's membership are still to be checked.
#[derive(Debug, Clone)]
pub struct ManagementToken {
    /// The client.
    pub client: EntityId,
    /// The key that it is bound to.
    pub jkt: Thumbprint,
    scopes: Vec<ManagementScope>,
}

/// Content of a new token.
#[derive(Debug, Clone)]
pub struct NewManagementToken<'a> {
    /// This node.
    pub holder: &'a EntityId,
    /// The client.
    pub client: &'a EntityId,
    /// Thumbprint of the client's key.
    pub jkt: &'a Thumbprint,
    /// What it may be used for.
    pub scopes: &'a [ManagementScope],
    /// The token's identifier.
    pub jti: Jti,
    /// Now.
    pub now: Timestamp,
}

impl NewManagementToken<'_> {
    /// The scopes in token and response.
    #[must_use]
    pub(crate) fn scope(&self) -> String {
        self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`JoseError`] when the key cannot sign.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(
            MANAGEMENT_TOKEN.typ,
            &ManagementClaims {
                iss: self.holder.to_string(),
                sub: self.client.clone(),
                aud: self.holder.to_string(),
                client_id: self.client.clone(),
                iat: self.now.secs(),
                exp: self.now.plus_secs(LIFETIME_SECS).secs(),
                jti: self.jti.clone(),
                scope: self.scope(),
                cnf: Confirmation { jkt: self.jkt.clone() },
            },
        )
    }
}

impl ManagementToken {
    /// Verifies format, signature, issuer, audience and times.
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`.
    pub fn open(text: &str, keys: &PublicKeys, holder: &EntityId, now: Timestamp) -> Result<Self, Refusal> {
        let refuse = |error: JoseError| Refusal::token(error.into());
        let claims = UnverifiedJws::parse(text, &MANAGEMENT_TOKEN)
            .map_err(refuse)?
            .verify_with::<ManagementClaims>(keys)
            .map_err(refuse)?
            .into_claims();
        check_times(now, Some(claims.iat), None, Some(claims.exp)).map_err(refuse)?;
        if claims.iss != holder.as_str() || claims.aud != holder.as_str() {
            return Err(Refusal::token(RefusalReason::AudienceOther));
        }
        if claims.sub != claims.client_id {
            return Err(Refusal::token(RefusalReason::SubjectNotClient));
        }
        let scopes =
            ManagementScope::parse(&claims.scope).ok_or(Refusal::token(RefusalReason::ScopeUnknown))?;
        Ok(Self { client: claims.client_id, jkt: claims.cnf.jkt, scopes })
    }

    /// Checks that the token has a scope.
    ///
    /// # Errors
    /// [`Refusal`] `insufficient_scope`.
    pub(crate) fn demand(&self, scope: ManagementScope) -> Result<(), Refusal> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(Refusal::scope(RefusalReason::ManagementScope))
        }
    }
}
