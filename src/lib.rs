//! OmaData node: a city's MyData node.

pub mod domain;
pub mod node;
pub mod outbound;
pub mod ports;
pub mod web;
