//! Connections through ODBC, and what its diagnostics tell.

use std::path::Path;
use std::time::Duration;

use odbc_api::handles::StatementImpl;
use odbc_api::{Connection, ConnectionOptions, Cursor, Error, Nullable, Preallocated, environment};
use r2d2::ManageConnection;
use zeroize::Zeroizing;

use super::super::failure::Failure;
use super::super::{RegisterConfigError, sql};
use crate::domain::catalogue::odbc_string::OdbcString;
use crate::domain::catalogue::register::Register;
use crate::ports::RegisterError;

/// The connections to one database.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: r2d2::Pool<Manager>,
    timeout: Duration,
}

impl Pool {
    /// Connects at the first read; a database that is unavailable is tried again at each read.
    pub(crate) fn new(
        register: &Register,
        connection: &OdbcString,
        password_file: Option<&Path>,
        size: u32,
    ) -> Result<Self, RegisterConfigError> {
        let password = sql::password(register, password_file)?;
        let password = password.as_ref().map(|password| password.trim());
        let manager = Manager {
            connection_string: Zeroizing::new(connection.with_password(password)),
            timeout: register.timeout,
        };
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            // Shorter than the time for the answer, so that the error names the connection and not the time limit.
            .connection_timeout(register.timeout.saturating_mul(3) / 4)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(manager);
        Ok(Self { connections, timeout: register.timeout })
    }

    /// Does `work` in a transaction of its own, which is always rolled back.
    pub(super) fn with_statement<T>(
        &self,
        work: impl Fn(&mut Preallocated<StatementImpl<'_>>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            let mut link = self.connections.get().map_err(|error| {
                Failure::new(RegisterError::Unavailable, explained(error.to_string().trim()))
            })?;
            let was_used = std::mem::replace(&mut link.used, true);
            let outcome = self.prepare(&link.connection).and_then(|mut statement| work(&mut statement));
            // A cut value is the cause of what does not fit, too.
            let is_answer = matches!(&outcome, Ok(_) | Err(Failure { error: RegisterError::Unfit(_), .. }));
            let outcome = match link.tells_cuts && is_answer {
                true => whole(&link.connection).and(outcome),
                false => outcome,
            };
            link.broken = link.connection.rollback().is_err() || link.connection.is_dead().unwrap_or(false);
            // The server may have closed a connection that nobody used for long; a new one decides.
            if outcome.is_ok() || !(link.broken && was_used) {
                return outcome;
            }
        }
    }

    /// What names are quoted with.
    pub(crate) fn quote(&self) -> Result<char, Failure> {
        let link = self
            .connections
            .get()
            .map_err(|error| Failure::new(RegisterError::Unavailable, explained(error.to_string().trim())))?;
        Ok(link.connection.identifier_quote_char().map_err(refused)?.unwrap_or('"'))
    }

    fn prepare<'c>(
        &self,
        connection: &'c Connection<'static>,
    ) -> Result<Preallocated<StatementImpl<'c>>, Failure> {
        let mut statement = connection.preallocate().map_err(refused)?;
        // A driver without such a limit leaves it to the session's or the node's own.
        statement.set_query_timeout_sec(whole_seconds(self.timeout)).ok();
        Ok(statement)
    }
}

/// Number of warnings that a session keeps; the databases' own limit.
const MAX_WARNINGS: u32 = 65_535;

/// What MariaDB and MySQL say of a query in which they cut or changed a value and went on.
const CUTS: [i32; 4] = [
    1260, // ER_CUT_VALUE_GROUP_CONCAT, of JSON_ARRAYAGG too
    1264, // ER_WARN_DATA_OUT_OF_RANGE
    1265, // WARN_DATA_TRUNCATED
    1301, // ER_WARN_ALLOWED_PACKET_OVERFLOWED
];

/// Refuses an answer with a value that the database cut. The bracket of a cut JSON list may be closed, so that it looks whole.
fn whole(connection: &Connection<'_>) -> Result<(), Failure> {
    let Some(mut cursor) = connection.execute("SHOW WARNINGS", (), None).map_err(refused)? else {
        return Ok(());
    };
    let mut kept = 0_u32;
    while let Some(mut row) = cursor.next_row().map_err(refused)? {
        kept = kept.saturating_add(1);
        if kept >= MAX_WARNINGS {
            let cause = "the query makes so many warnings that not all are kept: convert what it compares to one type";
            return Err(Failure::new(RegisterError::Unfit("the database may have cut a value"), cause));
        }
        let mut code = Nullable::<i32>::null();
        row.get_data(2, &mut code).map_err(refused)?;
        let Some(code) = code.into_opt().filter(|code| CUTS.contains(code)) else { continue };
        let remedy = match code {
            1260 => {
                ": raise its group_concat_max_len, as by INITSTMT=SET SESSION group_concat_max_len=16777216 in connection"
            }
            1301 => ": raise its max_allowed_packet, or ask for less",
            _ => ": convert the value in the query to a type that holds it",
        };
        let cause = format!("the database warns that it did not give a value whole (warning {code}){remedy}");
        return Err(Failure::new(RegisterError::Unfit("the database cut a value"), cause));
    }
    Ok(())
}

