//! Holds the code to the map of the house in `src/lib.rs`: which room may use which, and that the domain is pure.
//!
//! Tests may reach further than the code that they test, so test modules are not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Parts of the domain that every other part may use.
const FOUNDATIONS: [&str; 7] = ["word_enum", "sync", "outside_text", "ids", "clock", "jose", "catalogue"];

/// What a part of the domain may use beside (or, for the foundations, instead of) the foundations.
const PARTS: [(&str, &[&str]); 8] = [
    ("ids", &["word_enum"]),
    ("clock", &["word_enum", "ids"]),
    ("jose", &["word_enum", "ids", "clock"]),
    ("catalogue", &["word_enum", "outside_text", "ids", "clock", "jose"]),
    ("log", &["consent", "uses"]),
    ("token", &["consent", "federation"]),
    ("exchange", &["token", "consent"]),
    ("bundle", &["log", "consent", "exchange", "federation", "token"]),
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

    /// Every path into the crate that the file names, from the crate's root.
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
        Some(rest) => collect(rest, &path, found),
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
    but: BTreeSet<String>,
    /// Rooms that one of its files may use.
    exceptions: BTreeMap<String, String>,
}

impl Rule {
    fn allows(&self, file: &str, room: &str) -> bool {
        match &self.rooms {
            None => !self.but.contains(room),
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
        let names = |list: &str| list.split(", ").map(str::to_owned).collect();
        let but = rooms.strip_prefix("everything but ").map(names);
        let rooms = but.is_none().then(|| names(rooms));
        let but = but.unwrap_or_default();
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

/// The use cases and the rows of the two roles that face each other: what one needs of the other goes over the wire.
const ROLES: [(&str, &str); 4] = [
    ("node/holder/", "node::recipient"),
    ("node/recipient/", "node::holder"),
    ("store/holder/", "store::recipient"),
    ("store/recipient/", "store::holder"),
];

/// Where a file of one role uses the other.
fn crossings(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        for (_, other) in ROLES.into_iter().filter(|(role, _)| source.path.starts_with(role)) {
            let crosses =
                |path: &Vec<String>| format!("{}::", path.join("::")).starts_with(&format!("{other}::"));
            broken.extend(
                source
                    .uses()
                    .iter()
                    .filter(|path| crosses(path))
                    .map(|path| format!("{} uses {}", source.path, path.join("::"))),
            );
        }
    }
    broken
}

#[test]
fn holder_and_recipient_never_use_each_other() {
    let broken = crossings(&sources());
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_planted_crossing_from_recipient_to_holder_is_found() {
    let mut all = sources();
    let file = all.iter_mut().find(|source| source.path == "node/recipient/redeem_code.rs").unwrap();
    file.code.push_str("\nuse crate::node::holder::decision::decide_consent::decline;\n");
    assert_eq!(crossings(&all).len(), 1);
}

/// Which file uses which. What a module passes on from another (`pub use`) counts as a use of that other by whoever names it,
/// and not as a use by the module itself.
fn arrows(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let by_module: BTreeMap<Vec<String>, &Source> =
        sources.iter().map(|source| (owned(&source.module()), source)).collect();
    let passed_on = re_exports(sources);
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.room().is_empty()) {
        let own = without_re_exports(source);
        let targets = own.uses().into_iter().filter_map(|path| home(path, &by_module, &passed_on));
        let targets = targets.filter(|target| *target != source.path).collect();
        arrows.insert(source.path.clone(), targets);
    }
    arrows
}

fn owned(module: &[&str]) -> Vec<String> {
    module.iter().map(|part| (*part).to_owned()).collect()
}

/// The file in which the thing behind a path stands.
fn home(
    mut path: Vec<String>,
    by_module: &BTreeMap<Vec<String>, &Source>,
    passed_on: &BTreeMap<Vec<String>, Vec<String>>,
) -> Option<String> {
    for _ in 0..8 {
        let Some(longer) = (1..=path.len()).find_map(|end| Some((end, passed_on.get(&path[..end])?))) else {
            break;
        };
        let (end, target) = longer;
        path = target.iter().chain(&path[end..]).cloned().collect();
    }
    let module = (1..=path.len()).rev().map(|end| &path[..end]).find_map(|part| by_module.get(part))?;
    Some(module.path.clone())
}

/// What each module passes on from another: the path under which it is offered, and where it stands.
fn re_exports(sources: &[Source]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut found = BTreeMap::new();
    for source in sources {
        let module = owned(&source.module());
        for statement in statements(&source.code).into_iter().filter(|statement| is_re_export(statement)) {
            let (_, tree) = statement.split_once("use ").unwrap();
            let one = Source { path: source.path.clone(), code: format!("use {}", absolute(tree, &module)) };
            for target in one.uses() {
                let name = target.last().unwrap().clone();
                let offered: Vec<String> = module.iter().cloned().chain([name]).collect();
                if offered != target {
                    found.insert(offered, target);
                }
            }
        }
    }
    found
}

/// A tree of a `use` that begins with a child module's name, from the crate's root.
fn absolute(tree: &str, module: &[String]) -> String {
    let first: String = tree.chars().take_while(|c| is_word(*c)).collect();
    if matches!(first.as_str(), "crate" | "super") {
        tree.to_owned()
    } else {
        format!("crate::{}::{tree}", module.join("::"))
    }
}

fn statements(code: &str) -> Vec<String> {
    code.split(';').map(|statement| statement.trim().to_owned()).collect()
}

fn is_re_export(statement: &str) -> bool {
    let last = statement.rsplit('\n').find(|line| line.starts_with("pub")).unwrap_or(statement);
    last.starts_with("pub use ") || last.starts_with("pub(crate) use ")
}

fn without_re_exports(source: &Source) -> Source {
    let kept: Vec<String> =
        statements(&source.code).into_iter().filter(|statement| !is_re_export(statement)).collect();
    Source { path: source.path.clone(), code: kept.join(";\n") }
}

/// The groups of files that use each other in a circle.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        arrows.keys().map(|start| (start, reachable(start, arrows))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (start, reached) in &reach {
        let ring: Vec<String> = reached
            .iter()
            .filter(|other| reach.get(*other).is_some_and(|back| back.contains(*start)))
            .map(|other| (*other).clone())
            .collect();
        if ring.len() > 1 {
            found.insert(ring);
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(start: &str, arrows: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![start.to_owned()]);
    while let Some(file) = open.pop() {
        for next in arrows.get(&file).into_iter().flatten() {
            if seen.insert(next) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let found = circles(&arrows(&sources()));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_planted_circle_within_a_room_is_found() {
    let mut all = sources();
    for (one, other) in [("dpop_nonce", "published_list"), ("published_list", "dpop_nonce")] {
        let path = format!("node/holder/oauth/{one}.rs");
        let file = all.iter_mut().find(|source| source.path == path).unwrap();
        file.code.push_str(&format!("\nuse super::{other}::anything;\n"));
    }
    let found = circles(&arrows(&all));
    assert!(
        found.iter().any(|ring| ring.contains(&"node/holder/oauth/dpop_nonce.rs".to_owned())),
        "{found:#?}"
    );
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
        ("reqwest", "http/"),
        ("openidconnect", "outbound/"),
        ("aes_gcm", "store/"),
    ];
    // Registers are databases too, and the demo makes some up.
    let also = [
        ("diesel", "registers/"),
        ("diesel", "prepared.rs"),
        ("diesel", "demo/world/"),
        ("reqwest", "demo/service_page/"),
        ("reqwest", "outbound/openid/"),
    ];
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

/// What a use case must not answer with: these tell of rows, and a row that is missing, a consent that is another resident's
/// and a request whose time is over are not the same.
const STORE_ANSWERS: [&str; 6] = ["NotFound", "Conflict", "Rule", "Corrupt", "Unavailable", "OutcomeUnknown"];

/// Whether code ends with a closure's parameter, `|error|` or `|_|`; alternatives of a pattern have spaces about their bars.
fn ends_closure_head(code: &str) -> bool {
    let inside = code.trim_end_matches('|').rsplit('|').next().unwrap_or("");
    !inside.is_empty() && inside.chars().all(is_word)
}

/// Where code makes a `StoreError` itself, rather than looking at one: not the pattern of a `match` or of `matches!`.
fn made_store_errors(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, name) in code.match_indices("StoreError::") {
        let rest = &code[start + name.len()..];
        let answer: String = rest.chars().take_while(|c| is_word(*c)).collect();
        if !STORE_ANSWERS.contains(&answer.as_str()) {
            continue;
        }
        let mut after = rest[answer.len()..].trim_start();
        if let Some(inside) = after.strip_prefix('(') {
            after = inside.split_once(')').map_or("", |(_, after)| after).trim_start();
        }
        // `Err(StoreError::NotFound) =>`, `| …`, and guards are patterns.
        let after = after.trim_start_matches(')').trim_start();
        let before = code[..start].trim_end();
        let is_pattern = after.starts_with("=>")
            || after.starts_with("if ")
            || after.starts_with("| ")
            || (before.ends_with('|') && !ends_closure_head(before))
            || before.ends_with("@");
        if !is_pattern {
            found.push(answer);
        }
    }
    found
}

#[test]
fn no_use_case_answers_in_the_words_of_the_store() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "node") {
        for answer in made_store_errors(&source.code) {
            broken.push(format!("{} makes StoreError::{answer}", source.path));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_store_error_that_a_use_case_makes_is_seen_and_one_that_it_reads_is_not() {
    let made = "fn f() -> Result<(), StoreError> { if a { Ok(()) } else { Err(StoreError::NotFound) } }\n\
                let b = x.ok_or(StoreError::Conflict)?; y.map_err(|_| StoreError::Rule(\"z\"))";
    assert_eq!(made_store_errors(made), ["NotFound", "Conflict", "Rule"]);
    let read = "match x { Err(StoreError::NotFound) => a, Ok(_) | Err(StoreError::Conflict) => b,\n\
                Err(error @ StoreError::Corrupt(_)) => c, StoreError::NotFound if d => e, _ => f }";
    assert_eq!(made_store_errors(read), Vec::<String>::new());
}
