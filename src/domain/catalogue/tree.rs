//! A set of field paths as a tree, and a value reduced to it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::ids::FieldPath;

/// Field paths by their names. A path without further names is a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldTree(BTreeMap<String, Self>);

impl FieldTree {
    #[must_use]
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> Self {
        let mut root = Self::default();
        for path in paths {
            let mut place = &mut root;
            for name in path.names() {
                place = place.0.entry(name.to_owned()).or_default();
            }
        }
        root
    }

    /// What is within a name; `None` if no path begins with it.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.0.get(name)
    }

    /// The names at this level, with what is within each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.0.iter().map(|(name, within)| (name.as_str(), within))
    }

    #[must_use]
    pub(crate) fn is_leaf(&self) -> bool {
        self.0.is_empty()
    }

    /// A value reduced to these paths; `None` if it is neither an object nor a list where the paths go on.
    #[must_use]
    pub(crate) fn reduce(&self, value: Value) -> Option<Value> {
        match value {
            value if self.is_leaf() => Some(value),
            Value::Null => Some(Value::Null),
            Value::Object(members) => self.members(members).map(object),
            Value::Array(items) => {
                let item = |item| match item {
                    Value::Null => Some(Value::Null),
                    Value::Object(members) => self.members(members).map(Value::Object),
                    _ => None,
                };
                items.into_iter().map(item).collect::<Option<_>>().map(Value::Array)
            }
            _ => None,
        }
    }

    fn members(&self, mut members: Map<String, Value>) -> Option<Map<String, Value>> {
        let member = |(name, within): (&String, &Self)| {
            Some((name.clone(), within.reduce(members.remove(name).unwrap_or(Value::Null))?))
        };
        self.0.iter().map(member).collect()
    }
}

/// An object, or `null` when all its members are: whether there is an object without any of its permitted values is
/// not permitted either. In a list the object stays, so that rows keep their number and order.
pub(crate) fn object(members: Map<String, Value>) -> Value {
    if members.values().all(Value::is_null) { Value::Null } else { Value::Object(members) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(paths: &[&str]) -> FieldTree {
        let paths: Vec<FieldPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
        FieldTree::of(&paths)
    }

    fn reduced(paths: &[&str], value: Value) -> Option<Value> {
        let root = tree(paths);
        root.get("it").unwrap().reduce(value)
    }

    #[test]
    fn only_the_named_leaves_of_objects_and_rows_remain() {
        let unit = json!({"name": "Satakieli", "address": "Tie 1", "owner": {"id": 7, "name": "City"}});
        assert_eq!(
            reduced(&["it.name", "it.owner.name"], unit),
            Some(json!({"name": "Satakieli", "owner": {"name": "City"}}))
        );
        let rows = json!([{"fee": "1.50", "child": "A"}, {"child": "B"}, null, {}]);
        assert_eq!(
            reduced(&["it.fee"], rows),
            Some(json!([{"fee": "1.50"}, {"fee": null}, null, {"fee": null}])),
            "rows keep their number and order"
        );
        assert_eq!(reduced(&["it"], json!({"any": [1]})), Some(json!({"any": [1]})), "a leaf is whole");
    }

    #[test]
    fn an_object_without_any_permitted_value_is_absent() {
        assert_eq!(reduced(&["it.name"], json!({"name": null, "address": "Tie 1"})), Some(Value::Null));
        assert_eq!(reduced(&["it.name"], json!({"address": "Tie 1"})), Some(Value::Null));
        assert_eq!(reduced(&["it.owner.name"], json!({"owner": {"id": 7}})), Some(Value::Null));
        assert_eq!(reduced(&["it.rows"], json!({"rows": []})), Some(json!({"rows": []})));
    }

    #[test]
    fn a_value_of_another_shape_is_not_reduced() {
        for value in [json!("Satakieli"), json!(7), json!([["Satakieli"]]), json!(["Satakieli"])] {
            assert_eq!(reduced(&["it.name"], value.clone()), None, "{value}");
        }
    }
}
