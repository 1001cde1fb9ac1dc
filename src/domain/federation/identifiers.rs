//! Lists of entity identifiers in other software's statements.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::EntityId;

/// Maximum length of an invalid entry in reports, in characters.
const MAX_SHOWN: usize = 128;

/// A list of entity identifiers (`authority_hints`, `trust_anchor_hints`, values of `trust_mark_issuers`). Invalid
/// entries stay in the list: they do not make it empty, and signing it again does not change it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityIds(Vec<Value>);

impl EntityIds {
    /// The valid entries, each in the canonical spelling: without a trailing slash, capitals in the host or the
    /// scheme's default port. Following such an identifier proves nothing; the entity itself is verified.
    pub fn iter(&self) -> impl Iterator<Item = EntityId> {
        self.0.iter().filter_map(usable)
    }

    /// Whether it contains this entity.
    #[must_use]
    pub fn contains(&self, id: &EntityId) -> bool {
        self.iter().any(|named| named == *id)
    }

    /// The invalid entries, for operators.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|entry| usable(entry).is_none()).map(|entry| {
            let text = entry.as_str().map_or_else(|| entry.to_string(), str::to_owned);
            text.chars().take(MAX_SHOWN).collect()
        })
    }

    /// The number of entries, valid or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn usable(entry: &Value) -> Option<EntityId> {
    EntityId::normalized(entry.as_str()?).ok()
}

impl From<Vec<EntityId>> for EntityIds {
    fn from(ids: Vec<EntityId>) -> Self {
        Self(ids.into_iter().map(|id| Value::String(id.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_spellings_of_a_superior_name_it_and_what_names_nobody_is_told() {
        let written = json!(["https://ANCHOR.example:443/", "https://anchor.example/path/", "urn:x", 1]);
        let ids: EntityIds = serde_json::from_value(written.clone()).unwrap();
        let named: Vec<EntityId> = ids.iter().collect();
        assert_eq!(
            named.iter().map(EntityId::as_str).collect::<Vec<_>>(),
            ["https://anchor.example", "https://anchor.example/path"]
        );
        assert_eq!(ids.unusable().collect::<Vec<_>>(), ["urn:x", "1"]);
        assert_eq!((ids.len(), ids.is_empty()), (4, false));
        assert_eq!(serde_json::to_value(&ids).unwrap(), written, "it is written as it was read");
    }
}
