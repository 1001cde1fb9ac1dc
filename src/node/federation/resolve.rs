//! Resolving chains for others (OpenID Federation 1.0 §8.3).

use super::FederationError;
use super::anchor::AnchorStatements;
use crate::domain::federation::{
    ResolveResponse, TrustAnchor, TrustError, TrustMarkEntry, TrustedPeer, claimed_statement,
    verify_statements,
};
use crate::domain::ids::EntityId;

impl AnchorStatements {
    /// Who an entity is under one of these anchors, signed. The chain is the resolver's own: what it cached for others it
    /// tells too.
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
        let _room = self
            .resolving
            .try_acquire()
            .map_err(|_| FederationError::Unavailable("too many resolutions at a time"))?;
        let peer = peers.resolve(subject).await.map_err(|error| match error {
            TrustError::NotTrusted(_) => FederationError::NoChain,
            TrustError::Unavailable(reason) => FederationError::Unavailable(reason),
        })?;
        if !anchors.contains(&peer.anchor) {
            return Err(FederationError::NoChain);
        }
        let now = self.parts.clock.now();
        let mut metadata = self.metadata(&peer)?;
        if !types.is_empty() {
            metadata.retain(|kind, _| types.contains(kind));
        }
        let marks: Vec<TrustMarkEntry> = peer
            .marks()
            .iter()
            .map(|held| TrustMarkEntry {
                trust_mark_type: held.mark().trust_mark_type.clone(),
                trust_mark: held.text().to_owned(),
            })
            .collect();
        let answer = ResolveResponse {
            iss: self.parts.id.clone(),
            sub: subject.clone(),
            iat: now.secs(),
            exp: peer.expires_at.secs(),
            metadata,
            trust_chain: peer.statements.clone(),
            trust_marks: Some(marks).filter(|marks| !marks.is_empty()),
        };
        Ok(answer.sign(&self.parts.keys.signing()?)?)
    }

    /// The metadata that a trusted peer's chain leaves. The chain was verified; its top says who the anchor is.
    fn metadata(
        &self,
        peer: &TrustedPeer,
    ) -> Result<serde_json::Map<String, serde_json::Value>, FederationError> {
        let broken = |_: TrustError| FederationError::NoChain;
        let top = peer.statements.last().ok_or(FederationError::NoChain)?;
        let keys = claimed_statement(top).and_then(|anchor| anchor.keys()).map_err(broken)?;
        let anchor = TrustAnchor { id: peer.anchor.clone(), keys };
        let chain = verify_statements(&peer.statements, &[anchor], self.parts.clock.now()).map_err(broken)?;
        Ok(chain.metadata().clone())
    }
}
