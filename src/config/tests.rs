//! The shipped files are right; every wrong one is told with file, line, key and remedy.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::shipped::{self, City, Overrides, Ports};
use super::*;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    write: String,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    expect: Vec<String>,
}

const NODE: &str = include_str!("../../tests/vectors/config/node.toml");
const ANCHOR: &str = include_str!("../../tests/vectors/config/anchor.toml");

fn node(text: &str, overlay: &Overlay) -> Result<Config, ConfigError> {
    Config::parse("node.toml", text, Path::new("/srv"), overlay)
}

fn overlay(variables: &[(&str, &str)]) -> Overlay {
    Overlay::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn check(base: &str, cases: &str, parse: impl Fn(&str, &Overlay) -> Result<(), ConfigError>) {
    let cases: Cases = toml::from_str(cases).unwrap();
    let mut wrong = String::new();
    for case in cases.case {
        let text = match case.find.as_str() {
            "" => base.to_owned(),
            "*" => case.write.clone(),
            find => {
                assert_eq!(base.matches(find).count(), 1, "{}: `find` must fit once", case.name);
                base.replacen(find, &case.write, 1)
            }
        };
        let overlay = Overlay::from_variables(case.environment.clone());
        let told = match parse(&text, &overlay) {
            Ok(()) => vec!["accepted".to_owned()],
            Err(error) => error.problems.iter().map(ToString::to_string).collect(),
        };
        if told != case.expect {
            wrong += &format!("{}\n  told     {told:#?}\n  expected {:#?}\n", case.name, case.expect);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn wrong_nodes_are_told_exactly() {
    let cases = include_str!("../../tests/vectors/config/wrong-node.toml");
    check(NODE, cases, |text, overlay| node(text, overlay).map(drop));
}

#[test]
fn wrong_anchors_are_told_exactly() {
    let cases = include_str!("../../tests/vectors/config/wrong-anchor.toml");
    check(ANCHOR, cases, |text, overlay| {
        AnchorConfig::parse("anchor.toml", text, Path::new("/srv"), overlay).map(drop)
    });
}

#[test]
fn a_right_node_is_read_with_paths_and_defaults() {
    let config = node(NODE, &Overlay::none()).unwrap();
    assert_eq!(config.node.data_dir, Path::new("/srv/data"));
    assert_eq!(config.keys.dir, Path::new("/srv/data/keys"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.store.connection_url().unwrap().expose_secret(), "sqlite:/srv/data/node.sqlite");
    let declared = &config.uses[0];
    assert_eq!(declared.id.as_str(), "http://city.localhost:9000/catalogue/uses/placement");
    assert_eq!(declared.controller, config.contact);
    assert_eq!(declared.optional_fields, []);
}

#[test]
fn the_environment_stands_before_the_file() {
    let overlay = overlay(&[
        ("OMADATA_STORE__URL", "postgres://omadata@db.city.example/omadata"),
        ("OMADATA_STORE__POOL_SIZE", "20"),
        ("OMADATA_NODE__BRAND__PRIMARY_COLOUR", "#000000"),
        ("OMADATA_LIMITS__DPOP_NONCE", "false"),
        ("OMADATA_LOGIN__SCOPES", "[\"openid\"]"),
        ("OMADATA_LOGIN__CLIENT_ID", "42"),
        ("OMADATA_LOG", "debug"),
        ("PATH", "/bin"),
    ]);
    let config = node(NODE, &overlay).unwrap();
    assert_eq!(config.store.url.scheme(), "postgres");
    assert_eq!(config.store.pool_size, 20);
    assert_eq!(config.node.brand.primary_colour, "#000000");
    assert!(!config.limits.dpop_nonce);
    assert_eq!(config.login.client_id, "42");
}

#[test]
fn the_shipped_federation_is_right_and_fits_together() {
    let overrides = Overrides::in_folder("/srv/demo");
    let anchor = shipped::anchor(&overrides).unwrap_or_else(|error| panic!("{error}"));
    let cities: Vec<Config> = City::ALL
        .iter()
        .map(|city| shipped::node(*city, &overrides).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    for (config, city) in cities.iter().zip(City::ALL) {
        assert_eq!(config.node.data_dir, Path::new("/srv/demo").join(city.slug()));
        assert!(anchor.members.iter().any(|member| member.known.entity_id == config.node.base_url));
        assert_eq!(config.trust_anchors[0].entity_id, anchor.anchor.entity_id);
        assert_eq!(config.login.issuer, overrides.ports.login_issuer());
    }
    // Between any two cities at least one use works, and every field it names exists at the holder.
    for recipient in &cities {
        for holder in cities.iter().filter(|holder| holder.node.base_url != recipient.node.base_url) {
            let mut fitting = 0;
            for declared in &recipient.uses {
                let kind = &declared.dataset_type;
                let Some(held) = holder.datasets.iter().find(|held| &held.dataset.kind == kind) else {
                    continue;
                };
                let named = declared.required_fields.iter().chain(&declared.optional_fields);
                for field in named {
                    assert!(held.dataset.field(field).is_some(), "{} {field}", declared.id);
                }
                fitting += 1;
            }
            assert!(fitting >= 3, "{} from {}", recipient.node.base_url, holder.node.base_url);
        }
        assert!(recipient.uses.iter().any(|declared| declared.max_exchanges == 1));
        assert!(recipient.uses.iter().any(|declared| declared.max_exchanges == 10));
    }
}

#[test]
fn the_shipped_federation_moves_to_other_ports() {
    let ports = Ports {
        anchor: 41_000,
        helsinki: 8402,
        espoo: 8401,
        turku: 41_003,
        oulu: 41_004,
        login: 41_009,
        service: 41_010,
    };
    let overrides = Overrides { ports, ..Overrides::in_folder("/srv/demo") };
    let espoo = shipped::node(City::Espoo, &overrides).unwrap();
    assert_eq!(espoo.node.base_url.as_str(), "http://espoo.localhost:8401");
    assert_eq!(espoo.node.listen.port(), 8401);
    assert_eq!(espoo.services[0].return_url_prefixes[0].as_str(), "http://service.localhost:41010/");
    let anchor = shipped::anchor(&overrides).unwrap();
    assert!(
        anchor
            .members
            .iter()
            .any(|member| member.known.entity_id.as_str() == "http://helsinki.localhost:8402")
    );
}

#[test]
fn secrets_stay_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let made = SecretFile::new(folder.path().join("secrets/one"), true);
    let secret = made.read(|| [7; 32]).unwrap();
    assert_eq!(secret.expose_secret(), made.read(|| [8; 32]).unwrap().expose_secret());
    assert!(!format!("{made:?} {secret:?}").contains(secret.expose_secret()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(made.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(matches!(
        SecretFile::new(folder.path().join("none"), false).read(|| [7; 32]),
        Err(SecretError::File { .. })
    ));
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    assert!(matches!(
        SecretFile::new(folder.path().join("empty"), false).read(|| [7; 32]),
        Err(SecretError::Empty { .. })
    ));
}

#[test]
fn a_database_password_is_put_in_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "s3cr3t/@\n").unwrap();
    let file = folder.path().join("password");
    let overlay = overlay(&[
        ("OMADATA_STORE__URL", "postgres://omadata@db.city.example/omadata"),
        ("OMADATA_STORE__PASSWORD_FILE", file.to_str().unwrap()),
    ]);
    let config = node(NODE, &overlay).unwrap();
    let url = config.store.connection_url().unwrap();
    assert_eq!(url.expose_secret(), "postgres://omadata:s3cr3t%2F%40@db.city.example/omadata");
    assert!(!format!("{config:?}").contains("s3cr3t"));
}
