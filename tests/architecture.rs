//! Holds the code to the map of the house in `src/lib.rs`: which room may use which, and that the domain is pure.
//!
//! Tests may reach further than the code that they test, so test modules are not looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Parts of the domain that every other part may use.
const FOUNDATIONS: [&str; 4] = ["ids", "clock", "jose", "catalogue"];

/// What a part of the domain may use beside (or, for the foundations, instead of) the foundations.
const PARTS: [(&str, &[&str]); 7] = [
    ("ids", &[]),
    ("clock", &["ids"]),
    ("jose", &["ids", "clock"]),
    ("catalogue", &["ids", "clock", "jose"]),
    ("token", &["consent", "federation"]),
    ("exchange", &["token", "consent"]),
    ("bundle", &["audit", "consent", "exchange", "federation", "token"]),
];

/// Crates and modules with which something outside could be touched, or a clock or chance asked.
const IMPURE: [&str; 16] = [
    "diesel",
    "actix_web",
    "actix_session",
    "reqwest",
    "tokio",
    "openidconnect",
    "getrandom",
    "tracing",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "now_utc",
];

/// A source file without its comments, strings and test modules.
struct Source {
    /// Relative to `src/`, with slashes.
    path: String,
    code: String,
}

impl Source {
    /// The module that the file is, from the crate's root.
    fn module(&self) -> Vec<&str> {
        let stem = self.path.trim_end_matches(".rs");
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        stem.split('/').filter(|part| !matches!(*part, "lib" | "main")).collect()
    }

    fn room(&self) -> &str {
        self.module().first().copied().unwrap_or("")
    }

    /// Every path into the crate that the file names, from the crate's root, as far as its first three steps.
    fn uses(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        for (start, _) in self.code.match_indices("crate::") {
            if !self.code[..start].ends_with(is_word) {
                collect(&self.code[start + "crate::".len()..], &[], &mut found);
            }
        }
        for (start, _) in self.code.match_indices("super::") {
            if self.code[..start].ends_with("super::") || self.code[..start].ends_with(is_word) {
                continue;
            }
            let mut rest = &self.code[start..];
            let mut base = self.module();
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            let base: Vec<String> = base.into_iter().map(str::to_owned).collect();
            collect(rest, &base, &mut found);
        }
        found
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Follows a path, through braces, for as long as it names modules.
fn collect(text: &str, base: &[String], found: &mut BTreeSet<Vec<String>>) {
    if let Some(inside) = text.strip_prefix('{') {
        let (mut depth, mut item) = (0_usize, String::new());
        for c in inside.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => collect(std::mem::take(&mut item).trim(), base, found),
                _ => {
                    depth = depth + usize::from(c == '{') - usize::from(c == '}');
                    item.push(c);
                }
            }
        }
        collect(item.trim(), base, found);
        return;
    }
    let word: String = text.chars().take_while(|c| is_word(*c)).collect();
    if word.is_empty() {
        return;
    }
    let mut path = base.to_vec();
    path.push(word.clone());
    match text[word.len()..].strip_prefix("::") {
        Some(rest) if path.len() < 3 => collect(rest, &path, found),
        _ => {
            found.insert(path);
        }
    }
}

/// The files below `src/` that are not tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources): (Vec<PathBuf>, Vec<Source>) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if relative.ends_with(".rs") && !is_test(&relative) {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push(Source { path: relative, code: code(&text) });
            }
        }
    }
    assert!(sources.len() > 100, "the sources are not where they were");
    sources
}

fn is_test(path: &str) -> bool {
    let tests =
        |name: &str| name == "tests" || name.ends_with("_tests") || matches!(name, "testing" | "samples");
    path.trim_end_matches(".rs").split('/').any(tests)
}

/// Cuts off the test module at the end of a file, and comments.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// What the map says about one room.
struct Rule {
    /// Rooms that it may use; none means all.
    rooms: Option<BTreeSet<String>>,
    /// Rooms that it may not use although all others.
    but: Option<String>,
    /// Rooms that one of its files may use.
    exceptions: BTreeMap<String, String>,
}

impl Rule {
    fn allows(&self, file: &str, room: &str) -> bool {
        match &self.rooms {
            None => self.but.as_deref() != Some(room),
            Some(rooms) => {
                rooms.contains(room) || self.exceptions.get(file).is_some_and(|allowed| allowed == room)
            }
        }
    }
}

