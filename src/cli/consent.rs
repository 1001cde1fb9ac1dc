//! `omadata consent`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::process::{Failure, say};
use crate::app::StartError;
use crate::config::Config;
use crate::domain::bundle::{Judgement, VerifyOptions, verify_bundle};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConsentId;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::operator::consents;

/// Nothing failed, but some checks need more than what was given.
const UNDECIDED: u8 = 3;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the evidence of one decision again, from the store or from a bundle
    ///
    /// With an identifier and `--config`: works from the stored record alone, asks nobody, exits with 1 and names the
    /// link that does not hold. With `--bundle`: judges a file on any machine, without configuration, database or network.
    /// Then 0 means that all holds, 1 that something does not, 3 that something cannot be told from what was given.
    Verify {
        /// The consent's identifier, as the portal's address shows it (/me/sharing/ID)
        #[arg(required_unless_present = "bundle", conflicts_with = "bundle", allow_hyphen_values = true)]
        id: Option<String>,
        /// The configuration file of the node that holds the data
        #[arg(long, value_name = "FILE", required_unless_present = "bundle", conflicts_with = "bundle")]
        config: Option<PathBuf>,
        /// A bundle that `consent export` or the portal wrote
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
        /// The moment to look at, such as 2026-12-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
        /// The trust anchor's keys (`omadata keys export`, run at the anchor), from elsewhere than the bundle
        #[arg(long, value_name = "FILE", requires = "bundle")]
        anchor_keys: Option<PathBuf>,
        /// The login provider's key set, as it publishes or published it
        #[arg(long, value_name = "FILE", requires = "bundle")]
        provider_keys: Option<PathBuf>,
        /// Print the findings as JSON
        #[arg(long, requires = "bundle")]
        json: bool,
    },
    /// Write everything about one consent into one sealed file that proves itself
    ///
    /// Consent, history, evidence, trust chains, keys, status list, receipts. It holds what the resident saw and the login
    /// provider's signed statement: keep it as you keep the database. The file is readable by its owner alone.
    Export {
        /// The consent's identifier, as the portal's address shows it (/me/sharing/ID)
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// The configuration file of the node that holds the data
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Where to write; standard output when absent. An existing file is not overwritten
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Verify { bundle: Some(bundle), as_of, anchor_keys, provider_keys, json, .. } => {
            let text = std::fs::read_to_string(&bundle).map_err(StartError::of_file(&bundle))?;
            let question = VerifyOptions {
                as_of: as_of.as_deref().map(str::parse).transpose()?,
                anchor_keys: anchor_keys.as_deref().map(keys).transpose()?,
                provider_keys: provider_keys.as_deref().map(json_file).transpose()?,
            };
            tell(&verify_bundle(&text, &question), json)
        }
        Command::Verify { id: Some(id), config: Some(config), as_of, .. } => {
            let as_of = as_of.as_deref().map(str::parse).transpose()?;
            verify_stored(&id, &config, as_of).await
        }
        Command::Verify { .. } => Err("give an identifier with --config, or --bundle".into()),
        Command::Export { id, config, out } => {
            let text = consents::export_consent(&Config::load(&config)?, id.parse()?).await?;
            match out {
                Some(path) => {
                    let mut file =
                        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                    file.write_all(text.as_bytes())?;
                    file.sync_all()?;
                }
                None => std::io::stdout().write_all(text.as_bytes())?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn json_file(path: &Path) -> Result<serde_json::Value, Failure> {
    let bytes = std::fs::read(path).map_err(StartError::of_file(path))?;
    parse_strict_json(&bytes).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn keys(path: &Path) -> Result<PublicKeys, Failure> {
    PublicKeys::from_jwks(&json_file(path)?).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn tell(judgement: &Judgement, json: bool) -> Result<ExitCode, Failure> {
    if json {
        say!("{}", serde_json::to_string_pretty(judgement)?);
    } else {
        for finding in &judgement.findings {
            let reason = finding.reason.map(|reason| format!(" [{reason}]")).unwrap_or_default();
            say!("{:<12} {:<17} {}{reason}", finding.verdict.words(), finding.subject, finding.text);
        }
        if let (Some(state), Some(at)) = (&judgement.state_as_of, &judgement.as_of) {
            say!("on {at} the permission was: {state}");
        }
        if judgement.not_judged.contains(&"trust_marks") {
            say!("not judged: the members' trust marks, so the roles that they had");
        }
    }
    Ok(if judgement.has_failed() {
        ExitCode::FAILURE
    } else if judgement.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNDECIDED)
    })
}

async fn verify_stored(id: &str, config: &Path, as_of: Option<Timestamp>) -> Result<ExitCode, Failure> {
    let id: ConsentId = id.parse()?;
    let consent = consents::verify_consent(&Config::load(config)?, id).await?;
    let verified = &consent.evidence;
    let document = &verified.document;
    say!("The evidence holds.");
    say!("commitment   {}", consent.commitment.as_str());
    say!("signed       {}", Timestamp::from_secs(verified.signed_at).rfc3339());
    say!("signed by    {}", verified.provider);
    say!("with key     {} (compare it with what the provider publishes)", verified.provider_key);
    say!("holder       {} ({})", document.holder.name, document.holder.id);
    say!("recipient    {} ({})", document.recipient.name, document.recipient.id);
    say!("purpose      {}", document.purpose_text);
    say!("data         {}", document.dataset_title);
    for field in &document.fields {
        say!("             - {}", field.label);
    }
    match &document.terms.per {
        Some(per) => say!("times        {} in {}", document.terms.max_exchanges, per.as_str()),
        None => say!("times        {}", document.terms.max_exchanges),
    }
    say!("until        {}", document.until);
    if let Some(at) = as_of {
        say!("state        {} on {}", consent.state_at(at).unwrap_or("not given"), at.rfc3339());
    }
    Ok(ExitCode::SUCCESS)
}
