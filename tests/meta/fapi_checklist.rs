//! `docs/fapi-checklist.md` names every module of the conformance suite's plan, and only tests and lines that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules of `fapi2-security-profile-final-test-plan`, without what all their names begin with.
const MODULES: [&str; 62] = [
    "discovery-end-point-verification",
    "happy-flow",
    "user-rejects-authentication",
    "ensure-authorization-request-without-state-success",
    "ensure-authorization-request-without-nonce-success",
    "ensure-authorization-request-with-64-char-nonce-success",
    "ensure-other-scope-order-succeeds",
    "test-claims-parameter-identity-claims",
    "access-token-type-header-case-sensitivity",
    "check-dpop-proof-nbf-exp",
    "ensure-dpopproof-with-iat-10seconds-before-succeeds",
    "ensure-dpopproof-with-iat-10seconds-after-succeeds",
    "ensure-mismatched-dpop-jkt-fails",
    "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt",
    "ensure-token-endpoint-fails-with-mismatched-dpop-jkt",
    "ensure-dpopproof-at-par-endpoint-binding-success",
    "ensure-dpop-auth-code-binding-success",
    "ensure-different-nonce-inside-and-outside-request-object",
    "ensure-different-state-inside-and-outside-request-object",
    "ensure-authorization-request-with-long-nonce",
    "ensure-authorization-request-with-long-state",
    "state-only-outside-request-object-not-used",
    "ensure-request-object-without-redirect-uri-fails",
    "ensure-registered-redirect-uri",
    "plain-fapi-tolerate-unregistered-redirect-uri",
    "ensure-unsigned-authorization-request-without-using-par-fails",
    "ensure-redirect-uri-in-authorization-request",
    "ensure-response-type-code-idtoken-fails",
    "australia-connectid-ensure-invalid-purpose-fails",
    "ensure-response-type-token-fails",
    "ensure-client-id-in-token-endpoint",
    "ensure-holder-of-key-required",
    "ensure-authorization-code-is-bound-to-client",
    "attempt-reuse-authorization-code-after-one-second",
    "ensure-token-endpoint-fails-with-expired-auth-code",
    "ensure-signed-client-assertion-with-RS256-fails",
    "ensure-client-assertion-in-token-endpoint",
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
    "ensure-client-assertion-with-wrong-aud-fails",
    "ensure-client-assertion-with-no-sub-fails",
    "dpop-negative-tests",
    "refresh-token",
    "ensure-server-handles-non-matching-intent-id",
    "test-essential-acr-sca-claim",
    "brazil-ensure-bad-payment-signature-fails",
    "australia-connectid-test-claims-parameter-idtoken-identity-claims",
    "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds",
    "par-attempt-reuse-request_uri",
    "par-attempt-to-use-expired-request_uri",
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted",
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails",
    "par-attempt-to-use-request_uri-for-different-client",
    "par-authorization-request-containing-request_uri-form-param",
    "par-attempt-invalid-http-method",
    "par-ensure-pkce-required",
    "ensure-pkce-code-verifier-required",
    "incorrect-pkce-code-verifier-rejected",
    "par-plain-pkce-rejected",
    "par-without-duplicate-parameters",
    "par-test-array-as-audience-fails",
    "par-test-par-endpoint-url-as-audience-fails",
    "par-test-token-endpoint-url-as-audience-fails",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/fapi-checklist.md")).unwrap()
}

/// The two cells of each row.
fn rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|---"));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').splitn(2, '|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap(), cells.next().unwrap())
    })
    .collect()
}

/// What stands between pairs of a mark.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// Tests that a text names and that do not exist: `binary::module::test`.
fn missing_tests(text: &str) -> Vec<&str> {
    let named = between(text, '`').into_iter().filter(|name| name.split("::").count() == 3);
    named
        .filter(|name| {
            let mut parts = name.split("::");
            let (binary, module, test) =
                (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            let file = root().join("tests").join(binary).join(format!("{module}.rs"));
            let source = std::fs::read_to_string(file).unwrap_or_default();
            !["async fn", "fn"].iter().any(|kind| {
                source.contains(&format!("]\n{kind} {test}()"))
                    || source.contains(&format!("]\npub(crate) {kind} {test}()"))
            })
        })
        .collect()
}

/// The names of all lines of all tables.
fn lines() -> BTreeSet<String> {
    let (mut folders, mut names) = (vec![root().join("tests/vectors")], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json") {
                let table: serde_json::Value =
                    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let lines = table.as_array().into_iter().flatten();
                names.extend(lines.filter_map(|line| line["name"].as_str().map(str::to_owned)));
            }
        }
    }
    names
}

#[test]
fn every_module_of_the_suite_is_on_the_list_once() {
    let page = page();
    let modules = page.split("\n## ").next().unwrap();
    let listed: Vec<String> = rows(modules)
        .into_iter()
        .filter(|(module, _)| module != "module")
        .map(|(module, _)| module.trim_matches('`').to_owned())
        .collect();
    assert_eq!(listed, MODULES);
}

#[test]
fn every_row_says_how_it_was_tried_or_why_it_does_not_apply() {
    for (tried, how) in rows(&page()) {
        let named = between(&how, '`').iter().any(|name| name.contains("::"));
        let said = named || how.contains('"') || how.starts_with("does not apply: ") || how == "tried by";
        assert!(said || how == "below, check by check", "{tried}: {how}");
    }
}

#[test]
fn every_test_and_line_that_it_names_exists() {
    let (page, lines) = (page(), lines());
    assert_eq!(missing_tests(&page), Vec::<&str>::new());
    let named: Vec<String> = rows(&page)
        .iter()
        .flat_map(|(_, how)| between(how, '"').into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(named.len() > 40);
    let missing: Vec<&String> = named.iter().filter(|name| !lines.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_planted_name_of_no_test_is_found() {
    let text = "`it::fapi::nobody_wrote_this` and `it::fapi::the_metadata_says_what_the_profile_demands`";
    assert_eq!(missing_tests(text), ["it::fapi::nobody_wrote_this"]);
}
