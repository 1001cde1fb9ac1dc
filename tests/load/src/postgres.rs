//! A database of its own in a PostgreSQL server, made, asked and dropped with `psql`.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use url::Url;

/// Dropped with this value.
pub struct Database {
    server: Url,
    name: String,
    pub password: String,
}

impl Database {
    /// None for `sqlite`.
    pub fn create(store: &str) -> Result<Option<Self>> {
        if store == "sqlite" {
            return Ok(None);
        }
        let server =
            Url::parse(store).context("--store is sqlite or postgres://USER:PASSWORD@HOST:PORT/postgres")?;
        let password = server.password().unwrap_or_default().to_owned();
        let name = format!("omadata_load_{:016x}", {
            let mut bytes = [0; 8];
            aws_lc_rs::rand::fill(&mut bytes).ok().context("no randomness")?;
            u64::from_le_bytes(bytes)
        });
        run(&server, &format!("CREATE DATABASE {name}"))?;
        let database = Self { server, name, password };
        // For counting statements; not every server has it.
        let _ = run(&database.url(), "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        Ok(Some(database))
    }

    fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url
    }

    pub fn url_without_password(&self) -> String {
        let mut url = self.url();
        // Only addresses that cannot have a password refuse, and this one has one.
        let _ = url.set_password(None);
        url.into()
    }

    /// Statements that the database has run, and WAL syncs of the whole server; none where the server does not count them.
    pub fn counts(&self) -> (Option<f64>, Option<f64>) {
        let number = |sql: &str| run(&self.url(), sql).ok()?.trim().parse().ok();
        (
            number(
                "SELECT sum(calls) FROM pg_stat_statements WHERE dbid = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())",
            ),
            number("SELECT wal_sync FROM pg_stat_wal"),
        )
    }

    /// Exchanges that the store holds.
    pub fn exchanges(&self) -> Result<u64> {
        Ok(run(&self.url(), "SELECT count(*) FROM exchanges")?.trim().parse()?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = run(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("load: {error:#}");
        }
    }
}

fn run(server: &Url, sql: &str) -> Result<String> {
    let mut bare = server.clone();
    let _ = bare.set_password(None);
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--dbname",
            bare.as_str(),
            "--command",
            sql,
        ])
        .env("PGPASSWORD", server.password().unwrap_or_default())
        .stdin(Stdio::null())
        .output()
        .context("psql does not start")?;
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
