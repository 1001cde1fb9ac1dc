//! A peer's chain for display: issuers, subjects, keys and times.

use super::statement::verify_with;
use super::{EntityStatement, TrustError, TrustFault, TrustedPeer, claimed_statement, metadata};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::domain::jose::PublicKeys;

/// One statement of a chain, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) issuer: EntityId,
    pub(crate) subject: EntityId,
    /// When it was issued.
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Identifiers of the subject's keys.
    pub(crate) keys: Vec<KeyId>,
}

impl TrustedPeer {
    /// The statements of its chain, from its own configuration to the anchor's. Verified with the chain.
    #[must_use]
    pub(crate) fn links(&self) -> Vec<Link> {
        let statements = self.statements.iter().filter_map(|text| claimed_statement(text).ok());
        statements
            .map(|statement| Link {
                issued_at: Timestamp::from_secs(statement.iat),
                expires_at: Timestamp::from_secs(statement.exp),
                keys: statement
                    .keys()
                    .map(|keys| keys.iter().filter_map(|key| key.kid().cloned()).collect())
                    .unwrap_or_default(),
                issuer: statement.iss,
                subject: statement.sub,
            })
            .collect()
    }

    /// The name in the configuration of the anchor at the top of its chain.
    #[must_use]
    pub(crate) fn anchor_name(&self) -> Option<Text> {
        let top = claimed_statement(self.statements.last()?).ok()?;
        if top.sub == self.anchor { metadata::organization_name(&top) } else { None }
    }
}

/// The federation keys in a superior's statement, if it is valid by itself and about this subject.
///
/// # Errors
/// [`TrustError::NotTrusted`] when it is not valid.
pub(crate) fn vouched_keys(
    text: &str,
    superior: &EntityId,
    subject: &EntityId,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<PublicKeys, TrustError> {
    let statement = sound(text, superior, keys, now)?;
    if statement.sub != *subject {
        return Err(TrustError::NotTrusted(TrustFault::StatementSubject));
    }
    statement.keys()
}

fn sound(
    text: &str,
    superior: &EntityId,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<EntityStatement, TrustError> {
    let statement = verify_with(text, keys)?;
    if statement.iss != *superior {
        return Err(TrustError::NotTrusted(TrustFault::StatementIssuer));
    }
    statement.check(now)?;
    statement.check_subordinate()?;
    statement.keys()?;
    Ok(statement)
}

/// Whether a superior's statement is valid by itself: signed with one of its keys, issued by it, current. If a chain
/// with it does not verify, the superior is not responsible.
#[must_use]
pub(crate) fn superior_is_sound(text: &str, superior: &EntityId, keys: &PublicKeys, now: Timestamp) -> bool {
    sound(text, superior, keys, now).is_ok()
}
