//! The demo's people and registers: made up from a seed, the same each time, nobody real.
//!
//! Identifiers have individual numbers from 900, which no one ever gets; family names, streets and telephone numbers are
//! invented too. Seven residents have names and parts to play; hundreds more fill the registers around them.

mod people;
mod random;
mod records;
mod registers;

use std::path::{Path, PathBuf};

use crate::config::shipped::City;
use crate::domain::catalogue::Text;
use crate::domain::ids::{IdError, NationalIdentifier};

use people::Person;
use random::Random;

/// A made-up resident whom one can log in as.
#[derive(Debug, Clone)]
pub struct DemoResident {
    /// A short name, unique (`aino`).
    pub username: &'static str,
    /// First and last name.
    pub display_name: String,
    /// The made-up personal identity code under which every register knows them.
    pub identifier: NationalIdentifier,
    /// What can be tried with them.
    pub description: Text,
    /// Whether a non-disclosure order keeps the place where they live secret.
    pub protected: bool,
}

/// Why the world could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A file or folder cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A register's database cannot be made.
    #[error("{}: {reason}", path.display())]
    Database {
        /// Its path.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A made-up value has no form in the file.
    #[error("a made-up value cannot be written: {0}")]
    Value(String),
    /// A made-up identifier is not well-formed.
    #[error(transparent)]
    Identifier(#[from] IdError),
}

/// Residents of each city beside those with names.
const RESIDENTS_PER_CITY: usize = 90;

/// Writes the registers of all four cities to `<folder>/<city>/registers`, in place of those that are there, as
/// `federation-config/` describes them.
///
/// Everyone with a name is known in every city, so that any two cities can play the story.
///
/// # Errors
/// [`WorldError`] when a file cannot be written.
pub fn write_world(folder: &Path, seed: u64) -> Result<Vec<DemoResident>, WorldError> {
    let mut taken = std::collections::HashSet::new();
    let cast = people::cast(&mut taken);
    for city in City::ALL {
        // Each city has a sequence of its own, so that more people in one do not change another.
        let mut random = Random::new(seed).fork(city.slug());
        let mut residents: Vec<Person> = cast.iter().map(|part| part.person.clone()).collect();
        for _ in 0..RESIDENTS_PER_CITY {
            residents.push(people::make_up(&mut random, &mut taken));
        }
        registers::write(&folder.join(city.slug()).join("registers"), city, &residents, &mut random)?;
    }
    cast.into_iter().map(people::Part::into_resident).collect()
}
