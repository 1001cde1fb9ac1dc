//! The shipped files are valid; every fault is reported with file, line, key and remedy.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::shipped::{self, City, Overrides, Ports};
use super::*;
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::register::{Connection, Selection};
use crate::domain::catalogue::service::{Credentials, Method, WhoseRecord};
use crate::domain::ids::FieldPath;

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

/// The node with a service as its first register.
fn node_with_service() -> String {
    let kind = "kind = \"sql\"\nurl = \"sqlite:register.sqlite\"";
    let query = "query = \"SELECT guardian, unit FROM placement WHERE guardian = $1 ORDER BY unit\"";
    assert!(NODE.contains(kind) && NODE.contains(query));
    NODE.replace(kind, "kind = \"http\"\nurl = \"http://base.localhost:9001/api/v1\"")
        .replace(query, "[datasets.request]\npath = \"/placements?of={subject}\"")
}

#[test]
fn wrong_services_are_told_exactly() {
    let cases = include_str!("../../tests/vectors/config/wrong-services.toml");
    check(&node_with_service(), cases, |text, overlay| node(text, overlay).map(drop));
}

#[test]
fn a_right_service_is_read_with_its_request() {
    let text = node_with_service()
        .replace(
            "/api/v1\"",
            "/api/v1/\"\napi_key_header = \"X-Api-Key\"\napi_key_file = \"secrets/key\"\nat_once = 2\n\
             xroad = { client = \"FI/GOV/1234567-8/OmaData\", service = \"FI/GOV/8765432-1/Varhaiskasvatus/paikat v1\" }",
        )
        .replace("subject_column = \"guardian\"", "subject_column = \"/who/0\"\ncolumns = { unit = \"/unit/name\" }")
        .replace("?of={subject}\"", "\"\nmethod = \"POST\"\nbody = '{\"person\": \"{subject}\"}'\nrecords = \"/data\"");
    let config = node(&text, &Overlay::none()).unwrap_or_else(|error| panic!("{error}"));
    let Connection::Http(service) = &config.registers[0].connection else { panic!("no service") };
    assert_eq!(service.base_url.as_str(), "http://base.localhost:9001/api/v1/");
    assert_eq!((service.at_once, service.demo), (2, true));
    let key = Credentials::Header("X-Api-Key".to_owned(), "/srv/data/secrets/key".into());
    assert_eq!(service.credentials, key);
    let xroad = service.xroad.as_ref().unwrap();
    assert_eq!(xroad.service, "FI/GOV/8765432-1/Varhaiskasvatus/paikat%20v1");
    let Selection::Request(request) = &config.datasets[0].source.selection else { panic!("no request") };
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/placements"));
    assert_eq!(request.whose, WhoseRecord::At(Pointer::parse("/who/0").unwrap()));
    let unit = FieldPath::from(&config.datasets[0].dataset.fields[0].name);
    assert_eq!(config.datasets[0].source.columns[&unit], "/unit/name");
    assert_eq!((request.records.to_string().as_str(), request.none_status.as_slice()), ("/data", &[404][..]));
}

const TRACKER: &str = r#"
[[data_trackers]]
id = "tracker"
title = { fi = "a", sv = "b", en = "c" }
url = "http://security-server.localhost:9001"
xroad = { client = "EE/GOV/1/OmaData", service = "EE/GOV/2/Registry/findUsage", user = "EE{subject}" }
"#;

#[test]
fn wrong_trackers_are_told_exactly() {
    let cases = include_str!("../../tests/vectors/config/wrong-trackers.toml");
    check(&format!("{NODE}{TRACKER}"), cases, |text, overlay| node(text, overlay).map(drop));
}

/// The node with a plug-in as its first register.
fn node_with_plugin() -> String {
    node_with_service()
        .replace(
            "kind = \"http\"\nurl = \"http://base.localhost:9001/api/v1\"",
            "kind = \"plugin\"\ncommand = [\"/bin/cat\", \"-u\"]",
        )
        .replace("subject_column = \"guardian\"\n", "")
        .replace("[datasets.request]\npath = \"/placements?of={subject}\"", "")
}

#[test]
fn wrong_plugins_are_told_exactly() {
    let cases = include_str!("../../tests/vectors/config/wrong-plugins.toml");
    check(&node_with_plugin(), cases, |text, overlay| node(text, overlay).map(drop));
}

