//! Registers that are databases: PostgreSQL and SQLite through one configured query.
//!
//! The operator's query is wrapped in an outer SELECT that selects the dataset's fields by name and makes each row one
//! JSON object: types survive and no other column is returned. The person's identifier is bound, never part of the
//! text. The transaction is read-only.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::pg::{PgConnection, PgRowByRowLoadingMode};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, NopErrorHandler, R2D2Connection};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types};

use super::failure::Failure;
use super::json::{Json, Member, Parser};
use super::lookup;
use super::mapping::Mapping;
use super::marks::MarkColumns;
use super::names::{self, NameColumn};
use super::values::Collected;
use super::{BlockingReader, Bounds, RegisterConfigError};
use crate::domain::catalogue::Record;
use crate::domain::catalogue::register::{
    DatabaseUrl, HeldDataset, NameColumns, Register, explain_connection_failure,
};
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::domain::sync::lock;
use crate::ports::{Question, RegisterError};
use crate::prepared::PreparedOnce;

type ManagedPool<C> = r2d2::Pool<ConnectionManager<C>>;

/// The connections to one database.
#[derive(Clone)]
pub(crate) enum Pool {
    Postgres(ManagedPool<PgConnection>, Duration),
    /// With the path of the file, for messages.
    Sqlite(ManagedPool<SqliteConnection>, String),
}

impl Pool {
    /// Connects at the first read; a database that is unavailable is tried again at each read.
    pub(crate) fn new(
        register: &Register,
        url: &DatabaseUrl,
        password_file: Option<&Path>,
        size: u32,
    ) -> Result<Self, RegisterConfigError> {
        let password = password(register, password_file)?;
        let unusable = |reason| RegisterConfigError::Address { register: register.id.clone(), reason };
        match url {
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| unusable("the path is not UTF-8"))?;
                let address = format!("file:{}?mode=ro", uri_path(path));
                let setup =
                    Setup("PRAGMA query_only = ON; PRAGMA busy_timeout = 1000; PRAGMA trusted_schema = OFF;");
                // A connection to a file cannot be cut.
                let builder = pool_builder(size, register.timeout, setup).test_on_check_out(false);
                let pool = builder.build_unchecked(ConnectionManager::new(address));
                Ok(Self::Sqlite(pool, path.to_owned()))
            }
            DatabaseUrl::Postgres(address) => {
                let password = password.as_ref().map(|password| password.trim());
                let address = DatabaseUrl::Postgres(with_connect_timeout(address.clone(), register.timeout))
                    .with_password(password)
                    .ok_or_else(|| unusable("it cannot carry a password"))?;
                let setup = Setup("SET default_transaction_read_only = on");
                let pool = pool_builder(size, register.timeout, setup);
                Ok(Self::Postgres(pool.build_unchecked(ConnectionManager::new(address)), register.timeout))
            }
        }
    }
}

/// The content of a register's password file.
pub(super) fn password(
    register: &Register,
    file: Option<&Path>,
) -> Result<Option<zeroize::Zeroizing<String>>, RegisterConfigError> {
    let read = |path| {
        std::fs::read_to_string(path)
            .map(zeroize::Zeroizing::new)
            .map_err(|source| RegisterConfigError::Password { register: register.id.clone(), source })
    };
    file.map(read).transpose()
}

/// Limits the connection time, so that a host that drops packets does not block the pool's threads for minutes.
fn with_connect_timeout(mut address: url::Url, timeout: Duration) -> url::Url {
    if !address.query_pairs().any(|(key, _)| key == "connect_timeout") {
        // libpq counts whole seconds, two at least.
        let seconds = timeout.as_secs().max(2).to_string();
        address.query_pairs_mut().append_pair("connect_timeout", &seconds);
    }
    address
}

