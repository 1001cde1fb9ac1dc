//! `omadata residents`.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Subcommand;

use super::process::{Failure, say};
use crate::app::StartError;
use crate::config::Config;
use crate::domain::catalogue::Language;
use crate::domain::export::Coverage;
use crate::domain::ids::NationalIdentifier;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::operator::residents;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write the city's answer to a person's request for their data (GDPR article 15)
    ///
    /// One signed archive: a page to read, tables, everything that the registers hold about the person, their permissions,
    /// and every request for their data. It is written into the log that it was made. Whom you send it to is for you to
    /// check. The person need not have logged in ever. The file is readable by its owner alone.
    Export {
        /// The person's national identifier; write - to have it read from standard input, where no list of processes shows it
        #[arg(long, value_name = "IDENTIFIER", allow_hyphen_values = true)]
        resident: String,
        /// That this is an answer under article 15: the only kind that an operator makes
        #[arg(long, required = true)]
        article_15: bool,
        /// Where to write. An existing file is not overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The language of the page: fi, sv or en
        #[arg(long, default_value = "fi")]
        language: String,
        /// The configuration file of the node
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a copy that `residents export` or the portal made, on any machine
    ///
    /// Exits with 1 when the signature does not hold, or a file is missing, changed or added.
    Verify {
        /// The archive
        archive: PathBuf,
        /// The city's receipt keys, as its entity configuration has them in oauth_resource.jwks
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Export { resident, out, language, config, .. } => {
            let subject = NationalIdentifier::new(identifier(resident)?.trim())?;
            let language = Language::from_tag(&language).ok_or("--language is fi, sv or en")?;
            let archive = residents::export_article_15(&Config::load(&config)?, &subject, language).await?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&out)?;
            file.write_all(&archive)?;
            file.sync_all()?;
            Ok(())
        }
        Command::Verify { archive, keys } => {
            let bytes = std::fs::read(&archive).map_err(StartError::of_file(&archive))?;
            let jwks = parse_strict_json(&std::fs::read(&keys).map_err(StartError::of_file(&keys))?)
                .map_err(|error| format!("{}: {error}", keys.display()))?;
            let keys = PublicKeys::from_jwks(&jwks)?;
            let manifest = residents::verify_copy(&bytes, &keys)?;
            say!("signed by {} on {}, unchanged", manifest.iss, manifest.at().rfc3339());
            for dataset in &manifest.datasets {
                match dataset.coverage {
                    Coverage::Complete => say!("{}: {} records", dataset.id, dataset.records),
                    missing => say!("{}: not in it ({missing})", dataset.id),
                }
            }
            Ok(())
        }
    }
}

fn identifier(written: String) -> Result<zeroize::Zeroizing<String>, Failure> {
    let mut text = zeroize::Zeroizing::new(written);
    if text.as_str() == "-" {
        text.clear();
        std::io::stdin().take(256).read_to_string(&mut text)?;
    }
    Ok(text)
}
