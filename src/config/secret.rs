//! Secrets that the operator gives as files.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// A file with one secret; surrounding white space is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    made_when_missing: bool,
}

/// Why a secret is not available. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or created.
    #[error("{}: {source}: write the secret into this file, readable to the node alone", path.display())]
    File {
        /// Its path, as the configuration names it.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The content of the file has the wrong form.
    #[error("{}: does not hold {expected}: write {expected} into this file, on one line", path.display())]
    Malformed {
        /// Its path, as the configuration names it.
        path: PathBuf,
        /// What it should contain.
        expected: &'static str,
    },
    /// The file is empty or not text.
    #[error("{}: holds no secret: write the secret into this file, on one line", path.display())]
    Empty {
        /// Its path, as the configuration names it.
        path: PathBuf,
    },
}

impl SecretFile {
    /// A file that must exist (`made_when_missing` false), or that the first start creates (demo profile).
    #[must_use]
    pub fn new(path: PathBuf, made_when_missing: bool) -> Self {
        Self { path, made_when_missing }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the secret. In the demo profile a missing file is created from `random` with mode 0600; two processes that
    /// start together read the one that was written first.
    ///
    /// # Errors
    /// [`SecretError`] when there is no usable secret.
    pub fn read(&self, random: impl FnOnce() -> [u8; 32]) -> Result<SecretString, SecretError> {
        let failed = |source| SecretError::File { path: self.path.clone(), source };
        match std::fs::read_to_string(&self.path) {
            Ok(text) => self.wrap(text),
            Err(error) if self.made_when_missing && error.kind() == std::io::ErrorKind::NotFound => {
                self.make(random()).map_err(failed)?;
                self.wrap(std::fs::read_to_string(&self.path).map_err(failed)?)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn wrap(&self, text: String) -> Result<SecretString, SecretError> {
        let text = Zeroizing::new(text);
        match text.trim() {
            "" => Err(SecretError::Empty { path: self.path.clone() }),
            secret => Ok(SecretString::from(secret)),
        }
    }

    /// Writes a temporary file and links it into place, so that a reader never sees part of it.
    fn make(&self, random: [u8; 32]) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(random));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(secret.as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.error),
        }
    }
}
