//! OmaData node: a city's MyData node.

pub mod domain;
pub mod ports;
pub mod web;
