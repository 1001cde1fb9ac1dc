//! A family's early education data goes from a MariaDB register, read through ODBC, to another city's service.

use std::sync::OnceLock;

use odbc_api::{ConnectionOptions, environment};
use omadata::config::{Config, Overlay};
use omadata::demo::run::Adjust;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::{self, Setup, World};

/// What the register has, as MariaDB keeps it; and what must arrive, digit for digit.
const TABLES: &str = r#"
CREATE TABLE unit (id int PRIMARY KEY, name varchar(80) NOT NULL, provider_type varchar(20), language char(2), address varchar(80));
CREATE TABLE decision (id int PRIMARY KEY, guardian char(11) NOT NULL, child_ssn char(11), child_name varchar(40),
  decision_number bigint, type varchar(30), start_date date, end_date date, sent_date date, status varchar(20), resolved date,
  unit_id int REFERENCES unit (id), KEY (guardian));
CREATE TABLE fee_decision (id int PRIMARY KEY, guardian char(11) NOT NULL, valid_from date, valid_to date, family_size tinyint, KEY (guardian));
CREATE TABLE fee_row (fee_decision_id int, child_name varchar(40), base_fee decimal(8,2), sibling_discount tinyint, fee decimal(8,2),
  final_fee decimal(8,2));
INSERT INTO unit VALUES (7, 'Päiväkoti Åvik – ”Kuusi”', 'MUNICIPAL', 'fi', 'Keksittykuja 1, 02100 Espoo');
INSERT INTO decision VALUES (1, '{aino}', '010120A900X', 'Väinö', 9007199254740991, 'PRESCHOOL_DAYCARE', '2025-08-01', '2026-07-31', '2025-06-02', 'ACCEPTED', NULL, 7);
INSERT INTO decision VALUES (2, '{aino}', '020222A901X', 'Kerttu', 12, 'DAYCARE', '2026-01-07', '2027-07-31', '2025-12-01', 'PENDING', NULL, NULL);
INSERT INTO decision VALUES (3, '{elin}', '030320A902X', 'Someone else', 13, 'DAYCARE', '2026-01-07', '2027-07-31', '2025-12-01', 'PENDING', NULL, 7);
INSERT INTO fee_decision VALUES (1, '{aino}', '2025-08-01', NULL, 4);
INSERT INTO fee_row VALUES (1, 'Kerttu', 311.00, 0, 311.00, 311.00), (1, 'Väinö', 311.00, 60, 124.40, 124.40)
"#;

const SECTION: &str = r#"
[[registers]]
id = "mariadb"
name = { fi = "Varhaiskasvatuksen järjestelmä", sv = "Småbarnspedagogikens system", en = "Early education system" }
kind = "odbc"
connection = "{connection}"
password_file = "{password}"
"#;

const DECISIONS: &str = r#"
query = """
SELECT d.guardian, d.child_ssn AS child, d.child_name, d.id, 0 AS non_disclosure, NULL AS available_from, d.child_name AS childName, d.decision_number AS decisionNumber, d.type,
       d.start_date AS startDate, d.end_date AS endDate, d.sent_date AS sentDate, d.status, d.resolved,
       (SELECT JSON_OBJECT('name', u.name, 'providerType', u.provider_type, 'language', u.language, 'address', u.address)
        FROM unit u WHERE u.id = d.unit_id) AS unit
FROM decision d WHERE d.guardian = $1 ORDER BY d.id"""
"#;

const FEES: &str = r#"
query = """
SELECT f.guardian, JSON_OBJECT('start', f.valid_from, 'end', f.valid_to) AS validDuring, f.family_size AS familySize,
       (SELECT JSON_ARRAYAGG(JSON_OBJECT('childName', r.child_name, 'baseFee', CAST(r.base_fee AS CHAR), 'siblingDiscount', r.sibling_discount,
                                         'fee', CAST(r.fee AS CHAR), 'finalFee', CAST(r.final_fee AS CHAR)) ORDER BY r.child_name)
        FROM fee_row r WHERE r.fee_decision_id = f.id) AS children
FROM fee_decision f WHERE f.guardian = $1 ORDER BY f.id"""
"#;

/// The server that `tests/run` starts; `None` where there is none.
#[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
fn server() -> Option<url::Url> {
    let Ok(address) = std::env::var("OMADATA_TEST_MARIADB") else {
        eprintln!("left to tests/run: a family's data from MariaDB (set OMADATA_TEST_MARIADB)");
        return None;
    };
    Some(address.parse().unwrap())
}

/// Of this process.
fn database() -> String {
    format!("omadata_it_{}", std::process::id())
}

fn connection_string(server: &url::Url, database: &str) -> String {
    format!(
        "Driver={{MariaDB Unicode}};Server={};Port={};Database={database};UID={}",
        server.host_str().unwrap(),
        server.port().unwrap(),
        server.username()
    )
}

