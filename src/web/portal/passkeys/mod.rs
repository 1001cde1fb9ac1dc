//! Passkeys: list, add, and the page on which one signs a decision. The only pages with a script, because browsers
//! offer passkeys only to scripts.

pub(crate) mod confirm;
pub(crate) mod own;
#[cfg(test)]
pub(crate) mod samples;
