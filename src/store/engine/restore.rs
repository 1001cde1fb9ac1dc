//! Detects that this database was restored from a backup, or copied: then later changes are missing.
//!
//! Three marks show it; each covers cases that the others miss:
//!
//! - **where the database is**: PostgreSQL's system identifier, timeline, database and table, or the inode of a SQLite file.
//!   A restore into a new server, a new database or file, a point-in-time recovery and a failover change it;
//! - **a file beside the root keys** with the end of the log: an older database lacks that entry, wherever it is;
//! - **the operator**, with `omadata restore-finished`: nothing else shows that a whole machine was restored, this file
//!   included.

use std::io;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::db::Db;
use super::error::{OpenError, StoreError};
use super::schema::{consents, log_entries, log_head, node_identity};
use super::transaction::{Reader, Tx};
use crate::domain::clock::Timestamp;

/// Name of the file beside the root keys.
const MARK: &str = "log.mark";

/// The end of the log as this machine last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMark {
    /// The number of the last entry.
    pub index: i64,
    pub(crate) leaf_hash: String,
}

impl LogMark {
    /// Reads the mark of a key directory; `None` when there is none, or it is damaged: it can only add a suspicion.
    ///
    /// # Errors
    /// The operating system's error, other than that there is no such file.
    pub fn load(directory: &Path) -> io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(directory.join(MARK)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let parsed = text.trim_end().split_once(' ').and_then(|(index, leaf_hash)| {
            Some(Self { index: index.parse().ok()?, leaf_hash: leaf_hash.to_owned() })
        });
        Ok(parsed)
    }

    /// Writes the mark atomically.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn store(&self, directory: &Path) -> io::Result<()> {
        let staged: PathBuf = directory.join(format!("{MARK}.{}", std::process::id()));
        std::fs::write(&staged, format!("{} {}\n", self.index, self.leaf_hash))?;
        std::fs::rename(&staged, directory.join(MARK))
    }
}

/// The end of the log now; `None` while it is empty.
///
/// # Errors
/// [`StoreError`].
pub fn log_mark(reader: &mut Reader<'_>) -> Result<Option<LogMark>, StoreError> {
    let last: Option<(i64, String)> = log_entries::table
        .order(log_entries::idx.desc())
        .select((log_entries::idx, log_entries::leaf_hash))
        .first(reader.db)
        .optional()?;
    Ok(last.map(|(index, leaf_hash)| LogMark { index, leaf_hash }))
}

/// How a restoration was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The database is at another location.
    Location,
    /// The log is shorter than, or differs from, what this machine saw.
    Log,
}

impl Evidence {
    /// For the log and the operator.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Location => "the database is not where it was",
            Self::Log => "the log lacks what this machine has seen in it",
        }
    }
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    place: String,
}

/// Any user may call these (PostgreSQL manual, 9.28.11); a restored table has another number.
const PLACE: &str = "\
    SELECT s.system_identifier || '/' || c.timeline_id || '/' || d.oid || '/' || 'node_identity'::regclass::oid AS place \
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()";

/// What distinguishes this database from a copy.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn place(reader: &mut Reader<'_>, file: Option<&Path>) -> Result<String, OpenError> {
    if let Db::Postgres(connection) = &mut *reader.db {
        let found: Place = diesel::sql_query(PLACE).get_result(connection).map_err(StoreError::from)?;
        return Ok(found.place);
    }
    let path = file.ok_or(StoreError::Rule("a SQLite database is a file"))?;
    let failed = |cause| OpenError::File { path: path.display().to_string(), cause };
    inode(path).map_err(failed)
}

#[cfg(unix)]
fn inode(path: &Path) -> io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    // The device number is left out: it may change at a restart of the machine.
    std::fs::metadata(path).map(|metadata| metadata.ino().to_string())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> io::Result<String> {
    Ok(String::new())
}

/// Compares the database with its recorded marks, and begins a new epoch when it was restored or copied. Returns how
/// that was detected.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn detect(
    tx: &mut Tx<'_>,
    place: &str,
    mark: Option<&LogMark>,
    now: Timestamp,
) -> Result<Option<Evidence>, StoreError> {
    let before: Option<String> = node_identity::table.select(node_identity::location).get_result(tx.db)?;
    let seen: Option<String> = match mark {
        None => None,
        Some(mark) => {
            log_entries::table.find(mark.index).select(log_entries::leaf_hash).get_result(tx.db).optional()?
        }
    };
    let evidence = match (before, mark) {
        (Some(before), _) if before != place => Some(Evidence::Location),
        (_, Some(mark)) if seen.as_deref() != Some(mark.leaf_hash.as_str()) => Some(Evidence::Log),
        _ => None,
    };
    diesel::update(node_identity::table).set(node_identity::location.eq(place)).execute(tx.db)?;
    if evidence.is_some() {
        begin_epoch(tx, now)?;
    }
    Ok(evidence)
}

/// Begins a new epoch: no consent is released under until its recipient's knowledge was compared.
///
/// # Errors
/// [`StoreError`].
pub fn begin_epoch(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let last: i64 = node_identity::table.select(node_identity::epoch).get_result(tx.db)?;
    let epoch = now.micros().div_euclid(1000).max(last.saturating_add(1));
    diesel::update(node_identity::table)
        .set((node_identity::epoch.eq(epoch), node_identity::restored_at.eq(now)))
        .execute(tx.db)?;
    Ok(())
}