/// As the register's owner.
fn execute(server: &url::Url, database: &str, statements: &str) {
    let text = format!("{};PWD={}", connection_string(server, database), server.password().unwrap());
    let connection =
        environment().unwrap().connect_with_connection_string(&text, ConnectionOptions::default()).unwrap();
    for statement in statements.split(';').filter(|statement| !statement.trim().is_empty()) {
        connection.execute(statement, (), None).unwrap();
    }
}

/// Espoo reads its decisions and fees from MariaDB, as the manual's section on ODBC says.
fn adjust(config: &mut Config) {
    let Some(server) = server().filter(|_| config.node.base_url.as_str().contains("espoo")) else { return };
    std::fs::create_dir_all(&config.node.data_dir).unwrap();
    let password = config.node.data_dir.join("mariadb-password");
    std::fs::write(&password, server.password().unwrap()).unwrap();
    let register = SECTION
        .replace("{connection}", &connection_string(&server, &database()))
        .replace("{password}", password.to_str().unwrap());
    let shipped = include_str!("../../federation-config/espoo.toml");
    let mut sections: Vec<String> = shipped.split("[[datasets]]").map(str::to_owned).collect();
    for section in sections.iter_mut().skip(1) {
        if section.contains("id = \"decisions\"") {
            let (before, after) = section.split_once("query = '''").unwrap();
            let (_, after) = after.split_once("'''").unwrap();
            *section = format!("{before}{DECISIONS}{after}")
                .replace("register = \"early-education\"", "register = \"mariadb\"");
        } else if section.contains("id = \"fee-decisions\"") {
            *section = section
                .replace("file = \"fee-decisions.json\"", FEES.trim())
                .replace("register = \"fees\"", "register = \"mariadb\"");
        }
    }
    sections[0].push_str(&register);
    let text = sections.join("[[datasets]]");
    let read = Config::parse("espoo.toml", &text, &config.node.data_dir, &Overlay::default()).unwrap();
    config.registers.extend(read.registers.into_iter().filter(|register| register.id.as_str() == "mariadb"));
    config.datasets = read.datasets;
}

/// Everything that a use may be given, as one service of Helsinki gets it.
async fn fetched(world: &'static World, declared: &str, fields: Value) -> Value {
    let service = world.service("helsinki").await;
    let mut browser = Browser::new();
    let asked = service.ask("espoo", declared, Some("aino"), json!({"fields": fields})).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    let optional: Vec<String> = page.values_of("field");
    let ticked: Vec<(&str, Option<&str>)> =
        optional.iter().map(|field| ("field", Some(field.as_str()))).collect();
    let end = page.decide(&mut browser, "allow", &ticked).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    let (status, fetched) = service.fetch(asked["id"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{fetched}");
    fetched["data"].clone()
}

#[tokio::test]
async fn a_familys_decisions_and_fees_arrive_without_a_value_changed() {
    let Some(server) = server() else { return };
    let database = database();
    execute(
        &server,
        server.path().trim_start_matches('/'),
        &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"),
    );
    let adjust = Adjust { city: Some(adjust), anchor: None };
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(|| {
        World::start(Setup { base_port: harness::free_ports(11), adjust, ..Setup::default() })
    });
    let tables =
        TABLES.replace("{aino}", world.identifier("aino")).replace("{elin}", world.identifier("elin"));
    execute(&server, &database, &tables);

    let fields = json!([
        "childName",
        "decisionNumber",
        "startDate",
        "endDate",
        "status",
        "unit.name",
        "type",
        "sentDate",
        "resolved",
        "unit.providerType",
        "unit.language"
    ]);
    assert_eq!(
        fetched(world, "early-education-decision", fields).await,
        json!([
            {
                "childName": "Väinö", "decisionNumber": 9007199254740991_i64, "startDate": "2025-08-01", "endDate": "2026-07-31",
                "status": "ACCEPTED", "type": "PRESCHOOL_DAYCARE", "sentDate": "2025-06-02", "resolved": null,
                "unit": {"name": "Päiväkoti Åvik – ”Kuusi”", "providerType": "MUNICIPAL", "language": "fi"},
            },
            {
                "childName": "Kerttu", "decisionNumber": 12, "startDate": "2026-01-07", "endDate": "2027-07-31",
                "status": "PENDING", "type": "DAYCARE", "sentDate": "2025-12-01", "resolved": null, "unit": null,
            },
        ])
    );
    let fields = json!([
        "validDuring",
        "familySize",
        "children.childName",
        "children.baseFee",
        "children.siblingDiscount",
        "children.fee",
        "children.finalFee"
    ]);
    let euros = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    assert_eq!(
        fetched(world, "early-education-fees", fields).await,
        json!([{
            "validDuring": {"start": "2025-08-01", "end": null}, "familySize": 4,
            "children": [
                {
                    "childName": "Kerttu", "baseFee": euros("311.00"), "siblingDiscount": 0, "fee": euros("311.00"),
                    "finalFee": euros("311.00"),
                },
                {
                    "childName": "Väinö", "baseFee": euros("311.00"), "siblingDiscount": 60, "fee": euros("124.40"),
                    "finalFee": euros("124.40"),
                },
            ],
        }])
    );
    execute(&server, &database, &format!("DROP DATABASE {database}"));
}
