//! `omadata demo`: a whole federation on one machine, with made-up people.

mod basic;
mod city_files;
pub mod city_systems;
mod memory;
mod pages;
pub mod provider;
pub mod run;
mod server;
mod service_page;
pub mod world;
