//! `omadata demo`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::process::{Failure, LogFilter, StopSignals, say, start_logging};
use crate::config::DatabaseUrl;
use crate::demo::run::{Adjust, Demo, ForeignLogin, Options, Registered};
use crate::domain::catalogue::Language;
use crate::domain::ids::EntityId;

/// Run four cities, the trust anchor, a login provider and a city service on this machine
///
/// Helsinki, Espoo, Turku and Oulu with made-up residents and registers, and a page that plays a city's service: open the
/// address that is printed first. Nothing leaves this machine. Ctrl-C stops it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Keep the databases and registers in this folder (default: a temporary one, gone at the end)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// First of the ports: anchor N, cities N+1 to N+4, Helsinki's systems N+5, login N+9, service page N+10
    #[arg(long, value_name = "N", default_value_t = 8400, value_parser = clap::value_parser!(u16).range(1024..=65000))]
    base_port: u16,
    /// Write addresses and residents to this file, as JSON, once everything serves
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Use this OpenID provider instead of the demo's own; the client identifier is the city's name in lower case
    #[arg(long, value_name = "URL", requires = "registered")]
    login_issuer: Option<String>,
    /// The secret of all cities at that provider
    #[arg(long, value_name = "FILE", group = "registered")]
    login_client_secret_file: Option<PathBuf>,
    /// The cities are registered at that provider as the Finnish Trust Network demands it: with the keys at /oauth/login-jwks of
    /// each, RS256, signed requests and encrypted answers
    #[arg(long, group = "registered", requires = "login_issuer")]
    login_protected: bool,
    /// Admit one more member to the federation, with the keys that it shows at first sight (may be repeated)
    #[arg(long = "member", value_name = "URL")]
    members: Vec<EntityId>,
    /// PostgreSQL server for the cities' databases instead of SQLite, early education registers included: one database for each,
    /// which must exist
    /// (espoo=postgres://…, may be repeated)
    #[arg(long = "store", value_name = "CITY=URL", value_parser = parse_store)]
    stores: Vec<(String, DatabaseUrl)>,
    /// Run a city's node with this file instead of the shipped one, such as a changed copy of CITY.toml in --data-dir (may be
    /// repeated)
    #[arg(long = "node", value_name = "FILE")]
    node_files: Vec<PathBuf>,
    /// What to log: error, warn, info, debug, or by module (omadata=debug,info)
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: LogFilter,
}

fn parse_store(text: &str) -> Result<(String, DatabaseUrl), String> {
    let (city, url) = text.split_once('=').ok_or("write CITY=URL")?;
    match url::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => {
            Ok((city.to_owned(), DatabaseUrl::Postgres(url)))
        }
        _ => Err("write a PostgreSQL address after the =".to_owned()),
    }
}

/// Runs the demo until it is stopped.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    start_logging(&arguments.log);
    // Kept until the end of this function, then deleted with its content.
    let temporary = match &arguments.data_dir {
        Some(_) => None,
        None => Some(tempfile::tempdir()?),
    };
    let folder = match (&arguments.data_dir, &temporary) {
        (Some(folder), _) => std::path::absolute(folder)?,
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => return Err("no folder for the data".into()),
    };
    std::fs::create_dir_all(&folder)?;
    let options = Options {
        folder: folder.clone(),
        base_port: arguments.base_port,
        login: arguments.login_issuer.map(|issuer| ForeignLogin {
            issuer,
            registered: arguments.login_client_secret_file.map_or(Registered::Protected, Registered::Secret),
        }),
        members: arguments.members,
        stores: arguments.stores.into_iter().collect(),
        node_files: arguments.node_files,
        adjust: Adjust::default(),
    };
    let spinner = spinner();
    let demo = Demo::start(options, |step| spinner.set_message(step)).await?;
    spinner.finish_and_clear();
    let mut signals = StopSignals::listen()?;
    if let Some(file) = &arguments.ready_file {
        write_ready_file(file, &demo.describe())?;
    }
    greet(&demo, &folder, temporary.is_some());
    signals.next().await;
    say!("Stopping.");
    demo.stop().await;
    Ok(())
}

/// Printed on a terminal only.
fn spinner() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} … {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Written atomically, readable by the owner only: it names residents, even though they are made up.
fn write_ready_file(file: &Path, content: &serde_json::Value) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::write(draft.path(), serde_json::to_vec_pretty(content)?)?;
    draft.persist(file)?;
    Ok(())
}

fn greet(demo: &Demo, folder: &Path, temporary: bool) {
    say!("The OmaData demo federation is ready. All residents and their data are made up.\n");
    say!("  Start here       {}", demo.service_page);
    for (_, config) in &demo.cities {
        say!("  {:<16} {}", config.node.city.get(Language::En), config.node.base_url);
    }
    say!("  Trust anchor     {}", demo.anchor);
    say!("  City systems     {}", demo.systems_url);
    say!("  Login provider   {}\n", demo.login_issuer);
    say!("Residents to log in as:");
    for resident in &demo.residents {
        say!("  {:<18} {}", resident.display_name, resident.description.get(Language::En));
    }
    let kept = if temporary { "gone at the end; --data-dir keeps it" } else { "kept" };
    say!("\nData: {} ({kept})\nCtrl-C stops.", folder.display());
}
