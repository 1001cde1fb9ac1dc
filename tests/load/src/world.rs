//! The federation that is measured: a trust anchor and a holder as processes of the release binary, in a temporary folder, with
//! real configuration files; and the parties of this program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection as Sqlite, OpenFlags, params};
use serde_json::Value;
use url::Url;

use super::config;
use super::http;
use super::jose::{self, Keys};
use super::parties::{Parties, identity};
use super::postgres::Database;
use super::process::{self, Process};
use super::syncs::Syncs;

const RECIPIENT_ROLES: [&str; 1] = ["data-recipient"];
const HOLDER_ROLES: [&str; 3] = ["consent-issuer", "data-holder", "data-recipient"];
/// Children of each made-up resident, each with one placement.
pub const CHILDREN: usize = 2;

pub struct Setup {
    pub binary: PathBuf,
    /// `sqlite`, or the address of a PostgreSQL server with the password of an account that may create databases.
    pub store: String,
    pub processes: usize,
    pub workers: usize,
    pub pool_size: usize,
    pub residents: usize,
    pub max_exchanges: u32,
    /// Whether a second node stands beside the holder, as recipient with a service of its own.
    pub recipient_node: bool,
}

pub struct World {
    pub holder: String,
    pub parties: Arc<Parties>,
    /// The processes of the holder.
    pub nodes: Vec<Process>,
    pub recipient: Option<RecipientNode>,
    pub receipt_keys: Rc<Keys>,
    /// Dropped last: what runs in it ends before.
    pub database: Option<Database>,
    pub syncs: Option<Syncs>,
    /// Resident memory of the holder's processes before anything was asked of them, in MB.
    pub idle_mb: f64,
    _anchor: Process,
    folder: tempfile::TempDir,
}

pub struct RecipientNode {
    pub base: String,
    pub secret: String,
    _process: Process,
}

/// How children's names and units tell whose they are.
pub fn unit(resident: usize, child: usize) -> String {
    format!("Unit {resident:07}-{child}")
}

impl World {
    pub async fn start(setup: &Setup) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("omadata-load.").tempdir()?;
        let inside = |name: &str| folder.path().join(name);
        let listener = process::listener()?;
        let (anchor_port, holder_port) = (process::free_port()?, process::free_port()?);
        let anchor_id = format!("http://anchor.localhost:{anchor_port}");
        let parties = Parties::new(listener.local_addr()?.port(), anchor_id.clone(), setup.max_exchanges)?;
        parties.serve(listener);
        let holder = format!("http://holder.localhost:{holder_port}");
        let recipient_port = process::free_port()?;
        let recipient_base = format!("http://recipient.localhost:{recipient_port}");

        let mut members: Vec<(&str, &[&str])> =
            vec![(&holder, &HOLDER_ROLES), (&parties.recipient, &RECIPIENT_ROLES)];
        if setup.recipient_node {
            members.push((&recipient_base, &HOLDER_ROLES));
        }
        let anchor_dir = text(&inside("anchor"))?;
        std::fs::create_dir_all(&anchor_dir)?;
        std::fs::write(inside("anchor.toml"), config::anchor(&anchor_id, anchor_port, &anchor_dir, &members))?;
        let anchor =
            start(&setup.binary, "anchor", &inside("anchor.toml"), anchor_port, &inside("anchor.log"), None).await?;

        let database = Database::create(&setup.store)?;
        let data_dir = inside("holder");
        std::fs::create_dir_all(&data_dir)?;
        secret(&data_dir.join("login-client"), &parties.client_secret)?;
        registers(&data_dir.join("registers.sqlite"), setup.residents)?;
        let store = match &database {
            Some(database) => {
                secret(&data_dir.join("db-password"), &database.password)?;
                format!("url = \"{}\"\npassword_file = \"db-password\"", database.url_without_password())
            }
            None => "url = \"sqlite:node.sqlite\"".to_owned(),
        };
        let data_dir = text(&data_dir)?;
        let syncs = Syncs::new(folder.path()).inspect_err(|error| eprintln!("load: syncs are not counted: {error:#}")).ok();
        let mut nodes = Vec::new();
        for number in 0..setup.processes {
            let port = if number == 0 { holder_port } else { process::free_port()? };
            let settings = config::Node {
                base_url: &holder,
                listen: port,
                data_dir: &data_dir,
                store: &store,
                anchor: &anchor_id,
                issuer: &parties.issuer,
                workers: setup.workers,
                pool_size: setup.pool_size,
            };
            let file = inside(&format!("holder-{number}.toml"));
            std::fs::write(&file, config::holder(&settings))?;
            let log = inside(&format!("holder-{number}.log"));
            nodes.push(start(&setup.binary, "serve", &file, port, &log, syncs.as_ref()).await?);
        }
        let recipient = if setup.recipient_node {
            let data_dir = inside("recipient");
            std::fs::create_dir_all(&data_dir)?;
            let service_secret = jose::secret::<24>();
            secret(&data_dir.join("login-client"), &parties.client_secret)?;
            secret(&data_dir.join("service-secret"), &service_secret)?;
            let settings = config::Node {
                base_url: &recipient_base,
                listen: recipient_port,
                data_dir: &text(&data_dir)?,
                store: "url = \"sqlite:node.sqlite\"",
                anchor: &anchor_id,
                issuer: &parties.issuer,
                workers: setup.workers,
                pool_size: setup.pool_size,
            };
            let file = inside("recipient.toml");
            std::fs::write(&file, config::recipient(&settings, &parties.recipient))?;
            let process =
                start(&setup.binary, "serve", &file, recipient_port, &inside("recipient.log"), None).await?;
            Some(RecipientNode { base: recipient_base, secret: service_secret, _process: process })
        } else {
            None
        };