/// Whole seconds, the next more.
fn whole_seconds(time: Duration) -> usize {
    usize::try_from(time.as_millis().div_ceil(1000)).unwrap_or(usize::MAX)
}

/// One connection.
struct Link {
    connection: Connection<'static>,
    used: bool,
    broken: bool,
    /// Whether the database says afterwards that it cut a value, and only then.
    tells_cuts: bool,
}

struct Manager {
    connection_string: Zeroizing<String>,
    timeout: Duration,
}

/// What makes the transactions of a session read-only, where a statement does. Everywhere else the rollback and the rights of
/// the user do.
const READ_ONLY: [(&str, &str); 3] = [
    ("mariadb", "SET SESSION TRANSACTION READ ONLY"),
    ("mysql", "SET SESSION TRANSACTION READ ONLY"),
    ("postgresql", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
];

/// Databases that give a cut value with a warning.
const KEEPS_WARNINGS: [&str; 2] = ["mariadb", "mysql"];

/// What limits the time of a session's queries, where the driver passes no limit on.
const TIME_LIMIT: [(&str, &str); 2] = [
    ("mariadb", "SET SESSION max_statement_time = SECONDS"),
    ("mysql", "SET SESSION max_execution_time = SECONDS000"),
];

impl ManageConnection for Manager {
    type Connection = Link;
    type Error = Error;

    fn connect(&self) -> Result<Link, Error> {
        let seconds = u32::try_from(whole_seconds(self.timeout)).unwrap_or(u32::MAX);
        let options = ConnectionOptions { login_timeout_sec: Some(seconds), ..ConnectionOptions::default() };
        let connection = environment()?.connect_with_connection_string(&self.connection_string, options)?;
        let product = connection.database_management_system_name()?.to_ascii_lowercase();
        if let Some((_, statement)) = READ_ONLY.iter().find(|(name, _)| product.contains(name)) {
            connection.execute(statement, (), None)?;
        }
        if let Some((_, statement)) = TIME_LIMIT.iter().find(|(name, _)| product.contains(name)) {
            let statement = statement.replace("SECONDS", &seconds.to_string());
            // An old server has no such limit.
            connection.execute(&statement, (), None).ok();
        }
        let tells_cuts = KEEPS_WARNINGS.iter().any(|name| product.contains(name));
        if tells_cuts {
            // Each row may bring a warning of less weight, and only so many are kept: 64 otherwise.
            connection.execute(&format!("SET SESSION max_error_count = {MAX_WARNINGS}"), (), None)?;
        }
        connection.set_autocommit(false)?;
        Ok(Link { connection, used: false, broken: false, tells_cuts })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), Error> {
        match link.connection.is_dead()? {
            false => Ok(()),
            true => Err(Error::NoDiagnostics { function: "SQLGetConnectAttr" }),
        }
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken
    }
}

/// What a driver or its manager says of a connection that failed, and whose side it is on with the remedy.
const CONNECTION_FAILURES: [(&str, &str); 6] = [
    (
        "Data source name not found",
        "this side: neither this driver nor this data source is installed here; `odbcinst -q -d` and `odbcinst -q -s` \
         list them",
    ),
    (
        "Can't open lib",
        "this side: no driver has this name (`odbcinst -q -d` lists them), or its library is not installed, or for another processor",
    ),
    ("State: 28000", "the register's side refuses the user or its password (password_file)"),
    ("State: 08", "the register's side: nothing answers there, or it refuses the connection"),
    ("Can't connect", "the register's side: nothing answers there, or it refuses the connection"),
    (
        "SSL",
        "the register's side: the protected connection failed; compare certificate, name and the driver's TLS keywords",
    ),
];

fn explained(message: &str) -> String {
    let message = sql::without_wait(message);
    match CONNECTION_FAILURES.iter().find(|(said, _)| message.contains(said)) {
        Some((_, remedy)) => format!("{message}: {remedy}"),
        None => message.to_owned(),
    }
}

/// Classes of SQLSTATE whose messages name connections, users, tables, columns, rights and limits, and quote no data.
const PLAIN_CLASSES: [&str; 9] = ["08", "25", "28", "42", "57", "70", "HYT", "HY008", "IM0"];

/// A failure of a statement.
pub(super) fn refused(error: Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::Diagnostics { record, .. }
            if PLAIN_CLASSES.iter().any(|class| record.state.0.starts_with(class.as_bytes())) =>
        {
            Failure::new(RegisterError::Unavailable, message)
        }
        _ => Failure::quoting(RegisterError::Unavailable, message),
    }
}
