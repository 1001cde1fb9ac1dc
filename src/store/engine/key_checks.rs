//! Detects a lost or exchanged root key at the start, before a resident's data cannot be read.

use diesel::prelude::*;

use super::db::on_backend;
use super::error::{OpenError, StoreError};
use super::schema::key_checks;
use super::sealed::column;
use super::transaction::{Reader, Tx};

/// The text whose sealed and hashed forms identify the keys.
const PROBE: &str = "omadata";

/// Records which keys this database is used with, at its first use.
pub(crate) fn remember(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let mut probes =
        vec![("lookup.key".to_owned(), tx.keys.lookup.secret("key-check", PROBE).as_bytes().to_vec())];
    for id in tx.keys.sealer.key_ids() {
        let name = sealing_name(id);
        let place = (column!(key_checks.value), name.as_bytes());
        let sealed = tx.keys.sealer.seal_with(id, place.0, place.1, PROBE.as_bytes())?;
        probes.push((name, sealed));
    }
    for (name, value) in probes {
        let row = (key_checks::name.eq(name), key_checks::value.eq(value));
        on_backend!(tx.db, |c| diesel::insert_into(key_checks::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// The file of a sealing key.
fn sealing_name(id: u8) -> String {
    if id == 1 { "sealing.key".to_owned() } else { format!("sealing-{id}.key") }
}

/// Checks that the keys in use are the recorded ones.
pub(crate) fn check(reader: &mut Reader<'_>) -> Result<(), OpenError> {
    let rows: Vec<(String, Vec<u8>)> = key_checks::table
        .select((key_checks::name, key_checks::value))
        .load(reader.db)
        .map_err(StoreError::from)?;
    for (name, value) in rows {
        match name.as_str() {
            sealing if sealing.starts_with("sealing") => {
                let file = if sealing == "sealing.key" {
                    "sealing.key"
                } else {
                    "a further sealing key (sealing-N.key)"
                };
                reader
                    .keys
                    .sealer
                    .open(column!(key_checks.value), sealing.as_bytes(), &value)
                    .map_err(|_| OpenError::WrongKey(file))?;
            }
            "lookup.key" if value != reader.keys.lookup.secret("key-check", PROBE).as_bytes() => {
                return Err(OpenError::WrongKey("lookup.key"));
            }
            _ => {}
        }
    }
    Ok(())
}
