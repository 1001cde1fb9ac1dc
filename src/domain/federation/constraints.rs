//! Constraints of a superior on all entities below it (OpenID Federation 1.0 §6.2).

use serde_json::{Map, Value};

use super::statement::{Constraints, NamingConstraints};
use super::{TrustError, TrustFault};
use crate::domain::ids::EntityId;

/// Checks the constraints of a subordinate statement with `intermediates` entities between its issuer and the leaf,
/// against every entity below the issuer.
pub(super) fn check(
    constraints: &Constraints,
    intermediates: usize,
    below: &[EntityId],
) -> Result<(), TrustError> {
    if constraints.max_path_length.is_some_and(|longest| intermediates > longest) {
        return Err(TrustError::NotTrusted(TrustFault::PathTooLong));
    }
    if let Some(names) = &constraints.naming_constraints
        && !below.iter().all(|id| name_fits(names, id))
    {
        return Err(TrustError::NotTrusted(TrustFault::NameNotAllowed));
    }
    Ok(())
}

/// Keeps the entity types that a superior allows, and `federation_entity`.
pub(super) fn filter_types(constraints: &Constraints, metadata: &mut Map<String, Value>) {
    if let Some(allowed) = &constraints.allowed_entity_types {
        metadata.retain(|kind, _| kind == "federation_entity" || allowed.contains(kind));
    }
}

fn name_fits(names: &NamingConstraints, id: &EntityId) -> bool {
    let host = url::Url::parse(id.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let Some(host) = host else { return false };
    // One host has several spellings: with a trailing dot, and a rule in capitals.
    let host = host.trim_end_matches('.').to_owned();
    let lower = |rules: &[String]| rules.iter().map(|rule| rule.to_ascii_lowercase()).collect::<Vec<_>>();
    let matches = |rule: &String| match rule.strip_prefix('.') {
        // A leading dot matches one label more, or several: the domain itself does not match.
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => host == *rule,
    };
    names.permitted.as_deref().is_none_or(|rules| lower(rules).iter().any(matches))
        && !names.excluded.as_deref().is_some_and(|rules| lower(rules).iter().any(matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_rfc_5280_says() {
        let rules = |permitted: &[&str], excluded: &[&str]| NamingConstraints {
            permitted: Some(permitted.iter().map(|rule| (*rule).to_owned()).collect()),
            excluded: Some(excluded.iter().map(|rule| (*rule).to_owned()).collect()),
        };
        let id = |text| EntityId::new(text).unwrap();
        assert!(name_fits(&rules(&[".example"], &[]), &id("https://a.example")));
        assert!(!name_fits(&rules(&[".example"], &[]), &id("https://example")));
        assert!(!name_fits(&rules(&[".example"], &[]), &id("https://badexample")));
        assert!(!name_fits(&rules(&["b.example"], &[]), &id("https://a.example")));
        assert!(!name_fits(&rules(&[".example"], &["Evil.Example"]), &id("https://evil.example")));
        assert!(!name_fits(&rules(&[".example"], &["evil.example"]), &id("https://evil.example.")));
        assert!(!name_fits(&rules(&[".example"], &["a.example"]), &id("https://a.example")));
    }
}
