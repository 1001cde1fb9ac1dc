//! OmaData node: a city's MyData node.
//!
//! The top-level modules; `tests/meta/architecture.rs` checks the code against this table.
//!
//! | module | content | may use |
//! |---|---|---|
//! | [`domain`] | pure values and functions: identifiers, JOSE, federation, catalogue, consent, token, exchange, bundle, export, log, login | itself |
//! | [`ports`] | traits for the outside, by topic: federation, registers, login, messaging, system | domain |
//! | [`prepared`] | database statements that a connection prepares once | itself |
//! | [`store`] | the persistent state, in SQLite or PostgreSQL | domain, prepared |
//! | [`http`] | the guarded HTTP client and its address policy | domain, ports |
//! | [`node`] | the use cases, one file a verb, by role | domain, ports, store |
//! | [`outbound`] | requests to others: federation, OpenID provider | domain, ports, http |
//! | [`registers`] | connectors to the city's registers: SQL, files, services; data trackers | domain, ports, http, prepared |
//! | [`web`] | actix: OAuth, exchange, federation, service API, portal | node, domain, ports; store in `web/session.rs` |
//! | [`config`] | files and environment into a checked `Config` | domain |
//! | [`app`] | assembles everything | everything but operator, demo, cli |
//! | [`operator`] | use cases behind the operator's commands; each is one more process over the node's store | everything but web, demo, cli |
//! | [`cli`] | the command line, one file a subcommand | app, operator, demo, node, config, domain, ports |
//! | [`demo`] | a whole federation on one machine: login provider, city systems, service page, made-up world | app, config, domain, ports |
//!
//! Inside [`domain`], everything may use `word_enum`, `sync`, `ids`, `clock`, `jose` and `catalogue`, `token` builds on
//! `consent` and `federation`, `exchange` on `token` and `consent`, and `log` on `consent` and `uses`;
//! `bundle`, which verifies what all of them signed, uses all of them; no other part uses another.
//!
//! The same role names are used in [`node`], [`store`] and [`web`]: `holder` (this city holds the data), `recipient` (it fetches
//! another city's), `resident`, `services` (the city's own applications), `messaging` (between nodes), `federation`, `keys`,
//! `maintenance`. `holder` and `recipient` never use each other; what they share is in [`domain`] or `messaging`. No two
//! files use each other in a circle.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http;
pub mod node;
pub mod operator;
pub mod outbound;
pub mod ports;
pub mod prepared;
pub mod registers;
pub mod store;
pub mod web;
