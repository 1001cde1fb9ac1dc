//! Registers through ODBC, against a real MariaDB and a real PostgreSQL with their own drivers.

mod server;

use server::{Server, servers};

use super::*;
use crate::domain::catalogue::odbc_string::OdbcString;

#[tokio::test]
async fn a_database_behind_a_driver_gives_the_same_records_as_every_other_register() {
    for server in servers("same") {
        server.placements();
        let good = server.sources(&server.query());
        assert_eq!(read(&good, ANNA).await.unwrap(), expected(), "{}", server.driver);
        assert_eq!(read(&good, BERTIL).await.unwrap().len(), 1);
        assert_eq!(read(&good, "030303-902X").await.unwrap(), Vec::<Value>::new());
        for attack in INJECTIONS {
            assert_eq!(read(&good, attack).await.unwrap(), Vec::<Value>::new(), "{attack}");
        }
        assert_eq!(read(&good, ANNA).await.unwrap(), expected());
        good.probe(&DatasetId::new("placements").unwrap()).await.unwrap();

        let anna = NationalIdentifier::new(ANNA).unwrap();
        let fields = ["number", "unit"].map(|name| FieldPath::new(name).unwrap()).to_vec();
        // What is not asked for is not fetched: a column of a wrong type does no harm.
        let other = server.sources(&server.query().replace(", fee,", ", 'much' AS fee,"));
        let records = other.read(Question { fields, ..question(&anna) }).await.unwrap();
        let names: Vec<&str> = records[0].values.keys().map(FieldName::as_str).collect();
        assert_eq!(names, ["number", "unit"]);

        let careless = server.sources(&server.query().replace("guardian = $1", "(guardian = $1 OR 1 = 1)"));
        let records = careless.read(question(&anna)).await.unwrap();
        assert_eq!(records.iter().filter(|record| record.subject.reveal() == BERTIL).count(), 1);
    }
}

#[tokio::test]
async fn a_driver_tells_whom_a_record_is_about_and_which_it_is() {
    for server in servers("names") {
        server.placements();
        let query = format!(
            "SELECT p.*, '010120a901k' AS child, 'Onni' AS CHILD_NAME, p.unit AS id FROM ({}\n) p",
            server.query()
        );
        let sources = registers_of(server.connection(""), named(Selection::Query(query.clone())));
        let records = sources.read(question(&NationalIdentifier::new(ANNA).unwrap())).await.unwrap();
        let names =
            records.iter().map(|record| &record.names).find(|names| names.record.as_deref() == Some("Mänty"));
        let names = names.unwrap_or_else(|| panic!("{}", server.driver));
        assert_eq!(names.person, NationalIdentifier::new("010120A901K").ok());
        assert_eq!(names.person_name.as_deref(), Some("Onni"));
        assert_eq!(records[0].values.len(), FIELDS.len(), "a name became a field");
        let nobody = named(Selection::Query(query.replace("'010120a901k'", "NULL")));
        let told = read(&registers_of(server.connection(""), nobody), ANNA).await;
        assert_eq!(told, Err(RegisterError::Unfit("a record does not say whom it is about")));
    }
}

