//! `omadata demo`: a whole federation on one machine, with made-up people.

pub mod world;
