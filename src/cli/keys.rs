//! `omadata keys`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::app::{self, KeyState};
use crate::config::{AnchorConfig, Config, Keys, Store};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the signing keys: what for, where they stand, since when
    List(Whose),
    /// Print the public federation keys as a JWK Set: a node's for the anchor's jwks_file, the anchor's for the nodes'
    Export(Whose),
}

/// Whose keys are meant.
#[derive(clap::Args)]
pub(super) struct Whose {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The file is a trust anchor's
    #[arg(long)]
    anchor: bool,
}

impl Whose {
    fn load(&self) -> Result<(Store, Keys), Failure> {
        if self.anchor {
            let config = AnchorConfig::load(&self.config)?;
            return Ok((config.store, config.keys));
        }
        let config = Config::load(&self.config)?;
        Ok((config.store, config.keys))
    }
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
        Command::List(whose) => {
            let (store, keys) = whose.load()?;
            let keys = app::list_keys(&store, &keys).await?;
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
        Command::Export(whose) => {
            let (store, keys) = whose.load()?;
            let keys = app::federation_keys(&store, &keys).await?;
            println!("{}", serde_json::to_string_pretty(&keys.to_jwks())?);
        }
    }
    Ok(())
}
