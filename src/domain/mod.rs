//! The domain as values and pure functions. No I/O, no async; time and randomness are arguments.
//!
//! Any part may use [`ids`], [`clock`], [`jose`], [`sync`] and [`word_enum`]. Beyond that, `login` and `consent` use
//! `catalogue`; `token` uses `consent` and `federation`; `exchange` uses `token`, `consent` and `catalogue`.

pub mod bundle;
pub mod catalogue;
pub mod clock;
pub mod consent;
pub mod exchange;
pub mod export;
pub mod federation;
pub mod ids;
pub mod jose;
pub mod log;
pub mod login;
pub(crate) mod outside_text;
pub(crate) mod sync;
pub mod token;
pub mod uses;
pub(crate) mod word_enum;
