//! The `omadata` binary.

fn main() {}
