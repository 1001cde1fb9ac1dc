//! The city's own services: who calls the service API.

pub mod authenticate_service;
pub mod guess_limit;
