//! `[[trust_anchors]]` and `[[members]]`: entities with configured keys.

use std::path::{Path, PathBuf};

use super::checks;
use super::profile::Profile;
use super::reader::{Found, Section};
use crate::domain::ids::EntityId;

/// An entity with configured keys: an anchor for a node, a member for an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEntity {
    /// Its entity identifier.
    pub entity_id: EntityId,
    /// Its federation keys, a JWK Set. Absent in the demo profile only: then the keys of its own entity configuration
    /// at first contact are accepted.
    pub jwks_file: Option<PathBuf>,
}

/// Reads a list of known entities.
pub(super) fn read_known(
    sections: Vec<Section<'_, '_>>,
    data_dir: &Path,
    profile: Profile,
) -> Option<Vec<KnownEntity>> {
    let mut known: Vec<KnownEntity> = Vec::new();
    let mut complete = true;
    for mut section in sections {
        let named = |id: &EntityId| known.iter().any(|other| other.entity_id == *id);
        let one = read_one(&mut section, data_dir, profile, named);
        section.close();
        match one {
            Some(one) => known.push(one),
            None => complete = false,
        }
    }
    complete.then_some(known)
}

/// Reads identifier and keys of an entity out of a section that may hold more. `named` are the entities read before.
pub(super) fn read_one(
    section: &mut Section<'_, '_>,
    data_dir: &Path,
    profile: Profile,
    named: impl Fn(&EntityId) -> bool,
) -> Option<KnownEntity> {
    const JWKS: &str =
        "write the path of a file with the entity's JWK Set, received over a way that you trust";
    let document = section.document();
    let entity_id = read_entity_id(section, profile);
    let jwks_file = section.optional::<String>("jwks_file", JWKS);
    let jwks_file = jwks_file.map(|found| {
        let path = checks::path(data_dir, &found.value);
        if let Some(complaint) = checks::jwks_file(&path) {
            document.problem(&found.at, complaint, JWKS);
        }
        path
    });
    if jwks_file.is_none() && profile == Profile::Production {
        section.problem("jwks_file is missing, which only profile demo allows", JWKS);
    }
    let entity_id = entity_id?;
    if named(&entity_id.value) {
        document.problem(&entity_id.at, "named twice", "take one of the two sections out");
    }
    Some(KnownEntity { entity_id: entity_id.value, jwks_file })
}

/// Reads `entity_id`, an address that the profile allows.
pub(super) fn read_entity_id(section: &mut Section<'_, '_>, profile: Profile) -> Option<Found<EntityId>> {
    let document = section.document();
    let found =
        section.required::<EntityId>("entity_id", "write its address, as its own configuration has it")?;
    if let Some(complaint) = checks::address(profile, found.value.as_str()) {
        document.problem(&found.at, complaint, checks::address_remedy(profile));
    }
    Some(found)
}

/// Reads `[[superiors]]`.
pub(super) fn read_superiors(sections: Vec<Section<'_, '_>>, profile: Profile) -> Option<Vec<EntityId>> {
    let mut superiors = Vec::new();
    let mut complete = true;
    for mut section in sections {
        let id = read_entity_id(&mut section, profile);
        section.close();
        match id {
            Some(id) => superiors.push(id.value),
            None => complete = false,
        }
    }
    complete.then_some(superiors)
}