/// A path in SQLite's URI form (<https://www.sqlite.org/uri.html> §3.1).
fn uri_path(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn pool_builder<C>(size: u32, timeout: Duration, setup: Setup) -> r2d2::Builder<ConnectionManager<C>>
where
    C: R2D2Connection + SimpleConnection + 'static,
{
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        // Shorter than the time for the answer, so that the error names the connection and not the time limit.
        .connection_timeout(timeout.saturating_mul(3) / 4)
        .error_handler(Box::new(NopErrorHandler))
        .connection_customizer(Box::new(setup))
}

/// Settings of every new connection.
#[derive(Debug, Clone, Copy)]
struct Setup(&'static str);

impl<C: R2D2Connection + SimpleConnection + 'static> CustomizeConnection<C, diesel::r2d2::Error> for Setup {
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        connection.batch_execute(self.0).map_err(diesel::r2d2::Error::QueryError)
    }
}

pub(crate) struct Query {
    pool: Pool,
    query: String,
    subject_column: String,
    marks: MarkColumns,
    mapping: Mapping,
    names: NameColumns,
    bounds: Bounds,
    /// The texts that stay prepared.
    prepared: Mutex<Vec<String>>,
}

/// Most texts of one query that stay prepared on each connection: the text differs with the fields that are asked for.
const MOST_PREPARED: usize = 16;

/// The column with the record's subject. No other can have this name: columns have no hyphen.
const SUBJECT: &str = "-subject";

/// The columns with the marks, numbered: a field may be read from the same column.
const MARK: &str = "-mark";

/// The columns with whom the record is about and its key.
const fn alias(column: NameColumn) -> &'static str {
    match column {
        NameColumn::Person => "-person",
        NameColumn::PersonName => "-person-name",
        NameColumn::Record => "-record",
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    record: String,
}

impl Query {
    pub(crate) fn new(pool: Pool, query: &str, held: &HeldDataset, bounds: Bounds) -> Self {
        Self {
            pool,
            query: query.to_owned(),
            subject_column: held.source.subject_column.clone(),
            marks: MarkColumns::of(&held.source),
            mapping: Mapping::of(held),
            names: held.source.names.clone(),
            bounds,
            prepared: Mutex::default(),
        }
    }

    /// The operator's query within one that selects these fields alone.
    fn text(&self, fields: &[FieldPath]) -> String {
        let (query, subject) = (&self.query, quoted(&self.subject_column));
        let columns = self.mapping.columns(fields);
        let named = NameColumn::of(&self.names);
        let names = columns.iter().map(|column| (column.name.to_owned(), column.name));
        let marks = self.marks.names().enumerate().map(|(index, column)| (format!("{MARK}{index}"), column));
        let names = names.chain(marks);
        // One row more than the limit shows that the limit is exceeded.
        let limit = self.bounds.max_records.saturating_add(1);
        match self.pool {
            Pool::Postgres(..) => {
                let fields: String = names
                    .map(|(name, column)| format!(", r.{} AS {}", quoted(column), quoted(&name)))
                    .chain(named.map(|(kind, column)| {
                        format!(", r.{}::text AS {}", quoted(column), quoted(alias(kind)))
                    }))
                    .collect();
                format!(
                    "SELECT row_to_json(o)::text AS record FROM (SELECT r.{subject}::text AS \"{SUBJECT}\"{fields} \
                     FROM (\n{query}\n) AS r LIMIT {limit}) AS o"
                )
            }
            Pool::Sqlite(..) => {
                let fields: String = names
                    .map(|(name, column)| format!(", '{name}', r.{}", quoted(column)))
                    .chain(named.map(|(kind, column)| {
                        format!(", '{}', CAST(r.{} AS TEXT)", alias(kind), quoted(column))
                    }))
                    .collect();
                format!(
                    "SELECT json_object('{SUBJECT}', r.{subject}{fields}) AS record \
                     FROM (\n{query}\n) AS r LIMIT {limit}"
                )
            }
        }
    }

    /// Reads row by row, so that an answer over the limit is never held as a whole.
    fn collect(
        &self,
        fields: &[FieldPath],
        rows: QueryResult<impl Iterator<Item = QueryResult<Row>>>,
    ) -> Result<Vec<Record>, Failure> {
        let mut collected = Collected::new(self.bounds);
        for row in rows.map_err(refused)? {
            let number = collected.len().saturating_add(1);
            self.take(&row.map_err(refused)?.record, fields, &mut collected).map_err(|failure| Failure {
                cause: format!("row {number}, {}", failure.cause),
                ..failure
            })?;
        }
        Ok(collected.into_records())
    }

