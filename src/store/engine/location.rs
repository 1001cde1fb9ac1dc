//! The location of the database: its address, its file, and what distinguishes it from a copy.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::OpenError;

/// The location of the database, by scheme, ready to connect.
#[derive(Clone)]
pub(crate) enum Location {
    /// A libpq URI, including the password.
    Postgres(Zeroizing<String>),
    Sqlite(PathBuf),
}

impl Location {
    /// Parses `postgres://…`, `postgresql://…` and `sqlite:PATH` (or `sqlite://PATH`).
    ///
    /// # Errors
    /// [`OpenError::Url`] for anything else.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(path.strip_prefix("//").unwrap_or(path));
        }
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(OpenError::Url("it must start with sqlite: or postgres://"));
        }
        let mut parsed = url::Url::parse(url).map_err(|_| OpenError::Url("it is not a well-formed URL"))?;
        let present: Vec<String> = parsed.query_pairs().map(|(name, _)| name.into_owned()).collect();
        // A peer that vanished must not hold a request for the minutes that TCP would wait.
        for (name, value) in
            [("connect_timeout", "5"), ("tcp_user_timeout", "15000"), ("application_name", "omadata")]
        {
            if !present.iter().any(|known| known == name) {
                parsed.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(Self::Postgres(Zeroizing::new(parsed.into())))
    }
}

fn sqlite(path: &str) -> Result<Location, OpenError> {
    // SQLite would read these as an address or as an in-memory database, of which each connection has its own.
    if path.is_empty() || path.starts_with("file:") || path.contains(['?', '\0']) || path.starts_with(':') {
        return Err(OpenError::Url("sqlite: must be followed by the path of a file"));
    }
    Ok(Location::Sqlite(PathBuf::from(path)))
}

/// Creates a missing database file, readable by its owner only, and removes others' access to an existing one. SQLite
/// gives its journal and shared-memory files the same mode.
///
/// Never opens a file that exists: POSIX drops all of a process's locks on a file as soon as the process closes any
/// descriptor of it (`fcntl(2)`, "Advisory record locking"), so that another program could delete the write-ahead log
/// under the connections that are open.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) => take_access_away(path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(error),
    }
}

/// Under another name first, so that the descriptor is closed before anybody can have connected to the file.
fn create(path: &Path) -> io::Result<()> {
    let staged = tempfile_name(path);
    let made = create_private(&staged).map(drop).and_then(|()| match std::fs::hard_link(&staged, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = std::fs::remove_file(&staged);
    made.and(removed)
}

fn tempfile_name(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}-{number}", std::process::id()));
    PathBuf::from(name)
}

#[cfg(unix)]
fn take_access_away(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = metadata.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn take_access_away(_: &Path, _: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The lock of the one process that serves from a SQLite file; released when dropped or when the process ends.
#[derive(Debug)]
pub struct ServingLock(#[allow(dead_code, reason = "holds the lock while it lives")] Option<File>);

impl ServingLock {
    /// Locks the database at this address for serving. PostgreSQL serves several processes; a SQLite file one, locked
    /// by a separate file: SQLite could lose a lock on the database file itself.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when another process has it, [`OpenError::File`] when the lock file cannot be used.
    pub(crate) fn take(url: &str) -> Result<Self, OpenError> {
        let Location::Sqlite(database) = Location::parse(url)? else { return Ok(Self(None)) };
        let mut name = database.as_os_str().to_owned();
        name.push("-serving");
        let path = PathBuf::from(name);
        let failed = |cause| OpenError::File { path: path.display().to_string(), cause };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = match create_private(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                File::options().write(true).open(&path).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(OpenError::InUse { path: database.display().to_string() })
            }
            Err(std::fs::TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_file_is_served_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("new/node.sqlite").display());
        let first = ServingLock::take(&url).unwrap();
        let refused = ServingLock::take(&url).unwrap_err();
        assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
        assert!(refused.to_string().contains("another process"), "{refused}");
        drop(first);
        ServingLock::take(&url).unwrap();
    }

    #[test]
    fn access_of_others_to_the_file_is_taken_away_and_no_staged_file_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.sqlite");
        make_private(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        make_private(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no staged file stays");
    }
}
