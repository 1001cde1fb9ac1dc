//! HTTP APIs for the city's own services, by version.

mod service_caller;
pub(crate) mod v1;
