//! Authentication of the city's own services.

pub(crate) mod authenticate_service;
pub(crate) mod guess_limit;
