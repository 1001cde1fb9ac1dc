//! Runs store tests on SQLite always, and on PostgreSQL when `OMADATA_TEST_POSTGRES` names a server
//! (`postgres://postgres@127.0.0.1:5432`): each test in a database of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::Once;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::domain::clock::Timestamp;
use crate::store::{OpenError, Options, Random, Store};
use crate::store::{RootKey, RootKeys};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    /// PostgreSQL through a pooler of transactions, when `OMADATA_TEST_PGBOUNCER` names one before the same server.
    Pooled,
}

/// A migrated store that is deleted with this value.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) options: Options,
    directory: tempfile::TempDir,
    postgres: Option<(String, String)>,
}

#[allow(clippy::disallowed_methods, reason = "tests have no ports::Entropy")]
pub(crate) fn random() -> Random {
    Arc::new(|buffer| getrandom::fill(buffer).unwrap())
}

/// The same keys in every test.
pub(crate) fn root_keys() -> RootKeys {
    RootKeys {
        sealing: RootKey::new([1; 32]),
        further_sealing: Vec::new(),
        lookup: RootKey::new([2; 32]),
        session: RootKey::new([3; 32]),
    }
}

/// A moment in 2026, moved by seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_780_000_000).plus_secs(seconds)
}

#[allow(clippy::disallowed_methods, reason = "tests/run says where the server is, by the environment")]
pub(super) fn server() -> Option<String> {
    static SAID: Once = Once::new();
    let server = std::env::var("OMADATA_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if server.is_none() {
        SAID.call_once(|| {
            eprintln!("left out: the store's tests on PostgreSQL; set OMADATA_TEST_POSTGRES to run them");
        });
    }
    server
}

#[allow(clippy::disallowed_methods, reason = "tests/run says where the pooler is, by the environment")]
fn pooler() -> Option<String> {
    std::env::var("OMADATA_TEST_PGBOUNCER").ok().filter(|url| !url.is_empty())
}

impl TestStore {
    /// A fresh, migrated store; `None` without a PostgreSQL server to test with.
    pub(crate) async fn new(kind: Kind) -> Option<Self> {
        let fresh = Self::unmigrated(kind)?;
        fresh.store.migrate().await.unwrap();
        Some(fresh)
    }

    pub(crate) fn unmigrated(kind: Kind) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let (url, postgres) = match kind {
            Kind::Sqlite => (format!("sqlite://{}", directory.path().join("node.db").display()), None),
            Kind::Postgres | Kind::Pooled => {
                let server = server()?;
                let reached = if kind == Kind::Pooled { pooler()? } else { server.clone() };
                let mut suffix = [0; 8];
                random()(&mut suffix);
                let name = format!("omadata_test_{:016x}", u64::from_be_bytes(suffix));
                let mut admin = url::Url::parse(&server).unwrap();
                admin.set_path("/postgres");
                let mut connection = PgConnection::establish(admin.as_str()).unwrap();
                connection.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
                let mut url = url::Url::parse(&reached).unwrap();
                url.set_path(&name);
                (url.to_string(), Some((admin.to_string(), name)))
            }
        };
        let options = Options { url, owner: None, pool: 8, transaction_pooling: kind == Kind::Pooled };
        let store = Store::open(&options, &root_keys(), random()).unwrap();
        Some(Self { store, options, directory, postgres })
    }

    /// A second process: its own pool over the same database.
    pub(crate) fn other_process(&self, keys: &RootKeys) -> Result<Store, OpenError> {
        Store::open(&self.options, keys, random())
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Some((admin, name)) = &self.postgres
            && let Ok(mut connection) = PgConnection::establish(admin)
        {
            let _ = connection.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// `on_both!(async fn name(fixture) { … });`: one test per database, with `fixture: &TestStore`.
macro_rules! on_both {
    (async fn $name:ident($fixture:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every test names something of its module")]
            use super::*;
            async fn run($fixture: &$crate::store::engine::testing::TestStore) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                use $crate::store::engine::testing::{Kind, TestStore};
                let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
                run(&fixture).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                use $crate::store::engine::testing::{Kind, TestStore};
                if let Some(fixture) = TestStore::new(Kind::Postgres).await {
                    run(&fixture).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn pooled_postgres() {
                use $crate::store::engine::testing::{Kind, TestStore};
                if let Some(fixture) = TestStore::new(Kind::Pooled).await {
                    run(&fixture).await;
                }
            }
        }
    };
}
pub(crate) use on_both;
