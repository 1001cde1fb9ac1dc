//! The configuration files that the demo's cities run with: the shipped ones, or an operator's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::world::postgres;
use crate::config::shipped::{self, City, Overrides};
use crate::config::{Config, DatabaseUrl};
use crate::domain::catalogue::register::Connection;

/// Why a demo did not start, for the operator.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Reads a city's early education, which is made up in a SQLite file, from a copy beside its store in PostgreSQL.
pub(super) async fn read_from_postgres(config: &mut Config, store: &DatabaseUrl) -> Result<(), Failure> {
    let DatabaseUrl::Postgres(database) = store else { return Ok(()) };
    let made_up = config.node.data_dir.join("registers/early-education.sqlite");
    for register in &mut config.registers {
        let Connection::Sql { url, .. } = &mut register.connection else { continue };
        let DatabaseUrl::Sqlite(file) = &*url else { continue };
        if *file != made_up {
            continue;
        }
        let (file, database) = (file.clone(), database.clone());
        let moved = postgres::register_url(&database);
        tokio::task::spawn_blocking(move || postgres::copy_register(&file, &database)).await??;
        *url = DatabaseUrl::Postgres(moved);
    }
    Ok(())
}

/// Reads the files of cities that do not run with the shipped one; which city's it is, its address says.
pub(super) fn own_files(files: &[PathBuf], overrides: &Overrides) -> Result<BTreeMap<City, Config>, Failure> {
    let mut own = BTreeMap::new();
    for file in files {
        let config = Config::load(file)?;
        let address = config.node.base_url.clone();
        let ports = &overrides.ports;
        let of_city = |city: &City| address.as_str() == ports.base_url(*city);
        let city = City::ALL.into_iter().find(of_city).ok_or_else(|| {
            let cities = City::ALL.map(|city| ports.base_url(city)).join(", ");
            format!("{}: base_url {address} is none of this demo's cities: {cities}", file.display())
        })?;
        let shipped = shipped::node(city, overrides)?;
        let here = shipped.node.data_dir.canonicalize()?;
        if !config.node.data_dir.canonicalize().is_ok_and(|folder| folder == here) {
            // Keys and registers of this demo are there: with others it would be another city.
            return Err(format!(
                "{}: data_dir is {}, and this demo's is {}: keep the file in the folder of --data-dir",
                file.display(),
                config.node.data_dir.display(),
                shipped.node.data_dir.display()
            )
            .into());
        }
        if own.insert(city, config).is_some() {
            return Err(format!("{}: another --node is {address} too", file.display()).into());
        }
    }
    Ok(own)
}

/// Files for commands beside the running demo (`omadata peers list --config <folder>/espoo.toml`), but of the cities that run
/// otherwise than the shipped files say.
pub(super) fn write_city_files(folder: &Path, keep: &[City], overrides: &Overrides) -> Result<(), Failure> {
    for city in City::ALL.into_iter().filter(|city| !keep.contains(city)) {
        let file = folder.join(format!("{}.toml", city.slug()));
        std::fs::write(file, shipped::node_text(city, overrides))?;
    }
    Ok(())
}