    fn take(&self, row: &str, fields: &[FieldPath], collected: &mut Collected) -> Result<(), Failure> {
        let unfit = |reason, cause| Failure::new(RegisterError::Unfit(reason), cause);
        let mut values: HashMap<String, Json> = match Parser::new(row.as_bytes()).and_then(Parser::single) {
            Ok(Json::Object(members)) => {
                members.into_iter().map(|Member { name, value, .. }| (name, value)).collect()
            }
            _ => return Err(unfit("a row is not a JSON object", "not a JSON object")),
        };
        let subject = match values.remove(SUBJECT) {
            Some(Json::String(text)) => NationalIdentifier::exact(&text).ok(),
            _ => None,
        };
        let subject = subject.ok_or_else(|| {
            unfit("a record does not say whose it is", "the subject column holds no identifier")
        })?;
        let names = names::read(&self.names, |kind, _| values.get(alias(kind)).and_then(names::text))?;
        let marks = self.marks.read(|column| {
            let index = self.marks.names().position(|name| name == column)?;
            values.remove(&format!("{MARK}{index}"))
        })?;
        let record = self.mapping.record(fields, (subject, marks), |column| {
            (None, values.remove(column.name).unwrap_or(Json::Null))
        })?;
        let record = Record { names, ..record };
        Ok(collected.push(record)?)
    }

    fn run(&self, fields: &[FieldPath], identifier: &str) -> Result<Vec<Record>, Failure> {
        let text = self.text(fields);
        let stays_prepared = self.stays_prepared(&text);
        let query = sql_query(text).bind::<sql_types::Text, _>(identifier);
        match &self.pool {
            Pool::Postgres(pool, timeout) => {
                let mut connection = pool.get().map_err(unreachable)?;
                let timeout = format!("SET LOCAL statement_timeout = {}", timeout.as_millis());
                connection.build_transaction().read_only().run(|connection| {
                    connection.batch_execute(&timeout)?;
                    self.collect(fields, query.load_iter::<Row, PgRowByRowLoadingMode>(connection))
                })
            }
            Pool::Sqlite(pool, path) => {
                let mut connection = pool.get().map_err(|error| unavailable(format!("{path}: {error}")))?;
                let connection = &mut *connection;
                if stays_prepared {
                    let query = PreparedOnce(query);
                    return self.collect(fields, query.load_iter::<Row, DefaultLoadingMode>(connection));
                }
                self.collect(fields, query.load_iter::<Row, DefaultLoadingMode>(connection))
            }
        }
    }

    /// Whether a connection to a file keeps this text prepared. One to PostgreSQL does not: a pooler may stand before it.
    fn stays_prepared(&self, text: &str) -> bool {
        let mut prepared = lock(&self.prepared);
        if prepared.iter().any(|known| known == text) {
            return true;
        }
        let room = prepared.len() < MOST_PREPARED;
        if room {
            prepared.push(text.to_owned());
        }
        room
    }
}

impl BlockingReader for Query {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure> {
        in_either_case(question, |identifier| self.run(&question.fields, identifier))
    }
}

/// Asks with the identifier as it is. Databases compare letters exactly: a register with identifiers in other letters would answer
/// "no data" for each of them, which is an error. Keys in letters of both cases are taken as they are.
pub(super) fn in_either_case(
    question: &Question,
    ask: impl Fn(&str) -> Result<Vec<Record>, Failure>,
) -> Result<Vec<Record>, Failure> {
    let asked = question.subject.reveal();
    let records = ask(asked)?;
    if !records.is_empty() {
        return Ok(records);
    }
    let (lower, upper) = (
        zeroize::Zeroizing::new(asked.to_ascii_lowercase()),
        zeroize::Zeroizing::new(asked.to_ascii_uppercase()),
    );
    if !question.by_key && lower.as_str() != asked && !ask(&lower)?.is_empty() {
        return Err(Failure::new(
            RegisterError::Unfit("the register writes identifiers in lower case"),
            "the query finds records by the identifier in lower case alone: let it compare UPPER(column) = $1",
        ));
    }
    if question.by_key && lower != upper {
        let other = match asked {
            _ if asked == lower.as_str() => Some(&upper),
            _ if asked == upper.as_str() => Some(&lower),
            _ => None,
        };
        let records = other.map_or_else(|| Ok(Vec::new()), |other| ask(other))?;
        return match records.iter().all(|record| lookup::is_same(&question.subject, &record.subject)) {
            true => Ok(records),
            false => Err(lookup::other_letters()),
        };
    }
    Ok(records)
}

