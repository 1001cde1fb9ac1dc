//! Sources of a dataset's records: the city's registers as configuration values. Reading them is `registers`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::odbc_string::OdbcString;
use super::service::{HttpService, PluginProcess, ServiceRequest, percent_encoded};
use super::{Dataset, Text};
use crate::domain::ids::{DatasetId, FieldName, FieldPath, RegisterId};
use crate::domain::word_enum::word_enum;

/// The address of a database, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URI (libpq's form, TLS options in its query).
    Postgres(url::Url),
}

impl DatabaseUrl {
    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// The connection string with the password inserted; a SQLite file has none and ignores it. `None` if the address
    /// cannot carry a password. The result is a secret.
    #[must_use]
    pub(crate) fn with_password(&self, password: Option<&str>) -> Option<String> {
        match (self, password) {
            (Self::Sqlite(path), _) => path.to_str().map(|path| format!("sqlite:{path}")),
            (Self::Postgres(url), None) => Some(url.to_string()),
            (Self::Postgres(url), Some(password)) => {
                let mut url = url.clone();
                // libpq decodes `%XX` in every part.
                url.set_password(Some(&percent_encoded(password))).ok()?;
                Some(url.into())
            }
        }
    }
}

/// What libpq says of a protected connection that failed, and whose side it is on with the remedy.
const TLS_FAILURES: [(&str, &str); 6] = [
    (
        "certificate verify failed",
        "the server's certificate is of no authority that this side trusts, or has expired; this side: name the \
         authority's file as sslrootcert in the address; the server's side: renew the certificate",
    ),
    (
        "does not match host name",
        "the server answers under another name; this side: write a name that stands in the server's certificate into the \
         address; the server's side: have a certificate made for this name",
    ),
    (
        "root certificate file",
        "this side: sslrootcert in the address must name a file with the authority's certificate, PEM",
    ),
    (
        "server does not support SSL",
        "the server's side: it serves no TLS, set ssl = on with a certificate and a key",
    ),
    ("SSL negotiation", "the server's side: what listens there is no PostgreSQL that serves TLS"),
    ("certificate has expired", "the server's side: renew the certificate"),
];

/// The message of a connection that failed, with whose side it is on and the remedy where TLS is the reason: libpq's own
/// advice would be to do without.
#[must_use]
pub fn explain_connection_failure(message: &str) -> String {
    match TLS_FAILURES.iter().find(|(said, _)| message.contains(said)) {
        Some((_, remedy)) => format!("{message}: {remedy}"),
        None => message.to_owned(),
    }
}

/// How to reach a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A database that is queried.
    Sql {
        /// Its address.
        url: DatabaseUrl,
        /// A file with the password only.
        password_file: Option<PathBuf>,
        /// Maximum number of connections.
        pool_size: u32,
    },
    /// A database that is queried through an ODBC driver.
    Odbc {
        /// Driver or data source, server, user and whatever else the driver takes.
        connection: OdbcString,
        /// A file with the password only.
        password_file: Option<PathBuf>,
        /// Maximum number of connections.
        pool_size: u32,
    },
    /// A directory of files that the city's system writes.
    Files {
        /// The directory; nothing outside of it is ever read.
        folder: PathBuf,
    },
    /// A service that answers JSON.
    Http(Box<HttpService>),
    /// A service with City of Helsinki's GDPR API.
    GdprApi(Box<HttpService>),
    /// A plug-in that runs as a child process.
    Plugin(Box<PluginProcess>),
    /// A plug-in that is asked over HTTP.
    PluginService(Box<HttpService>),
}

/// One register of the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Its identifier in the configuration.
    pub id: RegisterId,
    /// Display name.
    pub name: Text,
    /// How to reach it.
    pub connection: Connection,
    /// Time limit of one answer.
    pub timeout: Duration,
}

/// A data tracker: a service beside a register that answers which uses were made of a person's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTracker {
    /// Its identifier in the configuration.
    pub id: RegisterId,
    /// What residents read as the source of its uses.
    pub title: Text,
    /// How to reach it: through X-Road, with a user that names the person.
    pub service: HttpService,
    /// Time limit of one answer.
    pub timeout: Duration,
    /// Maximum number of uses in a copy of everything.
    pub max_uses: u32,
}

/// What to read in the register for one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// A query with the single parameter `$1`, the person's identifier. Its columns are named as the dataset's fields,
    /// plus the subject column; written alike for every database.
    Query(String),
    /// A JSON file: one array of objects.
    Json(PathBuf),
    /// A CSV file (RFC 4180) whose first line names the columns.
    Csv(PathBuf, CsvDialect),
    /// A request to a service.
    Request(Box<ServiceRequest>),
    /// What a plug-in knows under the dataset's identifier.
    Plugin,
}

