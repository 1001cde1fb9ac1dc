//! What the documentation says is so: its JSON and configuration parse, its commands and links are there, and what it
//! lets a reader type runs against a demo.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use omadata::config::{AnchorConfig, Config, Overlay};

use crate::ports::free_ports;

const OMADATA: &str = env!("CARGO_BIN_EXE_omadata");

const DOCUMENTS: [&str; 9] = [
    "README.md",
    "CHANGELOG.md",
    "docs/operators.md",
    "docs/integrators.md",
    "docs/protocol-notes.md",
    "docs/fapi-checklist.md",
    "docs/bundle.md",
    "docs/plugins.md",
    "docs/scaling.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A fenced block.
struct Block {
    place: String,
    /// What stands behind the opening fence.
    info: String,
    text: String,
}

impl Block {
    fn is(&self, language: &str) -> bool {
        self.info.split(' ').next() == Some(language)
    }

    /// Words that must occur in what the block prints.
    fn expected(&self) -> Vec<&str> {
        let quoted = self.info.split_once("expect=\"").and_then(|(_, rest)| rest.split_once('"'));
        quoted.map_or_else(Vec::new, |(words, _)| words.split(' ').collect())
    }
}

fn blocks(name: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in read(name).lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(info)) => {
                let place = format!("{name}:{}", number + 1);
                open = Some(Block { place, info: info.to_owned(), text: String::new() });
            }
            (Some(block), Some(_)) => found.push(block),
            (Some(mut block), None) => {
                block.text += line;
                block.text += "\n";
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is not closed");
    found
}

fn all_blocks() -> impl Iterator<Item = Block> {
    DOCUMENTS.into_iter().flat_map(blocks)
}

#[test]
fn json_is_json() {
    let mut count = 0;
    for block in all_blocks().filter(|block| block.is("json")) {
        serde_json::from_str::<serde_json::Value>(&block.text)
            .unwrap_or_else(|error| panic!("{}: {error}", block.place));
        count += 1;
    }
    assert!(count >= 10);
}

/// Writes every file that a configuration names, so that only its own mistakes are found.
fn with_files(text: &str, folder: &Path) -> String {
    let text = ["/etc/omadata", "/var/lib/omadata"]
        .iter()
        .fold(text.to_owned(), |text, path| text.replace(path, folder.to_str().unwrap()));
    for line in text.lines().filter(|line| line.contains("_file = ")) {
        let path = Path::new(line.split('"').nth(1).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = match line.split(" = ").next().unwrap() {
            "members_file" => String::new(),
            "ca_file" | "client_certificate_file" => certificate(),
            key if key.ends_with("jwks_file") => jwks(),
            "proxy_credentials_file" => "node:made up".to_owned(),
            _ => "a secret that is long enough for everybody".to_owned(),
        };
        std::fs::write(path, content).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    text
}

/// A key set with one key.
fn jwks() -> String {
    let key = omadata::domain::jose::SigningKey::generate().unwrap();
    serde_json::json!({ "keys": [key.public().to_jwk()] }).to_string()
}

/// A certificate, PEM.
fn certificate() -> String {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, nid::Nid, pkey::PKey, x509::X509};
    let group = openssl::ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    String::from_utf8(certificate.build().to_pem().unwrap()).unwrap()
}

#[test]
fn configurations_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut kinds = Vec::new();
    let node = all_blocks().find(|block| block.info == "toml node").unwrap();
    for block in all_blocks().filter(|block| block.is("toml")) {
        let text = with_files(&block.text, folder.path());
        match block.info.as_str() {
            "toml node" => {
                Config::parse(&block.place, &text, folder.path(), &Overlay::none())
                    .map(|_| ())
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            "toml anchor" => {
                AnchorConfig::parse(&block.place, &text, folder.path(), &Overlay::none())
                    .map(|_| ())
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            // A part of a file: as an addition to the whole one. One of ODBC needs the program that has it.
            "toml odbc" if !cfg!(feature = "odbc") => {
                let whole = with_files(&format!("{}\n{}", node.text, block.text), folder.path());
                let error = Config::parse(&block.place, &whole, folder.path(), &Overlay::none()).unwrap_err();
                let told = error.to_string();
                assert!(told.contains("this program was built without ODBC: build it with"), "{told}");
            }
            "toml section" | "toml odbc" => {
                let whole = with_files(&format!("{}\n{}", node.text, block.text), folder.path());
                Config::parse(&block.place, &whole, folder.path(), &Overlay::none())
                    .map(|_| ())
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            other => panic!("{}: {other}: a node's or an anchor's?", block.place),
        }
        kinds.push(block.info);
    }
    kinds.sort();
    assert!(kinds.iter().filter(|kind| *kind == "toml section").count() >= 4, "{kinds:?}");
    kinds.dedup();
    assert_eq!(kinds, ["toml anchor", "toml node", "toml odbc", "toml section"]);
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let manual = read("docs/operators.md");
    let rows: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `")).collect();
    let source = read("src/config/limits.rs");
    let mut limits = BTreeMap::new();
    for line in source.lines() {
        let Some((name, rest)) = line.trim().split_once(": u").or(line.trim().split_once(": usize")) else {
            continue;
        };
        let Some((_, default)) = rest.split_once(" = ") else { continue };
        let default = default.split(',').next().unwrap().replace('_', "");
        limits.insert(name.to_owned(), default);
    }
    assert!(limits.len() >= 15, "the macro's form has changed");
    for (name, default) in limits {
        let row = rows.iter().find(|row| row.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("docs/operators.md does not tell of {name}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(cells[2].split(", ").any(|cell| cell == default), "{name} is {default} by default: {row}");
    }
}

/// The words of every `omadata …` line of a block, without comment, redirection and the program itself.
fn commands(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| {
        let line = line.split(" #").next().unwrap().split(" >").next().unwrap();
        let rest = line.strip_prefix("omadata ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
        Some(rest.split_whitespace().collect())
    })
}

#[test]
fn commands_and_their_options_exist() {
    let mut count = 0;
    for block in all_blocks().filter(|block| block.is("sh")) {
        for words in commands(&block.text) {
            let nested = ["keys", "members", "peers", "consent", "config", "registers", "residents", "uses"]
                .contains(&words[0]);
            let path = &words[..if nested { 2 } else { 1 }];
            let help = Command::new(OMADATA).args(path).arg("--help").output().unwrap();
            assert!(help.status.success(), "{}: {words:?}", block.place);
            let help = String::from_utf8(help.stdout).unwrap();
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{}: {path:?} has no {option}", block.place);
            }
            count += 1;
        }
    }
    assert!(count >= 8);
}

#[test]
fn every_subcommand_explains_itself() {
    let help = |path: &[&str]| {
        let output = Command::new(OMADATA).args(path).arg("--help").output().unwrap();
        assert!(output.status.success(), "{path:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let subcommands = |text: &str| -> Vec<String> {
        let list =
            text.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap().to_owned();
        list.lines()
            .map(|line| {
                let (name, about) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
                assert!(!about.trim().is_empty(), "{name} says nothing about itself");
                name.to_owned()
            })
            .filter(|name| name != "help")
            .collect()
    };
    let mut count = 0;
    for name in subcommands(&help(&[])) {
        for nested in subcommands(&help(&[&name])) {
            help(&[&name, &nested]);
            count += 1;
        }
        count += 1;
    }
    assert!(count >= 11, "{count}");
}

#[test]
fn links_lead_somewhere() {
    for name in DOCUMENTS {
        let folder = root().join(name).parent().unwrap().to_owned();
        let text = read(name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let path = target.split('#').next().unwrap();
            assert!(folder.join(path).exists(), "{name} leads to {target}, which is not there");
        }
    }
}

/// A running demo; ended when dropped.
struct Demo {
    process: Child,
    base_port: u16,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base_port = free_ports(11);
        let ready = folder.path().join("ready.json");
        let mut process = Command::new(OMADATA)
            .args(["demo", "--base-port", &base_port.to_string(), "--data-dir"])
            .arg(folder.path().join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            if ready.exists() {
                return Self { process, base_port, folder };
            }
            if let Some(status) = process.try_wait().unwrap() {
                panic!("the demo ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        process.kill().unwrap();
        panic!("the demo is not ready after a minute");
    }

    /// The text with this demo's ports in place of the usual ones.
    fn here(&self, text: &str) -> String {
        (0..=10).rev().fold(text.to_owned(), |text, offset| {
            text.replace(
                &format!("localhost:{}", 8400 + offset),
                &format!("localhost:{}", self.base_port + offset),
            )
        })
    }

    /// Runs a script where the reader would, and gives what it prints.
    fn run(&self, script: &str) -> String {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{text}\n{errors}");
        text
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn present(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn what_the_reader_types_runs_against_the_demo() {
    if !present("bash") || !present("curl") {
        eprintln!("left out: the documentation's commands need bash and curl, which are not here");
        return;
    }
    let demo = Demo::start();
    let mut count = 0;
    for name in ["README.md", "docs/integrators.md"] {
        let mut script = String::new();
        let mut expected = Vec::new();
        let blocks = blocks(name);
        for block in blocks.iter().filter(|block| block.info.starts_with("sh run")) {
            script += &format!("echo '== {}'\n{}", block.place, block.text);
            expected.extend(block.expected().into_iter().map(|word| (block.place.clone(), word)));
            count += 1;
        }
        let printed = demo.run(&demo.here(&script));
        for (place, word) in expected {
            let part = printed.split(&format!("== {place}\n")).nth(1).unwrap().split("\n== ").next().unwrap();
            assert!(part.contains(word), "{place} does not print {word}:\n{part}");
        }
    }
    assert!(count >= 7);
    every_problem_has_a_page(&demo);
    the_file_of_residents_is_as_told(&demo.folder.path().join("ready.json"));
}

fn every_problem_has_a_page(demo: &Demo) {
    let manual = read("docs/integrators.md");
    let table = manual.split("## Problems").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| 4") || line.starts_with("| 5")).collect();
    assert!(rows.len() >= 10);
    for slug in rows.iter().flat_map(|row| row.split('|').nth(2).unwrap().split(',')) {
        let slug = slug.trim().trim_matches('`');
        let page = format!("http://helsinki.localhost:8401/problems/{slug}");
        let script = format!("curl -sS -o /dev/null -w '%{{http_code}}' {page}");
        assert_eq!(demo.run(&demo.here(&script)), "200", "{slug}");
    }
}

fn the_file_of_residents_is_as_told(file: &PathBuf) {
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let (manual, story) = (read("docs/integrators.md"), read("README.md"));
    for resident in ready["residents"].as_array().unwrap() {
        let (username, name) = (resident["username"].as_str().unwrap(), resident["name"].as_str().unwrap());
        assert!(manual.contains(&format!("`{username}`")), "{username}");
        assert!(story.contains(&format!("| {name} |")), "{name}");
    }
}
