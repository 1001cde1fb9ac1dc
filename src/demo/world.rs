//! The demo's people and registers: made up from a seed, the same each time, nobody real.
//!
//! Identifiers have individual numbers from 900, which are never issued; family names, streets and telephone numbers
//! are invented too. Eight residents have names and roles; hundreds more fill the registers.

mod people;
pub(in crate::demo) mod postgres;
mod random;
mod records;
mod registers;

use std::path::{Path, PathBuf};

use crate::config::shipped::City;
use crate::domain::catalogue::Text;
use crate::domain::ids::{IdError, NationalIdentifier};

use people::Person;
use random::Random;
pub(in crate::demo) use records::Row;

/// A made-up resident whom one can log in as.
#[derive(Debug, Clone)]
pub struct DemoResident {
    /// A short name, unique (`aino`).
    pub username: &'static str,
    /// First and last name.
    pub display_name: String,
    /// The made-up personal identity code in every register.
    pub identifier: NationalIdentifier,
    /// What can be tried with this resident.
    pub description: Text,
    /// Whether a non-disclosure order protects their address.
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
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A register's database cannot be made.
    #[error("{}: {reason}", path.display())]
    Database {
        /// Path of the database.
        path: PathBuf,
        /// The database's error.
        reason: String,
    },
    /// A made-up value has no representation in the file.
    #[error("a made-up value cannot be written: {0}")]
    Value(String),
    /// A made-up identifier is not well-formed.
    #[error(transparent)]
    Identifier(#[from] IdError),
}

/// The made-up world, beside the registers that were written.
#[derive(Debug)]
pub struct World {
    /// The residents with a part to play.
    pub residents: Vec<DemoResident>,
    /// What Helsinki's systems hold that are asked over HTTP.
    pub systems: SystemRecords,
}

/// Records of the systems that are services: rows as the other registers have them, each with its person under
/// `guardian` or `resident`.
#[derive(Debug, Clone, Default)]
pub struct SystemRecords {
    /// Memberships in youth centres, the latest of a child first.
    pub(in crate::demo) memberships: Vec<Row>,
    /// Residents' own profiles.
    pub(in crate::demo) profiles: Vec<Row>,
}

/// Number of unnamed residents of each city.
const RESIDENTS_PER_CITY: usize = 90;

/// Writes the registers of all four cities to `<folder>/<city>/registers`, replacing existing ones, in the form that
/// `federation-config/` describes, and makes up what its services answer.
///
/// Every named resident is known in every city, so that any two cities can be used.
///
/// # Errors
/// [`WorldError`] when a file cannot be written.
pub fn write_world(folder: &Path, seed: u64) -> Result<World, WorldError> {
    let mut systems = SystemRecords::default();
    let mut taken = std::collections::HashSet::new();
    let cast = people::cast(&mut taken);
    for city in City::ALL {
        // Each city has a sequence of its own, so that more people in one do not change another.
        let mut random = Random::new(seed).fork(city.slug());
        let mut residents: Vec<Person> = cast.iter().map(|part| part.person.clone()).collect();
        for _ in 0..RESIDENTS_PER_CITY {
            residents.push(people::make_up(&mut random, &mut taken));
        }
        let mut rows = records::of_city(city, &residents, &mut random);
        registers::write(&folder.join(city.slug()).join("registers"), city, &residents, &mut rows)?;
        if city == City::Helsinki {
            systems = SystemRecords { memberships: rows.youth, profiles: rows.profiles };
        }
    }
    let residents = cast.into_iter().map(people::Part::into_resident).collect::<Result<_, _>>()?;
    Ok(World { residents, systems })
}
