//! Other programs on the database file of a running node, in processes of their own; the node's process is killed.

#![allow(clippy::disallowed_methods, reason = "tests tell a child process its part by the environment")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use diesel::prelude::*;

use super::schema::counters;
use super::testing::{random, root_keys};
use crate::store::{Options, Store, StoreError};

/// Tells the child processes which test they belong to.
const CHILD: &str = "store::engine::sqlite_file_tests::a_child_process_plays_its_part";
const PART: &str = "OMADATA_TEST_PART";
const FILE: &str = "OMADATA_TEST_FILE";

fn options(path: &Path) -> Options {
    Options { url: format!("sqlite:{}", path.display()), pool: 4, owner: None, transaction_pooling: false }
}

async fn count_up(store: &Store) -> i64 {
    store
        .write("test", |tx| {
            Ok::<_, StoreError>(
                diesel::update(counters::table.find("status_index"))
                    .set(counters::next_value.eq(counters::next_value + 1))
                    .returning(counters::next_value)
                    .get_result(tx.db)?,
            )
        })
        .await
        .unwrap()
}

async fn count(store: &Store) -> i64 {
    store
        .read("test", |reader| {
            let value = counters::table.find("status_index").select(counters::next_value);
            Ok::<_, StoreError>(value.first(reader.db)?)
        })
        .await
        .unwrap()
}

/// Not a test by itself: the child processes of the tests below.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_process_plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    let path = PathBuf::from(std::env::var(FILE).unwrap());
    if part == "reader" {
        // As `sqlite3 FILE "select 1"`: the last connection that closes deletes the write-ahead log.
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let value: i64 =
            counters::table.find("status_index").select(counters::next_value).first(&mut connection).unwrap();
        println!("read {value}");
        return;
    }
    let store = Store::open(&options(&path), &root_keys(), random()).unwrap();
    store.migrate().await.unwrap();
    // Opens every connection of the pool, so that the last one is opened after the first has its locks.
    let slow = |store: &Store| {
        let store = store.clone();
        tokio::spawn(async move {
            let work = |_: &mut crate::store::Reader<'_>| {
                std::thread::sleep(std::time::Duration::from_millis(100));
                Ok::<_, StoreError>(())
            };
            store.read("test", work).await.unwrap();
        })
    };
    for read in [slow(&store), slow(&store), slow(&store), slow(&store)] {
        read.await.unwrap();
    }
    println!("committed {}", count_up(&store).await);
    for line in std::io::stdin().lines() {
        line.unwrap();
        println!("committed {}", count_up(&store).await);
    }
}

struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(part: &str, path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture"])
            .envs([(PART, part.as_ref()), (FILE, path.as_os_str())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn wait_for(&mut self, text: &str) {
        let found = self.lines.by_ref().map(Result::unwrap).any(|line| line.ends_with(text));
        assert!(found, "the process ended without saying {text:?}");
    }

    fn change(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn beside(path: &Path, suffix: &str) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    Path::new(&name).exists()
}

/// A node commits, another program reads and exits, the node commits again and is killed. Returns what is stored then.
async fn read_beside_and_kill() -> (bool, i64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.sqlite");
    let mut node = Process::start("node", &path);
    node.wait_for("committed 1");
    let mut reader = Process::start("reader", &path);
    reader.wait_for("read 1");
    reader.child.wait().unwrap();
    let kept = beside(&path, "-wal") && beside(&path, "-shm");
    node.change();
    node.wait_for("committed 2");
    node.kill();
    let store = Store::open(&options(&path), &root_keys(), random()).unwrap();
    (kept, count(&store).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_reader_beside_a_running_node_loses_nothing_that_was_committed() {
    assert_eq!(read_beside_and_kill().await, (true, 2));
}
