//! Whether the city's registers answer, and why not.

use crate::app::{StartError, registers};
use crate::config::Config;
use crate::domain::ids::{DatasetId, RegisterId};

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
