//! Runs the tables under `vectors/federation`: metadata policies and what becomes of metadata under them.
//!
//! A line of `policy/` has the policies from the top down, and what they must become: `merged`, `resolved` out of
//! `metadata`, or the reason in `error` for which the chain is refused.

use omadata::domain::federation::{MetadataPolicy, TrustError};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    name: String,
    policies: Vec<Map<String, Value>>,
    merged: Option<Map<String, Value>>,
    #[serde(default)]
    metadata: Map<String, Value>,
    resolved: Option<Map<String, Value>>,
    error: Option<String>,
}

fn run(case: &PolicyCase) -> Result<Map<String, Value>, TrustError> {
    let mut policy = MetadataPolicy::default();
    for claim in &case.policies {
        policy = policy.merge(&MetadataPolicy::parse(claim)?)?;
    }
    if let Some(merged) = &case.merged {
        assert_eq!(policy, MetadataPolicy::parse(merged).unwrap(), "{}", case.name);
    }
    let mut metadata = case.metadata.clone();
    policy.apply(&mut metadata)?;
    Ok(metadata)
}

fn run_all(table: &str) {
    let cases: Vec<PolicyCase> = serde_json::from_str(table).unwrap();
    for case in &cases {
        match (run(case), &case.resolved, &case.error) {
            (Ok(found), Some(expected), None) => assert_eq!(&found, expected, "{}", case.name),
            (Err(TrustError::NotTrusted(fault)), None, Some(expected)) => {
                assert_eq!(fault.as_str(), expected, "{}", case.name);
            }
            (found, ..) => panic!("{}: {found:?}", case.name),
        }
    }
}

#[test]
fn the_standards_own_examples_of_metadata_policy() {
    run_all(include_str!("federation/policy/standard.json"));
}

#[test]
fn every_operator_of_metadata_policy_alone_and_together() {
    run_all(include_str!("federation/policy/operators.json"));
}
