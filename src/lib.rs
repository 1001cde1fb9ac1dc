//! OmaData node: a city's MyData node.
//!
//! The map of the house; `tests/architecture.rs` holds the code to it.
//!
//! | room | what stands there | may use |
//! |---|---|---|
//! | [`domain`] | what the product knows, pure: identifiers, JOSE, federation, catalogue, consent, token, exchange, audit | itself |
//! | [`ports`] | traits for the outside: clock, randomness, peers, registers, login provider | domain |
//! | [`store`] | everything that a node must not forget, in SQLite or PostgreSQL | domain |
//! | [`node`] | the use cases, one file a verb | domain, ports, store |
//! | [`outbound`] | requests to others, through one guarded client; OpenID Connect | domain, ports |
//! | [`sources`] | the city's registers: SQL, files | domain, ports |
//! | [`web`] | actix: OAuth, exchange, federation, service API, portal | node, domain, ports; store in `web/session.rs` |
//! | [`config`] | files and environment into a checked `Config` | domain |
//! | [`app`] | the one file that wires everything together | everything but cli |
//! | [`cli`] | one file a subcommand; the demo | app, node, config, domain, ports |
//!
//! Inside [`domain`], `ids` stands alone, everything may use it and `clock`, `jose` and `catalogue`, `token` builds on
//! `consent` and `federation`, and `exchange` on `token` and `consent`;
//! `bundle`, which judges what all of them signed, knows them all; nothing else there knows another part.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod node;
pub mod outbound;
pub mod ports;
pub mod sources;
pub mod store;
pub mod web;
