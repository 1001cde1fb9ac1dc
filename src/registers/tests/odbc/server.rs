//! A real MariaDB and a real PostgreSQL behind their drivers.

use odbc_api::{ConnectionOptions, environment};

use super::*;
use crate::domain::catalogue::odbc_string::OdbcString;

/// A database of a server that `tests/run` starts, for one test.
pub(super) struct Server {
    pub(super) driver: &'static str,
    pub(super) address: url::Url,
    /// The database or schema of this test.
    pub(super) name: String,
    pub(super) folder: tempfile::TempDir,
}

impl Server {
    pub(super) fn mariadb(test: &str) -> Option<Self> {
        Self::new("MariaDB Unicode", "OMADATA_TEST_MARIADB", test)
    }

    pub(super) fn postgres(test: &str) -> Option<Self> {
        Self::new("PostgreSQL Unicode", "OMADATA_TEST_POSTGRES", test)
    }

    #[expect(clippy::disallowed_methods, reason = "tests/run says where the databases are")]
    fn new(driver: &'static str, variable: &str, test: &str) -> Option<Self> {
        let Ok(address) = std::env::var(variable) else {
            eprintln!("left to tests/run: registers through ODBC, {test} (set {variable})");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = url::Url::parse(&address).unwrap();
        std::fs::write(folder.path().join("password"), address.password().unwrap()).unwrap();
        let name = format!("odbc_{test}_{}", std::process::id());
        let server = Self { driver, address, name, folder };
        server.execute(&format!("DROP SCHEMA IF EXISTS {}", server.name));
        server.execute(&format!("CREATE SCHEMA {}", server.name));
        Some(server)
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.address.scheme() == "mariadb"
    }

    pub(super) fn connection_string(&self) -> String {
        format!(
            "Driver={{{}}};Server={};Port={};Database={};UID={}",
            self.driver,
            self.address.host_str().unwrap(),
            self.address.port().unwrap(),
            self.address.path().trim_start_matches('/'),
            self.address.username(),
        )
    }

    /// As the register's owner, who may do everything.
    pub(super) fn execute(&self, statement: &str) {
        let text = format!("{};PWD={}", self.connection_string(), self.address.password().unwrap());
        let connection = environment()
            .unwrap()
            .connect_with_connection_string(&text, ConnectionOptions::default())
            .unwrap();
        connection.execute(statement, (), None).unwrap();
    }

    /// As the node does.
    pub(super) fn connection(&self, more: &str) -> Connection {
        Connection::Odbc {
            connection: OdbcString::parse(&format!("{};{more}", self.connection_string())).unwrap(),
            password_file: Some(self.folder.path().join("password")),
            pool_size: 2,
        }
    }

    /// As a user of this test alone (MariaDB), who may only read.
    pub(super) fn connection_of_another(&self, password: &str) -> Connection {
        let user = &self.name;
        self.execute(&format!(
            "CREATE OR REPLACE USER {user}@'127.0.0.1' IDENTIFIED BY '{}'",
            password.replace('\'', "''")
        ));
        self.execute(&format!("GRANT SELECT ON {user}.* TO {user}@'127.0.0.1'"));
        std::fs::write(self.folder.path().join("another"), password).unwrap();
        let text = self.connection_string();
        let text = text.replace("UID=omadata", &format!("UID={user}"));
        Connection::Odbc {
            connection: OdbcString::parse(&text.replace("Database=omadata", &format!("Database={user}")))
                .unwrap(),
            password_file: Some(self.folder.path().join("another")),
            pool_size: 1,
        }
    }

    /// The table of all kinds of registers, with columns of the types that this database has for them.
    pub(super) fn placements(&self) {
        let json = if self.is_mariadb() { "JSON" } else { "jsonb" };
        self.execute(&format!(
            "CREATE TABLE {}.placement (guardian varchar(11), unit text, start_date date, number integer, fee numeric(8,2),
             guaranteed boolean, place {json}, phones {json}, secret text)",
            self.name
        ));
        // A value holds a semicolon, so the rows are told apart by their beginning.
        for row in ROWS.split("INSERT INTO placement").skip(1) {
            let row = row.trim().trim_end_matches(';');
            self.execute(&format!("INSERT INTO {}.placement {row}", self.name));
        }
    }

    pub(super) fn query(&self) -> String {
        let query = QUERY.replace("FROM placement", &format!("FROM {}.placement", self.name));
        // Names in double quotes are texts to MariaDB, and it compares letters as its collation says.
        if self.is_mariadb() { query.replace('"', "`") } else { query }
    }

    pub(super) fn sources(&self, query: &str) -> CityRegisters {
        sources(self.connection(""), Selection::Query(query.to_owned()), BOUNDS)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let more = if self.is_mariadb() { "" } else { " CASCADE" };
        self.execute(&format!("DROP SCHEMA {}{more}", self.name));
        if self.is_mariadb() {
            self.execute(&format!("DROP USER IF EXISTS {}@'127.0.0.1'", self.name));
        }
    }
}

/// Both, as far as they are there.
pub(super) fn servers(test: &str) -> impl Iterator<Item = Server> {
    [Server::mariadb(test), Server::postgres(test)].into_iter().flatten()
}
