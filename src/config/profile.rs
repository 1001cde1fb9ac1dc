//! `profile`: what a node or anchor is run for.

use serde::Deserialize;

/// What a process is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One machine: plain http on loopback and `*.localhost`, secrets made at first start, anchors trusted at first sight.
    Demo,
    /// https and public addresses only, every secret and anchor key given by the operator.
    Production,
}
