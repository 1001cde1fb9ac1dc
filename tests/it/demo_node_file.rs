//! `omadata demo --node`: a city's engineer tries a register of their own through everything.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::free_ports;

const OMADATA: &str = env!("CARGO_BIN_EXE_omadata");

/// A demo of the command; killed when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn demo(folder: &Path, base_port: u16, files: &[&Path]) -> Command {
    let mut command = Command::new(OMADATA);
    command.arg("demo").arg("--data-dir").arg(folder).args(["--base-port", &base_port.to_string()]);
    for file in files {
        command.arg("--node").arg(file);
    }
    command
}

/// Starts it, waits until everything serves, and gives it with what `--ready-file` says.
fn started(folder: &Path, base_port: u16, files: &[&Path]) -> (Demo, String) {
    let ready = folder.join("ready.json");
    let _ = std::fs::remove_file(&ready);
    let mut command = demo(folder, base_port, files);
    let mut running = Demo(command.arg("--ready-file").arg(&ready).stdout(Stdio::null()).spawn().unwrap());
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(&ready) {
            return (running, text);
        }
        assert!(running.0.try_wait().unwrap().is_none(), "the demo ended");
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the demo is not ready after a minute");
}

fn catalogue_of_espoo(base_port: u16) -> String {
    let port = base_port + 2;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(
        stream,
        "GET /catalogue HTTP/1.1\r\nHost: espoo.localhost:{port}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_city_of_the_demo_runs_with_a_changed_copy_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let base_port = free_ports(11);
    drop(started(folder.path(), base_port, &[]));
    let shipped = std::fs::read_to_string(folder.path().join("espoo.toml")).unwrap();
    assert!(shipped.contains("id = \"placements\"\n"));
    let changed = shipped.replace("\"placements\"", "\"placements-of-mine\"");
    let copy = folder.path().join("my-espoo.toml");
    std::fs::write(&copy, &changed).unwrap();
    let (_running, ready) = started(folder.path(), base_port, &[&copy]);
    assert!(ready.contains("\"placements-of-mine\""), "{ready}");
    assert!(catalogue_of_espoo(base_port).contains("placements-of-mine"));
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), changed);
}

#[test]
fn a_file_that_is_none_of_the_demos_cities_ends_the_demo_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let base_port = free_ports(11);
    drop(started(folder.path(), base_port, &[]));
    let write = |name: &str, from: &str, to: &str| -> PathBuf {
        let path = folder.path().join(name);
        let shipped = std::fs::read_to_string(folder.path().join("espoo.toml")).unwrap();
        std::fs::write(&path, shipped.replace(from, to)).unwrap();
        path
    };
    let twice = write("twice.toml", "", "");
    let elsewhere = write("elsewhere.toml", "http://espoo.localhost:", "http://vantaa.localhost:");
    let wrong = write("wrong.toml", "retention = \"", "retention = \"X");
    let apart = tempfile::tempdir().unwrap();
    let apart = apart.path().join("espoo.toml");
    std::fs::copy(folder.path().join("espoo.toml"), &apart).unwrap();
    for (files, told) in [
        (vec![apart.as_path()], "keep the file in the folder of --data-dir"),
        (vec![elsewhere.as_path()], "is none of this demo's cities: http://helsinki.localhost:"),
        (vec![twice.as_path(), twice.as_path()], "another --node is http://espoo.localhost:"),
        (vec![wrong.as_path()], "wrong.toml:"),
        (vec![Path::new("/no/such/file.toml")], "/no/such/file.toml"),
    ] {
        let output = demo(folder.path(), base_port, &files).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}: {errors}");
        assert!(errors.contains(told) && !errors.contains("panicked"), "{told}: {errors}");
    }
}
