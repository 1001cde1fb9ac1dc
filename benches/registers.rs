//! What a question to a register costs: `cargo bench --bench registers`, with `--features odbc` also through ODBC.
//!
//! One of 100,000 residents is read through every connector, 10,000 times each. The times are those of a whole question,
//! the register's own work and the loopback included, so that the node's part is less. Prints a table and fails beyond its
//! bounds. PostgreSQL and MariaDB are measured where `OMADATA_TEST_POSTGRES` and `OMADATA_TEST_MARIADB` say where they are.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a program that measures"
)]
#![allow(clippy::print_stdout, reason = "it prints its table")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use omadata::app::SystemClock;
use omadata::config::{Config, Overlay};
use omadata::domain::ids::{DatasetId, NationalIdentifier};
use omadata::ports::{Clock, Question, Registers};
use omadata::registers::{Bounds, CityRegisters};

const RESIDENTS: u32 = 100_000;
const QUESTIONS: u32 = 10_000;

/// Longest median time of a question.
const MEDIAN: Duration = Duration::from_millis(5);
/// Largest growth of the process over the questions to one register, after the first thousand.
const GROWTH_KIB: i64 = 16 * 1024;

/// The node's own sections; its registers and datasets are the bench's.
const NODE: &str = include_str!("../federation-config/espoo.toml");

const DATASET: &str = r#"
type = "early-education-placements"
title = { fi = "Paikat", sv = "Platser", en = "Placements" }
description = { fi = "Paikat", sv = "Platser", en = "Placements" }
theme = "EDUC"
legal_bases = ["A6-1-e"]
legislation = ["http://data.finlex.fi/eli/sd/2018/540/alkup"]
retention = "P10Y"
fields = [
  { name = "childName", type = "string", label = { fi = "Lapsi", sv = "Barn", en = "Child" } },
  { name = "unit", type = "string", label = { fi = "Yksikkö", sv = "Enhet", en = "Unit" } },
  { name = "startDate", type = "date", label = { fi = "Alkaa", sv = "Börjar", en = "Starts" } },
  { name = "fee", type = "decimal", label = { fi = "Maksu", sv = "Avgift", en = "Fee" } },
]
"#;

/// An identifier of nobody: there is no individual number 900 or above.
fn guardian(number: u32) -> String {
    format!("{number:06}-900X")
}

/// Two placements of each resident.
fn rows() -> impl Iterator<Item = [String; 5]> {
    (0..RESIDENTS).flat_map(|number| {
        [1, 2].map(|child| {
            let fee = format!("{}.{:02}", 40 + number % 250, number % 100);
            [
                guardian(number),
                format!("Lapsi {child}"),
                format!("Päiväkoti {}", number % 400),
                format!("202{child}-08-01"),
                fee,
            ]
        })
    })
}

const TABLE: &str = "CREATE TABLE placement (guardian varchar(11), child varchar(40), unit varchar(40), start_date date, fee numeric(8,2))";
const INDEX: &str = "CREATE INDEX placement_guardian ON placement (guardian)";

const QUERY: &str = "subject_column = \"guardian\"\n\
    query = '''SELECT guardian, child AS \"childName\", unit, start_date AS \"startDate\", fee FROM placement \
    WHERE guardian = $1 ORDER BY start_date'''";

/// INSERT statements of a thousand rows each.
fn inserts() -> Vec<String> {
    let mut statements = Vec::new();
    for (number, row) in rows().enumerate() {
        if number % 1000 == 0 {
            statements.push("INSERT INTO placement VALUES ".to_owned());
        }
        let last = statements.last_mut().unwrap();
        let separator = if number % 1000 == 0 { "" } else { "," };
        let [guardian, child, unit, start, fee] = row;
        write!(last, "{separator}('{guardian}','{child}','{unit}','{start}',{fee})").unwrap();
    }
    statements
}

fn fill(mut execute: impl FnMut(&str)) {
    execute("DROP TABLE IF EXISTS placement");
    execute(TABLE);
    for statement in inserts() {
        execute(&statement);
    }
    execute(INDEX);
}

fn object(row: &[String; 5]) -> String {
    let [guardian, child, unit, start, fee] = row;
    format!(
        r#"{{"guardian":"{guardian}","childName":"{child}","unit":"{unit}","startDate":"{start}","fee":{fee}}}"#
    )
}

/// A register's sections, and what its dataset adds.
struct Register {
    name: &'static str,
    section: String,
    source: String,
}