#[tokio::test]
async fn a_database_behind_a_driver_is_only_read_and_bounded() {
    for server in servers("bounded") {
        server.placements();
        let query = server.query();
        let bounded = |bounds| sources(server.connection(""), Selection::Query(query.clone()), bounds);
        let one = bounded(Bounds { max_records: 1, ..BOUNDS });
        assert_eq!(read(&one, ANNA).await, Err(RegisterError::TooLarge));
        assert_eq!(read(&one, BERTIL).await.unwrap().len(), 1);
        let small = bounded(Bounds { max_bytes: 100, ..BOUNDS });
        assert_eq!(read(&small, ANNA).await, Err(RegisterError::TooLarge));
        // A cell over the bound is refused, not cut.
        let huge = query.replace(" unit,", " repeat('x', 20000) AS unit,");
        assert_eq!(read(&server.sources(&huge), BERTIL).await, Err(RegisterError::TooLarge));

        let (name, table) = (&server.name, format!("{}.placement", server.name));
        let (writes, sleep) = if server.is_mariadb() {
            server.execute(&format!(
                "CREATE FUNCTION {name}.gone(who text) RETURNS integer MODIFIES SQL DATA
                 BEGIN DELETE FROM {table} WHERE guardian = who; RETURN 1; END"
            ));
            let gone = query.replace("SELECT guardian", &format!("SELECT {name}.gone('{BERTIL}'), guardian"));
            (gone.replace("WHERE guardian = $1", "WHERE $1 <> ''"), "SLEEP(30) = 0")
        } else {
            let returning = format!("DELETE FROM {table} WHERE guardian = $1 RETURNING *");
            (format!("WITH gone AS ({returning}) SELECT * FROM gone ORDER BY 1"), "pg_sleep(30) IS NOT NULL")
        };
        let writing = server.sources(&writes);
        assert_eq!(read(&writing, ANNA).await, Err(RegisterError::Unavailable));
        let told = cause(&writing).await.to_lowercase().replace('-', " ");
        assert!(told.contains("read only transaction"), "{told}");

        let slow = format!("guardian = $1 AND (guardian <> '{ANNA}' OR {sleep})");
        let slow = server.sources(&query.replace("guardian = $1", &slow));
        let begun = tokio::time::Instant::now();
        // As many questions as it has connections: the database ends them, so that the next is answered.
        for _ in 0..2 {
            assert_eq!(read(&slow, ANNA).await, Err(RegisterError::Unavailable));
        }
        assert!(begun.elapsed() < Duration::from_secs(6));
        assert_eq!(read(&slow, BERTIL).await.unwrap().len(), 1, "{}", server.driver);
        assert_eq!(read(&server.sources(&query), ANNA).await.unwrap().len(), 2);
    }
}

/// The register's answer to a query that makes up one row of Anna.
async fn made_up(server: &Server, columns: &str) -> Result<Vec<Value>, RegisterError> {
    let guardian = if server.is_mariadb() { "CAST($1 AS CHAR)" } else { "CAST($1 AS varchar(11))" };
    let query = format!("SELECT * FROM (SELECT {guardian} AS guardian, {columns}) AS o ORDER BY 1");
    let register = Register {
        id: RegisterId::new("base").unwrap(),
        name: text(),
        connection: server.connection(""),
        timeout: Duration::from_secs(5),
    };
    let mut held = held(Selection::Query(query));
    held.dataset
        .fields
        .retain(|field| columns.replace(['`', '"'], "").contains(&format!(" AS {}", field.name)));
    let more = [("exact", FieldType::Decimal), ("moment", FieldType::DateTime)];
    for (name, kind) in more.into_iter().filter(|(name, _)| columns.contains(&format!(" AS {name}"))) {
        let field = held.dataset.fields.first().cloned();
        let mut field = field.unwrap_or_else(|| super::held(csv("")).dataset.fields[0].clone());
        (field.name, field.kind) = (FieldName::new(name).unwrap(), kind);
        held.dataset.fields.push(field);
    }
    let fields = held.dataset.paths();
    let bounds = Bounds { max_bytes: 1_000_000, ..BOUNDS };
    let sources = CityRegisters::new(&[register], &[held], bounds, &clock()).unwrap();
    let anna = NationalIdentifier::new(ANNA).unwrap();
    match sources.ask(Question { fields, ..question(&anna) }).await {
        Ok(records) => {
            Ok(records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect())
        }
        Err(failure) => {
            println!("{}: {columns}: {}", server.driver, failure.cause);
            Err(failure.error)
        }
    }
}

#[tokio::test]
async fn values_of_every_type_come_out_as_the_database_has_them() {
    let long = "äö€😀".repeat(9000);
    for server in servers("types") {
        let maria = server.is_mariadb();
        let bit = if maria { "CAST(1 AS UNSIGNED)" } else { "TRUE" };
        let double = if maria { "CAST(0.1 AS DOUBLE)" } else { "CAST(0.1 AS float8)" };
        let quote = if maria { '`' } else { '"' };
        let midnight = if maria { "CAST('2026-08-01' AS DATETIME)" } else { "TIMESTAMP '2026-08-01'" };
        let character = if maria { "CHAR" } else { "text" };
        let big = "CAST(9007199254740991 AS DECIMAL(20,0))";
        for (columns, values) in [
            (
                "CAST(12345678901234567.89 AS DECIMAL(25,5)) AS exact".to_owned(),
                json!({"exact": "12345678901234567.89000"}),
            ),
            ("CAST(-0.5 AS DECIMAL(8,2)) AS exact".to_owned(), json!({"exact": "-0.50"})),
            (format!("{big} AS number"), json!({"number": 9_007_199_254_740_991_i64})),
            ("CAST(NULL AS DECIMAL(8,2)) AS fee, 1 AS number".to_owned(), json!({"fee": null, "number": 1})),
            (format!("{double} AS fee"), json!({"fee": 0.1})),
            (format!("{bit} AS guaranteed"), json!({"guaranteed": true})),
            (format!("CAST('' AS {character}) AS unit"), json!({"unit": ""})),
            (format!("CAST(' ä€😀''\t' AS {character}) AS unit"), json!({"unit": " ä€😀'\t"})),
            (format!("CAST('{long}' AS {character}) AS unit"), json!({"unit": long})),
            (
                format!("CAST('9999-12-31' AS DATE) AS {quote}startDate{quote}"),
                json!({"startDate": "9999-12-31"}),
            ),
            (format!("{midnight} AS {quote}startDate{quote}"), json!({"startDate": "2026-08-01"})),
            (
                "'2026-08-01T09:30:00+03:00' AS moment".to_owned(),
                json!({"moment": "2026-08-01T09:30:00+03:00"}),
            ),
            ("'{\"a\": [1.50, null]}' AS place".to_owned(), json!({"place": {"a": [1.5, null]}})),
        ] {
            assert_eq!(made_up(&server, &columns).await, Ok(vec![values]), "{}: {columns}", server.driver);
        }
    }
}

