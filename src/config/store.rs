//! `[store]`: the node's own database.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::checks;
use super::profile::Profile;
use super::reader::{Location, Section};
use super::secret::{SecretError, SecretFile};
use crate::domain::catalogue::register::DatabaseUrl;

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The address of the database, without its password.
    pub url: DatabaseUrl,
    /// Maximum number of connections.
    pub(crate) pool_size: u32,
    /// A file that holds the database password.
    pub(crate) password_file: Option<PathBuf>,
    /// Whether the address is one of a pooler that gives each transaction any of its connections.
    pub(crate) transaction_pooling: bool,
}

impl Store {
    /// The connection string, `sqlite:<path>` or `postgres://…`, with the password from its file.
    ///
    /// # Errors
    /// [`SecretError`] when the password file cannot be read.
    pub(crate) fn connection_url(&self) -> Result<SecretString, SecretError> {
        let password = match &self.password_file {
            Some(path) => Some(SecretFile::new(path.clone(), false).read(|| [0; 32])?),
            None => None,
        };
        let password = password.as_ref().map(ExposeSecret::expose_secret);
        self.url
            .with_password(password)
            .map(SecretString::from)
            .ok_or_else(|| SecretError::Empty { path: self.password_file.clone().unwrap_or_default() })
    }
}

/// Default number of connections.
const DEFAULT_POOL_SIZE: u32 = 8;

pub(super) fn read(mut section: Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Store> {
    const TRANSACTION_POOLING: &str =
        "write true where the address is one of PgBouncer with pool_mode = transaction";
    let database = Database::read(&mut section, data_dir, profile);
    let pooling = section.optional::<bool>("transaction_pooling", TRANSACTION_POOLING);
    if let (Some(found), Some(Database { url: DatabaseUrl::Sqlite(_), .. })) = (&pooling, &database)
        && found.value
    {
        section.document().problem(&found.at, "a SQLite file has no pooler", "take the line out");
    }
    section.close();
    let database = database?;
    Some(Store {
        url: database.url,
        pool_size: database.pool_size,
        password_file: database.password_file,
        transaction_pooling: pooling.is_some_and(|found| found.value),
    })
}

/// The three keys that describe any database, including a register's.
pub(super) struct Database {
    pub(super) url: DatabaseUrl,
    pub(super) pool_size: u32,
    pub(super) password_file: Option<PathBuf>,
}

impl Database {
    pub(super) fn read(section: &mut Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Self> {
        let document = section.document();
        let written = section.required::<String>("url", checks::DATABASE_URL);
        let pool_size = pool_size(section);
        let password = password_file(section, data_dir, profile);
        let written = written?;
        let url = match checks::database_url(&written.value, data_dir) {
            Ok(url) => Some(url),
            Err(complaint) => {
                document.problem(&written.at, complaint, checks::DATABASE_URL);
                None
            }
        };
        if let Some(DatabaseUrl::Postgres(url)) = &url
            && profile == Profile::Production
            && let Some(complaint) = checks::unprotected_database(url)
        {
            document.warning(&written.at, complaint, "add ?sslmode=verify-full to the address");
        }
        if let Some(DatabaseUrl::Postgres(url)) = &url
            && let Some(complaint) = checks::database_authorities(url)
        {
            let remedy =
                "let sslrootcert in the address name a PEM file with the database's certificate authority";
            document.problem(&written.at, complaint, remedy);
        }
        if let (Some((at, _)), Some(DatabaseUrl::Sqlite(_))) = (&password, &url) {
            document.problem(at, "a SQLite file has no password", "take the line out");
        }
        let password_file = password.map(|(_, path)| path);
        Some(Self { url: url?, pool_size, password_file })
    }
}

/// Reads `pool_size`.
pub(super) fn pool_size(section: &mut Section<'_, '_>) -> u32 {
    const POOL_SIZE: &str = "write a number of connections from 1 to 200";
    let Some(found) = section.optional::<u32>("pool_size", POOL_SIZE) else { return DEFAULT_POOL_SIZE };
    if !(1..=200).contains(&found.value) {
        section.document().problem(&found.at, "out of range", POOL_SIZE);
    }
    found.value
}

/// Reads `password_file`: where it is written, and the path.
pub(super) fn password_file(
    section: &mut Section<'_, '_>,
    data_dir: &Path,
    profile: Profile,
) -> Option<(Location, PathBuf)> {
    let found =
        section.optional::<String>("password_file", "write the path of the file with the password")?;
    let remedy = "write the password into this file";
    let (path, _) = checks::secret_file(section.document(), data_dir, profile, &found, remedy);
    Some((found.at, path))
}
