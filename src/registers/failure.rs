//! Why a read failed: a reason for the caller, and the cause for the operator.

use super::csv::CsvError;
use super::json::{JsonError, Place};
use crate::ports::RegisterError;

/// Why a read gave nothing.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: RegisterError,
    /// The cause, for the operator.
    pub(crate) cause: String,
    /// Whether the cause may quote the register's content: then only [`super::CityRegisters::probe`] reports it, which
    /// reads no person's records, and it is never logged.
    pub(crate) may_quote: bool,
}

impl Failure {
    /// A failure whose cause quotes names and places only.
    pub(crate) fn new(error: RegisterError, cause: impl ToString) -> Self {
        Self { error, cause: one_line(&cause.to_string()), may_quote: false }
    }

    /// The failure with its place in a file.
    pub(crate) fn at(self, place: Place) -> Self {
        Self { cause: format!("{place}: {}", self.cause), ..self }
    }

    /// A failure whose cause may quote data, as database messages do.
    pub(crate) fn quoting(error: RegisterError, cause: impl ToString) -> Self {
        Self { may_quote: true, ..Self::new(error, cause) }
    }

    /// The same with the place where it happened before its cause.
    pub(crate) fn within(self, place: &str) -> Self {
        Self { cause: format!("{place}, {}", self.cause), ..self }
    }

    /// The cause without quoted data, for the log.
    pub(crate) fn loggable_cause(&self) -> &str {
        if self.may_quote {
            "the database refused the query; its message may quote data: `omadata registers test` shows it, with --show-values where it reads \
             one resident's records"
        } else {
            &self.cause
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        Self::new(error.clone(), error)
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Malformed(at, rule) => {
                Self::new(RegisterError::Unfit("its JSON cannot be read as records"), format!("{at}: {rule}"))
            }
            JsonError::Io(error) => Self::new(RegisterError::Unavailable, error),
        }
    }
}

impl From<CsvError> for Failure {
    fn from(error: CsvError) -> Self {
        match error {
            CsvError::Malformed(at, rule) => {
                Self::new(RegisterError::Unfit("the file is not a CSV table"), format!("{at}: {rule}"))
            }
            CsvError::Io(error) => Self::new(RegisterError::Unavailable, error),
        }
    }
}
