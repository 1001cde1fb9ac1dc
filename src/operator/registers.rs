//! Whether the city's registers answer, and why not.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::{StartError, registers, trackers};
use crate::config::{Config, HeldDataset};
use crate::domain::catalogue::Record;
use crate::domain::ids::{DatasetId, FieldPath, NationalIdentifier, RegisterId};
use crate::ports::{Question, RegisterError};

/// The result for one dataset.
#[derive(Debug)]
pub(crate) struct RegisterCheck {
    pub(crate) dataset: DatasetId,
    /// The register that holds it.
    pub(crate) register: RegisterId,
    /// Why it does not answer; may quote the register's content.
    pub(crate) outcome: Result<(), String>,
}

/// Why registers were not asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// A connector cannot be created.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The configuration has no such dataset.
    #[error("no dataset {0}: `[[datasets]] id` of the configuration names them")]
    NoDataset(DatasetId),
    /// The configuration has no such use of this kind of dataset.
    #[error("no use {0} of this dataset's type: `[[uses]] id` of the configuration names them")]
    NoUse(String),
}

/// Runs the query or reads the file of one dataset, or of each, for a person that does not exist: no record is
/// returned.
///
/// # Errors
/// [`CheckError`] when no register could be asked. A register that does not answer is a result, not an error.
pub(crate) async fn check(
    config: &Config,
    only: Option<&DatasetId>,
) -> Result<Vec<RegisterCheck>, CheckError> {
    let registers = registers(config)?;
    let mut checks = Vec::new();
    for held in &config.datasets {
        if only.is_some_and(|only| *only != held.dataset.id) {
            continue;
        }
        let outcome = registers.probe(&held.dataset.id).await;
        checks.push(RegisterCheck {
            dataset: held.dataset.id.clone(),
            register: held.source.register.clone(),
            outcome,
        });
    }
    match only {
        Some(only) if checks.is_empty() => Err(CheckError::NoDataset(only.clone())),
        _ => Ok(checks),
    }
}

/// Asks each data tracker whether it works, about nobody.
///
/// # Errors
/// [`CheckError`] when none could be asked. A tracker that does not answer is a result, not an error.
pub(crate) async fn check_trackers(
    config: &Config,
) -> Result<Vec<(RegisterId, Result<(), String>)>, CheckError> {
    let trackers = trackers(config)?;
    let mut checks = Vec::new();
    for tracker in &config.data_trackers {
        checks.push((tracker.id.clone(), trackers.check(&tracker.id).await));
    }
    Ok(checks)
}

/// What an exchange of one person's records would read.
#[derive(Debug)]
pub(crate) struct ResidentCheck<'a> {
    pub(crate) held: &'a HeldDataset,
    /// The fields that may be released.
    pub(crate) released: Vec<FieldPath>,
    /// The fields that are read: those and what dates the records.
    pub(crate) read: Vec<FieldPath>,
    /// Time of a first question, for nobody, with connecting or reading a file as a whole.
    pub(crate) first: Duration,
    /// Time of the person's own.
    pub(crate) own: Duration,
    pub(crate) outcome: Result<Vec<Record>, Fault>,
}

/// Why there are no records, and whose side it is on.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) side: &'static str,
    /// May quote the person's data.
    pub(crate) cause: String,
    /// The cause without data.
    pub(crate) loggable: String,
}

/// Reads one person's records of one dataset, with all fields or those of one declared use. Nothing is logged.
///
/// # Errors
/// [`CheckError`] when the register could not be asked.
pub(crate) async fn check_resident<'a>(
    config: &'a Config,
    dataset: &DatasetId,
    resident: &NationalIdentifier,
    declared_use: Option<&str>,
) -> Result<ResidentCheck<'a>, CheckError> {
    let held = config.datasets.iter().find(|held| held.dataset.id == *dataset);
    let held = held.ok_or_else(|| CheckError::NoDataset(dataset.clone()))?;
    let all = held.dataset.paths();
    let released: Vec<FieldPath> = match declared_use {
        None => all,
        Some(name) => {
            let of_name = |known: &&crate::config::DeclaredUse| {
                known.id.as_str().ends_with(&format!("/{name}")) && known.dataset_type == held.dataset.kind
            };
            let declared = config.uses.iter().find(of_name);
            let declared = declared.ok_or_else(|| CheckError::NoUse(name.to_owned()))?;
            all.into_iter().filter(|path| declared.allows_field(path)).collect()
        }
    };
    let read = held.dataset.to_read(&released);
    let registers = registers(config)?;
    let begun = Instant::now();
    // Its failure is the next question's too.
    registers.probe(dataset).await.ok();
    let first = begun.elapsed();
    let question = Question::new(dataset.clone(), resident.clone(), read.clone());
    let begun = Instant::now();
    let outcome = registers.inspect(question).await;
    let own = begun.elapsed();
    let outcome = outcome.map_err(|failure| Fault {
        side: side(&failure.error),
        cause: failure.cause,
        loggable: failure.loggable,
    });
    Ok(ResidentCheck { held, released, read, first, own, outcome })
}

fn side(error: &RegisterError) -> &'static str {
    match error {
        RegisterError::Unavailable => "the register's side, or the way to it",
        RegisterError::Unfit(_) => "the register's answer and this dataset's section differ",
        RegisterError::TooLarge => "the answer is over [limits] max_records or max_bytes of this node",
        RegisterError::AvailableFrom(_) => "the register answers later, which is no fault",
    }
}
