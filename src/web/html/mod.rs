//! What all HTML pages share: frame, formats, assets, texts.

pub mod assets;
pub(crate) mod chrome;
pub mod format;
pub(crate) mod frame;
mod page_macro;
pub(crate) mod texts;

pub(crate) use page_macro::{page, three_texts};
