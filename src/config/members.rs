//! `[[members]]` of a trust anchor or intermediate, in its configuration and in a file of their own.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::overlay::Overlay;
use super::profile::Profile;
use super::reader::{Document, Section};
use super::trust::{self, KnownEntity};
use crate::config::error::ConfigError;
use crate::domain::catalogue::{Language, Text};
use crate::domain::federation::{Constraints, MetadataPolicy, Role, StatementRules, is_proper_name};

/// A member in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfiguredMember {
    /// Entity identifier and keys.
    pub known: KnownEntity,
    /// `roles`: the trust marks that it gets.
    pub roles: Vec<Role>,
    /// `name`, `metadata`, `metadata_policy`, `constraints`: the content of statements about it.
    pub rules: StatementRules,
}

/// Reads the members file of an anchor. `named` are the members of its configuration.
pub(super) fn load(
    path: &Path,
    data_dir: &Path,
    profile: Profile,
    named: &[ConfiguredMember],
) -> Result<Vec<ConfiguredMember>, ConfigError> {
    let text = super::read_text(path)?;
    // Variables cannot name lists of tables.
    let none = Overlay::none();
    let (document, table) = Document::parse(&path.display().to_string(), &text, &none)?;
    let mut root = document.root(table);
    let members = read(root.tables("members"), data_dir, profile, named);
    root.close();
    document.finish(members).map(|(members, _)| members)
}

/// Reads a list of members; it must not repeat one of `named`.
pub(super) fn read(
    sections: Vec<Section<'_, '_>>,
    data_dir: &Path,
    profile: Profile,
    named: &[ConfiguredMember],
) -> Option<Vec<ConfiguredMember>> {
    const ROLES: &str =
        "write a list of consent-issuer, data-holder and data-recipient; an empty one for an intermediate";
    let mut members: Vec<ConfiguredMember> = Vec::new();
    let mut complete = true;
    for mut section in sections {
        let known = trust::read_one(&mut section, data_dir, profile, |id| {
            named.iter().chain(&members).any(|other| other.known.entity_id == *id)
        });
        let roles = section.optional::<Vec<String>>("roles", ROLES);
        let roles = roles.map_or(Some(Vec::new()), |found| {
            let roles: Option<Vec<Role>> = found.value.iter().map(|name| Role::from_name(name)).collect();
            if roles.is_none() {
                section.document().problem(&found.at, "not a role", ROLES);
            }
            roles
        });
        let rules = StatementRules { name: read_name(&mut section), ..read_rules(&mut section) };
        section.close();
        match (known, roles) {
            (Some(known), Some(roles)) => members.push(ConfiguredMember { known, roles, rules }),
            _ => complete = false,
        }
    }
    complete.then_some(members)
}

/// Reads a section that has only rules.
pub(super) fn read_rules_section(mut section: Section<'_, '_>) -> StatementRules {
    let rules = read_rules(&mut section);
    section.close();
    rules
}

/// `name`: a text in all languages, or a table of them.
fn read_name(section: &mut Section<'_, '_>) -> Option<Text> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Same(String),
        Translated(Text),
    }
    const NAME: &str = "write the member's name, or a table of it with fi, sv and en";
    let found = section.optional::<Name>("name", NAME)?;
    let name = match found.value {
        Name::Same(name) => Text { fi: name.clone(), sv: name.clone(), en: name },
        Name::Translated(text) => text,
    };
    if !Language::ALL.into_iter().all(|language| is_proper_name(name.get(language))) {
        section.document().problem(&found.at, "the name is empty, too long or not printable", NAME);
    }
    Some(name)
}

fn read_rules(section: &mut Section<'_, '_>) -> StatementRules {
    const METADATA: &str = "write a table of entity types, each with the members to set";
    const POLICY: &str = "write a table of entity types, each with parameters and their operators \
                          (OpenID Federation 1.0 §6.1)";
    const CONSTRAINTS: &str = "write a table of max_path_length, naming_constraints, allowed_entity_types \
                               (OpenID Federation 1.0 §6.2)";
    let document = section.document();
    let metadata = section.optional::<Map<String, Value>>("metadata", METADATA);
    let policy = section.optional::<Map<String, Value>>("metadata_policy", POLICY);
    let constraints = section.optional::<Constraints>("constraints", CONSTRAINTS);
    if let Some(found) = &metadata
        && !found.value.values().all(Value::is_object)
    {
        document.problem(&found.at, "an entity type's metadata is not a table", METADATA);
    }
    if let Some(found) = &policy
        && let Err(complaint) = check_policy(&found.value)
    {
        document.problem(&found.at, complaint, POLICY);
    }
    StatementRules {
        name: None,
        metadata: metadata.map(|found| found.value),
        metadata_policy: policy.map(|found| found.value),
        constraints: constraints.map(|found| found.value),
    }
}

fn check_policy(policy: &Map<String, Value>) -> Result<(), &'static str> {
    match MetadataPolicy::parse(policy) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.reason()),
    }
}

/// Reads rules from a JSON document: `metadata`, `metadata_policy`, `constraints`.
///
/// # Errors
/// The fault, as text for the operator.
pub(crate) fn member_rules(text: &str) -> Result<StatementRules, String> {
    let rules: StatementRules = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(policy) = &rules.metadata_policy {
        check_policy(policy)?;
    }
    Ok(rules)
}
