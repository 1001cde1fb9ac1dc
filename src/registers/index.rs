//! Where each person's records are in a register's file, so that a question reads these alone.
//!
//! The whole file is read once, and again when it has changed. The index is in memory: identifiers stand in it as hashes
//! under a key of this process, and nothing of it is written.

use std::collections::hash_map::RandomState;
use std::fs::{File, Metadata};
use std::hash::BuildHasher;
use std::io::{BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::failure::Failure;
use super::json::Place;
use crate::domain::ids::NationalIdentifier;
use crate::domain::sync::lock;
use crate::ports::RegisterError;

/// Largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Most records of one file.
const MAX_RECORDS: usize = 4_000_000;

/// Bytes that are read at a time for one record.
const RECORD_BUFFER: usize = 4 * 1024;

/// How often a read begins again because the file was replaced meanwhile.
const ATTEMPTS: u32 = 3;

/// What a file is known by: a replaced or rewritten one differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The records of one file by whose they are; `H` is what the file says about all of them.
pub(crate) struct Index<H> {
    pub(crate) head: H,
    hasher: RandomState,
    /// By hash.
    places: Vec<(u64, Place)>,
}

impl<H> Index<H> {
    fn places_of(&self, subject: &NationalIdentifier) -> impl Iterator<Item = Place> + use<'_, H> {
        let hash = self.hasher.hash_one(subject);
        let first = self.places.partition_point(|(other, _)| *other < hash);
        let found = self.places.iter().skip(first).take_while(move |(other, _)| *other == hash);
        found.map(|(_, place)| *place)
    }
}

/// Takes down the places of records while a file is read as a whole.
pub(crate) struct Places {
    hasher: RandomState,
    places: Vec<(u64, Place)>,
}

impl Places {
    /// A record of this person begins there.
    pub(crate) fn push(&mut self, subject: &NationalIdentifier, at: Place) -> Result<(), Failure> {
        if self.places.len() >= MAX_RECORDS {
            return Err(Failure::new(RegisterError::TooLarge, "the file has more than 4,000,000 records"));
        }
        self.places.push((self.hasher.hash_one(subject), at));
        Ok(())
    }
}

/// A file's version with its index, or why it has none.
type Known<H> = Option<(Version, Result<Arc<Index<H>>, Failure>)>;

/// One file in a register's folder, with the index of its present version.
pub(crate) struct IndexedFile<H> {
    folder: PathBuf,
    name: PathBuf,
    known: Mutex<Known<H>>,
}

impl<H> IndexedFile<H> {
    pub(crate) fn new(folder: &Path, name: &Path) -> Self {
        Self { folder: folder.to_owned(), name: name.to_owned(), known: Mutex::default() }
    }

    /// Opens the file. Links are followed first: what they lead to must lie in the folder too.
    fn open(&self) -> Result<(File, Version), Failure> {
        let unavailable = |error: std::io::Error| Failure::new(RegisterError::Unavailable, error);
        let folder = self.folder.canonicalize().map_err(unavailable)?;
        let path = folder.join(&self.name).canonicalize().map_err(unavailable)?;
        if !path.starts_with(&folder) {
            return Err(Failure::new(RegisterError::Unavailable, "which lies outside the register's folder"));
        }
        // Before it is opened: opening a pipe waits for whoever writes to it.
        if !std::fs::metadata(&path).map_err(unavailable)?.is_file() {
            return Err(Failure::new(RegisterError::Unavailable, "which is not a file"));
        }
        let file = File::open(path).map_err(unavailable)?;
        let metadata = file.metadata().map_err(unavailable)?;
        if metadata.len() > MAX_FILE_BYTES {
            return Err(Failure::new(RegisterError::TooLarge, "which is larger than 256 MiB"));
        }
        Ok((file, Version::of(&metadata)))
    }

    /// Gives each record of this person to `take`, in the order of the file, with what the file says about all records.
    /// `index` reads a whole file and takes down whose record begins where.
    ///
    /// What was taken before an error or a changed file is not to be used: `take` then begins again, with `restart`.
    pub(crate) fn records<T>(
        &self,
        subject: &NationalIdentifier,
        index: impl Fn(BufReader<&File>, &mut Places) -> Result<H, Failure>,
        restart: impl Fn() -> T,
        take: impl Fn(&mut T, &H, BufReader<&File>, Place) -> Result<(), Failure>,
    ) -> Result<T, Failure> {
        let name = |failure: Failure| Failure {
            cause: format!("{}, {}", self.name.display(), failure.cause),
            ..failure
        };
        for _ in 0..ATTEMPTS {
            let (mut file, version) = self.open().map_err(name)?;
            let found = self.index_of(&file, version, &index).map_err(name)?;
            let mut taken = restart();
            let outcome = found.places_of(subject).try_for_each(|place| {
                file.seek(SeekFrom::Start(place.offset))
                    .map_err(|error| Failure::new(RegisterError::Unavailable, error))?;
                take(&mut taken, &found.head, BufReader::with_capacity(RECORD_BUFFER, &file), place)
            });
            // One that was written over meanwhile gave parts of two versions.
            if file.metadata().is_ok_and(|metadata| Version::of(&metadata) == version) {
                return outcome.map(|()| taken).map_err(name);
            }
        }
        Err(name(Failure::new(
            RegisterError::Unavailable,
            "which changes while it is read: write another file and rename it",
        )))
    }

    /// The index of this version. One thread makes it; the others wait for it.
    fn index_of(
        &self,
        file: &File,
        version: Version,
        index: impl Fn(BufReader<&File>, &mut Places) -> Result<H, Failure>,
    ) -> Result<Arc<Index<H>>, Failure> {
        let mut known = lock(&self.known);
        if let Some((of, index)) = &*known
            && *of == version
        {
            return index.clone();
        }
        let mut places = Places { hasher: RandomState::new(), places: Vec::new() };
        let made = index(BufReader::with_capacity(64 * 1024, file), &mut places).map(|head| {
            let Places { hasher, mut places } = places;
            // Stable: a person's records stay in the order of the file.
            places.sort_by_key(|(hash, _)| *hash);
            places.shrink_to_fit();
            Arc::new(Index { head, hasher, places })
        });
        // A read that failed may succeed the next time; a text that cannot be understood stays so until it changes.
        if !matches!(&made, Err(failure) if failure.error == RegisterError::Unavailable) {
            *known = Some((version, made.clone()));
        }
        made
    }
}
