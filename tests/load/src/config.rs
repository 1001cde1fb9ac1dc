//! The configuration files of the measured nodes: what an operator would write.

use super::parties::{CLIENT_ID, DATASET_TYPE};

pub struct Node<'a> {
    pub base_url: &'a str,
    pub listen: u16,
    pub data_dir: &'a str,
    pub store: &'a str,
    pub anchor: &'a str,
    pub issuer: &'a str,
    pub workers: usize,
    pub pool_size: usize,
}

const TEXT: &str = r#"{ fi = "Koe", sv = "Test", en = "Test" }"#;

/// The trust anchor with its members: entity identifier and roles.
pub fn anchor(entity_id: &str, port: u16, data_dir: &str, members: &[(&str, &[&str])]) -> String {
    let mut text = format!(
        r#"[anchor]
entity_id = "{entity_id}"
listen = "127.0.0.1:{port}"
profile = "demo"
organization_name = "Load"
data_dir = "{data_dir}"

[store]
url = "sqlite:anchor.sqlite"

[keys]
dir = "keys"

[trust_marks]
lifetime_seconds = 86400
"#
    );
    for (member, roles) in members {
        text.push_str(&format!("\n[[members]]\nentity_id = \"{member}\"\nroles = {roles:?}\n"));
    }
    text
}

/// A node without registers.
fn node(node: &Node<'_>) -> String {
    let Node { base_url, listen, data_dir, store, anchor, issuer, workers, pool_size } = node;
    format!(
        r##"[node]
base_url = "{base_url}"
listen = "127.0.0.1:{listen}"
profile = "demo"
city = {TEXT}
data_dir = "{data_dir}"
workers = {workers}

[node.brand]
name = {TEXT}
primary_colour = "#1f4e79"

[store]
{store}
pool_size = {pool_size}

[keys]
dir = "keys"

[[trust_anchors]]
entity_id = "{anchor}"

[login]
issuer = "{issuer}"
client_id = "{CLIENT_ID}"
authentication = "client_secret"
client_secret_file = "login-client"
identifier_claim = "national_id"
scopes = ["openid", "profile"]
acr_values = ["urn:omadata:demo:loa2", "urn:omadata:demo:loa3"]

[contact]
name = {TEXT}
email = "city@load.invalid"

[data_protection_officer]
name = {TEXT}
email = "dpo@load.invalid"
"##
    )
}

/// The dataset's identifier in the holder's addresses.
pub const DATASET: &str = "placements";

/// A holder: one register in SQLite, one dataset as Espoo's in the demo.
pub fn holder(settings: &Node<'_>) -> String {
    let field =
        |name: &str, kind: &str| format!("  {{ name = \"{name}\", type = \"{kind}\", label = {TEXT} }},\n");
    let fields: String = [
        ("childName", "string"),
        ("type", "string"),
        ("unit", "string"),
        ("startDate", "date"),
        ("endDate", "date"),
        ("placeGuarantee", "boolean"),
    ]
    .map(|(name, kind)| field(name, kind))
    .concat();
    format!(
        r#"{node}
[[registers]]
id = "early-education"
name = {TEXT}
kind = "sql"
url = "sqlite:registers.sqlite"

[[datasets]]
id = "{DATASET}"
type = "{DATASET_TYPE}"
title = {TEXT}
description = {TEXT}
theme = "EDUC"
legal_bases = ["A6-1-e"]
legislation = ["http://data.finlex.fi/eli/sd/2018/540/alkup"]
retention = "P10Y"
fields = [
{fields}]
period = {{ start = "startDate", end = "endDate" }}
register = "early-education"
subject_column = "guardian"
protected_column = "non_disclosure"
protected_fields = ["unit"]
available_from_column = "available_from"
person_column = "child"
person_name_column = "child_name"
record_column = "id"
query = '''
SELECT guardian, child, child_name, id, non_disclosure, available_from, child_name AS "childName", type, unit,
       start_date AS "startDate", end_date AS "endDate", place_guarantee AS "placeGuarantee"
FROM placement WHERE guardian = $1 ORDER BY start_date DESC, child_name'''
"#,
        node = node(settings)
    )
}

/// The service of [`recipient`], and its secret file.
pub const SERVICE: &str = "load-applications";
/// The use that the service declares.
pub const SERVICE_USE: &str = "load-placement";

/// How often one permission of the use may be used: as often as a configuration file can say.
pub const SERVICE_TIMES: u32 = 10_000;

/// A recipient node with one service.
pub fn recipient(settings: &Node<'_>, return_to: &str) -> String {
    format!(
        r#"{node}
[[services]]
id = "{SERVICE}"
name = {TEXT}
client_secret_file = "service-secret"
return_url_prefixes = ["{return_to}/"]

[[uses]]
id = "{SERVICE_USE}"
service = "{SERVICE}"
title = {TEXT}
purpose_text = {TEXT}
otherwise = {TEXT}
purpose = "https://w3id.org/dpv#ServiceProvision"
legal_basis = "A6-1-a"
dataset_type = "{DATASET_TYPE}"
required_fields = ["childName", "unit", "startDate", "endDate"]
optional_fields = []
max_exchanges = {SERVICE_TIMES}
max_days = 90
retention = "P1Y"
"#,
        node = node(settings)
    )
}
