//! Configuration faults, each with place and remedy.

use std::fmt;

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A line of the file, counted from 1.
    Line(usize),
    /// An environment variable, by name.
    Environment(String),
    /// The file as a whole.
    File,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    /// The file, as the operator named it.
    pub(crate) file: String,
    /// The place of the value, or where it is missing.
    pub(crate) place: Place,
    /// Section and key (`[node] base_url`); empty for a fault of the whole file.
    pub(crate) key: String,
    /// What is wrong. Never contains a secret.
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line(line) => write!(f, "{}:{line}: ", self.file)?,
            Place::Environment(name) => write!(f, "{} (from {name} in the environment): ", self.file)?,
            Place::File => write!(f, "{}: ", self.file)?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

/// A configuration with faults, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// In the order of the file, then those of the environment.
    pub(crate) problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// A fault of the whole file.
    #[must_use]
    pub(crate) fn of_file(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problems: vec![ConfigProblem {
                file: file.to_owned(),
                place: Place::File,
                key: String::new(),
                message: message.into(),
                remedy: remedy.into(),
            }],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}