fn files(folder: &Path) -> [Register; 2] {
    let json = folder.join("placements.json");
    let mut out = BufWriter::new(std::fs::File::create(json).unwrap());
    for (number, row) in rows().enumerate() {
        write!(out, "{}{}", if number == 0 { "[" } else { ",\n" }, object(&row)).unwrap();
    }
    out.write_all(b"]").unwrap();
    out.flush().unwrap();
    let mut out = BufWriter::new(std::fs::File::create(folder.join("placements.csv")).unwrap());
    writeln!(out, "guardian;childName;unit;startDate;fee").unwrap();
    for row in rows() {
        writeln!(out, "{}", row.join(";")).unwrap();
    }
    out.flush().unwrap();
    let section = format!("kind = \"file\"\npath = {:?}", folder.display().to_string());
    let of = |name, source: &str| Register { name, section: section.clone(), source: source.to_owned() };
    [
        of("file, JSON", "subject_column = \"guardian\"\nfile = \"placements.json\""),
        of(
            "file, CSV",
            "subject_column = \"guardian\"\nfile = \"placements.csv\"\ncsv = { delimiter = \";\" }",
        ),
    ]
}

fn sqlite(folder: &Path) -> Register {
    let file = folder.join("register.sqlite");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    database.batch_execute("BEGIN").unwrap();
    fill(|statement| database.batch_execute(statement).unwrap());
    database.batch_execute("COMMIT").unwrap();
    let section = format!("kind = \"sql\"\nurl = \"sqlite:{}\"", file.display());
    Register { name: "sql, SQLite", section, source: QUERY.to_owned() }
}

/// The same table in a database of its own.
fn postgres(folder: &Path) -> Option<Register> {
    let address = std::env::var("OMADATA_TEST_POSTGRES").ok()?;
    let mut database = PgConnection::establish(&address).unwrap();
    database.batch_execute("DROP DATABASE IF EXISTS omadata_bench_register").unwrap();
    database.batch_execute("CREATE DATABASE omadata_bench_register").unwrap();
    let mut own = url::Url::parse(&address).unwrap();
    own.set_path("omadata_bench_register");
    let mut database = PgConnection::establish(own.as_str()).unwrap();
    fill(|statement| database.batch_execute(statement).unwrap());
    database.batch_execute("ANALYZE placement").unwrap();
    let password = own.password().unwrap().to_owned();
    let file = folder.join("postgres-password");
    std::fs::write(&file, password).unwrap();
    own.set_password(None).unwrap();
    let section =
        format!("kind = \"sql\"\nurl = \"{own}\"\npassword_file = {:?}", file.display().to_string());
    Some(Register { name: "sql, PostgreSQL", section, source: QUERY.to_owned() })
}

#[cfg(feature = "odbc")]
fn odbc(folder: &Path) -> Option<Register> {
    let address = url::Url::parse(&std::env::var("OMADATA_TEST_MARIADB").ok()?).unwrap();
    let text = format!(
        "Driver={{MariaDB Unicode}};Server={};Port={};Database={};UID={}",
        address.host_str().unwrap(),
        address.port().unwrap(),
        address.path().trim_start_matches('/'),
        address.username()
    );
    let password = address.password().unwrap();
    let environment = odbc_api::environment().unwrap();
    let all = format!("{text};PWD={password}");
    let connection =
        environment.connect_with_connection_string(&all, odbc_api::ConnectionOptions::default()).unwrap();
    fill(|statement| drop(connection.execute(statement, (), None).unwrap()));
    let file = folder.join("odbc-password");
    std::fs::write(&file, password).unwrap();
    let section =
        format!("kind = \"odbc\"\nconnection = {text:?}\npassword_file = {:?}", file.display().to_string());
    Some(Register {
        name: "odbc, MariaDB",
        section,
        source: QUERY.replace('"', "`").replacen("`guardian`", "\"guardian\"", 1),
    })
}

#[cfg(not(feature = "odbc"))]
const fn odbc(_: &Path) -> Option<Register> {
    None
}

/// A service that keeps its connections, and answers for the person at the end of the path.
fn service(form: fn(&[[String; 5]; 2]) -> String) -> u16 {
    let answers: Arc<Vec<String>> = Arc::new({
        let all: Vec<[String; 5]> = rows().collect();
        all.chunks(2).map(|pair| form(&[pair[0].clone(), pair[1].clone()])).collect()
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answers) = (stream.unwrap(), Arc::clone(&answers));
            std::thread::spawn(move || serve(&stream, &answers));
        }
    });
    port
}

fn serve(stream: &TcpStream, answers: &[String]) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let person = line.split(' ').nth(1).unwrap().rsplit('/').next().unwrap().to_owned();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        line.clear();
        let answer = &answers[person[..6].parse::<usize>().unwrap()];
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if writer.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}

