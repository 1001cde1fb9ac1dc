//! The engine: migrations, transactions, sealing, root keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::MigrationHarness;

use super::db::Db;
use super::schema::counters;
use super::sealed::{LookupKey, Sealer, column};
use super::testing::{Kind, TestStore, on_both, random, root_keys};
use crate::domain::ids::{DatasetId, EntityId, NationalIdentifier, PersonId};
use crate::store::{OpenError, Options, Store, StoreError};
use crate::store::{RootKey, RootKeyError, RootKeys};

#[derive(QueryableByName, Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct ColumnOf {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
}

fn columns(db: &mut Db) -> Vec<ColumnOf> {
    let text = match db {
        Db::Postgres(_) => {
            "SELECT table_name::text, column_name::text, CASE data_type WHEN 'bigint' THEN 'INTEGER' \
             WHEN 'bytea' THEN 'BLOB' ELSE upper(data_type) END AS kind, \
             (CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END)::bigint AS nullable \
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
        Db::Sqlite(_) => {
            "SELECT m.name AS table_name, c.name AS column_name, c.type AS kind, 1 - c.\"notnull\" AS nullable \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
    };
    let mut rows: Vec<ColumnOf> = diesel::sql_query(text).load(db).unwrap();
    rows.retain(|row| !row.table_name.starts_with("sqlite_") && !row.table_name.starts_with("__diesel"));
    rows.sort();
    rows
}

fn indexes(db: &mut Db) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let text = match db {
        Db::Postgres(_) => {
            "SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = 'public' \
                            AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'"
        }
        Db::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    };
    let mut names: Vec<String> =
        diesel::sql_query(text).load::<Name>(db).unwrap().into_iter().map(|row| row.name).collect();
    names.sort();
    names
}

fn with_db<T>(store: &Store, work: impl FnOnce(&mut Db) -> T) -> T {
    work(&mut store.connection().unwrap().db)
}

/// The names of one database's migrations.
fn migrations(folder: &str) -> Vec<std::ffi::OsString> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut names: Vec<_> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

fn up_down_up(kind: Kind) {
    let Some(fixture) = TestStore::unmigrated(kind) else { return };
    with_db(&fixture.store, |db| {
        assert!(db.migrations_pending().unwrap());
        assert_eq!(db.migrate().unwrap(), migrations("sqlite").len());
        let first = columns(db);
        assert!(first.len() > 100);
        db.in_migration(|db| match db {
            Db::Postgres(c) => c.revert_all_migrations(super::db::POSTGRES).map(|_| ()),
            Db::Sqlite(c) => c.revert_all_migrations(super::db::SQLITE).map(|_| ()),
        })
        .unwrap();
        assert_eq!(columns(db), []);
        assert!(db.migrations_pending().unwrap());
        assert_eq!(db.migrate().unwrap(), migrations("sqlite").len());
        assert_eq!(columns(db), first);
        assert!(!db.migrations_pending().unwrap());
        assert_eq!(db.migrate().unwrap(), 0);
    });
}

#[test]
fn migrations_go_up_down_up_on_sqlite() {
    up_down_up(Kind::Sqlite);
}

#[test]
fn migrations_go_up_down_up_on_postgres() {
    up_down_up(Kind::Postgres);
}

#[test]
fn migrations_have_the_same_names() {
    assert_eq!(migrations("sqlite"), migrations("postgres"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_columns_and_indexes() {
    let sqlite = TestStore::new(Kind::Sqlite).await.unwrap();
    let Some(postgres) = TestStore::new(Kind::Postgres).await else { return };
    let (left, right) = (with_db(&sqlite.store, columns), with_db(&postgres.store, columns));
    assert_eq!(left, right);
    assert_eq!(with_db(&sqlite.store, indexes), with_db(&postgres.store, indexes));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_in_code_is_the_schema_in_the_database() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let mut in_code = Vec::new();
    let mut table = String::new();
    for line in include_str!("schema.rs").lines() {
        if let Some((name, "{")) = line.trim().split_once(" (").map(|(n, rest)| (n, &rest[rest.len() - 1..]))
        {
            table = name.to_owned();
        } else if let Some((column, kind)) = line.trim().trim_end_matches(',').split_once(" -> ") {
            let nullable = i64::from(kind.starts_with("Nullable"));
            let kind = match kind.trim_start_matches("Nullable<").trim_end_matches('>') {
                "Text" => "TEXT",
                "Binary" => "BLOB",
                "BigInt" => "INTEGER",
                other => panic!("{other}"),
            };
            in_code.push(ColumnOf {
                table_name: table.clone(),
                column_name: column.to_owned(),
                kind: kind.to_owned(),
                nullable,
            });
        }
    }
    in_code.sort();
    assert_eq!(in_code, with_db(&fixture.store, columns));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_migrate_at_once_agree() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(fixture) = TestStore::unmigrated(kind) else { continue };
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let store = fixture.other_process(&root_keys()).unwrap();
                tokio::spawn(async move { store.migrate().await.unwrap() })
            })
            .collect();
        let mut ran = 0;
        for task in tasks {
            ran += task.await.unwrap();
        }
        assert_eq!(ran, migrations("sqlite").len());
    }
}

on_both!(
    async fn contended_increments_are_all_counted(fixture) {
        let tasks: Vec<_> = (0..8)
            .map(|worker| {
                // Two processes, so that SQLite's file lock is tested too.
                let store = if worker % 2 == 0 { fixture.store.clone() } else { fixture.other_process(&root_keys()).unwrap() };
                tokio::spawn(async move {
                    for _ in 0..50 {
                        store
                            .write("test", |tx| {
                                let value: i64 = counters::table
                                    .find("status_index")
                                    .select(counters::next_value)
                                    .first(tx.db)
                                    .map_err(StoreError::from)?;
                                diesel::update(counters::table.find("status_index"))
                                    .set(counters::next_value.eq(value + 1))
                                    .execute(tx.db)?;
                                Ok::<_, StoreError>(())
                            })
                            .await
                            .unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let value: i64 = fixture
            .store
            .read("test", |reader| Ok::<_, StoreError>(counters::table.find("status_index").select(counters::next_value).first(reader.db)?))
            .await
            .unwrap();
        assert_eq!(value, 400);
    }
);

fn bump(tx: &mut crate::store::Tx<'_>) -> Result<(), StoreError> {
    diesel::update(counters::table.find("status_index"))
        .set(counters::next_value.eq(counters::next_value + 1))
        .execute(tx.db)?;
    Ok(())
}

async fn value(store: &Store) -> i64 {
    store
        .read("test", |reader| {
            Ok::<_, StoreError>(
                counters::table.find("status_index").select(counters::next_value).first(reader.db)?,
            )
        })
        .await
        .unwrap()
}

on_both!(
    async fn a_failed_or_panicking_write_leaves_nothing(fixture) {
        let failed = fixture.store.write("test", |tx| { bump(tx)?; Err::<(), _>(StoreError::NotFound) }).await;
        assert_eq!(failed, Err(StoreError::NotFound));
        for _ in 0..20 {
            let died = fixture
                .store
                .write("test", |tx| -> Result<(), StoreError> { bump(tx)?; panic!("a fault in a use case") })
                .await;
            assert!(matches!(died, Err(StoreError::Unavailable(_))));
        }
        assert_eq!(value(&fixture.store).await, 0);
        fixture.store.write("test", bump).await.unwrap();
        assert_eq!(value(&fixture.store).await, 1);
    }
);

on_both!(
    async fn a_statement_error_that_is_swallowed_is_not_committed(fixture) {
        let result = fixture
            .store
            .write("test", |tx| {
                bump(tx)?;
                let _ = diesel::insert_into(counters::table)
                    .values((counters::name.eq("status_index"), counters::next_value.eq(0)))
                    .execute(tx.db);
                Ok::<_, StoreError>(())
            })
            .await;
        assert_eq!(result, Err(StoreError::Rule("a failed statement was passed over")));
        assert_eq!(value(&fixture.store).await, 0);
    }
);

on_both!(
    async fn contention_is_met_again_whatever_the_use_case_makes_of_the_error(fixture) {
        #[derive(Debug)]
        struct Opaque;
        impl From<StoreError> for Opaque {
            fn from(_: StoreError) -> Self {
                Self
            }
        }
        let runs = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (store, runs) = (fixture.store.clone(), Arc::clone(&runs));
                tokio::spawn(async move {
                    store
                        .write("test", move |tx| {
                            runs.fetch_add(1, Ordering::Relaxed);
                            let value: i64 = counters::table
                                .find("status_index")
                                .select(counters::next_value)
                                .first(tx.db)
                                .map_err(|_| Opaque)?;
                            std::thread::sleep(std::time::Duration::from_millis(20));
                            diesel::update(counters::table.find("status_index"))
                                .set(counters::next_value.eq(value + 1))
                                .execute(tx.db)
                                .map_err(|_| Opaque)?;
                            Ok::<_, Opaque>(())
                        })
                        .await
                        .unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(value(&fixture.store).await, 6);
        assert!(runs.load(Ordering::Relaxed) >= 6);
    }
);

#[test]
fn addresses_that_are_no_database_are_refused() {
    for url in
        ["", "mysql://x", "node.db", "sqlite://", "sqlite://:memory:", "sqlite://file:x", "sqlite://a?b=c"]
    {
        let options = Options { url: url.to_owned(), owner: None, pool: 1, transaction_pooling: false };
        let error = Store::open(&options, &root_keys(), random()).unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error}");
    }
    let unreachable = Options {
        url: "postgres://nobody:hush@127.0.0.1:1/x".to_owned(),
        owner: None,
        pool: 1,
        transaction_pooling: false,
    };
    let error = Store::open(&unreachable, &root_keys(), random()).unwrap_err();
    assert!(matches!(error, OpenError::Connect(_)));
    assert!(!error.to_string().contains("hush"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_database_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    for entry in std::fs::read_dir(fixture.directory()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

on_both!(
    async fn a_lost_root_key_is_noticed(fixture) {
        fixture.other_process(&root_keys()).unwrap().check_owner().await.unwrap();
        let mut keys = root_keys();
        keys.sealing = RootKey::new([9; 32]);
        let store = fixture.other_process(&keys).unwrap();
        assert!(matches!(store.migrate().await, Err(OpenError::WrongKey("sealing.key"))));
        let mut keys = root_keys();
        keys.lookup = RootKey::new([9; 32]);
        let store = fixture.other_process(&keys).unwrap();
        assert!(matches!(store.check_owner().await, Err(OpenError::WrongKey("lookup.key"))));
    }
);

#[test]
fn a_sealed_value_opens_only_in_its_place() {
    let sealer = Sealer::new(&RootKey::new([1; 32]), random());
    let (identifier, token) = (column!(persons.identifier), column!(held_consents.access_token));
    let sealed = sealer.seal(identifier, b"row-1", b"010101A900B").unwrap();
    assert_eq!(sealer.open(identifier, b"row-1", &sealed).unwrap().as_slice(), b"010101A900B");
    assert!(!sealed.windows(6).any(|part| b"010101A900B".windows(6).any(|plain| plain == part)));
    let corrupt = Err(StoreError::Corrupt("persons.identifier"));
    assert_eq!(sealer.open(identifier, b"row-2", &sealed), corrupt);
    assert_eq!(sealer.open(token, b"row-1", &sealed), Err(StoreError::Corrupt("held_consents.access_token")));
    assert_eq!(Sealer::new(&RootKey::new([2; 32]), random()).open(identifier, b"row-1", &sealed), corrupt);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(sealer.open(identifier, b"row-1", &changed), corrupt, "byte {at}");
        assert_eq!(sealer.open(identifier, b"row-1", &sealed[..at]), corrupt, "cut at {at}");
    }
    assert_ne!(
        sealer.seal(identifier, b"row-1", b"x").unwrap(),
        sealer.seal(identifier, b"row-1", b"x").unwrap()
    );
}

#[test]
fn keyed_hashes_keep_kinds_and_parts_apart() {
    let lookup = LookupKey::new(&RootKey::new([1; 32]));
    let identifier = NationalIdentifier::new(" 010101a900b ").unwrap();
    assert_eq!(
        lookup.identifier(&identifier),
        lookup.identifier(&NationalIdentifier::new("010101A900B").unwrap())
    );
    assert_ne!(
        lookup.identifier(&identifier),
        LookupKey::new(&RootKey::new([2; 32])).identifier(&identifier)
    );
    assert_ne!(lookup.secret("a", "x"), lookup.secret("b", "x"));
    assert_ne!(lookup.login("https://a", "bc"), lookup.login("https://ab", "c"));
    let (helsinki, turku) =
        (EntityId::new("https://h.example").unwrap(), EntityId::new("https://t.example").unwrap());
    let person = PersonId::from_bytes([7; 16]);
    assert_ne!(lookup.pairwise(&person, &helsinki).unwrap(), lookup.pairwise(&person, &turku).unwrap());
    assert_eq!(lookup.pairwise(&person, &helsinki).unwrap().as_str().len(), 43);
    let (placements, fees) = (DatasetId::new("placements").unwrap(), DatasetId::new("fees").unwrap());
    assert_eq!(lookup.person_for(&helsinki, &identifier), lookup.person_for(&helsinki, &identifier));
    assert_ne!(lookup.person_for(&helsinki, &identifier), lookup.person_for(&turku, &identifier));
    assert_ne!(lookup.record_for(&helsinki, &placements, "1"), lookup.record_for(&helsinki, &fees, "1"));
    assert_ne!(lookup.record_for(&helsinki, &placements, "1"), lookup.record_for(&turku, &placements, "1"));
    assert!(!format!("{lookup:?} {:?}", lookup.secret("a", "x")).contains("1, 1"));
}

#[test]
fn root_keys_are_made_once_even_by_many_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets");
    let keys: Vec<RootKeys> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| RootKeys::load_or_create(&path, &random()).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for other in &keys {
        assert_eq!(other.sealing.bytes(), keys[0].sealing.bytes());
        assert_eq!(other.session.bytes(), keys[0].session.bytes());
    }
    assert_ne!(keys[0].sealing.bytes(), keys[0].lookup.bytes());
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 3, "no staged file stays");
    assert_eq!(format!("{:?}", keys[0].sealing), "RootKey([redacted])");
}

#[cfg(unix)]
#[test]
fn open_or_damaged_key_files_are_refused_with_their_mend() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    RootKeys::load_or_create(directory.path(), &random()).unwrap();
    let path = directory.path().join("lookup.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = RootKeys::load_or_create(directory.path(), &random()).unwrap_err();
    assert!(matches!(&error, RootKeyError::Open { mode: 0o640, .. }));
    assert!(error.to_string().contains("chmod 600"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for length in [0, 31, 33] {
        std::fs::write(&path, vec![0; length]).unwrap();
        let error = RootKeys::load_or_create(directory.path(), &random()).unwrap_err();
        assert!(matches!(error, RootKeyError::Damaged { .. }));
    }
}

on_both!(
    async fn a_database_belongs_to_the_node_that_used_it_first(fixture) {
        let of = |owner: &str| {
            let owner = Some(EntityId::new(owner).unwrap());
            Store::open(&Options { owner, ..fixture.options.clone() }, &root_keys(), random()).unwrap()
        };
        of("https://espoo.example").migrate().await.unwrap();
        of("https://espoo.example").check_owner().await.unwrap();
        for refused in [of("https://turku.example").migrate().await.map(|_| ()), of("https://turku.example").check_owner().await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, OpenError::WrongOwner { .. }), "{error}");
            assert!(error.to_string().contains("belongs to https://espoo.example"), "{error}");
        }
        of("https://espoo.example").check_owner().await.unwrap();
    }
);

on_both!(
    async fn a_database_of_another_version_is_named_as_such(fixture) {
        with_db(&fixture.store, |db| {
            diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('20250101000009')")
                .execute(db)
                .unwrap();
        });
        let error = fixture.store.migrate().await.unwrap_err();
        assert!(error.to_string().contains("another version of this program (migration 20250101000009)"), "{error}");
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_only_change_rows_serves_from_a_migrated_database() {
    let Some(fixture) = TestStore::new(Kind::Postgres).await else { return };
    let mut name = [0; 8];
    random()(&mut name);
    let user = format!("omadata_dml_{:016x}", u64::from_be_bytes(name));
    with_db(&fixture.store, |db| {
        // The command of docs/operators.md.
        for statement in [
            format!("CREATE ROLE {user} LOGIN PASSWORD 'a%41b'"),
            format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"),
            format!("REVOKE UPDATE, DELETE ON log_entries, consent_events FROM {user}"),
        ] {
            diesel::sql_query(statement).execute(db).unwrap();
        }
    });
    let mut url = url::Url::parse(&fixture.options.url).unwrap();
    url.set_username(&user).unwrap();
    url.set_password(None).unwrap();
    let url = crate::domain::catalogue::register::DatabaseUrl::Postgres(url);
    let url = url.with_password(Some("a%41b")).unwrap();
    let options = Options { url, ..fixture.options.clone() };
    let store = Store::open(&options, &root_keys(), random()).unwrap();
    assert!(!store.migrations_pending().await.unwrap());
    assert_eq!(store.migrate().await.unwrap(), 0);
    store.write_log("test", bump).await.unwrap();
    assert_eq!(value(&store).await, 1);
    let keys = tempfile::tempdir().unwrap();
    let now = super::testing::at(0);
    assert_eq!(store.detect_restore(keys.path(), now).await.unwrap(), None);
    drop(store);
    with_db(&fixture.store, |db| {
        for statement in [format!("DROP OWNED BY {user}"), format!("DROP ROLE {user}")] {
            diesel::sql_query(statement).execute(db).unwrap();
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_that_somebody_else_holds_is_told_in_time_and_nothing_takes_effect_later() {
    use diesel::connection::SimpleConnection;
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let path = fixture.directory().join("node.db");
    let mut foreign = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    foreign.batch_execute("BEGIN IMMEDIATE").unwrap();
    let begun = tokio::time::Instant::now();
    let refused = fixture.store.write("test", bump).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(fixture.store.ping().await.is_err(), "not ready while nothing can be written");
    assert_eq!(value(&fixture.store).await, 0, "reading goes on");
    foreign.batch_execute("ROLLBACK").unwrap();
    assert_eq!(value(&fixture.store).await, 0, "what was refused has no effect afterwards");
    fixture.store.write("test", bump).await.unwrap();
    fixture.store.try_write().await.unwrap();
    fixture.store.ping().await.unwrap();
    assert_eq!(value(&fixture.store).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_the_store_not_ready_until_there_is_room() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    // A full disk: SQLite refuses to let the file grow.
    with_each_connection(&fixture.store, "PRAGMA max_page_count = 1");
    let fill = |tx: &mut crate::store::Tx<'_>| {
        let row = (
            crate::store::engine::schema::sessions::key_hash.eq(tx.random::<32>().to_vec()),
            crate::store::engine::schema::sessions::state.eq(vec![0_u8; 1_000_000]),
            crate::store::engine::schema::sessions::created_at.eq(0_i64),
            crate::store::engine::schema::sessions::expires_at.eq(0_i64),
            crate::store::engine::schema::sessions::ends_at.eq(0_i64),
        );
        diesel::insert_into(crate::store::engine::schema::sessions::table).values(row).execute(tx.db)?;
        Ok::<_, StoreError>(())
    };
    assert!(matches!(fixture.store.write("test", fill).await, Err(StoreError::Unavailable(_))));
    assert!(fixture.store.ping().await.is_err());
    fixture.store.write("test", |_| Ok::<_, StoreError>(())).await.unwrap();
    assert!(fixture.store.ping().await.is_err(), "a write without changes shows nothing");
    with_each_connection(&fixture.store, "PRAGMA max_page_count = 1000000");
    fixture.store.write("test", fill).await.unwrap();
    fixture.store.try_write().await.unwrap();
    fixture.store.ping().await.unwrap();
}

/// Runs a statement on every connection of the pool.
fn with_each_connection(store: &Store, statement: &str) {
    use diesel::connection::SimpleConnection;
    let mut connections: Vec<_> = (0..8).map(|_| store.connection().unwrap()).collect();
    for connection in &mut connections {
        connection.db.batch_execute(statement).unwrap();
    }
}

#[test]
fn the_newest_sealing_key_seals_and_every_older_one_still_opens() {
    let (column, row) = (column!(persons.identifier), b"row-1");
    let first = Sealer::new(&RootKey::new([1; 32]), random());
    let both = Sealer::new(&RootKey::new([1; 32]), random()).with_key(2, &RootKey::new([2; 32]));
    let old = first.seal(column, row, b"old").unwrap();
    let new = both.seal(column, row, b"new").unwrap();
    assert_eq!((old[0], new[0]), (1, 2));
    assert_eq!(both.open(column, row, &old).unwrap().as_slice(), b"old");
    assert_eq!(both.open(column, row, &new).unwrap().as_slice(), b"new");
    assert!(first.open(column, row, &new).is_err());
}

on_both!(
    async fn a_further_sealing_key_can_be_added_and_not_be_lost(fixture) {
        let with = |bytes: Option<[u8; 32]>| {
            let mut keys = root_keys();
            keys.further_sealing = bytes.into_iter().map(|bytes| (2, RootKey::new(bytes))).collect();
            fixture.other_process(&keys).unwrap()
        };
        with(Some([5; 32])).migrate().await.unwrap();
        with(Some([5; 32])).check_owner().await.unwrap();
        for lost in [None, Some([6; 32])] {
            assert!(matches!(with(lost).check_owner().await, Err(OpenError::WrongKey(_))));
        }
    }
);

/// A write in the queue that lasts until it is told to end. It has begun when this returns.
async fn long_queued_write(
    store: &Store,
) -> (std::sync::mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (end, ends) = std::sync::mpsc::channel();
    let (store, mut begun) = (store.clone(), Some(begun));
    let writing = tokio::spawn(async move {
        let work = move |_: &mut crate::store::Tx<'_>| {
            begun.take().unwrap().send(()).unwrap();
            ends.recv().unwrap();
            Ok::<_, StoreError>(())
        };
        store.write_log("test", work).await
    });
    has_begun.await.unwrap();
    (end, writing)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_caller_is_busy_elsewhere_holds_up_nobody() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let store = &fixture.store;
    let write = || store.write("test", |_| Ok::<_, StoreError>(()));
    let (end, long) = long_queued_write(store).await;
    let mut second = std::pin::pin!(write());
    // Queues, and is not polled again until the third is done.
    assert!(futures_util::poll!(&mut second).is_pending());
    end.send(()).unwrap();
    long.await.unwrap().unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(5), write()).await.unwrap().unwrap();
    second.await.unwrap();
}

on_both!(
    async fn writes_that_wait_share_a_commit_and_each_fails_alone(fixture) {
        let store = &fixture.store;
        let (end_first, first) = long_queued_write(store).await;
        let ran = Arc::new(AtomicU32::new(0));
        let (end_last, last_ends) = std::sync::mpsc::channel::<()>();
        let mut last_ends = Some(last_ends);
        let mut writes = Vec::new();
        for number in 0..16 {
            let (store, ran) = (store.clone(), Arc::clone(&ran));
            let mut ends = if number == 15 { last_ends.take() } else { None };
            let work = move |tx: &mut crate::store::Tx<'_>| {
                ran.fetch_add(1, Ordering::SeqCst);
                bump(tx)?;
                match number {
                    3 => return Err(StoreError::NotFound),
                    5 => panic!("a fault in a use case"),
                    7 => {
                        let again = (counters::name.eq("status_index"), counters::next_value.eq(0));
                        let _ = diesel::insert_into(counters::table).values(again).execute(tx.db);
                    }
                    15 => {
                        if let Some(ends) = ends.take() {
                            ends.recv().unwrap();
                        }
                    }
                    _ => {}
                }
                Ok(())
            };
            let mut write = Box::pin(async move { store.write_log("test", work).await });
            // In the order of their numbers.
            assert!(futures_util::poll!(&mut write).is_pending());
            writes.push(tokio::spawn(write));
        }
        end_first.send(()).unwrap();
        first.await.unwrap().unwrap();
        while ran.load(Ordering::SeqCst) < 16 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(writes.iter().all(|write| !write.is_finished()), "nobody hears of it before the commit");
        assert_eq!(value(store).await, 0);
        end_last.send(()).unwrap();
        for (number, write) in writes.into_iter().enumerate() {
            let result = write.await.unwrap();
            match number {
                3 => assert_eq!(result, Err(StoreError::NotFound)),
                5 => assert_eq!(result, Err(StoreError::Unavailable("the work was interrupted"))),
                7 => assert_eq!(result, Err(StoreError::Rule("a failed statement was passed over"))),
                _ => assert_eq!(result, Ok(()), "{number}"),
            }
        }
        assert_eq!(value(store).await, 13);
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_database_refuses_takes_no_other_with_it() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let store = &fixture.store;
    let (end, long) = long_queued_write(store).await;
    let mut writes = Vec::new();
    for number in 0..3 {
        let store = store.clone();
        let work = move |tx: &mut crate::store::Tx<'_>| {
            bump(tx)?;
            if number == 1 {
                diesel::sql_query("SELECT no_such_function()").execute(tx.db)?;
            }
            Ok::<_, StoreError>(())
        };
        let mut write = Box::pin(async move { store.write("test", work).await });
        assert!(futures_util::poll!(&mut write).is_pending());
        writes.push(tokio::spawn(write));
    }
    end.send(()).unwrap();
    long.await.unwrap().unwrap();
    let mut results = Vec::new();
    for write in writes {
        results.push(write.await.unwrap().is_ok());
    }
    assert_eq!(results, [true, false, true]);
    assert_eq!(value(store).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_gives_up_in_the_queue_changes_nothing() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let store = &fixture.store;
    let (end, long) = long_queued_write(store).await;
    let ran = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&ran);
    let queued = store.write("test", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok::<_, StoreError>(())
    });
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), queued).await.is_err());
    end.send(()).unwrap();
    long.await.unwrap().unwrap();
    store.write("test", |_| Ok::<_, StoreError>(())).await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}
