//! The metadata of a chain's leaf after its superiors' metadata and policies (OpenID Federation 1.0 §6.1.4).

use serde_json::{Map, Value};

use super::{EntityStatement, MetadataPolicy, TrustError, TrustFault, constraints};

/// The entity types of a recipient, this product's first.
pub(super) const CLIENT_TYPES: [&str; 2] = ["oauth_client", "openid_relying_party"];

/// The type with an entity's name.
const ENTITY: &str = "federation_entity";

/// The parameter with the name (§5.2.2).
const NAME: &str = "organization_name";

/// The leaf's metadata after its superiors': the immediate superior's `metadata` overrides single members (§6.1.4.2),
/// every superior's `allowed_entity_types` removes types, and all policies, merged from the top down, change and check
/// the rest. Rules for one of a client's types apply to the other too, if the leaf has only the other: an entity cannot
/// escape a superior's rules by using another type.
///
/// Also returns whether a superior set the subject's `organization_name`.
///
/// # Errors
/// [`TrustError::NotTrusted`] when a superior's metadata or policy is malformed, or the leaf's metadata violates it.
pub(super) fn resolve_metadata(
    mut metadata: Map<String, Value>,
    links: &[EntityStatement],
) -> Result<(Map<String, Value>, bool), TrustError> {
    let [first, second] = CLIENT_TYPES;
    for rules in links.iter().filter_map(|link| link.constraints.as_ref()) {
        constraints::filter_types(rules, &mut metadata);
    }
    let stands_in = !metadata.contains_key(first) && metadata.contains_key(second);
    let overrides = links.last().and_then(|link| link.metadata.as_ref());
    for (kind, members) in overrides.into_iter().flatten() {
        let malformed = TrustError::NotTrusted(TrustFault::MalformedSuperiorMetadata);
        let Some(members) = members.as_object() else { return Err(malformed) };
        let kind = if stands_in && kind == first { second } else { kind.as_str() };
        // A superior cannot add an entity type that the entity does not claim.
        let Some(own) = metadata.get_mut(kind) else { continue };
        let own = own.as_object_mut().ok_or(malformed)?;
        // A name set by a superior must not be overridden by the leaf's own translation of it (`name#fi`, §5.2.2).
        own.retain(|name, _| !name.split_once('#').is_some_and(|(plain, _)| members.contains_key(plain)));
        own.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut policy = MetadataPolicy::default();
    for claim in links.iter().filter_map(|link| link.metadata_policy.as_ref()) {
        policy = policy.merge(&MetadataPolicy::parse(claim)?)?;
    }
    if stands_in {
        policy = policy.extended(first, second)?;
    }
    policy.apply(&mut metadata)?;
    let set = overrides.and_then(|all| all.get(ENTITY)?.get(NAME)).is_some();
    let named = set || policy.sets_value(ENTITY, NAME);
    Ok((metadata, named))
}
