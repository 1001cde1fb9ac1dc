//! `/receipt/verify`: verification of a receipt, for anyone.

use actix_multipart::Multipart;
use futures_util::StreamExt;

use crate::node::ProblemKind;
use crate::node::resident::check_receipt;
use crate::node::resident::check_receipt::{Paper, SignerKey, Verified};
use crate::web::html::page;
use crate::web::portal::page::{Page, PageResult};
use crate::web::problem::HttpProblem;

/// The page, before and after a verification.
#[derive(Debug, Clone)]
pub(crate) struct VerifyView {
    /// The result, if something was sent.
    pub(crate) verified: Option<Verified>,
}

impl VerifyView {
    /// Whether the receipt is valid.
    pub(crate) const fn is_good(&self) -> bool {
        matches!(
            self.verified,
            Some(Verified::Genuine {
                key: SignerKey::InUse | SignerKey::Retired | SignerKey::GivenUpSince,
                ..
            })
        )
    }
}

/// `GET /receipt/verify`.
pub(crate) async fn ask(page: Page) -> PageResult {
    page.show(&VerifyView { verified: None })
}

/// `POST /receipt/verify`: without login. Nothing is changed or stored, so the form has no CSRF token.
pub(crate) async fn verify(page: Page, form: Multipart) -> PageResult {
    let text = receipt_of(form).await.map_err(HttpProblem::from)?;
    let verified = check_receipt::check(&page.app.node, &text).await?;
    page.show(&VerifyView { verified: Some(verified) })
}

/// Maximum number of fields of the form; it has two.
const MAX_FIELDS: u8 = 4;

/// The receipt of a form: the file if there is one, else the text. Reads up to the limit.
async fn receipt_of(mut form: Multipart) -> Result<String, ProblemKind> {
    let mut left = check_receipt::MAX_BYTES;
    let mut found = String::new();
    let mut fields = 0_u8;
    while let Some(field) = form.next().await {
        // The form has two fields; an endless series of empty ones is refused.
        fields = fields.saturating_add(1);
        if fields > MAX_FIELDS {
            return Err(ProblemKind::BadRequest);
        }
        let mut field = field.map_err(|_| ProblemKind::BadRequest)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(|_| ProblemKind::BadRequest)?;
            left = left.checked_sub(chunk.len()).ok_or(ProblemKind::TooLarge)?;
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| ProblemKind::BadRequest)?;
        let is_file = field.name() == Some("file");
        if !text.trim().is_empty() && (is_file || found.is_empty()) {
            found = text;
        }
    }
    Ok(found)
}

page!(VerifyView, "verify.html");
