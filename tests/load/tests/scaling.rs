//! The tables of `docs/scaling.md` are what the commands print, and the simulation does what is said of it.

use std::process::Command;

const DOCUMENT: &str = include_str!("../../../docs/scaling.md");

fn printed(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_omadata-load")).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every table with its name.
fn tables(text: &str) -> Vec<(String, String)> {
    text.split("# ")
        .skip(1)
        .map(|part| {
            let (name, table) = part.split_once("\n\n").unwrap();
            (name.to_owned(), table.trim().to_owned())
        })
        .collect()
}

#[test]
fn the_document_has_the_tables_as_they_are_printed() {
    let mut wrong = Vec::new();
    for command in [&["plan"][..], &["simulate", "--tables"]] {
        let text = printed(command);
        let tables = tables(&text);
        assert!(tables.len() >= 3, "{text}");
        for (name, table) in tables {
            let mark = format!("<!-- {} prints: {name} -->\n\n", command[0]);
            let (_, rest) = DOCUMENT.split_once(&mark).unwrap_or_else(|| panic!("the document lacks {mark}"));
            let there = rest.split("\n\n").next().unwrap();
            if there != table {
                wrong.push(format!("{mark}{table}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/scaling.md should have\n\n{}", wrong.join("\n"));
}

#[test]
fn another_figure_can_be_put_in() {
    let text = printed(&["plan", "--residents", "365000", "--exchanges", "1000"]);
    assert!(text.contains("| exchanges a resident and year | 1,000 |"), "{text}");
    assert!(text.contains("| exchanges a day, mean | 1.0 million |"), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let run = |seed: &str| printed(&["simulate", "--rate", "500", "--seconds", "5", "--seed", seed]);
    assert_eq!(run("7"), run("7"));
    assert_ne!(run("7"), run("8"));
}

#[test]
fn more_than_can_be_committed_is_shed() {
    let over =
        printed(&["simulate", "--rate", "20000", "--processes", "8", "--cores", "8", "--seconds", "5"]);
    assert!(!over.contains("shed 0"), "{over}");
    assert!(over.contains("at most 1024 waited"), "{over}");
    let under = printed(&["simulate", "--rate", "100", "--seconds", "5"]);
    assert!(under.contains("shed 0"), "{under}");
}

#[test]
fn options_that_mean_nothing_are_refused() {
    for words in [
        &["simulate"][..],
        &["simulate", "--rate", "0"],
        &["simulate", "--rate", "10", "--busy", "1"],
        &["plan", "--exchanges", "0"],
        &["plan", "--chain-age", "0"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_omadata-load")).args(words).output().unwrap();
        assert!(!output.status.success(), "{words:?}");
    }
}
