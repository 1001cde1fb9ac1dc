//! `[[trust_anchors]]` and `[[members]]`: whose keys are known beforehand.

use std::path::{Path, PathBuf};

use super::checks;
use super::node::Profile;
use super::reader::Section;
use crate::domain::ids::EntityId;

/// An entity whose keys are known beforehand: an anchor to a node, a member to an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEntity {
    /// Its entity identifier.
    pub entity_id: EntityId,
    /// Its federation keys, a JWK Set. Absent in the demo profile only: then the keys that its own entity configuration
    /// shows at first sight are taken.
    pub jwks_file: Option<PathBuf>,
}

/// Reads a list of known entities.
pub(super) fn read_known(
    sections: Vec<Section<'_, '_>>,
    data_dir: &Path,
    profile: Profile,
) -> Option<Vec<KnownEntity>> {
    const JWKS: &str =
        "write the path of a file with the entity's JWK Set, received over a way that you trust";
    let mut known: Vec<KnownEntity> = Vec::new();
    let mut complete = true;
    for mut section in sections {
        let document = section.document();
        let entity_id =
            section.required::<EntityId>("entity_id", "write its address, as its own configuration has it");
        let jwks_file = section.optional::<String>("jwks_file", JWKS);
        let jwks_file = jwks_file.map(|found| {
            let path = checks::path(data_dir, &found.value);
            if !path.is_file() {
                document.problem(&found.at, "the file is not there", JWKS);
            }
            path
        });
        if jwks_file.is_none() && profile == Profile::Production {
            section.problem("jwks_file is missing, which only profile demo allows", JWKS);
        }
        section.close();
        let Some(entity_id) = entity_id else {
            complete = false;
            continue;
        };
        if let Some(complaint) = checks::address(profile, entity_id.value.as_str()) {
            document.problem(&entity_id.at, complaint, checks::address_mend(profile));
        }
        if known.iter().any(|other| other.entity_id == entity_id.value) {
            document.problem(&entity_id.at, "named twice", "take one of the two sections out");
        }
        known.push(KnownEntity { entity_id: entity_id.value, jwks_file });
    }
    complete.then_some(known)
}