#[tokio::test]
async fn a_familys_decision_and_its_rows_come_with_the_fields_asked_for_and_unchanged() {
    let Some(server) = Server::mariadb("rows") else { return };
    for statement in [
        "CREATE TABLE S.fee_decision (id integer, guardian varchar(11), start_date date, fee decimal(8,2))",
        "CREATE TABLE S.fee_row (fee_decision_id integer, child_name text, fee decimal(8,2), note text)",
        "INSERT INTO S.fee_decision VALUES (1, '010190-900P', '2026-08-01', 464.30), (2, '020285-901U', '2026-08-01', 1)",
        "INSERT INTO S.fee_row VALUES (1, 'Väinö', 176.00, 's'), (1, 'Aada', 288.30, 's'), (2, 'Olle', 1, 's')",
    ] {
        server.execute(&statement.replace("S.", &format!("{}.", server.name)));
    }
    let query = "SELECT f.guardian, f.start_date, f.fee,
                        (SELECT JSON_ARRAYAGG(JSON_OBJECT('childName', c.child_name, 'fee', CAST(c.fee AS CHAR), 'note', c.note)
                                              ORDER BY c.child_name)
                         FROM S.fee_row c WHERE c.fee_decision_id = f.id) AS children
                 FROM S.fee_decision f WHERE f.guardian = $1 ORDER BY f.start_date DESC";
    let mut held = held(Selection::Query(query.replace("S.", &format!("{}.", server.name))));
    let label = json!({"fi": "a", "sv": "b", "en": "c"});
    let money = json!({"name": "fee", "type": "money", "currency": "EUR", "label": label});
    held.dataset.fields = serde_json::from_value(json!([
        {"name": "startDate", "type": "date", "label": label},
        money,
        {"name": "children", "type": "array", "label": label,
         "fields": [{"name": "childName", "type": "string", "label": label}, money]},
    ]))
    .unwrap();
    held.source.columns = BTreeMap::from([("startDate".parse().unwrap(), "start_date".to_owned())]);
    let register = Register {
        id: RegisterId::new("base").unwrap(),
        name: text(),
        connection: server.connection(""),
        timeout: Duration::from_secs(5),
    };
    let sources = CityRegisters::new(&[register], &[held], BOUNDS, &clock()).unwrap();
    let anna = NationalIdentifier::new(ANNA).unwrap();
    for (fields, wanted) in [
        (
            vec!["startDate", "fee", "children.childName", "children.fee"],
            json!({"startDate": "2026-08-01", "fee": {"amount": "464.30", "currency": "EUR"}, "children": [
                {"childName": "Aada", "fee": {"amount": "288.30", "currency": "EUR"}},
                {"childName": "Väinö", "fee": {"amount": "176.00", "currency": "EUR"}},
            ]}),
        ),
        (
            vec!["children.fee"],
            json!({"children": [{"fee": {"amount": "288.30", "currency": "EUR"}},
                                {"fee": {"amount": "176.00", "currency": "EUR"}}]}),
        ),
    ] {
        let fields = fields.into_iter().map(|path| path.parse().unwrap()).collect();
        let records = sources.read(Question { fields, ..question(&anna) }).await.unwrap();
        let values: Vec<Value> =
            records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect();
        assert_eq!(values, [wanted]);
    }
}

