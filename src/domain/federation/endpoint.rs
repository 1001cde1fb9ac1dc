//! Endpoints in metadata, which must have the entity's own origin.

use serde_json::{Map, Value};
use url::Url;

use super::{EntityStatement, TrustFault, VerifiedChain};
use crate::domain::ids::EntityId;

/// An endpoint in metadata, which must have the entity's own origin; `None` if there is none.
///
/// # Errors
/// [`TrustFault::EndpointOrigin`].
pub(super) fn same_origin_endpoint(
    id: &EntityId,
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<Url>, TrustFault> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let own = Url::parse(id.as_str()).map_err(|_| TrustFault::NoOrigin)?;
    value
        .as_str()
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| url.origin() == own.origin() && url.fragment().is_none() && url.username().is_empty())
        .map(Some)
        .ok_or(TrustFault::EndpointOrigin)
}

fn of_federation_entity(
    id: &EntityId,
    metadata: Option<&Map<String, Value>>,
    name: &str,
) -> Result<Option<Url>, TrustFault> {
    match metadata.and_then(|types| types.get("federation_entity")?.as_object()) {
        None => Ok(None),
        Some(members) => same_origin_endpoint(id, members, name),
    }
}

impl EntityStatement {
    /// A `federation_entity` endpoint of the subject, at its own origin; `None` if the statement has none.
    ///
    /// # Errors
    /// [`TrustFault::EndpointOrigin`] when it is elsewhere or no address.
    pub(crate) fn same_origin_endpoint(&self, name: &str) -> Result<Option<Url>, TrustFault> {
        of_federation_entity(&self.sub, self.metadata.as_ref(), name)
    }
}

impl VerifiedChain {
    /// A `federation_entity` endpoint of the subject, at its own origin; `None` if its metadata has none.
    ///
    /// # Errors
    /// [`TrustFault::EndpointOrigin`] when it is elsewhere or no address.
    pub(crate) fn same_origin_endpoint(&self, name: &str) -> Result<Option<Url>, TrustFault> {
        of_federation_entity(self.subject(), Some(self.metadata()), name)
    }
}
