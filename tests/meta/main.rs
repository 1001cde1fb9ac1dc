//! The source tree and the documents held to what they say about themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod architecture;
mod documentation;
mod fapi_checklist;
mod left_out;
#[path = "../harness/ports.rs"]
mod ports;
