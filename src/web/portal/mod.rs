//! The resident's portal: pages, their texts in three languages and their look.
//!
//! A handler fills one of the [`views`] (plain values, nothing personal beyond what the page shows), describes what every
//! page has in a [`Chrome`], and calls [`render`]. Nothing here reads a clock, a store or the network.
//!
//! Texts are checked when the crate is built: a text that lacks a language does not compile. Every value that a page
//! shows is escaped. No page needs JavaScript, and none has an inline style, so a strict Content-Security-Policy fits.

pub mod pages;
pub mod views;

pub use crate::web::html::chrome::{Chrome, Notice, Section, SignedIn, login_href, passkey_href};
pub use crate::web::html::frame::{Frame, View, render};
pub use pages::{PageProblem, begin_authorization, configure};

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod samples;