#[test]
fn a_right_plugin_is_read_with_its_limits() {
    let command = "command = [\"/bin/cat\", \"-u\"]";
    let text = node_with_plugin();
    let config = node(&text, &Overlay::none()).unwrap_or_else(|error| panic!("{error}"));
    let Connection::Plugin(program) = &config.registers[0].connection else { panic!("no plug-in") };
    assert_eq!((program.command.join(" ").as_str(), program.environment.len()), ("/bin/cat -u", 0));
    assert_eq!((program.memory_mib, program.at_once), (512, 4));
    assert_eq!(config.datasets[0].source.selection, Selection::Plugin);
    let text = text.replace(command, "url = \"http://base.localhost:9001/plugin\"");
    let config = node(&text, &Overlay::none()).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(config.registers[0].connection, Connection::PluginService(_)));
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
                    assert!(held.dataset.leaf(field).is_some(), "{} {field}", declared.id);
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
        systems: 41_005,
        login: 41_009,
        service: 41_010,
    };
    let overrides = Overrides { ports, ..Overrides::in_folder("/srv/demo") };
    let espoo = shipped::node(City::Espoo, &overrides).unwrap();
    assert_eq!(espoo.node.base_url.as_str(), "http://espoo.localhost:8401");
    assert_eq!(espoo.node.listen.port(), 8401);
    assert_eq!(espoo.services[0].return_url_prefixes[0].as_str(), "http://service.localhost:41010/");
    let helsinki = shipped::node(City::Helsinki, &overrides).unwrap();
    let services = helsinki.registers.iter().filter_map(|register| match &register.connection {
        Connection::Http(service) | Connection::GdprApi(service) => Some(service.base_url.as_str()),
        _ => None,
    });
    assert!(services.clone().all(|url| url.starts_with("http://systems.localhost:41005/")));
    assert_eq!(services.count(), 2);
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

/// A production node whose files are in a directory.
fn production(folder: &Path, change: impl Fn(String) -> String) -> Result<Config, ConfigError> {
    let text = change(NODE.to_owned())
        .replace("profile = \"demo\"", "profile = \"production\"")
        .replace("http://", "https://")
        .replace(".localhost", ".example")
        .replace("[[trust_anchors]]", "[[trust_anchors]]\njwks_file = \"anchor.json\"");
    Config::parse("node.toml", &text, folder, &Overlay::none())
}

fn write_secret(folder: &Path, name: &str, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const LONG_SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// The data directory with every file that a production node needs.
fn production_files(folder: &Path) -> std::path::PathBuf {
    let data = node(NODE, &Overlay::none()).unwrap().node.data_dir;
    let data = folder.join(data.strip_prefix("/srv").unwrap());
    let jwks = json_keys(&crate::domain::jose::SigningKey::generate().unwrap());
    write_secret(&data, "anchor.json", &jwks, 0o644);
    for secret in ["secrets/login", "secrets/applications"] {
        write_secret(&data, secret, LONG_SECRET, 0o600);
    }
    data
}

fn json_keys(key: &crate::domain::jose::SigningKey) -> String {
    serde_json::json!({ "keys": [key.public().to_jwk()] }).to_string()
}

fn told(result: Result<Config, ConfigError>) -> Vec<String> {
    match result {
        Ok(config) => config.warnings.iter().map(|warning| format!("warning: {warning}")).collect(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_secret_that_everybody_may_read_is_warned_of_and_a_short_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = production_files(folder.path());
    assert_eq!(told(production(folder.path(), |text| text)), Vec::<String>::new());
    write_secret(&data, "secrets/applications", LONG_SECRET, 0o644);
    let warned = told(production(folder.path(), |text| text));
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].starts_with("warning: node.toml:") && warned[0].contains("client_secret_file"),
        "{warned:?}"
    );
    assert!(
        warned[0].contains("everybody on this machine may open the file (mode 644): run `chmod 600 "),
        "{warned:?}"
    );
    write_secret(&data, "secrets/applications", "x\n", 0o600);
    let refused = told(production(folder.path(), |text| text));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("the secret has 1 characters, fewer than 32"), "{refused:?}");
    write_secret(&data, "secrets/applications", " \n", 0o600);
    let refused = told(production(folder.path(), |text| text));
    assert!(refused.len() == 1 && refused[0].contains("the file is empty"), "{refused:?}");
}

#[test]
fn a_database_connection_that_may_be_read_on_its_way_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    production_files(folder.path());
    let warned = |address: &str| {
        ["node.sqlite", "register.sqlite"].map(|file| {
            let file = format!("sqlite:{file}");
            told(production(folder.path(), |text| text.replacen(&file, address, 1)))
                .iter()
                .filter(|line| line.contains(" url: ") && line.starts_with("warning: "))
                .count()
        })
    };
    for address in [
        "postgres://omadata@db.city.example/omadata",
        "postgres://omadata@db.city.example/omadata?sslmode=disable",
        "postgres://omadata@db.city.example/omadata?sslmode=prefer",
        "postgres://omadata@db.city.example/omadata?sslmode=require",
        "postgres://omadata@db.city.example/omadata?sslmode=verify-full&sslmode=disable",
        "postgres:///omadata?host=db.city.example",
        "postgres://omadata@127.0.0.1/omadata?hostaddr=192.0.2.1",
    ] {
        assert_eq!(warned(address), [1, 1], "{address}");
    }
    for address in [
        "postgres://omadata@db.city.example/omadata?sslmode=verify-full",
        "postgres://omadata@127.0.0.1/omadata",
        "postgres:///omadata?host=/var/run/postgresql",
        "sqlite:node.sqlite",
    ] {
        assert_eq!(warned(address), [0, 0], "{address}");
    }
}

