//! What the product knows, as values and pure functions. No I/O, no async; time and randomness are arguments.

pub mod catalogue;
pub mod clock;
pub mod federation;
pub mod ids;
pub mod jose;
pub mod login;
