//! Authentication of the city's own services.

pub mod authenticate_service;
pub mod guess_limit;
