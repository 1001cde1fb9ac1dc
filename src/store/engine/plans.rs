//! Asks the planner of each database about every statement that any test of this crate runs: none may read or sort all of a
//! table that grows. Statements are taken from the connections ([`super::pool`]), so that a new one is checked as soon as a
//! test runs it; the test that ran it fails.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;
use serde_json::Value;

use super::db::{Db, POSTGRES, SQLITE};
use super::testing::server;
use crate::domain::sync::lock;

/// Tables whose rows do not grow with residents, permissions or messages.
const SMALL: [&str; 16] = [
    "node_identity",
    "key_checks",
    "counters",
    "signing_keys",
    "used_once_horizon",
    "outbox_peers",
    "log_head",
    "jobs",
    "status_lists",
    "anchor_pins",
    // Of an anchor: as many as members.
    "federation_members",
    "federation_member_changes",
    "issued_trust_marks",
    "own_trust_marks",
    "use_reports",
    "__diesel_schema_migrations",
];

/// Indexes that hold only what waits to be done and are read from their beginning.
const OF_WHAT_WAITS: [&str; 4] =
    ["outbox_new", "outbox_settled", "use_hidings_open", "use_objections_unanswered"];

/// Statements that may read or sort all: words that they contain, and why.
const MAY: [(&str, &str); 1] = [("(1=0)", "a list of identifiers is empty: nothing is read")];

/// Checks a statement as diesel shows it, once.
///
/// # Panics
/// It reads or sorts all of a table that grows.
pub(super) fn check(db: &str, shown: &str) {
    static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let statement = shown.split(" -- binds:").next().unwrap_or(shown).trim();
    let is_query =
        ["SELECT", "UPDATE", "DELETE", "WITH", "INSERT"].iter().any(|word| statement.starts_with(word));
    if !is_query || !lock(&SEEN).insert(format!("{db} {statement}")) {
        return;
    }
    if MAY.iter().any(|(words, _)| statement.contains(words)) {
        return;
    }
    let fault = if db == "postgres" { postgres::fault(statement) } else { sqlite::fault(statement) };
    if let Some(fault) = fault {
        panic!("a statement costs more the more rows there are ({db}): {fault}\n{statement}");
    }
}

/// The kind of database, for [`check`].
pub(super) const fn kind(db: &Db) -> &'static str {
    match db {
        Db::Postgres(_) => "postgres",
        Db::Sqlite(_) => "sqlite",
    }
}

fn grows(table: &str) -> bool {
    !SMALL.contains(&table) && !table.starts_with("pg_") && !table.starts_with("sqlite_")
}

fn is_of_what_waits(index: &str) -> bool {
    OF_WHAT_WAITS.contains(&index)
}

