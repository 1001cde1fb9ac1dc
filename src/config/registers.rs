//! `[[registers]]`: the city's registers.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::checks;
use super::http_registers;
use super::plugins;
use super::profile::Profile;
use super::reader::Section;
use super::store::{self, Database};
use crate::domain::catalogue::Text;
use crate::domain::catalogue::odbc_string::OdbcString;
use crate::domain::catalogue::register::{Connection, Register};
use crate::domain::ids::RegisterId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Sql,
    Odbc,
    File,
    Http,
    GdprApi,
    Plugin,
}

/// Default time for one answer, in milliseconds.
const DEFAULT_TIMEOUT_MS: u32 = 5_000;

pub(super) fn read(sections: Vec<Section<'_, '_>>, data_dir: &Path, profile: Profile) -> Vec<Register> {
    let mut registers: Vec<Register> = Vec::new();
    for section in sections {
        let Some(register) = read_one(section, data_dir, profile, &registers) else { continue };
        registers.push(register);
    }
    registers
}

fn read_one(
    mut section: Section<'_, '_>,
    data_dir: &Path,
    profile: Profile,
    before: &[Register],
) -> Option<Register> {
    let document = section.document();
    let id = section.required::<RegisterId>("id", "write a short name of a-z, 0-9 and hyphens");
    if let Some(id) = &id {
        section.call(id.value.as_str());
    }
    let name = section.required::<Text>("name", checks::TEXT);
    let kind = section
        .required::<Kind>("kind", "write \"sql\", \"odbc\", \"file\", \"http\", \"gdpr-api\" or \"plugin\"");
    let timeout = timeout(&mut section);
    let connection = match kind.as_ref()?.value {
        Kind::Sql => Database::read(&mut section, data_dir, profile).map(|database| Connection::Sql {
            url: database.url,
            password_file: database.password_file,
            pool_size: database.pool_size,
        }),
        Kind::Odbc => {
            if !cfg!(feature = "odbc")
                && let Some(kind) = &kind
            {
                document.problem(&kind.at, "this program was built without ODBC", NO_ODBC_REMEDY);
            }
            read_odbc(&mut section, data_dir, profile)
        }
        Kind::File => section
            .required::<String>("path", "write the folder with the register's files")
            .map(|found| Connection::Files { folder: checks::path(data_dir, &found.value) }),
        Kind::Http => {
            http_registers::read(&mut section, data_dir, profile).map(Box::new).map(Connection::Http)
        }
        Kind::GdprApi => {
            http_registers::read(&mut section, data_dir, profile).map(Box::new).map(Connection::GdprApi)
        }
        Kind::Plugin => plugins::read(&mut section, data_dir, profile),
    };
    section.close();
    if let Some(name) = &name
        && let Some(complaint) = checks::text(&name.value)
    {
        document.problem(&name.at, complaint, checks::TEXT);
    }
    let id = id?;
    if before.iter().any(|other| other.id == id.value) {
        document.problem(&id.at, "another register has this id", "write another id");
    }
    Some(Register { id: id.value, name: name?.value, connection: connection?, timeout })
}

/// Reads `timeout_ms`.
pub(super) fn timeout(section: &mut Section<'_, '_>) -> Duration {
    const TIMEOUT: &str = "write a time in milliseconds from 100 to 60000";
    let found = section.optional::<u32>("timeout_ms", TIMEOUT);
    if let Some(found) = &found
        && !(100..=60_000).contains(&found.value)
    {
        section.document().problem(&found.at, "out of range", TIMEOUT);
    }
    Duration::from_millis(found.map_or(DEFAULT_TIMEOUT_MS, |found| found.value).into())
}

const NO_ODBC_REMEDY: &str =
    "build it with `cargo build --profile dist --features odbc`, which needs unixODBC (Debian: unixodbc-dev)";

fn read_odbc(section: &mut Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Connection> {
    const CONNECTION: &str = "write \"Driver={MariaDB Unicode};Server=db.city.example;Database=…;UID=…\" as the driver's \
                              manual says, the password in a file of its own (password_file)";
    let document = section.document();
    let written = section.required::<String>("connection", CONNECTION);
    let pool_size = store::pool_size(section);
    let password_file = store::password_file(section, data_dir, profile).map(|(_, path)| path);
    let written = written?;
    let connection = match OdbcString::parse(&written.value) {
        Ok(connection) => connection,
        Err(complaint) => {
            document.problem(&written.at, complaint, CONNECTION);
            return None;
        }
    };
    if profile == Profile::Production
        && let Some(complaint) = connection.unprotected()
    {
        let remedy = "add what the driver takes for a verified connection, such as SSLVERIFY=1;SSLCA=… (MariaDB) or \
                      Encrypt=strict (MSSQL)";
        document.warning(&written.at, complaint, remedy);
    }
    Some(Connection::Odbc { connection, password_file, pool_size })
}
