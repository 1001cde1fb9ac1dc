//! What all HTML pages share: frame, formats, assets, texts.

pub(crate) mod assets;
pub(crate) mod chrome;
pub(crate) mod format;
pub(crate) mod frame;
mod page_macro;
pub(crate) mod texts;

pub(crate) use page_macro::{page, three_texts};
