//! The portal's texts: one Fluent file per language, compiled to functions.
//!
//! A missing key, or an argument that differs, does not compile. Arguments are in the order of the English text.

// Generated code is neither documented nor linted; its one unwrap writes into a String, which cannot fail.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::pedantic, clippy::all)]

use fluent_static::{MessageBundle, message_bundle};

use crate::domain::catalogue::Language;

#[message_bundle(
    resources = [
        ("src/web/html/texts/fi.ftl", "fi"),
        ("src/web/html/texts/sv.ftl", "sv"),
        ("src/web/html/texts/en.ftl", "en"),
    ],
    default_language = "en"
)]
pub struct Texts;

/// The texts in one language.
///
/// Arguments are written without Fluent's isolating marks (U+2068, U+2069), which would end up in attributes and in
/// copied text; all three languages are written from left to right.
pub(crate) fn texts(language: Language) -> Texts {
    let mut texts = Texts::get(language.tag()).unwrap_or_default();
    texts.set_use_isolating(false);
    texts
}
