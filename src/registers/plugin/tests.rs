//! Plug-ins that keep the contract give records; whatever else they do is refused by its name and does not outlive it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::catalogue::register::{Connection, ProtectedColumn, Selection};
use crate::domain::catalogue::service::PluginProcess;
use crate::domain::ids::{DatasetId, FieldName, FieldPath, NationalIdentifier};
use crate::ports::{Question, RegisterError, Registers};
use crate::registers::service::testing::{Server, json as answer, word};
use crate::registers::service::tests::service;
use crate::registers::tests::{ANNA, BERTIL, held, question, registers_of, sources};
use crate::registers::{Bounds, CityRegisters};

const BOUNDS: Bounds = Bounds { max_records: 10, max_bytes: 10_000 };

fn about(who: &str) -> Question {
    let fields = ["unit", "number"].map(|name| FieldPath::new(name).unwrap()).to_vec();
    Question { fields, ..question(&NationalIdentifier::new(who).unwrap()) }
}

fn program(command: &[&str]) -> PluginProcess {
    PluginProcess {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        working_directory: "/".into(),
        memory_mib: 256,
        at_once: 4,
    }
}

fn plugin(program: PluginProcess) -> CityRegisters {
    sources(Connection::Plugin(Box::new(program)), Selection::Plugin, BOUNDS)
}

fn shell(script: &str) -> CityRegisters {
    plugin(program(&["/bin/sh", "-c", script]))
}

/// What a script records in a file, one line each.
fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    line: Option<String>,
    script: Option<String>,
    error: Option<String>,
    #[serde(default)]
    cause: String,
    from: Option<String>,
    #[serde(default)]
    records: usize,
    #[serde(default)]
    foreign: usize,
}

fn judge(line: &Line, outcome: Result<Vec<crate::domain::catalogue::Record>, super::Failure>) {
    let name = &line.name;
    match (line.error.as_deref(), outcome) {
        (None, Ok(records)) => {
            let foreign = records.iter().filter(|record| record.subject.reveal() != ANNA).count();
            assert_eq!((records.len(), foreign), (line.records, line.foreign), "{name}");
        }
        (Some("later"), Err(failure)) => {
            let RegisterError::AvailableFrom(from) = failure.error else { panic!("{name}: {failure:?}") };
            assert_eq!(Some(from.rfc3339()), line.from, "{name}");
        }
        (Some(error), Err(failure)) => {
            let word = word(&failure.error);
            assert_eq!(word, error, "{name}: {}", failure.cause);
            assert!(failure.cause.contains(&line.cause), "{name}: {}", failure.cause);
            assert!(!failure.cause.contains("900P") && !failure.cause.contains("Kuusi"), "{name}");
        }
        (expected, outcome) => panic!("{name}: {outcome:?}, not {expected:?}"),
    }
}

fn table() -> Vec<Line> {
    serde_json::from_str(include_str!("../../../tests/vectors/registers/plugin.json")).unwrap()
}

#[tokio::test]
async fn every_answer_that_breaks_the_contract_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for line in table() {
        let path = folder.path().join("answer");
        std::fs::write(&path, format!("{}\n", line.line.clone().unwrap_or_default())).unwrap();
        let script = line.script.clone().unwrap_or_else(|| format!("cat {}; sleep 20", path.display()));
        judge(&line, shell(&format!("read -r question; {script}")).ask(about(ANNA)).await);
    }
}

#[tokio::test]
async fn the_same_messages_are_understood_over_http() {
    for line in table().into_iter().filter(|line| line.script.is_none()) {
        let body = line.line.clone().unwrap();
        let server = Server::start(move |_| answer(200, &body));
        let sources =
            sources(Connection::PluginService(Box::new(service(server.url()))), Selection::Plugin, BOUNDS);
        let outcome = sources.ask(about(ANNA)).await;
        // A process that breaks the framing is stopped; a service's answer is only refused.
        match (line.cause.as_str(), outcome) {
            (cause, Err(failure)) if cause.ends_with("was stopped") => {
                assert!(matches!(failure.error, RegisterError::Unfit(_)), "{}: {failure:?}", line.name);
            }
            (_, outcome) => judge(&line, outcome),
        }
        let asked = &server.asked()[0];
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/api"));
        assert_eq!(
            serde_json::from_str::<Value>(&asked.body).unwrap(),
            json!({"id": "1", "dataset": "placements", "subject": ANNA, "fields": ["unit", "number"]})
        );
    }
}

#[tokio::test]
async fn one_process_answers_many_questions_in_any_order() {
    // Answers the second question before the first.
    let script = r#"
        read -r first; read -r second
        for line in "$second" "$first"; do
            id=$(echo "$line" | sed 's/.*"id":"\([0-9]*\)".*/\1/')
            who=$(echo "$line" | sed 's/.*"subject":"\([^"]*\)".*/\1/')
            echo "{\"id\": \"$id\", \"records\": [{\"subject\": \"$who\", \"values\": {\"unit\": \"$who\", \"number\": $$}}]}"
        done
        cat > /dev/null"#;
    let sources = shell(script);
    let (anna, bertil) = tokio::join!(sources.read(about(ANNA)), sources.read(about(BERTIL)));
    let (anna, bertil) = (anna.unwrap(), bertil.unwrap());
    let value = |record: &crate::domain::catalogue::Record, name: &str| {
        record.values[&FieldName::new(name).unwrap()].clone()
    };
    for (records, who) in [(&anna, ANNA), (&bertil, BERTIL)] {
        assert_eq!((records[0].subject.reveal(), value(&records[0], "unit")), (who, json!(who)));
    }
    assert_eq!(value(&anna[0], "number"), value(&bertil[0], "number"), "one process for both");
}

