//! The decision and its steps, each in its own file.

pub(crate) use super::begin_allow::{DecisionForm, Next, begin_allow};
pub(crate) use super::complete_allow::complete_allow;
pub(crate) use super::decline_request::{abandon_request, decline};
pub(crate) use super::destination::Destination;
