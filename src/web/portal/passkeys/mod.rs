//! Passkeys: which there are, a new one, and the page on which one signs a decision. The only pages with a script,
//! because browsers offer passkeys to scripts alone.

pub(crate) mod confirm;
pub(crate) mod own;
#[cfg(test)]
pub(crate) mod samples;
