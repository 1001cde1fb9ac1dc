//! The decision and its steps, each in its own file.

pub use super::begin_allow::{DecisionForm, Next, begin_allow};
pub use super::complete_allow::complete_allow;
pub use super::decline_request::{abandon_request, decline};
pub use super::destination::Destination;