#[test]
fn keys_of_an_anchor_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = production_files(folder.path());
    for (content, complaint) in [
        ("garbage", "the file is not JSON"),
        ("{\"keys\": \"none\"}", "the file holds no JWK Set with keys that can be used"),
        ("[]", "the file holds no JWK Set with keys that can be used"),
    ] {
        write_secret(&data, "anchor.json", content, 0o644);
        let refused = told(production(folder.path(), |text| text));
        assert!(refused.len() == 1 && refused[0].contains(complaint), "{refused:?}");
    }
}

#[test]
fn the_key_files_are_found_without_what_else_a_file_names() {
    let folder = tempfile::tempdir().unwrap();
    production_files(folder.path());
    let file = folder.path().join("node.toml");
    let text = NODE.replace("[[trust_anchors]]", "[[trust_anchors]]\njwks_file = \"not there yet\"");
    std::fs::write(&file, &text).unwrap();
    assert!(Config::load(&file).is_err());
    let files = Config::load_key_files(&file).unwrap();
    let whole = Config::parse("node.toml", NODE, folder.path(), &Overlay::none()).unwrap();
    assert_eq!((files.store, files.keys), (whole.store, whole.keys));

    let file = folder.path().join("anchor.toml");
    let missing = "data_dir = \"data\"\nmembers_file = \"not there yet\"";
    let text = ANCHOR
        .replace("data_dir = \"data\"", missing)
        .replace("[[members]]", "[[members]]\njwks_file = \"nor this\"");
    std::fs::write(&file, text).unwrap();
    assert!(AnchorConfig::load(&file).is_err());
    let files = AnchorConfig::load_key_files(&file).unwrap();
    let whole = AnchorConfig::parse("anchor.toml", ANCHOR, folder.path(), &Overlay::none()).unwrap();
    assert_eq!((files.store, files.keys), (whole.store, whole.keys));
}

#[test]
fn a_file_with_no_trust_mark_or_somebody_elses_is_told_by_name() {
    use crate::domain::federation::TrustMark;
    let folder = tempfile::tempdir().unwrap();
    let key = crate::domain::jose::SigningKey::generate().unwrap();
    let mark = |sub: &str| {
        let mark = TrustMark {
            iss: "https://issuer.example".parse().unwrap(),
            sub: sub.parse().unwrap(),
            trust_mark_type: "https://anchor.example/trust-marks/data-holder".to_owned(),
            iat: 1_780_000_000,
            exp: None,
            reference: None,
            delegation: None,
        };
        mark.sign(&key).unwrap()
    };
    let told = |text: &str| {
        let file = folder.path().join("holder.jwt");
        std::fs::write(&file, text).unwrap();
        let section =
            format!("[federation]\ntrust_mark_files = [{:?}]\n[contact]", file.display().to_string());
        let read = node(&NODE.replacen("[contact]", &section, 1), &Overlay::none());
        read.map(|config| assert_eq!(config.federation.trust_mark_files, [file]))
            .map_err(|error| error.to_string())
    };
    assert_eq!(told(&format!("{}\n", mark("http://city.localhost:9000"))), Ok(()));
    for (text, complaint) in [
        (mark("https://other.example"), "holder.jwt: the trust mark is another member's"),
        ("eyJ.e30.x".to_owned(), "holder.jwt: the file holds no trust mark"),
        (String::new(), "holder.jwt: the file holds no trust mark"),
    ] {
        let error = told(&text).unwrap_err();
        assert!(error.contains(complaint) && error.contains("trust_mark_files"), "{error}");
    }
}

/// A record of processing as a spreadsheet writes it.
const RECORD: &str = "\
id;service;service_name_fi;service_name_sv;service_name_en;title_fi;title_sv;title_en;purpose_text_fi;purpose_text_sv;\
purpose_text_en;purpose;legal_basis;law_name_fi;law_name_sv;law_name_en;law_address;datasets;retention;recipients_fi;\
recipients_sv;recipients_en;reports;controller_name_fi;controller_name_sv;controller_name_en;controller_email\r\n\
fees;fee-system;Maksut;Avgifter;Fees;Maksun määrääminen;Avgiften;The fee;\"Maksu määrätään;
perheittäin\";Avgiften fastställs;The fee is set;https://w3id.org/dpv#PaymentManagement;A6-1-c;Laki 1503/2016;Lag 1503/2016;\
Act 1503/2016;http://data.finlex.fi/eli/sd/2016/1503/alkup;placements;P6Y;Kela|Perintä;FPA|Inkasso;Kela|Collection;true;a;b;c;\
fees@city.example\r\n";