/// Whether a statement asks for the first rows of an order and for nothing else.
fn is_newest(statement: &str) -> bool {
    statement.contains("LIMIT") && !statement.contains("WHERE")
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Its planner knows no numbers of rows: an empty database answers as a full one.
mod sqlite {
    use super::*;

    static PLANNER: LazyLock<Mutex<SqliteConnection>> = LazyLock::new(|| {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.run_pending_migrations(SQLITE).unwrap();
        Mutex::new(connection)
    });

    pub(super) fn fault(statement: &str) -> Option<String> {
        let asked = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
        // What cannot be explained is of a table that a test made.
        let lines: Vec<Line> = asked.load(&mut *lock(&PLANNER)).ok()?;
        let mut read = Vec::new();
        for line in lines {
            let words: Vec<&str> = line.detail.split_whitespace().collect();
            let table = words.get(1).map(|name| table_of(statement, name));
            match (words.first(), table) {
                (Some(&"SCAN"), Some(Some(table)))
                    if grows(table)
                        && !is_newest(statement)
                        && !words.last().is_some_and(|index| is_of_what_waits(index)) =>
                {
                    return Some(line.detail);
                }
                (Some(&"SEARCH"), Some(Some(table))) if grows(table) => read.push(table.to_owned()),
                _ => {}
            }
            let sorts = line.detail == "USE TEMP B-TREE FOR ORDER BY";
            // What is recursive looks from one row to the next and sorts what it found.
            if sorts
                && statement.contains("LIMIT")
                && !read.is_empty()
                && !statement.starts_with("WITH RECURSIVE")
            {
                return Some(format!("{} of {}", line.detail, read.join(", ")));
            }
        }
        None
    }

    /// The table that a name stands for; `None` when it is none, as of a common table expression.
    fn table_of<'a>(statement: &'a str, name: &'a str) -> Option<&'a str> {
        let split = statement.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let words: Vec<&str> = split.filter(|word| !word.is_empty()).chain(["", ""]).collect();
        let is_named = |before: &str| matches!(before, "FROM" | "JOIN" | "UPDATE" | "INTO");
        let mut found = words.windows(3).filter(|three| is_named(three[0]));
        found.find_map(|three| (three[2] == name || three[1] == name).then_some(three[1])).filter(|table| {
            let asked =
                diesel::sql_query(format!("SELECT name AS detail FROM sqlite_master WHERE name = '{table}'"));
            asked.load::<Line>(&mut *lock(&PLANNER)).is_ok_and(|found| !found.is_empty())
        })
    }
}

/// Tables with some thousand rows in a transaction that is never committed, and generic plans: those that a prepared
/// statement gets, whatever its values.
mod postgres {
    use super::*;

    static PLANNER: LazyLock<Mutex<PgConnection>> = LazyLock::new(|| {
        let mut connection = PgConnection::establish(&server().unwrap()).unwrap();
        AnsiTransactionManager::begin_transaction(&mut connection).unwrap();
        connection
            .batch_execute(
                "CREATE SCHEMA omadata_plans; SET LOCAL search_path TO omadata_plans; SET LOCAL jit = off; \
                 SET LOCAL plan_cache_mode = force_generic_plan",
            )
            .unwrap();
        connection.run_pending_migrations(POSTGRES).unwrap();
        connection.batch_execute(include_str!("plans_rows.sql")).unwrap();
        Mutex::new(connection)
    });

    pub(super) fn fault(statement: &str) -> Option<String> {
        let values = (1..=64).take_while(|n| statement.contains(&format!("${n}"))).map(|_| "NULL");
        let values = values.collect::<Vec<_>>().join(", ");
        let executed =
            if values.is_empty() { "EXECUTE asked".to_owned() } else { format!("EXECUTE asked({values})") };
        let mut connection = lock(&PLANNER);
        connection.batch_execute("SAVEPOINT asked").unwrap();
        let plan = connection.batch_execute(&format!("PREPARE asked AS {statement}")).and_then(|()| {
            let plan = diesel::sql_query("SELECT plan_of($1) AS detail").bind::<Text, _>(&executed);
            let plan = plan.get_result::<Line>(&mut *connection);
            connection.batch_execute("DEALLOCATE asked")?;
            plan
        });
        connection.batch_execute("ROLLBACK TO SAVEPOINT asked; RELEASE SAVEPOINT asked").unwrap();
        // What cannot be explained is of a table that a test made.
        let plan: Value = serde_json::from_str(&plan.ok()?.detail).unwrap();
        scan(&plan[0]["Plan"], statement)
    }

    fn scan(node: &Value, statement: &str) -> Option<String> {
        let table = node["Relation Name"].as_str().unwrap_or_default();
        if !table.is_empty() && grows(table) {
            let [kind, index] =
                ["Node Type", "Index Name"].map(|name| node[name].as_str().unwrap_or_default());
            let by_index = is_newest(statement) || is_of_what_waits(index);
            let whole = kind == "Seq Scan"
                || (kind.starts_with("Index") && node["Index Cond"].is_null() && !by_index);
            if whole {
                return Some(format!("{kind} {index} on {table}"));
            }
        }
        node["Plans"].as_array()?.iter().find_map(|below| scan(below, statement))
    }
}
