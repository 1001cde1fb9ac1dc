//! The product from outside: whole nodes over HTTP, residents' browsers, cities' services, hostile federations.
//!
//! One binary, because each links the whole crate. A module that calls [`harness::World::shared`] gets a federation of its
//! own, so that no module's tests meet the consents, keys or members of another's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/hostile.rs"]
mod hostile;
#[path = "../harness/toy_federation.rs"]
mod toy_federation;

mod assurance;
mod bounds;
mod city_systems;
mod command_line;
mod consent_life;
mod decision_recovery;
mod deferred;
mod demo_login;
mod demo_node_file;
mod demo_world;
mod evidence;
mod fapi;
mod federation;
mod foreign_holder;
mod holdings;
mod housekeeping;
mod http_manners;
mod inside_city;
mod journeys;
mod keys;
mod login_and_consent;
#[cfg(feature = "odbc")]
mod mariadb;
mod membership;
mod partition;
mod persons;
mod public_documents;
mod refusals;
mod resolver;
mod restore;
mod shipped_catalogues;
mod trackers;
mod uses;