#[tokio::test]
async fn a_process_that_ended_is_started_again_after_a_pause_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let starts = folder.path().join("starts");
    let sources = shell(&format!("echo started >> {}; read -r question; exit 1", starts.display()));
    let mut refused = 0;
    let begun = tokio::time::Instant::now();
    while lines(&starts).len() < 3 {
        let failure = sources.ask(about(ANNA)).await.unwrap_err();
        assert_eq!(failure.error, RegisterError::Unavailable);
        refused += usize::from(failure.cause.contains("it is started again after a pause"));
        // Not before these pauses, counted from the first start.
        let passed = begun.elapsed();
        let most =
            [0, 250, 750, 1750].iter().filter(|pause| Duration::from_millis(**pause) <= passed).count();
        assert!(lines(&starts).len() <= most, "{passed:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_stopped_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let script = format!(
        "( while :; do echo x >> {0}; sleep 0.1; done ) & read -r question; sleep 20",
        alive.display()
    );
    let failure = shell(&script).ask(about(ANNA)).await.unwrap_err();
    assert_eq!(failure.cause, "the plug-in ended: it did not answer within timeout_ms and was stopped");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = lines(&alive).len();
    assert!(before > 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(lines(&alive).len(), before);
}

#[tokio::test]
async fn a_process_that_reads_no_question_is_stopped_and_named() {
    let deaf = shell("sleep 20");
    // More than a pipe holds.
    let names = (0..4_000).map(|number| FieldPath::new(format!("aFieldWithALongName{number}")).unwrap());
    let failure = deaf.ask(Question { fields: names.collect(), ..about(ANNA) }).await.unwrap_err();
    assert_eq!(failure.cause, "the plug-in ended: it did not answer within timeout_ms and was stopped");

    let closing = shell("read -r question; exec 0<&-; echo '{\"id\": \"1\", \"records\": []}'; sleep 20");
    assert_eq!(closing.read(about(ANNA)).await, Ok(vec![]));
    let failure = closing.ask(about(ANNA)).await.unwrap_err();
    assert_eq!(failure.cause, "the plug-in ended: it closed its standard input and was stopped");
}

#[tokio::test]
async fn a_process_ends_with_the_node_and_so_does_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let sources = shell(&format!(
        "trap '' TERM HUP; ( while :; do echo x >> {0}; sleep 0.1; done ) & \
         read -r question; echo '{{\"id\": \"1\", \"records\": []}}'; sleep 20",
        alive.display()
    ));
    assert_eq!(sources.read(about(ANNA)).await, Ok(vec![]));
    while lines(&alive).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(sources);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = lines(&alive).len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(lines(&alive).len(), before);
}

#[tokio::test]
async fn records_tell_of_an_order_where_the_dataset_says_so_and_its_absence_is_an_error() {
    let mut held = held(Selection::Plugin);
    held.dataset.protected_fields = vec![FieldPath::new("unit").unwrap()];
    held.source.protected = Some(ProtectedColumn { column: "order".into(), marker: None });
    held.source.available_from_column = Some("ready".into());
    held.source.names.person = Some("child".into());
    let record = |marks: &str| {
        format!(
            "{{\"subject\": \"{ANNA}\", \"values\": {{\"unit\": \"Kuusi\", \"number\": 7}}, \"child\": \"{BERTIL}\"{marks}}}"
        )
    };
    for (marks, told) in [
        (", \"order\": true, \"ready\": null", Ok(json!({"unit": null, "number": 7}))),
        (
            ", \"order\": false, \"ready\": \"2026-08-01T09:30:00+03:00\"",
            Ok(json!({"unit": "Kuusi", "number": 7})),
        ),
        ("", Err(RegisterError::Unfit("a record's mark cannot be read"))),
        (", \"order\": null, \"ready\": null", Err(RegisterError::Unfit("a record's mark cannot be read"))),
        (
            ", \"order\": true, \"ready\": \"soon\"",
            Err(RegisterError::Unfit("a record's mark cannot be read")),
        ),
    ] {
        let body = format!("{{\"id\": \"1\", \"records\": [{}]}}", record(marks));
        let server = Server::start(move |_| answer(200, &body));
        let connection = Connection::PluginService(Box::new(service(server.url())));
        let sources = registers_of(connection, held.clone());
        let values = sources.read(about(ANNA)).await.map(|records| {
            let child = records[0].names.person.as_ref().map(NationalIdentifier::reveal);
            assert_eq!(child, Some(BERTIL));
            json!(records[0].values)
        });
        assert_eq!(values, told, "{marks}");
    }
}

