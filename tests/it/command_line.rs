//! The commands as an operator's shell runs them: closed pipes, odd identifiers, wrong registers, signals.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use omadata::config::shipped::{self, City, Overrides, Ports};
use omadata::demo::world::write_world;
use omadata::domain::ids::ConsentId;
use tokio::time::Instant;

use crate::harness::free_ports;

const OMADATA: &str = env!("CARGO_BIN_EXE_omadata");

/// Espoo's configuration in a folder of its own, on a free port; nothing of it has been started.
fn espoo(folder: &Path) -> (PathBuf, SocketAddr) {
    let first = free_ports(11);
    let ports = Ports {
        anchor: first,
        helsinki: first + 1,
        espoo: first + 2,
        turku: first + 3,
        oulu: first + 4,
        systems: first + 5,
        login: first + 9,
        service: first + 10,
    };
    let file = folder.join("espoo.toml");
    let overrides = Overrides { folder: folder.to_owned(), ports };
    std::fs::write(&file, shipped::node_text(City::Espoo, &overrides)).unwrap();
    (file, SocketAddr::from((Ipv4Addr::LOCALHOST, first + 2)))
}

fn omadata(arguments: &[&str], config: &Path) -> Output {
    let output = Command::new(OMADATA).args(arguments).arg("--config").arg(config).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("panicked"), "{told}");
    output
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_closed_pipe_ends_a_command_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = espoo(folder.path());
    for arguments in [vec!["config", "check"], vec!["keys", "export", "--config"]] {
        // As behind `| head -0`: nobody reads any more before the first line is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(OMADATA)
            .args(&arguments)
            .arg(&config)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output();
        let output = output.unwrap();
        assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn an_identifier_that_begins_with_a_hyphen_is_an_identifier() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = espoo(folder.path());
    let id = ConsentId::from_bytes([0xfb; 16]).to_string();
    assert!(id.starts_with('-'), "{id}");
    for arguments in [["consent", "verify", &id], ["consent", "export", &id]] {
        let output = omadata(&arguments, &config);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(!errors(&output).contains("unexpected argument"), "{}", errors(&output));
    }
    let output = omadata(&["keys", "revoke", "-made-up-key-identifier", "--reason", "superseded"], &config);
    assert!(!errors(&output).contains("unexpected argument"), "{}", errors(&output));
}

#[test]
fn an_unknown_log_filter_is_refused_and_not_taken_for_a_module() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = espoo(folder.path());
    for command in ["serve", "anchor"] {
        let output = omadata(&[command, "--log", "verbose"], &config);
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains("write error, warn, info, debug"), "{}", errors(&output));
    }
}

#[test]
fn a_register_that_is_not_there_is_told_by_name_and_cause() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = espoo(folder.path());
    let output = omadata(&["registers", "test", "placements"], &config);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("FAIL  placements (register early-education): "), "{told}");
    assert!(told.contains("unable to open database file"), "{told}");
    let unknown = omadata(&["registers", "test", "parking"], &config);
    assert!(errors(&unknown).contains("no dataset parking"), "{}", errors(&unknown));
}

#[test]
fn a_polite_signal_stops_a_node_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (config, address) = espoo(folder.path());
    let mut node = Command::new(OMADATA)
        .args(["serve", "--log", "info", "--config"])
        .arg(&config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the node does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    // It listens before it serves: the log says when it is ready.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(node.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("\"event\":\"ready\"")));
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &node.id().to_string()]).status().unwrap().success());
    assert!(lines.any(|line| line.unwrap().contains("\"event\":\"stopping\"")));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(node.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(asked.elapsed() < Duration::from_secs(25), "{rest:?}");
    assert!(!rest.iter().any(|line| line.contains("tasks_aborted")), "{rest:?}");
}

