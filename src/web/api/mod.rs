//! HTTP APIs for a city's own programs, by version.

pub mod v1;
