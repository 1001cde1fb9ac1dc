//! `[trust_marks]`, `[[trust_mark_issuers]]` and `[[trust_mark_owners]]`: the marks that an anchor or intermediate
//! issues, and the issuers that its federation accepts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use super::trust;
use crate::domain::ids::EntityId;

/// `[trust_marks]` and its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustMarks {
    /// The trust anchor whose mark types are used: the entity itself, or its superior.
    pub anchor: EntityId,
    /// Life of a mark, in seconds.
    pub(crate) lifetime_seconds: u32,
    /// Other issuers of each mark type (`trust_mark_issuers`); only of a trust anchor.
    pub issuers: BTreeMap<String, Vec<EntityId>>,
    /// Owners of mark types whose issuers act for someone else (`trust_mark_owners`); only of a trust anchor.
    pub(crate) owners: BTreeMap<String, MarkOwner>,
}

/// The owner of a type of trust mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MarkOwner {
    pub(crate) entity_id: EntityId,
    /// Its federation keys, a JWK Set.
    pub(crate) jwks_file: PathBuf,
}

/// The sections as found.
pub(super) struct Sections<'d, 't> {
    pub(super) marks: Option<Section<'d, 't>>,
    pub(super) issuers: Vec<Section<'d, 't>>,
    pub(super) owners: Vec<Section<'d, 't>>,
}

/// Default lifetime of a mark, in seconds: a day, so that a node keeps its roles while its superior is unavailable.
const DEFAULT_LIFETIME_SECONDS: u32 = 86_400;

const TYPE: &str =
    "write the type of the trust mark, an address such as \"https://anchor.example/trust-marks/data-holder\"";

/// Reads the sections. `own` is the default anchor of the mark types.
pub(super) fn read(
    sections: Sections<'_, '_>,
    own: &EntityId,
    data_dir: &Path,
    profile: Profile,
) -> Option<TrustMarks> {
    let (anchor, lifetime_seconds) = sections.marks.map_or((None, None), read_marks);
    let issuers = read_issuers(sections.issuers);
    let owners = read_owners(sections.owners, data_dir, profile);
    Some(TrustMarks {
        anchor: anchor.unwrap_or_else(|| own.clone()),
        lifetime_seconds: lifetime_seconds.unwrap_or(DEFAULT_LIFETIME_SECONDS),
        issuers: issuers?,
        owners: owners?,
    })
}

fn read_marks(mut section: Section<'_, '_>) -> (Option<EntityId>, Option<u32>) {
    const LIFETIME: &str = "write a number of seconds from 60 to 31536000";
    let document = section.document();
    let anchor =
        section.optional::<EntityId>("anchor", "write the entity_id of the federation's trust anchor");
    let lifetime = section.optional::<u32>("lifetime_seconds", LIFETIME);
    section.close();
    if let Some(lifetime) = &lifetime
        && !(60..=31_536_000).contains(&lifetime.value)
    {
        document.problem(&lifetime.at, "out of range", LIFETIME);
    }
    (anchor.map(|found| found.value), lifetime.map(|found| found.value))
}

fn read_issuers(sections: Vec<Section<'_, '_>>) -> Option<BTreeMap<String, Vec<EntityId>>> {
    let mut issuers: BTreeMap<String, Vec<EntityId>> = BTreeMap::new();
    let mut complete = true;
    for mut section in sections {
        let mark_type = section.required::<String>("trust_mark_type", TYPE);
        let named = section.required::<Vec<EntityId>>("issuers", "write a list of entity identifiers");
        section.close();
        match (mark_type, named) {
            (Some(mark_type), Some(named)) => {
                issuers.entry(mark_type.value).or_default().extend(named.value);
            }
            _ => complete = false,
        }
    }
    complete.then_some(issuers)
}

fn read_owners(
    sections: Vec<Section<'_, '_>>,
    data_dir: &Path,
    profile: Profile,
) -> Option<BTreeMap<String, MarkOwner>> {
    const JWKS: &str =
        "write the path of a file with the owner's JWK Set, received over a way that you trust";
    let mut owners = BTreeMap::new();
    let mut complete = true;
    for mut section in sections {
        let document = section.document();
        let mark_type = section.required::<String>("trust_mark_type", TYPE);
        let entity_id = trust::read_entity_id(&mut section, profile);
        let jwks_file = section.required::<String>("jwks_file", JWKS);
        section.close();
        let (Some(mark_type), Some(entity_id), Some(jwks_file)) = (mark_type, entity_id, jwks_file) else {
            complete = false;
            continue;
        };
        let path = checks::path(data_dir, &jwks_file.value);
        if let Some(complaint) = checks::jwks_file(&path) {
            document.problem(&jwks_file.at, complaint, JWKS);
        }
        let owner = MarkOwner { entity_id: entity_id.value, jwks_file: path };
        if owners.insert(mark_type.value, owner).is_some() {
            document.problem(&mark_type.at, "named twice", "take one of the two sections out");
        }
    }
    complete.then_some(owners)
}
