//! `[store]`: the node's own database.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::checks;
use super::profile::Profile;
use super::reader::Section;
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
    let database = Database::read(&mut section, data_dir, profile);
    section.close();
    let database = database?;
    Some(Store { url: database.url, pool_size: database.pool_size, password_file: database.password_file })
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
        let pool_size = section.optional::<u32>("pool_size", "write a number of connections from 1 to 200");
        let password_file =
            section.optional::<String>("password_file", "write the path of the file with the password");
        if let Some(pool_size) = &pool_size
            && !(1..=200).contains(&pool_size.value)
        {
            document.problem(&pool_size.at, "out of range", "write a number of connections from 1 to 200");
        }
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
        let password_file = password_file.map(|found| {
            let remedy = "write the password into this file";
            let (path, _) = checks::secret_file(document, data_dir, profile, &found, remedy);
            if matches!(url, Some(DatabaseUrl::Sqlite(_))) {
                document.problem(&found.at, "a SQLite file has no password", "take the line out");
            }
            path
        });
        let pool_size = pool_size.map_or(DEFAULT_POOL_SIZE, |found| found.value);
        Some(Self { url: url?, pool_size, password_file })
    }
}