#[tokio::test]
async fn a_list_that_the_database_cut_is_refused_wherever_it_was_cut() {
    let Some(server) = Server::mariadb("cut") else { return };
    server.execute(&format!("CREATE TABLE {}.phone (guardian varchar(11), number varchar(20))", server.name));
    for number in 100..150 {
        server.execute(&format!("INSERT INTO {}.phone VALUES ('{ANNA}', '{number}')", server.name));
    }
    let query = format!(
        "SELECT guardian, JSON_ARRAYAGG(number ORDER BY number) AS phones FROM {}.phone WHERE guardian = $1 GROUP BY guardian \
         ORDER BY guardian",
        server.name
    );
    let asked = |limit: u32| {
        let mut held = held(Selection::Query(query.clone()));
        held.dataset.fields.retain(|field| field.name.as_str() == "phones");
        let connection = server.connection(&format!("INITSTMT=SET SESSION group_concat_max_len={limit}"));
        registers_of(connection, held)
    };
    let fields = || vec![FieldPath::new("phones").unwrap()];
    let anna = NationalIdentifier::new(ANNA).unwrap();
    // Fifty texts of three digits with quotes and commas are 299 bytes: beside it, at a boundary and within a text.
    for limit in [60, 61, 62, 63, 64, 65, 100, 295, 298] {
        let failure = asked(limit).ask(Question { fields: fields(), ..question(&anna) }).await.unwrap_err();
        let cut = RegisterError::Unfit("the database cut a value");
        assert_eq!(failure.error, cut, "{limit}: {}", failure.cause);
        assert!(
            failure.cause.contains("(warning 1260): raise its group_concat_max_len"),
            "{}",
            failure.cause
        );
    }
    let whole = asked(1000).ask(Question { fields: fields(), ..question(&anna) }).await.unwrap();
    assert_eq!(whole[0].values.values().next().unwrap().as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn what_would_be_changed_on_the_way_is_refused() {
    const TYPE: RegisterError = RegisterError::Unfit("a field is not of its type");
    for server in servers("refused") {
        let maria = server.is_mariadb();
        let binary = if maria { "CAST('a' AS BINARY)" } else { "CAST('a' AS bytea)" };
        let timestamp =
            if maria { "CAST('2026-08-01 09:30:00' AS DATETIME)" } else { "TIMESTAMP '2026-08-01 09:30:00'" };
        let double = if maria { "CAST(288.3 AS DOUBLE)" } else { "CAST(288.3 AS float8)" };
        for columns in [
            "CAST(12345678901234567.89 AS DECIMAL(25,5)) AS fee".to_owned(),
            "9007199254740993 AS number".to_owned(),
            "'seven' AS number".to_owned(),
            "7 AS unit".to_owned(),
            "2 AS guaranteed".to_owned(),
            "'[1,' AS phones".to_owned(),
            format!("{binary} AS unit"),
            // Without an offset it is a moment somewhere else.
            format!("{timestamp} AS moment"),
            // A binary fraction has no decimal digits of its own.
            format!("{double} AS exact"),
        ] {
            assert_eq!(made_up(&server, &columns).await, Err(TYPE), "{}: {columns}", server.driver);
        }
        if !maria {
            assert_eq!(made_up(&server, "CAST('NaN' AS float8) AS fee").await, Err(TYPE));
        }
    }
}

#[test]
fn a_table_is_described_alike_through_a_driver_and_without() {
    for server in servers("sample") {
        server.placements();
        let mut connections = vec![server.connection("")];
        if !server.is_mariadb() {
            let url = DatabaseUrl::Postgres(server.address.clone());
            connections.push(Connection::Sql { url, password_file: None, pool_size: 1 });
        }
        for connection in connections {
            let register = Register {
                id: RegisterId::new("base").unwrap(),
                name: text(),
                connection,
                timeout: Duration::from_secs(5),
            };
            let look = |name: &str| sample::sample(&register, name);
            let found = look(&format!("{}.placement", server.name)).unwrap();
            let quote = if server.is_mariadb() { '`' } else { '"' };
            assert_eq!(found.source, sample::SampleSource::Table(quote));
            let kind_of = |name: &str| found.columns.iter().find(|column| column.name == name).unwrap().kind;
            for (name, kind) in [
                ("unit", FieldType::String),
                ("start_date", FieldType::Date),
                ("number", FieldType::Integer),
                ("fee", FieldType::Decimal),
                ("place", FieldType::Object),
                ("phones", FieldType::Array),
            ] {
                assert_eq!(kind_of(name), kind, "{}: {name}", server.driver);
            }
            let identifiers = found.columns.iter().filter(|column| column.is_identifier);
            assert_eq!(identifiers.map(|column| column.name.as_str()).collect::<Vec<_>>(), ["guardian"]);
            assert!(look("no_such_table").is_err());
            assert!(look("placement; DROP TABLE placement").is_err());
        }
    }
}

#[tokio::test]
async fn a_wrong_query_is_told_by_its_cause() {
    for server in servers("causes") {
        server.placements();
        let query = server.query();
        for (from, to, told) in [
            ("start_date AS", "strat_date AS", "strat_date"),
            ("AS \"startDate\"", "AS begins", "the query has no column startDate"),
            ("AS `startDate`", "AS begins", "the query has no column startDate"),
            ("secret FROM", "secret AS Unit FROM", "the query has two columns unit"),
            ("placement WHERE", "placements WHERE", "placements"),
            ("SELECT guardian", "SELECT guardian AS huoltaja", "the query has no column guardian"),
        ] {
            if !query.contains(from) {
                continue;
            }
            let sources = server.sources(&query.replace(from, to));
            let cause = cause(&sources).await;
            assert!(cause.contains(told), "{}: {cause}", server.driver);
            // Names of tables and columns may stand in the log.
            let failure = sources.ask_for_nobody(&DatasetId::new("placements").unwrap()).await.unwrap_err();
            assert!(!failure.may_quote, "{cause}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_made_anew() {
    let Some(server) = Server::mariadb("closed") else { return };
    server.placements();
    let connection = server.connection_of_another("pw");
    let sources = sources(connection, Selection::Query(server.query()), BOUNDS);
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
    server.execute(&format!("KILL USER '{}'@'127.0.0.1'", server.name));
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_told_with_its_side() {
    let Some(server) = Server::mariadb("unreachable") else { return };
    server.placements();
    let told = async |text: &str, password: &str| {
        let path = server.folder.path().join("other");
        std::fs::write(&path, password).unwrap();
        let connection = Connection::Odbc {
            connection: OdbcString::parse(text).unwrap(),
            password_file: Some(path),
            pool_size: 1,
        };
        cause(&sources(connection, Selection::Query(server.query()), BOUNDS)).await
    };
    let good = server.connection_string();
    let wrong = told(&good, "wrong").await;
    assert!(wrong.contains("the register's side refuses the user or its password"), "{wrong}");
    assert!(!wrong.contains("wrong"), "{wrong}");
    let absent = told("Driver={No Such Driver};Server=localhost", "a").await;
    assert!(absent.contains("this side: "), "{absent}");
    let nowhere = told(&good.replace("Port=", "Port=1;Prot="), "a").await;
    assert!(nowhere.contains("the register's side: nothing answers there"), "{nowhere}");
}

#[tokio::test]
async fn a_password_of_any_characters_reaches_the_server() {
    let Some(server) = Server::mariadb("password") else { return };
    server.placements();
    let password = "a;b}c{d=e'f ä+%@";
    let connection = server.connection_of_another(password);
    assert_eq!(
        read(&sources(connection, Selection::Query(server.query()), BOUNDS), ANNA).await.unwrap(),
        expected()
    );
}

#[tokio::test]
async fn identifiers_in_lower_case_are_an_error_where_the_database_tells_them_apart() {
    let Some(server) = Server::mariadb("lower") else { return };
    server.placements();
    server.execute(&format!("UPDATE {}.placement SET guardian = lower(guardian)", server.name));
    // Its usual collation does not tell them apart.
    assert_eq!(read(&server.sources(&server.query()), ANNA).await.unwrap(), expected());
    let exact = server.query().replace("guardian = $1", "BINARY guardian = $1");
    let unfit = RegisterError::Unfit("the register writes identifiers in lower case");
    assert_eq!(read(&server.sources(&exact), ANNA).await, Err(unfit));
}

#[test]
fn a_register_with_an_unreadable_password_file_is_refused() {
    let connection = Connection::Odbc {
        connection: OdbcString::parse("DSN=a").unwrap(),
        password_file: Some("/nowhere/password".into()),
        pool_size: 1,
    };
    let register = Register {
        id: RegisterId::new("base").unwrap(),
        name: text(),
        connection,
        timeout: Duration::from_secs(1),
    };
    assert!(matches!(
        CityRegisters::new(&[register], &[], BOUNDS, &clock()),
        Err(RegisterConfigError::Password { .. })
    ));
}
