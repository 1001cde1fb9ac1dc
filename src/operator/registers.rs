//! Whether the city's registers would answer, and why not.

use crate::app::{StartError, registers};
use crate::config::Config;
use crate::domain::ids::{DatasetId, RegisterId};

/// What came of asking for one dataset.
#[derive(Debug)]
pub(crate) struct RegisterCheck {
    /// The dataset.
    pub(crate) dataset: DatasetId,
    /// The register that holds it.
    pub(crate) register: RegisterId,
    /// The cause why it does not answer; it may quote what stands in the register.
    pub(crate) outcome: Result<(), String>,
}

/// Why registers were not asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// A connector cannot be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The configuration has no such dataset.
    #[error("no dataset {0}: `[[datasets]] id` of the configuration names them")]
    NoDataset(DatasetId),
}

/// Asks the register of one dataset, or of each, for nobody: the query or file is read, and no record given.
///
/// # Errors
/// [`CheckError`] when nothing could be asked. A register that does not answer is an outcome.
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
