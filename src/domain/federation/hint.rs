//! A trust chain in a peer's message (OpenID Federation 1.0 §4.3), used only as a hint which superiors to ask first.

use serde_json::Value;

use super::{EntityStatement, MAX_CHAIN_LENGTH, TrustError, TrustFault, claimed_statement};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;

/// The superiors in a chain from a message. Unverified: it only orders the superiors that would be asked anyway, so
/// that a forged one gives the same result a little later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainHint(Vec<EntityId>);

impl ChainHint {
    /// Parses the header member `trust_chain` of a message by `subject`.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it is no current chain from the subject to one of these anchors.
    pub fn read(
        handed_in: &Value,
        subject: &EntityId,
        anchors: &[EntityId],
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let refuse = |reason| Err(TrustError::NotTrusted(reason));
        let Some(texts) = handed_in.as_array() else { return refuse(TrustFault::MalformedChain) };
        if texts.len() > MAX_CHAIN_LENGTH {
            return refuse(TrustFault::ChainTooLong);
        }
        let mut statements = Vec::new();
        for text in texts {
            let Some(text) = text.as_str() else { return refuse(TrustFault::MalformedChain) };
            let statement = claimed_statement(text)?;
            statement.check(now)?;
            statements.push(statement);
        }
        let Some((leaf, above)) = statements.split_first() else { return refuse(TrustFault::EmptyChain) };
        if leaf.iss != *subject || leaf.sub != *subject {
            return refuse(TrustFault::ChainOfAnotherSubject);
        }
        let mut below: &EntityStatement = leaf;
        let mut superiors = Vec::new();
        for statement in above {
            if statement.sub != below.iss {
                return refuse(TrustFault::StatementOrder);
            }
            if !superiors.contains(&statement.iss) {
                superiors.push(statement.iss.clone());
            }
            below = statement;
        }
        if superiors.last().is_none_or(|top| !anchors.contains(top)) {
            return refuse(TrustFault::UnknownAnchor);
        }
        Ok(Self(superiors))
    }

    /// Whether an entity is one of the superiors.
    #[must_use]
    pub fn names(&self, id: &EntityId) -> bool {
        self.0.contains(id)
    }
}
