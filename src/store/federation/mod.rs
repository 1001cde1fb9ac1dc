//! Members, trust marks and followed anchor keys.

pub mod anchor_pins;
pub mod members;
pub mod trust_marks;