        let pids: Vec<u32> = nodes.iter().map(Process::pid).collect();
        let idle_mb = process::memory(&pids) / nodes.len().max(1) as f64;
        mark(&parties).await?;
        let receipt_keys = Rc::new(receipt_keys(&holder).await?);
        Ok(Self { holder, parties, nodes, recipient, receipt_keys, database, syncs, idle_mb, _anchor: anchor, folder })
    }

    pub fn exchange_url(&self) -> String {
        format!("{}/exchange/datasets/{}", self.holder, config::DATASET)
    }

    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().map(Process::pid).collect()
    }

    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// Released exchanges that the holder's store holds.
    pub fn stored_exchanges(&self) -> Result<u64> {
        match &self.database {
            Some(database) => database.exchanges(),
            None => {
                let store = self.folder.path().join("holder/node.sqlite");
                let store = Sqlite::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                let stored: i64 = store.query_row("SELECT count(*) FROM exchanges", [], |row| row.get(0))?;
                Ok(stored.cast_unsigned())
            }
        }
    }

    /// The last lines that the holder's processes logged.
    pub fn log(&self) -> String {
        let logs = (0..self.nodes.len()).map(|number| self.folder.path().join(format!("holder-{number}.log")));
        let logs = logs.filter_map(|path| std::fs::read_to_string(path).ok());
        logs.flat_map(|log| log.lines().rev().take(10).map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

async fn start(
    binary: &Path,
    command: &str,
    config: &Path,
    port: u16,
    log: &Path,
    syncs: Option<&Syncs>,
) -> Result<Process> {
    let mut program = Command::new(binary);
    if let Some(syncs) = syncs {
        syncs.watch(&mut program);
    }
    program.args([command, "--log", "warn", "--config"]).arg(config);
    Process::start(&mut program, port, "/health/ready", log).await
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().context("the temporary folder's name is not UTF-8")?.to_owned())
}

/// A file that its owner alone can read.
fn secret(path: &Path, content: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(content.as_bytes())?)
}

/// The city's register: a placement for each child of each resident.
fn registers(path: &Path, residents: usize) -> Result<()> {
    let mut database = Sqlite::open(path)?;
    database.execute_batch(
        "CREATE TABLE placement (guardian TEXT NOT NULL, child TEXT NOT NULL, child_name TEXT NOT NULL, id TEXT PRIMARY KEY,
           non_disclosure INTEGER NOT NULL, available_from TEXT, type TEXT NOT NULL, unit TEXT NOT NULL,
           start_date TEXT NOT NULL, end_date TEXT, place_guarantee INTEGER NOT NULL);
         CREATE INDEX placement_guardian ON placement (guardian);",
    )?;
    let rows = database.transaction()?;
    {
        let mut insert = rows.prepare(
            "INSERT INTO placement VALUES (?1, ?2, ?3, ?4, 0, NULL, 'DAYCARE', ?5, '2024-08-01', '2030-07-31', 1)",
        )?;
        for resident in 0..residents {
            for child in 0..CHILDREN {
                let name = identity(resident);
                insert.execute(params![
                    name,
                    format!("{name}-child-{child}"),
                    format!("Child {child} of {name}"),
                    format!("{name}-placement-{child}"),
                    unit(resident, child),
                ])?;
            }
        }
    }
    Ok(rows.commit()?)
}

/// Waits for the recipient's trust mark: the anchor gives it once it knows the recipient's keys.
async fn mark(parties: &Parties) -> Result<()> {
    let kind = format!("{}/trust-marks/data-recipient", parties.anchor);
    let top = jose::unverified(&http::get(&format!("{}/.well-known/openid-federation", parties.anchor)).await?.text())?.1;
    let endpoint = &top["metadata"]["federation_entity"]["federation_trust_mark_endpoint"];
    let mut url = Url::parse(endpoint.as_str().context("the anchor names no place for trust marks")?)?;
    url.query_pairs_mut().append_pair("trust_mark_type", &kind).append_pair("sub", &parties.recipient);
    for _ in 0..600 {
        let answer = http::get(url.as_str()).await?;
        if answer.status == 200 {
            parties.set_mark(&kind, answer.text().trim());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the anchor does not give the recipient its trust mark")
}

/// The keys of the holder's receipts, from its own statement: this run made both anchor and holder.
async fn receipt_keys(holder: &str) -> Result<Keys> {
    let statement = http::get(&format!("{holder}/.well-known/openid-federation")).await?;
    let claims: Value = jose::unverified(&statement.text())?.1;
    Keys::from_jwks(&claims["metadata"]["oauth_resource"]["jwks"])
}
