//! Signed messages: strict parsing, verification, signing, key sets. The only user of josekit.

/// Public keys by `kid`.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys;