#[tokio::test]
async fn objects_and_lists_have_exactly_the_parts_that_were_asked_for() {
    let label = json!({"fi": "a", "sv": "b", "en": "c"});
    let field = |name: &str| json!({"name": name, "type": "string", "label": label});
    let mut held = held(Selection::Plugin);
    held.dataset.fields = serde_json::from_value(json!([
        {"name": "unit", "type": "object", "label": label, "fields": [field("name"), field("address")]},
        {"name": "children", "type": "array", "label": label, "fields": [field("name"), field("fee")]},
    ]))
    .unwrap();
    let fields = ["unit.name", "children.fee"].map(|path| FieldPath::new(path).unwrap()).to_vec();
    let surplus = Err(RegisterError::Unfit("the plug-in's answer breaks the contract"));
    for (values, told) in [
        (json!({"unit": {"name": "Kuusi"}, "children": [{"fee": "1"}, {"fee": null}]}), Ok(())),
        (json!({"unit": null, "children": null}), Ok(())),
        (json!({"unit": {"name": "Kuusi", "address": "Tie 1"}, "children": []}), surplus.clone()),
        (json!({"unit": null, "children": [{"fee": "1"}, {"fee": "2", "name": "Aada"}]}), surplus),
        (json!({"unit": {}, "children": []}), Err(RegisterError::Unfit("a field is not of its type"))),
    ] {
        let body = json!({"id": "1", "records": [{"subject": ANNA, "values": values}]}).to_string();
        let server = Server::start(move |_| answer(200, &body));
        let connection = Connection::PluginService(Box::new(service(server.url())));
        let sources = registers_of(connection, held.clone());
        let read = sources.read(Question { fields: fields.clone(), ..about(ANNA) }).await;
        let read = read.map(|records| assert_eq!(json!(records[0].values), values));
        assert_eq!(read, told, "{values}");
        let asked: Value = serde_json::from_str(&server.asked()[0].body).unwrap();
        assert_eq!(asked["fields"], json!(["unit.name", "children.fee"]));
    }
}

#[tokio::test]
async fn a_process_gets_its_own_environment_folder_and_limits_and_nothing_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!(
        "read -r question; {{ env | sort; pwd; ulimit -v; ulimit -n; ulimit -c; }} > {}; \
         echo 'a secret of 010190-900P' >&2; echo '{{\"id\": \"1\", \"records\": []}}'; cat > /dev/null",
        seen.display()
    );
    let environment = BTreeMap::from([("COLOUR".to_owned(), "blue".to_owned())]);
    let limited = PluginProcess {
        environment,
        working_directory: folder.path().to_owned(),
        ..program(&["/bin/sh", "-c", &format!("PATH=/usr/bin:/bin; {script}")])
    };
    assert_eq!(plugin(limited).read(about(ANNA)).await, Ok(vec![]));
    let seen = lines(&seen);
    assert!(seen.contains(&"COLOUR=blue".to_owned()), "{seen:?}");
    for line in seen.iter().filter(|line| line.contains('=')) {
        // What a shell sets itself.
        assert!(
            ["COLOUR=", "PWD=", "PATH=", "SHLVL=", "_=", "OLDPWD="].iter().any(|own| line.starts_with(own)),
            "{line}"
        );
    }
    let folder = folder.path().to_str().unwrap();
    assert_eq!(&seen[seen.len() - 4..], [folder, "262144", "256", "0"]);
    let absent = plugin(program(&["/nowhere/plugin"])).ask(about(ANNA)).await.unwrap_err();
    assert!(
        absent.cause.starts_with("this side: the plug-in /nowhere/plugin does not start: "),
        "{}",
        absent.cause
    );
}

#[tokio::test]
async fn the_example_of_the_manual_answers_as_it_says() {
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        eprintln!("left out: the example plug-in needs /usr/bin/python3, which is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fees.txt");
    std::fs::write(&file, format!("{ANNA}|Anni|288.30|EUR\n{BERTIL}|Bo|12.00|\n")).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plugins/fees.py");
    let command = [python.to_str().unwrap(), example.to_str().unwrap(), file.to_str().unwrap()];
    let process = super::Process::new(program(&command), Duration::from_secs(10), 40_000);
    let fields = ["amount", "childName"].map(|name| FieldPath::new(name).unwrap()).to_vec();
    let dataset = DatasetId::new("fees").unwrap();
    for (who, told) in [
        (ANNA, json!([{"subject": ANNA, "values": {"amount": "288.30", "childName": "Anni"}}])),
        ("030303-902X", json!([])),
    ] {
        let question = Question { dataset: dataset.clone(), fields: fields.clone(), ..about(who) };
        let (id, line) = process.ask(|id| super::messages::request(id, &question)).unwrap();
        let answer: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(answer, json!({"id": id, "records": told}));
    }
    let other = Question { dataset: DatasetId::new("other").unwrap(), ..about(ANNA) };
    let (id, line) = process.ask(|id| super::messages::request(id, &other)).unwrap();
    let answer: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(answer, json!({"id": id, "error": "unfit"}));
}