/// Runs a command with a text on its standard input.
fn omadata_told(arguments: &[&str], config: &Path, input: &str) -> Output {
    let mut command = Command::new(OMADATA);
    command.args(arguments).arg("--config").arg(config);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A city's configuration with the demo's registers beside it, and one of their residents.
fn city_with_registers(city: City, folder: &Path) -> (PathBuf, String) {
    let residents = write_world(folder, 1).unwrap().residents;
    let aino = residents.iter().find(|resident| resident.username == "aino").unwrap();
    let file = folder.join(format!("{}.toml", city.slug()));
    std::fs::write(&file, shipped::node_text(city, &Overrides::in_folder(folder))).unwrap();
    (file, aino.identifier.reveal().to_owned())
}

#[test]
fn a_register_is_tried_with_one_resident_and_shows_no_value_unless_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (config, aino) = city_with_registers(City::Espoo, folder.path());
    let test = ["registers", "test", "placements", "--resident", "-"];
    let output = omadata_told(&test, &config, &format!("{aino}\n"));
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}{}", errors(&output));
    for line in [
        "dataset placements, register early-education",
        "the subject: guardian, never released",
        "  unit -> unit (string): released",
        "pass  record 1: this resident's",
        "  startDate: a text of 10 characters",
    ] {
        assert!(told.lines().any(|written| written == line), "{line}: {told}");
    }
    assert!(!told.contains(&aino) && !errors(&output).contains(&aino), "{told}{}", errors(&output));

    let shown = said(&omadata_told(&[&test[..], &["--show-values"]].concat(), &config, &aino));
    assert!(shown.contains("what follows is personal data of this resident"), "{shown}");
    let day = shown.lines().find_map(|line| line.strip_prefix("  startDate: \"")).unwrap();
    assert!(day.starts_with("20"), "{shown}");
    assert!(!told.contains(day), "{told}");

    // The same, with the identifier as an argument, and the fields of one use alone.
    let one = ["registers", "test", "decisions", "--use", "early-education-decision", "--resident", &aino];
    let output = omadata(&one, &config);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}{}", errors(&output));
    for line in ["  unit -> unit.name (string): released", "  unit -> unit.address (string): not read"] {
        assert!(told.lines().any(|written| written == line), "{line}: {told}");
    }
    assert!(told.contains("  unit: {name: a text of ") && !told.contains("address: "), "{told}");
    let unknown =
        omadata(&["registers", "test", "placements", "--use", "none", "--resident", &aino], &config);
    assert!(errors(&unknown).contains("no use none"), "{}", errors(&unknown));
    let nobody = omadata_told(&test, &config, "030303-902X\n");
    assert!(said(&nobody).lines().any(|line| line == "records: 0"), "{}", said(&nobody));
}

#[test]
fn a_fault_is_told_with_the_side_it_is_on() {
    let folder = tempfile::tempdir().unwrap();
    let (config, aino) = city_with_registers(City::Espoo, folder.path());
    let test = |dataset: &str| omadata(&["registers", "test", dataset, "--resident", &aino], &config);
    let renamed = std::fs::read_to_string(&config).unwrap().replace("unit,", "unyt AS unit,");
    std::fs::write(&config, renamed).unwrap();
    let output = test("placements");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("FAIL  the register's side, or the way to it: "), "{}", said(&output));
    let file = folder.path().join("espoo/registers/fees/fee-decisions.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"siblingDiscount\":", "\"discount\":")).unwrap();
    let output = test("fee-decisions");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let side = "FAIL  the register's answer and this dataset's section differ: ";
    assert!(said(&output).contains(side), "{}", said(&output));
    assert!(!said(&output).contains(&aino), "{}", said(&output));
}

#[test]
fn a_drafted_section_is_accepted_and_reads_the_register() {
    let folder = tempfile::tempdir().unwrap();
    for (city, register, what, id) in [
        (City::Espoo, "early-education", "service_need_row", "service-need-row"),
        (City::Espoo, "fees", "fee-decisions.json", "fee-decisions"),
        (City::Oulu, "early-education", "placements.csv", "placements"),
    ] {
        let (config, aino) = city_with_registers(city, folder.path());
        let mut arguments = vec!["registers", "test", "--init", what, "--register", register];
        if city == City::Oulu {
            // Two columns hold identifiers: which one is the resident's is for the operator to say.
            let undecided = omadata(&arguments, &config);
            assert_eq!(undecided.status.code(), Some(1));
            assert!(errors(&undecided).contains("--subject-column"), "{}", errors(&undecided));
            arguments.extend(["--subject-column", "Huoltajan henkilötunnus"]);
        }
        let output = omadata(&arguments, &config);
        let section = said(&output);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", errors(&output));
        assert!(!section.contains(&aino), "a draft holds no data: {section}");
        // Beside the city's own datasets, under a name of its own.
        let section = section.replace(&format!("id = \"{id}\"\n"), "id = \"drafted\"\n");
        let section = section.replace(&format!("type = \"{id}\"\n"), "type = \"drafted\"\n");
        let whole = format!("{}\n{section}", std::fs::read_to_string(&config).unwrap());
        std::fs::write(&config, whole).unwrap();
        let checked = Command::new(OMADATA).args(["config", "check"]).arg(&config).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{section}{}{}", said(&checked), errors(&checked));
        let output = omadata(&["registers", "test", "drafted", "--resident", &aino], &config);
        assert_eq!(output.status.code(), Some(0), "{section}{}{}", said(&output), errors(&output));
        assert!(said(&output).contains("pass  record 1: this resident's"), "{}", said(&output));
    }
    let (config, _) = city_with_registers(City::Espoo, folder.path());
    for (what, told) in
        [("no_such_table", "no such table"), ("placement; DROP TABLE placement", "not the name of a table")]
    {
        let arguments = ["registers", "test", "--init", what, "--register", "early-education"];
        let output = omadata(&arguments, &config);
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(errors(&output).contains(told), "{what}: {}", errors(&output));
    }
    let outside = ["registers", "test", "--init", "../early-education.sqlite", "--register", "fees"];
    assert!(errors(&omadata(&outside, &config)).contains("not a .csv or .json file"));
}
