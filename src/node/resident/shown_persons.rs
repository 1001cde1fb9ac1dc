//! The persons of a permission, under the names by which they were shown at the decision.

use crate::domain::consent::Consent;
use crate::domain::consent::document::ShownPerson;
use crate::store::StoreError;
use crate::store::holder::consents;

/// From the evidence: empty where the permission covers everybody's records, and once the evidence is erased.
pub(crate) fn of_consent(
    store: &mut crate::store::Reader<'_>,
    consent: &Consent,
) -> Result<Vec<ShownPerson>, StoreError> {
    if consent.terms.persons.is_none() {
        return Ok(Vec::new());
    }
    match consents::evidence(store, consent.id) {
        Ok(evidence) => Ok(evidence.shown().map(|document| document.persons).unwrap_or_default()),
        Err(StoreError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
