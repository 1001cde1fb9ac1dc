//! OmaData node: a city's MyData node.

pub mod cli;
pub mod config;
pub mod domain;
pub mod outbound;
pub mod ports;
pub mod sources;