const PLACES: &str = r#"
[[processing]]
id = "places"
service = "fees"
service_name = { fi = "a", sv = "b", en = "c" }
title = { fi = "a", sv = "b", en = "c" }
purpose_text = { fi = "a", sv = "b", en = "c" }
purpose = "https://w3id.org/dpv#ServiceProvision"
legal_basis = "A6-1-e"
law = { name = { fi = "a", sv = "b", en = "c" }, address = "http://data.finlex.fi/eli/sd/2018/540/alkup" }
datasets = ["placements"]
retention = "P9Y"
recipients = []
"#;

/// The node with an activity of its own and its record of processing in a file of that content.
fn with_record(csv: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("record.csv"), csv).unwrap();
    let text = NODE
        .replacen("data_dir = \"data\"", &format!("data_dir = \"{}\"", folder.path().display()), 1)
        .replacen("[contact]", "[record_of_processing]\nfile = \"record.csv\"\n[contact]", 1);
    node(&(text + PLACES), &Overlay::none())
}

#[test]
fn a_record_of_processing_is_read_from_a_spreadsheets_csv() {
    for csv in [RECORD.to_owned(), format!("\u{feff}{RECORD}")] {
        let config = with_record(&csv).unwrap_or_else(|error| panic!("{error}"));
        let [places, fees] = config.processing.as_slice() else { panic!("{:?}", config.processing) };
        assert_eq!((places.id.as_str(), places.may_object, places.reports), ("places", true, false));
        assert_eq!((fees.id.as_str(), fees.may_object, fees.reports), ("fees", false, true));
        assert_eq!(fees.purpose_text.fi, "Maksu määrätään; perheittäin");
        assert_eq!(
            fees.recipients.iter().map(|name| name.sv.as_str()).collect::<Vec<_>>(),
            ["FPA", "Inkasso"]
        );
        assert_eq!(fees.controller.email, "fees@city.example");
        assert_eq!(places.controller, config.contact);
    }
}

#[test]
fn a_fault_in_the_record_of_processing_is_told_with_line_and_column() {
    let again = RECORD.lines().skip(1).collect::<Vec<_>>().join("\n");
    let two = format!("{RECORD}{again}\n");
    for (wrong, told) in [
        (
            RECORD.replacen("A6-1-c", "A6-1-x", 1),
            ":2: [[processing]] fees legal_basis: not a legal basis of the GDPR",
        ),
        (
            format!("\u{feff}{}", RECORD.replacen("A6-1-c", "A6-1-x", 1)),
            ":2: [[processing]] fees legal_basis: not a legal basis of the GDPR",
        ),
        (RECORD.replacen("FPA|Inkasso", "FPA", 1), ":2: [[processing]] fees recipients: missing field `sv`"),
        (
            RECORD.replacen(";true;", ";yes;", 1),
            ":2: [[processing]] fees reports: invalid type: string \"yes\"",
        ),
        (RECORD.replacen("law_address", "law_url", 1), ":1: law_url: no such heading"),
        (
            RECORD.replacen("Kela|Collection;", "", 1),
            ":2: the row has another number of columns than the first line",
        ),
        (two, ":4: [[processing]] in line 4 id: another activity has this id"),
        (RECORD.replacen(";P6Y;", ";;", 1), ":2: [[processing]] fees retention: missing"),
    ] {
        let error = with_record(&wrong).unwrap_err().to_string();
        assert!(
            error.lines().any(|line| line.contains("record.csv") && line.contains(told)),
            "{told}\n{error}"
        );
    }
}

#[test]
fn an_order_is_found_behind_comments_and_quotes() {
    const QUERY: &str = "SELECT guardian, unit FROM placement WHERE guardian = $1 ORDER BY unit";
    for query in [
        "SELECT guardian, unit -- the child's place\\n FROM placement WHERE guardian = $1 ORDER BY unit",
        "SELECT guardian, unit /* 1) or (2 */ FROM placement WHERE guardian = $1 ORDER BY unit",
        "SELECT guardian, unit AS 'child''s (name' FROM placement WHERE guardian = $1 ORDER BY unit",
        "SELECT guardian, [d'Or (] AS unit FROM placement WHERE guardian = $1 order\\n by unit",
        "WITH p AS (SELECT * FROM placement) SELECT guardian, unit FROM p WHERE guardian = $1 ORDER BY unit -- (",
    ] {
        let text = NODE.replace(QUERY, query);
        assert!(text.contains(query));
        node(&text, &Overlay::none()).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}
