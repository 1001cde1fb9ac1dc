//! The three root secrets, in files beside the database, never in it: created at the first start, mode 0600.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::{Zeroize, Zeroizing};

use super::Random;

const KEY_BYTES: usize = 32;

/// One 256-bit root secret. Wiped when dropped, never printed.
pub struct RootKey(Zeroizing<[u8; KEY_BYTES]>);

impl RootKey {
    /// Wraps a secret.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself, for keyed algorithms.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

/// The root secrets of one node, shared by its processes.
#[derive(Debug)]
pub struct RootKeys {
    /// `sealing.key`: seals columns of the database; opens older values when there are further keys.
    pub(crate) sealing: RootKey,
    /// `sealing-2.key` to `sealing-255.key`, by number: the highest seals, all open.
    pub(crate) further_sealing: Vec<(u8, RootKey)>,
    /// `lookup.key`: keyed hashes of identifiers, pairwise subjects.
    pub lookup: RootKey,
    /// `session.key`: session cookies and DPoP nonces.
    pub session: RootKey,
}

/// Why a root key cannot be used. Names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file or its directory cannot be read or made.
    #[error("the key file {path} cannot be used: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// Users other than the owner may read or write it.
    #[error(
        "the key file {path} is open to others (mode {mode:03o}): run `chmod 600 {path}`, and replace the key if they may have read it"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not 32 bytes long.
    #[error("the key file {path} is damaged (it must be exactly 32 bytes): put it back from your backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl RootKeys {
    /// Loads the key files of a directory, creating the directory and missing files. Processes that start at the same
    /// time agree on one key each.
    ///
    /// # Errors
    /// [`RootKeyError`] names the file and the remedy.
    pub fn load_or_create(directory: &Path, random: &Random) -> Result<Self, RootKeyError> {
        private_directory(directory)
            .map_err(|cause| RootKeyError::File { path: directory.to_path_buf(), cause })?;
        let key = |name: &str| load_or_create(&directory.join(name), random);
        Ok(Self {
            sealing: key("sealing.key")?,
            further_sealing: further_sealing(directory)?,
            lookup: key("lookup.key")?,
            session: key("session.key")?,
        })
    }
}

impl RootKeys {
    /// The keys of a directory without writing anything: missing keys are created in memory. Returns whether any is
    /// missing.
    ///
    /// # Errors
    /// [`RootKeyError`] names the file and the remedy.
    pub(crate) fn preview(directory: &Path, random: &Random) -> Result<(Self, bool), RootKeyError> {
        let mut missing = false;
        let mut key = |name: &str| match load(&directory.join(name)) {
            Err(RootKeyError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                missing = true;
                let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
                random(bytes.as_mut_slice());
                Ok(RootKey(bytes))
            }
            other => other,
        };
        let keys = Self {
            sealing: key("sealing.key")?,
            further_sealing: further_sealing(directory)?,
            lookup: key("lookup.key")?,
            session: key("session.key")?,
        };
        Ok((keys, missing))
    }
}

/// The sealing keys that the operator has added beside the first. None is created here.
fn further_sealing(directory: &Path) -> Result<Vec<(u8, RootKey)>, RootKeyError> {
    let mut keys = Vec::new();
    for id in 2..=u8::MAX {
        match load(&directory.join(format!("sealing-{id}.key"))) {
            Ok(key) => keys.push((id, key)),
            Err(RootKeyError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(keys)
}

fn load_or_create(path: &Path, random: &Random) -> Result<RootKey, RootKeyError> {
    let file = |cause| RootKeyError::File { path: path.to_path_buf(), cause };
    match load(path) {
        Err(RootKeyError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            create(path, random).map_err(file)?;
            load(path)
        }
        other => other,
    }
}

fn load(path: &Path) -> Result<RootKey, RootKeyError> {
    let failed = |cause| RootKeyError::File { path: path.to_path_buf(), cause };
    let file = File::open(path).map_err(failed)?;
    refuse_open_mode(path, &file)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
    // One byte more than a key, so that a longer file is noticed.
    file.take(33).read_to_end(&mut bytes).map_err(failed)?;
    let mut key: [u8; KEY_BYTES] =
        bytes.as_slice().try_into().map_err(|_| RootKeyError::Damaged { path: path.to_path_buf() })?;
    let root = RootKey::new(key);
    key.zeroize();
    Ok(root)
}

/// Writes the key completely under a temporary name, then links it unless another process was first.
fn create(path: &Path, random: &Random) -> io::Result<()> {
    let mut suffix = [0_u8; 8];
    random(&mut suffix);
    let staged = path.with_extension(format!("{:016x}", u64::from_be_bytes(suffix)));
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    random(key.as_mut_slice());
    let written = write_private(&staged, key.as_slice()).and_then(|()| match fs::hard_link(&staged, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&staged);
    written?;
    removed?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path, file: &File) -> Result<(), RootKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|cause| RootKeyError::File { path: path.to_path_buf(), cause })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(RootKeyError::Open { path: path.to_path_buf(), mode }) }
}

#[cfg(not(unix))]
fn refuse_open_mode(_: &Path, _: &File) -> Result<(), RootKeyError> {
    Ok(())
}

/// Opens a file's directory and waits until its entries are on disk.
fn sync_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}
