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
const SQLITE: &str = "url = \"sqlite:node.sqlite\"";

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

/// Names, ports and folders, before anything runs.
struct Plan<'a> {
    setup: &'a Setup,
    folder: &'a Path,
    parties: &'a Parties,
    holder: String,
    holder_port: u16,
    recipient: String,
    recipient_port: u16,
}

impl Plan<'_> {
    fn inside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of a node's data, with its secret at the login provider.
    fn data_dir(&self, name: &str) -> Result<PathBuf> {
        let path = self.inside(name);
        std::fs::create_dir_all(&path)?;
        secret(&path.join("login-client"), &self.parties.client_secret)?;
        Ok(path)
    }

    fn settings<'a>(
        &'a self,
        base_url: &'a str,
        listen: u16,
        data_dir: &'a str,
        store: &'a str,
    ) -> config::Node<'a> {
        config::Node {
            base_url,
            listen,
            data_dir,
            store,
            anchor: &self.parties.anchor,
            issuer: &self.parties.issuer,
            workers: self.setup.workers,
            pool_size: self.setup.pool_size,
        }
    }

    async fn anchor(&self, port: u16) -> Result<Process> {
        let mut members: Vec<(&str, &[&str])> =
            vec![(&self.holder, &HOLDER_ROLES), (&self.parties.recipient, &RECIPIENT_ROLES)];
        if self.setup.recipient_node {
            members.push((&self.recipient, &HOLDER_ROLES));
        }
        let data_dir = self.inside("anchor");
        std::fs::create_dir_all(&data_dir)?;
        let file = self.inside("anchor.toml");
        std::fs::write(&file, config::anchor(&self.parties.anchor, port, &text(&data_dir)?, &members))?;
        start(&self.setup.binary, "anchor", &file, port, None).await
    }

    async fn holder(&self, database: Option<&Database>, syncs: Option<&Syncs>) -> Result<Vec<Process>> {
        let data_dir = self.data_dir("holder")?;
        registers(&data_dir.join("registers.sqlite"), self.setup.residents)?;
        let store = match database {
            Some(database) => {
                secret(&data_dir.join("db-password"), &database.password)?;
                format!("url = \"{}\"\npassword_file = \"db-password\"", database.url_without_password())
            }
            None => SQLITE.to_owned(),
        };
        let data_dir = text(&data_dir)?;
        let mut nodes = Vec::new();
        for number in 0..self.setup.processes {
            let port = if number == 0 { self.holder_port } else { process::free_port()? };
            let file = self.inside(&format!("holder-{number}.toml"));
            std::fs::write(&file, config::holder(&self.settings(&self.holder, port, &data_dir, &store)))?;
            nodes.push(start(&self.setup.binary, "serve", &file, port, syncs).await?);
        }
        Ok(nodes)
    }

    async fn recipient(&self) -> Result<RecipientNode> {
        let data_dir = self.data_dir("recipient")?;
        let service_secret = jose::secret::<24>();
        secret(&data_dir.join("service-secret"), &service_secret)?;
        let data_dir = text(&data_dir)?;
        let settings = self.settings(&self.recipient, self.recipient_port, &data_dir, SQLITE);
        let file = self.inside("recipient.toml");
        std::fs::write(&file, config::recipient(&settings, &self.parties.recipient))?;
        let process = start(&self.setup.binary, "serve", &file, self.recipient_port, None).await?;
        Ok(RecipientNode { base: self.recipient.clone(), secret: service_secret, _process: process })
    }
}

impl World {
    pub async fn start(setup: &Setup) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("omadata-load.").tempdir()?;
        let listener = process::listener()?;
        let anchor_port = process::free_port()?;
        let anchor_id = format!("http://anchor.localhost:{anchor_port}");
        let parties = Parties::new(listener.local_addr()?.port(), anchor_id, setup.max_exchanges)?;
        parties.serve(listener);
        let (holder_port, recipient_port) = (process::free_port()?, process::free_port()?);
        let plan = Plan {
            setup,
            folder: folder.path(),
            parties: &parties,
            holder: format!("http://holder.localhost:{holder_port}"),
            holder_port,
            recipient: format!("http://recipient.localhost:{recipient_port}"),
            recipient_port,
        };
        let anchor = plan.anchor(anchor_port).await?;
        let database = Database::create(&setup.store)?;
        let syncs = Syncs::new(folder.path());
        let syncs = syncs.inspect_err(|error| eprintln!("load: syncs are not counted: {error:#}")).ok();
        let nodes = plan.holder(database.as_ref(), syncs.as_ref()).await?;
        let pids: Vec<u32> = nodes.iter().map(Process::pid).collect();
        let idle_mb = process::memory(&pids) / nodes.len().max(1) as f64;
        let recipient = match setup.recipient_node {
            true => Some(plan.recipient().await?),
            false => None,
        };
        let holder = plan.holder.clone();
        mark(&parties).await?;
        let receipt_keys = Rc::new(receipt_keys(&holder).await?);
        Ok(Self {
            holder,
            parties,
            nodes,
            recipient,
            receipt_keys,
            database,
            syncs,
            idle_mb,
            _anchor: anchor,
            folder,
        })
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
        let logs =
            (0..self.nodes.len()).map(|number| self.folder.path().join(format!("holder-{number}.log")));
        let logs = logs.filter_map(|path| std::fs::read_to_string(path).ok());
        logs.flat_map(|log| log.lines().rev().take(10).map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Starts the program with a configuration file; its log is written beside it.
async fn start(
    binary: &Path,
    command: &str,
    config: &Path,
    port: u16,
    syncs: Option<&Syncs>,
) -> Result<Process> {
    let mut program = Command::new(binary);
    if let Some(syncs) = syncs {
        syncs.watch(&mut program);
    }
    program.args([command, "--log", "warn", "--config"]).arg(config);
    Process::start(&mut program, port, "/health/ready", &config.with_extension("log")).await
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
    let top = jose::unverified(
        &http::get(&format!("{}/.well-known/openid-federation", parties.anchor)).await?.text(),
    )?
    .1;
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
