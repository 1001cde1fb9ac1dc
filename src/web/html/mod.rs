//! What all HTML pages share: frame, formats, assets, texts.

pub mod assets;
pub(crate) mod chrome;
pub mod format;
pub(crate) mod frame;
pub(crate) mod texts;