fn http() -> Register {
    let port = service(|rows| format!(r#"{{"data":[{},{}]}}"#, object(&rows[0]), object(&rows[1])));
    Register {
        name: "http",
        section: format!("kind = \"http\"\nurl = \"http://register.localhost:{port}/api\""),
        source: "subject_column = \"guardian\"\n\n[datasets.request]\npath = \"/placements/{subject}\"\nrecords = \"/data\""
            .to_owned(),
    }
}

fn gdpr_api() -> Register {
    let port = service(|rows| {
        let mut children = String::new();
        for row in rows {
            let separator = if children.is_empty() { "" } else { "," };
            write!(children, r#"{separator}{{"key":"PLACEMENT","children":["#).unwrap();
            for (key, value) in ["guardian", "childName", "unit", "startDate"].iter().zip(row) {
                write!(children, r#"{{"key":"{key}","value":"{value}"}},"#).unwrap();
            }
            write!(children, r#"{{"key":"fee","value":{}}}]}}"#, row[4]).unwrap();
        }
        format!(r#"{{"key":"PLACEMENTS","children":[{children}]}}"#)
    });
    Register {
        name: "gdpr-api",
        section: format!("kind = \"gdpr-api\"\nurl = \"http://register.localhost:{port}/gdpr-api/v1\""),
        source: "subject_column = \"guardian\"\n\n[datasets.request]\npath = \"/profiles/{subject}\"\nrecords = \"/PLACEMENT\""
            .to_owned(),
    }
}

/// A plug-in in Python that has all in memory.
fn plugin(folder: &Path) -> Option<Register> {
    const PROGRAM: &str = r#"
import csv, json, sys
held = {}
with open(sys.argv[1], encoding="utf-8") as file:
    for row in csv.DictReader(file, delimiter=";"):
        held.setdefault(row.pop("guardian"), []).append(row)
for line in sys.stdin:
    question = json.loads(line)
    fields, subject = question["fields"], question["subject"]
    records = [{"subject": subject, "values": {field: row[field] for field in fields}} for row in held.get(subject, [])]
    print(json.dumps({"id": question["id"], "records": records}), flush=True)
"#;
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        println!("plugin: not measured, there is no {}", python.display());
        return None;
    }
    let program = folder.join("plugin.py");
    std::fs::write(&program, PROGRAM).unwrap();
    let command = [python, &program, &folder.join("placements.csv")].map(|path| path.display().to_string());
    let section = format!("kind = \"plugin\"\ncommand = {command:?}\nmemory_mib = 2048\ntimeout_ms = 10000");
    Some(Register { name: "plugin, Python", section, source: String::new() })
}

/// A node's registers with this one.
fn connect(register: &Register) -> CityRegisters {
    let (node, _) = NODE.split_once("[[registers]]").unwrap();
    let Register { section, source, .. } = register;
    let text = format!(
        "{node}[[registers]]\nid = \"bench\"\nname = {{ fi = \"R\", sv = \"R\", en = \"R\" }}\n{section}\n\n[[datasets]]\nid = \"placements\"\
         {DATASET}register = \"bench\"\n{source}\n"
    );
    let folder = std::env::temp_dir();
    let config = Config::parse("bench.toml", &text, &folder, &Overlay::default()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bounds = Bounds { max_records: config.limits.max_records, max_bytes: config.limits.max_bytes };
    CityRegisters::new(&config.registers, &config.datasets, bounds, &clock).unwrap()
}

/// Memory of the process in KiB.
fn memory() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Reads residents spread over all; prints a line and tells whether it is within the bounds.
async fn measure(register: &Register) -> bool {
    let registers = connect(register);
    let fields = ["childName", "unit", "startDate", "fee"].map(|name| name.parse().unwrap()).to_vec();
    let mut times = Vec::new();
    let (mut before, begun) = (0, Instant::now());
    for number in 0..QUESTIONS + 1000 {
        if number == 1000 {
            before = memory();
            times.clear();
        }
        let question = Question::new(
            DatasetId::new("placements").unwrap(),
            NationalIdentifier::new(&guardian(number.wrapping_mul(7919) % RESIDENTS)).unwrap(),
            Vec::clone(&fields),
        );
        let start = Instant::now();
        let records =
            registers.read(question).await.unwrap_or_else(|error| panic!("{}: {error}", register.name));
        times.push(start.elapsed());
        assert_eq!(records.len(), 2, "{}", register.name);
    }
    let growth = memory() - before;
    times.sort();
    let at = |share: usize| times[times.len() * share / 100];
    let (median, late) = (at(50), at(99));
    println!(
        "{:<18} {:>9.3} {:>9.3} {:>9.1} {:>10}",
        register.name,
        median.as_secs_f64() * 1e3,
        late.as_secs_f64() * 1e3,
        begun.elapsed().as_secs_f64(),
        growth
    );
    median <= MEDIAN && growth <= GROWTH_KIB
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("{RESIDENTS} residents, {QUESTIONS} questions each");
    println!("{:<18} {:>9} {:>9} {:>9} {:>10}", "register", "p50 ms", "p99 ms", "all s", "growth KiB");
    let mut within = true;
    for register in files(folder.path()) {
        within &= measure(&register).await;
    }
    within &= measure(&sqlite(folder.path())).await;
    for register in [postgres(folder.path()), odbc(folder.path())].into_iter().flatten() {
        within &= measure(&register).await;
    }
    if let Some(register) = plugin(folder.path()) {
        within &= measure(&register).await;
    }
    within &= measure(&http()).await;
    within &= measure(&gdpr_api()).await;
    assert!(within, "beyond {MEDIAN:?} at the median, or {GROWTH_KIB} KiB of growth");
}
