//! The commands as an operator's shell runs them: closed pipes, odd identifiers, wrong registers, signals.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use omadata::config::shipped::{self, City, Overrides, Ports};
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
