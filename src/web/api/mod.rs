//! HTTP APIs for a city's own programs, by version.

mod service_caller;
pub mod v1;
