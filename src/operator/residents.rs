//! Operator's commands on residents' own data: the answer under GDPR article 15, and the check of a copy.

use crate::app;
use crate::app::CopyError;
use crate::config::Config;
use crate::domain::catalogue::Language;
use crate::domain::export::Manifest;
pub use crate::domain::export::archive::{ArchiveFault, verify_archive};
use crate::domain::ids::NationalIdentifier;
use crate::domain::jose::PublicKeys;

/// The city's answer to a person's request for their data: a signed archive. That it was made is written into the log.
///
/// # Errors
/// [`CopyError`].
pub async fn export_article_15(
    config: &Config,
    subject: &NationalIdentifier,
    language: Language,
) -> Result<Vec<u8>, CopyError> {
    app::answer_article_15(config, subject, language).await
}

/// Checks a copy with the node's receipt keys.
///
/// # Errors
/// [`ArchiveFault`].
pub fn verify_copy(archive: &[u8], keys: &PublicKeys) -> Result<Manifest, ArchiveFault> {
    verify_archive(archive, keys)
}
