//! Runs the tables of good and bad messages below this folder against what reads them: each module the tables of the folder
//! of its name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../case/mod.rs"]
mod case;

mod evidence;
mod federation;
mod jose;
mod manual;
mod samples;
mod status;