/// When the database was last restored or copied, in milliseconds since 1970; 0 when it never was.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn epoch(reader: &mut Reader<'_>) -> Result<u64, StoreError> {
    let epoch: i64 = node_identity::table.select(node_identity::epoch).get_result(reader.db)?;
    u64::try_from(epoch).map_err(|_| StoreError::Corrupt("node_identity.epoch"))
}

/// The `sequence` of a change, from the number of its log entry. After a restore the log reuses numbers that recipients
/// have seen: the epoch in front makes every later event newer than all earlier ones. Holds for fewer than a thousand
/// entries per second between two restores.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn sequence(reader: &mut Reader<'_>, log_index: u64) -> Result<u64, StoreError> {
    Ok(epoch(reader)?.saturating_add(log_index))
}

/// The `sequence` of the latest entry of the log: no event has a higher one.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn latest_sequence(reader: &mut Reader<'_>) -> Result<u64, StoreError> {
    let next: i64 = log_head::table.select(log_head::next_idx).get_result(reader.db)?;
    sequence(reader, u64::try_from(next.saturating_sub(1)).unwrap_or(0))
}

/// Since when peers are being compared with after a restore; `None` when the comparison is over.
///
/// # Errors
/// [`StoreError`].
pub fn restored_at(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(node_identity::table.select(node_identity::restored_at).get_result(reader.db)?)
}

/// Ends the comparison when no consent in force waits for it any more; `true` when it is over.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn finish_if_complete(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let epoch: i64 = node_identity::table.select(node_identity::epoch).get_result(tx.db)?;
    let held_back = consents::table.filter(consents::ended_at.is_null().and(consents::epoch.lt(epoch)));
    if diesel::select(diesel::dsl::exists(held_back)).get_result(tx.db)? {
        return Ok(false);
    }
    diesel::update(node_identity::table)
        .set(node_identity::restored_at.eq(None::<Timestamp>))
        .execute(tx.db)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Kind, TestStore, at, on_both, random, root_keys};
    use super::*;
    use crate::domain::log::Leaf;
    use crate::store::{Options, Store, log};

    async fn append(store: &Store, n: u8) {
        let leaf = Leaf { hash: char::from(b'a' + n).to_string().repeat(43), entry: "{}".to_owned() };
        store.write_log("test", move |tx| log::append(tx, &leaf, at(0))).await.unwrap();
    }

    async fn epoch(store: &Store) -> u64 {
        store.read("test", super::epoch).await.unwrap()
    }

    on_both!(
        async fn a_start_without_a_restore_begins_no_epoch_and_an_operator_can(fixture) {
            let keys = tempfile::tempdir().unwrap();
            let store = &fixture.store;
            append(store, 0).await;
            for _ in 0..3 {
                assert_eq!(store.detect_restore(keys.path(), at(1)).await.unwrap(), None);
                store.write_log_mark(keys.path()).await.unwrap();
                append(store, 1).await;
            }
            assert_eq!(epoch(store).await, 0);
            store.write("test", |tx| begin_epoch(tx, at(2))).await.unwrap();
            assert_eq!(epoch(store).await, u64::try_from(at(2).micros() / 1000).unwrap());
            store.write("test", |tx| begin_epoch(tx, at(1))).await.unwrap();
            assert!(epoch(store).await > u64::try_from(at(2).micros() / 1000).unwrap(), "it only grows");
        }
    );

    on_both!(
        async fn a_log_that_went_back_is_a_restored_backup(fixture) {
            let keys = tempfile::tempdir().unwrap();
            let store = &fixture.store;
            append(store, 0).await;
            store.detect_restore(keys.path(), at(1)).await.unwrap();
            // This machine has seen an entry that the database does not have.
            LogMark { index: 5, leaf_hash: "x".repeat(43) }.store(keys.path()).unwrap();
            assert_eq!(store.detect_restore(keys.path(), at(2)).await.unwrap(), Some(Evidence::Log));
            assert!(store.read("test", restored_at).await.unwrap().is_some());
            // It is detected once: from now on the mark belongs to this database.
            assert_eq!(store.detect_restore(keys.path(), at(3)).await.unwrap(), None);
        }
    );

    #[tokio::test(flavor = "multi_thread")]
    async fn a_copied_file_is_a_restored_backup() {
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let keys = tempfile::tempdir().unwrap();
        append(&fixture.store, 0).await;
        fixture.store.detect_restore(keys.path(), at(1)).await.unwrap();
        let copy = fixture.directory().join("copy.db");
        let statement = format!("VACUUM INTO '{}'", copy.display());
        diesel::sql_query(statement).execute(&mut fixture.store.connection().unwrap().db).unwrap();
        let options = Options { url: format!("sqlite:{}", copy.display()), ..fixture.options.clone() };
        let restored = Store::open(&options, &root_keys(), random()).unwrap();
        assert_eq!(restored.detect_restore(keys.path(), at(2)).await.unwrap(), Some(Evidence::Location));
        assert_eq!(restored.detect_restore(keys.path(), at(3)).await.unwrap(), None);
    }
}
