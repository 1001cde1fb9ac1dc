//! What is wrong with a configuration, said so that the operator can fix it without reading anything else.

use std::fmt;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of the file, counted from 1.
    Line(usize),
    /// An environment variable, by name.
    Environment(String),
    /// The file as a whole.
    File,
}

/// One thing to fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file, as the operator named it.
    pub file: String,
    /// Where the value stands, or where it is missing.
    pub place: Place,
    /// Section and key (`[node] base_url`); empty when the file itself is the problem.
    pub key: String,
    /// What is wrong. Never a secret's value.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
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

/// A configuration that cannot be used: every problem in it, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// In the order of the file, those of the environment last.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// A problem of the file as a whole.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
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
