//! Members, trust marks and followed anchor keys.

pub(crate) mod anchor_pins;
pub(crate) mod members;
pub(crate) mod trust_marks;