/// Reads the table in the rustdoc of `src/lib.rs`.
fn map() -> BTreeMap<String, Rule> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut rules = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! | [`")) {
        let (room, rest) = line.split_once("`]").unwrap();
        let cell = rest.trim_end().trim_end_matches('|').rsplit('|').next().unwrap().trim();
        let (rooms, exceptions) = cell.split_once(';').unwrap_or((cell, ""));
        let exceptions = exceptions
            .split(',')
            .filter_map(|exception| exception.trim().split_once(" in "))
            .map(|(room, file)| (file.trim_matches('`').to_owned(), room.to_owned()))
            .collect();
        let but = rooms.strip_prefix("everything but ").map(str::to_owned);
        let rooms = but.is_none().then(|| rooms.split(", ").map(str::to_owned).collect());
        rules.insert(room.to_owned(), Rule { rooms, but, exceptions });
    }
    rules
}

#[test]
fn every_room_uses_only_the_rooms_that_the_map_gives_it() {
    let map = map();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.room().is_empty()) {
        let room = source.room();
        let rule = map.get(room).unwrap_or_else(|| panic!("{room} is not on the map"));
        for used in source.uses().iter().filter_map(|path| path.first()) {
            if used != room && map.contains_key(used.as_str()) && !rule.allows(&source.path, used) {
                broken.push(format!("{} uses {used}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_map_names_every_room_and_no_other() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rooms = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(rooms.map(str::to_owned).collect::<BTreeSet<_>>(), map().into_keys().collect());
}

#[test]
fn parts_of_the_domain_know_only_what_they_build_on() {
    let parts: BTreeMap<&str, &[&str]> = PARTS.into_iter().collect();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "domain") {
        let Some(own) = source.module().get(1).map(|part| (*part).to_owned()) else { continue };
        for path in source.uses().into_iter().filter(|path| path.first().is_some_and(|room| room == "domain"))
        {
            let Some(part) = path.get(1).map(String::as_str) else { continue };
            let more = parts.get(own.as_str()).copied().unwrap_or_default();
            let on_foundations = !FOUNDATIONS.contains(&own.as_str()) && FOUNDATIONS.contains(&part);
            if part != own && !on_foundations && !more.contains(&part) {
                broken.push(format!("{} uses domain::{part}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_domain_touches_nothing_outside_and_asks_no_clock() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "domain") {
        for word in IMPURE.into_iter().filter(|word| names(&source.code, word)) {
            broken.push(format!("{} names {word}", source.path));
        }
        if names(&source.code, "async fn") {
            broken.push(format!("{} has an async fn", source.path));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn one_place_alone_speaks_to_each_library_that_is_easily_misused() {
    let homes = [
        ("josekit", "domain/jose/"),
        ("diesel", "store/"),
        ("reqwest", "outbound/"),
        ("openidconnect", "outbound/"),
        ("aes_gcm", "store/"),
    ];
    // Registers are databases too, and the demo makes some up.
    let also = [("diesel", "sources/"), ("diesel", "cli/demo/world/"), ("reqwest", "cli/demo/service_page/")];
    let mut broken = Vec::new();
    for source in sources() {
        for (library, home) in homes.into_iter().filter(|(library, _)| names(&source.code, library)) {
            let allowed = also.iter().any(|(name, place)| *name == library && source.path.starts_with(place));
            if !source.path.starts_with(home) && !allowed {
                broken.push(format!("{} names {library}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Whether a word stands in the code, as a word.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + word.len()..]);
        !before.ends_with(|c: char| is_word(c) || c == '"') && !after.starts_with(is_word)
    })
}

#[test]
fn the_reader_of_paths_sees_through_braces_and_supers() {
    let source = Source {
        path: "domain/token/proof.rs".to_owned(),
        code: code(
            "use crate::domain::{ids::{Jti, KeyId}, jose};\nlet a = super::super::clock::now; // crate::web\n",
        ),
    };
    let uses: Vec<String> = source.uses().into_iter().map(|path| path.join("::")).collect();
    assert_eq!(uses, ["domain::clock::now", "domain::ids::Jti", "domain::ids::KeyId", "domain::jose"]);
}
