//! `profile`: demo or production.

use serde::Deserialize;

/// What a process is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// One machine: plain http on loopback and `*.localhost`, secrets created at first start, anchor keys accepted at
    /// first contact.
    Demo,
    /// https and public addresses only, every secret and anchor key given by the operator.
    Production,
}
