//! `omadata keys`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::process::{Failure, say};
use crate::config::{AnchorConfig, Config, Keys, Store};
use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::RevokeReason;
use crate::operator::keys;
use crate::operator::keys::{KeyPolicy, KeyPurpose, KeyRecord, KeyState, Rotation};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the signing keys: what for, where they stand, since when, what comes next
    List(Whose),
    /// Print the public federation keys as a JWK Set: a node's for the anchor's jwks_file, the anchor's for the nodes'
    Export(Whose),
    /// Replace signing keys without losing an exchange: a new key is published first and signs by itself later
    Rotate(Rotate),
    /// Give a key up for good; where it signs, another takes its place at once
    Revoke(Revoke),
}

/// The node or anchor whose keys are meant.
#[derive(clap::Args)]
pub(super) struct Whose {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The file is a trust anchor's
    #[arg(long)]
    anchor: bool,
}

#[derive(clap::Args)]
pub(super) struct Rotate {
    /// Which keys to replace
    #[arg(value_name = "PURPOSE", required_unless_present = "all")]
    purposes: Vec<Purpose>,
    /// Replace the keys of all purposes
    #[arg(long, conflicts_with = "purposes")]
    all: bool,
    /// Let the new keys sign at once. Federation keys keep their lead time: superiors could not follow otherwise
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// The key, as `omadata keys list` names it
    #[arg(allow_hyphen_values = true)]
    kid: KeyId,
    /// Why
    #[arg(long)]
    reason: Reason,
    /// From when on somebody else may have had a compromised key, such as 2026-03-01T12:00:00Z (default: now)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// Entity statements
    Federation,
    /// Consent tokens and status lists
    Token,
    /// Receipts and events
    Receipt,
    /// Client assertions
    Client,
    /// DPoP proofs
    Dpop,
    /// What is sent to a login provider that wants RS256
    LoginSigning,
    /// What the login provider encrypts with RSA-OAEP
    LoginRsaDecryption,
    /// What the login provider encrypts with ECDH-ES
    LoginEcDecryption,
}

impl Purpose {
    const fn meant(self) -> KeyPurpose {
        match self {
            Self::Federation => KeyPurpose::Federation,
            Self::Token => KeyPurpose::Token,
            Self::Receipt => KeyPurpose::Receipt,
            Self::Client => KeyPurpose::Client,
            Self::Dpop => KeyPurpose::Dpop,
            Self::LoginSigning => KeyPurpose::LoginSigning,
            Self::LoginRsaDecryption => KeyPurpose::LoginRsaDecryption,
            Self::LoginEcDecryption => KeyPurpose::LoginEcDecryption,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reason {
    /// Somebody else may have the key: what it signed counts only where this node recorded it before that
    Compromised,
    /// The key is given up through no fault: what it signed so far stays good
    Superseded,
}

impl Whose {
    fn load(&self) -> Result<(Store, Keys), Failure> {
        // Reads nothing else of the file: keys are exchanged before the other side's files exist.
        let files = if self.anchor {
            AnchorConfig::load_key_files(&self.config)?
        } else {
            Config::load_key_files(&self.config)?
        };
        Ok((files.store, files.keys))
    }
}

/// The name of a key's state.
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
            let (records, policy) = keys::list(&store, &keys).await?;
            say!("{:<20} {:<9} {:<44} {:<21} what comes of it", "purpose", "state", "kid", "active since");
            for key in records {
                let since = key.activated_at.map(Timestamp::rfc3339).unwrap_or_default();
                say!(
                    "{:<20} {:<9} {:<44} {since:<21} {}",
                    key.purpose.as_str(),
                    word(key.state),
                    key.kid.as_str(),
                    outlook(&key, &policy)
                );
            }
        }
        Command::Export(whose) => {
            let (store, keys) = whose.load()?;
            let keys = keys::federation_keys(&store, &keys).await?;
            say!("{}", serde_json::to_string_pretty(&keys.to_jwks())?);
        }
        Command::Rotate(arguments) => rotate(arguments).await?,
        Command::Revoke(arguments) => revoke(arguments).await?,
    }
    Ok(())
}

async fn rotate(arguments: Rotate) -> Result<(), Failure> {
    let (store, keys) = arguments.whose.load()?;
    let purposes: Vec<_> = match arguments.all {
        true => keys::purposes_in_use(&store, &keys).await?,
        false => arguments.purposes.into_iter().map(Purpose::meant).collect(),
    };
    let lead = keys::policy(&keys).lead_secs;
    for (purpose, rotation) in keys::rotate(&store, &keys, &purposes, arguments.now).await? {
        let said = match rotation {
            Rotation::Begun(kid) => {
                format!("{kid} is pending; it signs {lead} s after a running process has begun to publish it")
            }
            Rotation::UnderWay(kid) => format!("{kid} is pending already; nothing was changed"),
            Rotation::Done(kid) => format!("{kid} signs from now on"),
        };
        say!("{:<20} {said}", purpose.as_str());
    }
    Ok(())
}

async fn revoke(arguments: Revoke) -> Result<(), Failure> {
    let (store, keys) = arguments.whose.load()?;
    let reason = match arguments.reason {
        Reason::Compromised => RevokeReason::Compromised,
        Reason::Superseded if arguments.since.is_some() => {
            return Err("--since goes with --reason compromised".into());
        }
        Reason::Superseded => RevokeReason::Superseded,
    };
    let (purpose, next) = keys::revoke(&store, &keys, arguments.kid.clone(), reason, arguments.since).await?;
    say!("{} is revoked as {}", arguments.kid, reason.as_str());
    if let Some(next) = next {
        say!("{next} signs from now on");
        if purpose == KeyPurpose::Federation {
            say!(
                "your superiors do not know that key yet: give them the output of `omadata keys export`, by a way that you \
                 both trust"
            );
        }
    }
    Ok(())
}

/// The next, or last, state change of a key.
fn outlook(key: &KeyRecord, policy: &KeyPolicy) -> String {
    match key.state {
        KeyState::Pending => match key.activates_at {
            Some(at) => format!("signs from {}", at.rfc3339()),
            None => "waits for a running process to publish it".to_owned(),
        },
        KeyState::Active => {
            policy.rotates_at(key.purpose, key.activated_at.unwrap_or(key.created_at)).map_or_else(
                || "signs until it is rotated".to_owned(),
                |at| format!("signs until {}", at.rfc3339()),
            )
        }
        KeyState::Retired => key.retired_at.map_or_else(String::new, |at| {
            let published_until = at.plus_secs(policy.overlap_secs).rfc3339();
            format!("retired {}, published until {published_until}", at.rfc3339())
        }),
        KeyState::Revoked => {
            key.revoked.map_or_else(String::new, |(at, reason)| match key.compromised_since {
                Some(since) => format!("revoked {}, compromised since {}", at.rfc3339(), since.rfc3339()),
                None => format!("revoked {}, {}", at.rfc3339(), reason.as_str()),
            })
        }
    }
}
