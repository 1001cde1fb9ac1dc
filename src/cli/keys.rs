//! `omadata keys`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::app::{self, KeyState};
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the node's signing keys: what for, where they stand, since when
    List {
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Write the public federation keys as a JWK Set, for the anchor's jwks_file
    Export {
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// The word for where a key stands.
const fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Pending => "pending",
        KeyState::Active => "active",
        KeyState::Retired => "retired",
        KeyState::Revoked => "revoked",
    }
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List { config } => {
            let keys = app::list_keys(&Config::load(&config)?).await?;
            println!(
                "{:<12} {:<9} {:<44} {:<21} retired or revoked",
                "purpose", "state", "kid", "active since"
            );
            for key in keys {
                let since = key.activated_at.map(|at| at.rfc3339()).unwrap_or_default();
                let until = key.revoked.map(|(at, _)| at).or(key.retired_at);
                println!(
                    "{:<12} {:<9} {:<44} {since:<21} {}",
                    key.purpose.as_str(),
                    word(key.state),
                    key.kid.as_str(),
                    until.map(|at| at.rfc3339()).unwrap_or_default()
                );
            }
        }
        Command::Export { config } => {
            let keys = app::federation_keys(&Config::load(&config)?).await?;
            println!("{}", serde_json::to_string_pretty(&keys.to_jwks())?);
        }
    }
    Ok(())
}
