//! Registers that are databases: PostgreSQL and SQLite through one configured query.
//!
//! The query stands as the operator wrote it inside an outer SELECT that asks for the dataset's fields by name and makes
//! each row one JSON object, so that types survive and no other column can come along. The person's identifier is bound,
//! never written into the text. The transaction is read-only.

use std::path::Path;
use std::time::Duration;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::pg::{PgConnection, PgRowByRowLoadingMode};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, NopErrorHandler, R2D2Connection};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types};
use serde_json::{Map, Value};

use super::values::{self, Collected};
use super::{Bounds, Failure, Reader, RegisterConfigError};
use crate::domain::catalogue::register::{DatabaseUrl, HeldDataset, Register};
use crate::domain::catalogue::{Dataset, Record};
use crate::domain::ids::NationalIdentifier;
use crate::ports::RegisterError;

type ManagedPool<C> = r2d2::Pool<ConnectionManager<C>>;

/// The connections to one database.
#[derive(Clone)]
pub(crate) enum Pool {
    Postgres(ManagedPool<PgConnection>, Duration),
    Sqlite(ManagedPool<SqliteConnection>),
}

impl Pool {
    /// Nothing is connected before the first read, and a database that is away is tried again at each read.
    pub(crate) fn new(
        register: &Register,
        url: &DatabaseUrl,
        password_file: Option<&Path>,
        size: u32,
    ) -> Result<Self, RegisterConfigError> {
        let password = match password_file {
            Some(path) => Some(zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(|source| {
                RegisterConfigError::Password { register: register.id.clone(), source }
            })?)),
            None => None,
        };
        let unusable = |reason| RegisterConfigError::Address { register: register.id.clone(), reason };
        match url {
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| unusable("the path is not UTF-8"))?;
                let address = format!("file:{}?mode=ro", uri_path(path));
                let setup =
                    Setup("PRAGMA query_only = ON; PRAGMA busy_timeout = 1000; PRAGMA trusted_schema = OFF;");
                Ok(Self::Sqlite(pool(address, size, register.deadline, setup)))
            }
            DatabaseUrl::Postgres(address) => {
                let password = password.as_ref().map(|password| password.trim());
                let address = DatabaseUrl::Postgres(with_connect_timeout(address.clone(), register.deadline))
                    .with_password(password)
                    .ok_or_else(|| unusable("it cannot carry a password"))?;
                let setup = Setup("SET default_transaction_read_only = on");
                Ok(Self::Postgres(pool(address, size, register.deadline, setup), register.deadline))
            }
        }
    }
}

/// Bounds the time for a connection, so that a host that swallows packets does not hold the pool's threads for minutes.
fn with_connect_timeout(mut address: url::Url, deadline: Duration) -> url::Url {
    if !address.query_pairs().any(|(key, _)| key == "connect_timeout") {
        // libpq counts whole seconds, two at least.
        let seconds = deadline.as_secs().max(2).to_string();
        address.query_pairs_mut().append_pair("connect_timeout", &seconds);
    }
    address
}

/// A path as it stands in SQLite's URI form (<https://www.sqlite.org/uri.html> §3.1).
fn uri_path(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn pool<C>(address: String, size: u32, deadline: Duration, setup: Setup) -> ManagedPool<C>
where
    C: R2D2Connection + SimpleConnection + 'static,
{
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(deadline)
        .error_handler(Box::new(NopErrorHandler))
        .connection_customizer(Box::new(setup))
        .build_unchecked(ConnectionManager::new(address))
}

/// What every new connection is told first.
#[derive(Debug, Clone, Copy)]
struct Setup(&'static str);

impl<C: R2D2Connection + SimpleConnection + 'static> CustomizeConnection<C, diesel::r2d2::Error> for Setup {
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        connection.batch_execute(self.0).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// One dataset's query.
pub(crate) struct Query {
    pool: Pool,
    text: String,
    dataset: Dataset,
    bounds: Bounds,
}

/// The member that says whose record it is. No field can have this name: names of fields have no underscore.
const SUBJECT: &str = "_subject";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    record: String,
}

impl Query {
    pub(crate) fn new(pool: Pool, query: &str, held: &HeldDataset, bounds: Bounds) -> Self {
        let subject = quoted(&held.source.subject_column);
        let names = held.dataset.fields.iter().map(|field| field.name.as_str());
        // One row more than the bound shows that the bound is passed.
        let limit = bounds.max_records.saturating_add(1);
        let text = match pool {
            Pool::Postgres(..) => {
                let fields: String = names.map(|name| format!(", r.{0} AS {0}", quoted(name))).collect();
                format!(
                    "SELECT row_to_json(o)::text AS record FROM (SELECT r.{subject}::text AS {SUBJECT}{fields} \
                     FROM (\n{query}\n) AS r LIMIT {limit}) AS o"
                )
            }
            Pool::Sqlite(_) => {
                let fields: String = names.map(|name| format!(", '{name}', r.{}", quoted(name))).collect();
                format!(
                    "SELECT json_object('{SUBJECT}', r.{subject}{fields}) AS record \
                     FROM (\n{query}\n) AS r LIMIT {limit}"
                )
            }
        };
        Self { pool, text, dataset: held.dataset.clone(), bounds }
    }

    /// Takes the rows one by one, so that an answer over the bound is never held as a whole.
    fn collect(
        &self,
        rows: QueryResult<impl Iterator<Item = QueryResult<Row>>>,
    ) -> Result<Vec<Record>, Failure> {
        let mut collected = Collected::new(self.bounds);
        for row in rows? {
            let mut values: Map<String, Value> =
                serde_json::from_str(&row?.record).map_err(|_| RegisterError::Unfit("a row is not JSON"))?;
            let subject = values.remove(SUBJECT);
            let subject = subject
                .as_ref()
                .and_then(Value::as_str)
                .and_then(|text| NationalIdentifier::new(text).ok())
                .ok_or(RegisterError::Unfit("a record does not say whose it is"))?;
            collected.push(values::record(&self.dataset, subject, |field| {
                values.remove(field.as_str()).unwrap_or(Value::Null)
            })?)?;
        }
        Ok(collected.into_records())
    }
}

impl Reader for Query {
    fn read(&self, subject: &NationalIdentifier) -> Result<Vec<Record>, Failure> {
        let query = sql_query(&self.text).bind::<sql_types::Text, _>(subject.reveal());
        match &self.pool {
            Pool::Postgres(pool, deadline) => {
                let mut connection = pool.get().map_err(unavailable)?;
                let timeout = format!("SET LOCAL statement_timeout = {}", deadline.as_millis());
                connection.build_transaction().read_only().run(|connection| {
                    connection.batch_execute(&timeout)?;
                    self.collect(query.load_iter::<Row, PgRowByRowLoadingMode>(connection))
                })
            }
            Pool::Sqlite(pool) => {
                let mut connection = pool.get().map_err(unavailable)?;
                connection.transaction(|connection| {
                    self.collect(query.load_iter::<Row, DefaultLoadingMode>(connection))
                })
            }
        }
    }
}

fn unavailable(error: impl ToString) -> Failure {
    Failure::new(RegisterError::Unavailable, error)
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::DeserializationError(_) => {
                RegisterError::Unfit("a row is not a JSON object").into()
            }
            error => unavailable(error),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
