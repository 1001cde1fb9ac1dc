//! The offer: a request as shown to the resident, and its hash, so that what is allowed is what was shown.

use crate::domain::catalogue::{AssuranceRequirement, Dataset, Language};
use crate::domain::consent::document::DocumentParts;
use crate::domain::consent::{ConsentDocument, ConsentRequest};
use crate::domain::ids::{ConsentId, PairwiseSubject};
use crate::domain::jose::{b64url, sha256};
use crate::node::{Node, Problem, ProblemKind};

/// A request as shown.
pub(crate) struct Offer {
    pub(crate) request: ConsentRequest,
    /// The dataset that it asks for.
    pub(crate) dataset: Dataset,
    /// The document if everything were allowed.
    pub(crate) document: ConsentDocument,
    /// Hash of that document, to compare at the decision.
    pub(crate) hash: String,
    /// The assurance required before values are shown and for the signature: the dataset's, and the recipient's if
    /// stricter.
    pub(crate) demand: AssuranceRequirement,
}

/// The offer in one language and its hash.
///
/// # Errors
/// [`Problem`] when the dataset is no longer offered.
pub(crate) fn offer(
    node: &Node,
    request: ConsentRequest,
    subject: &PairwiseSubject,
    language: Language,
) -> Result<Offer, Problem> {
    let dataset =
        node.settings.dataset(&request.terms.dataset).ok_or(Problem::new(ProblemKind::NotFound))?.clone();
    let document = ConsentDocument::new(&DocumentParts {
        consent: ConsentId::from(request.id),
        subject,
        language,
        holder_name: node.settings.name.get(language),
        recipient_name: request.recipient_name.get(language),
        declared_use: &request.declared_use,
        dataset: &dataset,
        terms: &request.terms,
        persons: Vec::new(),
        decided_at: request.created_at,
        signer: None,
        passkeys: Vec::new(),
    });
    let hash = b64url(&sha256(document.canonical()?.as_bytes()));
    let demand = AssuranceRequirement::of(&dataset).and(&request.asked, &node.settings.levels);
    Ok(Offer { request, dataset, document, hash, demand })
}
