//! The city's answer to a resident's request for their data, for the operator's command.

use super::{StartError, assemble};
use crate::config::Config;
use crate::domain::catalogue::Language;
use crate::domain::ids::NationalIdentifier;
use crate::node::Problem;
use crate::node::resident::export_holdings;
use crate::web::portal::resident_copy;

/// Why no answer was made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The node cannot be assembled.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A part of it is not available now.
    #[error("the copy cannot be made now: {0:?}")]
    Unavailable(Problem),
}

impl From<Problem> for CopyError {
    fn from(problem: Problem) -> Self {
        Self::Unavailable(problem)
    }
}

/// Reads, signs and logs the answer under GDPR article 15: an archive.
///
/// # Errors
/// [`CopyError`]. A register that does not answer is no error: the copy names it.
pub(crate) async fn answer_article_15(
    config: &Config,
    subject: &NationalIdentifier,
    language: Language,
) -> Result<Vec<u8>, CopyError> {
    let node = assemble(config).await?.node;
    let content = export_holdings::article_15(&node, subject).await?;
    let page = resident_copy(&node, &content, language)?;
    Ok(export_holdings::seal(&node, subject, &content, (language, page)).await?)
}