fn unavailable(error: impl ToString) -> Failure {
    Failure::new(RegisterError::Unavailable, error)
}

fn unreachable(error: r2d2::Error) -> Failure {
    unavailable(explain_connection_failure(without_wait(error.to_string().trim())))
}

/// The reason why there is no connection, without the pool's own words before it.
pub(super) fn without_wait(message: &str) -> &str {
    message.strip_prefix("timed out waiting for connection: ").unwrap_or(message)
}

/// What messages of both databases begin or end with that name tables, columns and rights, and quote no data.
const PLAIN_MESSAGES: [&str; 11] = [
    "does not exist",
    "permission denied",
    "syntax error",
    "no such column",
    "no such table",
    "no such function",
    "unable to open database file",
    "file is not a database",
    "database is locked",
    "canceling statement due to statement timeout",
    "in a read-only transaction",
];

fn refused(error: diesel::result::Error) -> Failure {
    let message = error.to_string();
    match error {
        diesel::result::Error::DeserializationError(_) => {
            Failure::new(RegisterError::Unfit("a row is not a JSON object"), "a row is not a JSON object")
        }
        _ if PLAIN_MESSAGES.iter().any(|plain| message.contains(plain)) => unavailable(message),
        _ => Failure::quoting(RegisterError::Unavailable, message),
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        refused(error)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The first rows of a table or view as JSON, with its columns and their declared types.
pub(super) fn sample(
    register: &Register,
    url: &DatabaseUrl,
    password_file: Option<&Path>,
    table: &[&str],
    rows: usize,
) -> Result<(Vec<DeclaredColumn>, Vec<String>), Failure> {
    let name = table.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".");
    match Pool::new(register, url, password_file, 1).map_err(unavailable)? {
        Pool::Postgres(pool, _) => {
            let mut connection = pool.get().map_err(unreachable)?;
            let columns = sql_query(
                "SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared FROM pg_attribute a \
                 WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            );
            let columns = columns.bind::<sql_types::Text, _>(&name).load(&mut connection)?;
            let text = format!(
                "SELECT row_to_json(o)::text AS record FROM (SELECT * FROM {name} LIMIT {rows}) AS o"
            );
            Ok((columns, texts(sql_query(text).load(&mut connection)?)))
        }
        Pool::Sqlite(pool, path) => {
            let mut connection = pool.get().map_err(|error| unavailable(format!("{path}: {error}")))?;
            let columns: Vec<DeclaredColumn> =
                sql_query("SELECT name, type AS declared FROM pragma_table_info(?)")
                    .bind::<sql_types::Text, _>(table.last().copied().unwrap_or_default())
                    .load(&mut connection)?;
            let members = columns
                .iter()
                .map(|column| format!("'{}', {}", column.name.replace('\'', "''"), quoted(&column.name)));
            let members = members.collect::<Vec<_>>().join(", ");
            let text = format!("SELECT json_object({members}) AS record FROM {name} LIMIT {rows}");
            Ok((columns, texts(sql_query(text).load(&mut connection)?)))
        }
    }
}

/// A column of a table as the database describes it.
#[derive(QueryableByName)]
pub(super) struct DeclaredColumn {
    #[diesel(sql_type = sql_types::Text)]
    pub(super) name: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(super) declared: String,
}

fn texts(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().map(|row| row.record).collect()
}
