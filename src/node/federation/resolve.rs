//! Resolving chains for others (OpenID Federation 1.0 §8.3).

use super::FederationError;
use super::anchor::AnchorStatements;
use crate::domain::federation::{Outage, ResolveResponse, TrustError, TrustMarkEntry};
use crate::domain::ids::EntityId;

impl AnchorStatements {
    /// The signed resolve response about an entity under one of these anchors. The chain may come from the resolver's
    /// cache.
    pub(crate) async fn resolve_for_others(
        &self,
        subject: &EntityId,
        anchors: &[EntityId],
        types: &[String],
    ) -> Result<String, FederationError> {
        let (peers, known) = self.parts.resolver.as_ref().ok_or(FederationError::NotFound)?;
        if !anchors.iter().any(|anchor| known.contains(anchor)) {
            return Err(FederationError::UnknownAnchor);
        }
        let _permit = self.resolving.try_acquire().map_err(|_| FederationError::Unavailable(Outage::Busy))?;
        let resolved = peers.resolve_entity(subject).await.map_err(|error| match error {
            TrustError::NotTrusted(fault) if fault.is_of_metadata() => FederationError::InvalidMetadata,
            TrustError::NotTrusted(_) => FederationError::NoChain,
            TrustError::Unavailable(outage) => FederationError::Unavailable(outage),
        })?;
        let chain = &resolved.chain;
        if !anchors.contains(chain.anchor()) {
            return Err(FederationError::NoChain);
        }
        let mut metadata = chain.metadata().clone();
        if !types.is_empty() {
            metadata.retain(|kind, _| types.contains(kind));
        }
        let marks: Vec<TrustMarkEntry> = resolved
            .marks
            .iter()
            .map(|held| TrustMarkEntry {
                trust_mark_type: held.mark().trust_mark_type.clone(),
                trust_mark: held.text().to_owned(),
            })
            .collect();
        let answer = ResolveResponse {
            iss: self.parts.id.clone(),
            sub: subject.clone(),
            iat: self.parts.clock.now().secs(),
            exp: resolved.expires_at().secs(),
            metadata,
            trust_chain: chain.statements().to_vec(),
            trust_marks: Some(marks).filter(|marks| !marks.is_empty()),
        };
        Ok(answer.sign(&self.parts.keys.signing()?)?)
    }
}
