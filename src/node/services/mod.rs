//! The city's own services: their authentication, and the uses of residents' data that they report.

pub(crate) mod authenticate_service;
pub(crate) mod guess_limit;
pub(crate) mod hide_uses;
pub(crate) mod report_uses;
