//! Properties of all metadata policies, over random ones.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::MetadataPolicy;

fn words() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..4)
}

/// Some operators of one parameter, including invalid combinations.
fn operators() -> impl Strategy<Value = Map<String, Value>> {
    let operator = prop_oneof![
        words().prop_map(|words| ("value", json!(words))),
        Just(("value", Value::Null)),
        Just(("value", json!("a"))),
        words().prop_map(|words| ("add", json!(words))),
        words().prop_map(|words| ("default", json!(words))),
        Just(("default", json!("b"))),
        words().prop_map(|words| ("one_of", json!(words))),
        words().prop_map(|words| ("subset_of", json!(words))),
        words().prop_map(|words| ("superset_of", json!(words))),
        any::<bool>().prop_map(|essential| ("essential", json!(essential))),
    ];
    prop::collection::vec(operator, 0..3)
        .prop_map(|all| all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn claim() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(prop::sample::select(vec!["p", "scope"]), operators(), 0..3).prop_map(
        |parameters| {
            let parameters: Map<String, Value> = parameters
                .into_iter()
                .map(|(name, operators)| (name.to_owned(), Value::Object(operators)))
                .collect();
            Map::from_iter([("t".to_owned(), Value::Object(parameters))])
        },
    )
}

fn metadata() -> impl Strategy<Value = Map<String, Value>> {
    let parameter = prop_oneof![
        Just(None),
        words().prop_map(|words| Some(json!(words))),
        Just(Some(json!("a"))),
        Just(Some(json!("c"))),
    ];
    (parameter, prop::option::of(words())).prop_map(|(parameter, scope)| {
        let mut members = Map::new();
        if let Some(parameter) = parameter {
            members.insert("p".into(), parameter);
        }
        if let Some(scope) = scope {
            members.insert("scope".into(), json!(scope.join(" ")));
        }
        Map::from_iter([("t".to_owned(), Value::Object(members))])
    })
}

/// Sorts and deduplicates lists, since they are sets.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
            texts.sort();
            texts.dedup();
            json!(texts)
        }
        Value::String(words) => {
            let mut words: Vec<&str> = words.split(' ').collect();
            words.sort_unstable();
            words.dedup();
            json!(words.join(" "))
        }
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        other => other.clone(),
    }
}

fn applied(policy: &MetadataPolicy, metadata: &Map<String, Value>) -> Option<Value> {
    let mut metadata = metadata.clone();
    policy.apply(&mut metadata).ok().map(|()| sorted(&Value::Object(metadata)))
}

/// Applies a chain of policies to metadata; `None` when refused.
fn outcome(policies: &[&Map<String, Value>], metadata: &Map<String, Value>) -> Option<Value> {
    let mut merged = MetadataPolicy::default();
    for claim in policies {
        merged = merged.merge(&MetadataPolicy::parse(claim).ok()?).ok()?;
    }
    applied(&merged, metadata)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_the_merged_policy_gives_fulfils_both(one in claim(), other in claim(), metadata in metadata()) {
        let (Ok(one), Ok(other)) = (MetadataPolicy::parse(&one), MetadataPolicy::parse(&other)) else {
            return Ok(());
        };
        let Ok(merged) = one.merge(&other) else { return Ok(()) };
        let mut resolved = metadata;
        if merged.apply(&mut resolved).is_err() {
            return Ok(());
        }
        // A second application of either, or of both, changes and refuses nothing.
        let expected = Some(sorted(&Value::Object(resolved.clone())));
        for policy in [&one, &other, &merged] {
            prop_assert_eq!(applied(policy, &resolved), expected.clone());
        }
    }

    #[test]
    fn it_does_not_matter_which_of_two_superiors_says_it(
        one in claim(), other in claim(), metadata in metadata(),
    ) {
        prop_assert_eq!(outcome(&[&one, &other], &metadata), outcome(&[&other, &one], &metadata));
    }

    #[test]
    fn it_does_not_matter_in_which_order_policies_are_joined(
        first in claim(), second in claim(), third in claim(), metadata in metadata(),
    ) {
        let parsed = [&first, &second, &third].map(|claim| MetadataPolicy::parse(claim).ok());
        let [Some(first), Some(second), Some(third)] = parsed else { return Ok(()) };
        let left = first.merge(&second).and_then(|both| both.merge(&third)).ok();
        let right = second.merge(&third).and_then(|both| first.merge(&both)).ok();
        prop_assert_eq!(left.is_some(), right.is_some());
        if let (Some(left), Some(right)) = (left, right) {
            prop_assert_eq!(applied(&left, &metadata), applied(&right, &metadata));
        }
    }

    #[test]
    fn a_policy_joined_with_itself_is_the_same(one in claim(), metadata in metadata()) {
        prop_assert_eq!(outcome(&[&one], &metadata), outcome(&[&one, &one], &metadata));
    }

    #[test]
    fn one_superior_more_never_allows_more(one in claim(), other in claim(), metadata in metadata()) {
        // What one superior's checks refuse stays refused, whatever another's policy adds without setting a value.
        let sets = |claim: &Map<String, Value>| {
            claim["t"].as_object().unwrap().values().any(|operators| {
                ["value", "add", "default"].iter().any(|name| operators.get(*name).is_some())
            })
        };
        if !sets(&other) && outcome(&[&one], &metadata).is_none() {
            prop_assert_eq!(outcome(&[&one, &other], &metadata), None);
        }
    }
}