word_enum! {
    /// What separates the columns of a CSV file.
    #[derive(Default)]
    pub enum CsvDelimiter {
        /// As in RFC 4180.
        #[default]
        Comma = ",",
        /// As spreadsheets write where the comma is the decimal separator.
        Semicolon = ";",
        /// Tab-separated values.
        Tab = "\t",
        /// A vertical bar.
        Bar = "|",
    }
}

impl CsvDelimiter {
    /// The byte, the same in every encoding that is read.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }
}

word_enum! {
    /// The encoding of a CSV file.
    #[derive(Default)]
    pub enum CsvEncoding {
        /// With or without a byte order mark.
        #[default]
        Utf8 = "utf-8",
        /// Western European, as older Windows programs write.
        Windows1252 = "windows-1252",
        /// Western European with the euro sign.
        Iso8859_15 = "iso-8859-15",
    }
}

word_enum! {
    /// How dates, numbers and truth values are spelt in a CSV file.
    #[derive(Default)]
    pub enum CsvNotation {
        /// `2026-08-01`, `1234.5`, `true`.
        #[default]
        Iso = "iso",
        /// Also `1.8.2026` and `kyllä`; numbers as `1 234,5`.
        Finnish = "fi",
    }
}

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvDialect {
    /// Between two columns.
    pub delimiter: CsvDelimiter,
    /// Of the whole file.
    pub encoding: CsvEncoding,
    /// Of the values.
    pub notation: CsvNotation,
}

/// Where a register tells of a non-disclosure order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedColumn {
    /// The column or member.
    pub(crate) column: String,
    /// The text that stands there for an order, where the column does not say yes or no.
    pub(crate) marker: Option<String>,
}

/// The columns or members of a source that name whom a record is about, and the record itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameColumns {
    /// With the identifier of the person whom the record is about, such as the child.
    pub(crate) person: Option<String>,
    /// With that person's display name.
    pub(crate) person_name: Option<String>,
    /// With the record's key in its register.
    pub(crate) record: Option<String>,
}

/// The source of a dataset's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSource {
    /// The register that holds them.
    pub register: RegisterId,
    /// What to read there.
    pub(crate) selection: Selection,
    /// The column or member with the record's subject. Never released. Empty where an answer names nobody.
    pub(crate) subject_column: String,
    /// The columns or members that name whom a record is about and which one it is. Never released.
    pub(crate) names: NameColumns,
    /// The column or member that tells of a non-disclosure order. Never released.
    pub(crate) protected: Option<ProtectedColumn>,
    /// The column or member with the moment from which on the record may be released, where that is later. Never released.
    pub(crate) available_from_column: Option<String>,
    /// The column or member of a field, where the source names it otherwise than the dataset does; for an object, also of
    /// each field within it.
    pub(crate) columns: BTreeMap<FieldPath, String>,
    /// Where the identifier stands by which this register knows a person, where that is not the one that the login tells.
    pub(crate) subject_from: Option<SubjectFrom>,
}

/// A field of another dataset of the same node, whose value identifies the person in a register.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectFrom {
    pub(crate) dataset: DatasetId,
    pub(crate) field: FieldName,
}

impl DatasetSource {
    /// The column or member that holds this field, alone or within an object or list.
    #[must_use]
    pub(crate) fn column_of<'a>(&'a self, path: &'a FieldPath) -> &'a str {
        let named = self.columns.iter().find(|(known, _)| path.is_within(known));
        named.map_or_else(|| path.names().next().unwrap_or_default(), |(_, column)| column.as_str())
    }
}

/// A dataset of this node with the source of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDataset {
    /// As published in the catalogue.
    pub dataset: Dataset,
    /// The source of its records; never published.
    pub source: DatasetSource,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_certificate_is_told_with_side_and_remedy_and_nothing_else_is_explained() {
        let told = explain_connection_failure("connection failed: SSL error: certificate verify failed");
        assert!(told.contains("this side: name the authority's file as sslrootcert"), "{told}");
        let told = explain_connection_failure(
            "server certificate for \"a.example\" does not match host name \"b.example\"",
        );
        assert!(told.contains("this side: write a name that stands in the server's certificate"), "{told}");
        let told = explain_connection_failure("server does not support SSL, but SSL was required");
        assert!(told.contains("the server's side: it serves no TLS"), "{told}");
        let other = "password authentication failed for user \"omadata\"";
        assert_eq!(explain_connection_failure(other), other);
    }

    #[test]
    fn every_character_of_a_database_password_reaches_the_server_as_it_is() {
        let address = DatabaseUrl::Postgres("postgres://omadata@db.example/omadata".parse().unwrap());
        let written = address.with_password(Some("100%41 @/:?#&=+ä%")).unwrap();
        // libpq decodes %XX and nothing else (PostgreSQL manual, 34.1.1.2).
        assert_eq!(
            written,
            "postgres://omadata:100%2541%20%40%2F%3A%3F%23%26%3D%2B%C3%A4%25@db.example/omadata"
        );
    }
}
