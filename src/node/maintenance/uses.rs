//! Suspends consents whose declared use no longer covers them, and resumes them when it does again. The resident and
//! the recipient are notified, as of every change.

use std::collections::HashMap;
use std::sync::Arc;

use super::BATCH;
use crate::domain::catalogue::DeclaredUse;
use crate::domain::consent::{Consent, ConsentState, ShownUse};
use crate::domain::federation::TrustError;
use crate::domain::ids::{ConsentId, UseId};
use crate::node::holder::permissions::suspend_consent;
use crate::node::{Node, Problem};
use crate::store::StoreError;
use crate::store::holder::{consent_requests, consents};

/// A declared use as fetched in this run; `None` when it is not available.
type Known = HashMap<UseId, Option<Result<Arc<DeclaredUse>, TrustError>>>;

/// Checks every consent in force against its declared use as published now. Without an answer a consent stays unchanged
/// until the next run: every exchange checks the use itself and releases nothing meanwhile.
pub(crate) async fn follow(node: &Node) -> Result<(), Problem> {
    let (mut known, mut after) = (Known::new(), None::<ConsentId>);
    loop {
        let page = node
            .store
            .read("list_consents_in_force", move |store| {
                let consents = consents::in_force_after(store, after, BATCH)?;
                let with_use = |consent: Consent| {
                    let request = consent_requests::of_consent(store, consent.id)?;
                    let shown = ShownUse::new(request, &consent);
                    Ok::<_, StoreError>((consent, shown))
                };
                consents.into_iter().map(with_use).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for (consent, shown) in &page {
            if !is_in_line(node, &mut known, consent, shown).await {
                // One that cannot be changed now does not block the others.
                if let Err(problem) = suspend_consent::follow_use(node, consent.id).await {
                    tracing::warn!(
                        event = "declared_use_not_followed", consent = %consent.id, ?problem,
                        "a declared use could not be followed"
                    );
                }
            }
        }
    }
}

/// Whether nothing is to be changed, as far as is known now.
async fn is_in_line(node: &Node, known: &mut Known, consent: &Consent, shown: &ShownUse) -> bool {
    let id = &consent.terms.declared_use;
    if !known.contains_key(id) {
        let answer = match node.member_documents.declared_use(id).await {
            Err(TrustError::Unavailable(_)) => None,
            decided => Some(decided),
        };
        known.insert(id.clone(), answer);
    }
    let Some(Some(answer)) = known.get(id) else { return true };
    let terms = &consent.terms;
    let covers =
        answer.as_ref().is_ok_and(|published| shown.change_in(published, terms, &terms.fields).is_none());
    match consent.state {
        ConsentState::Active => covers,
        ConsentState::Suspended => !(covers && consent.reason.holds_back()),
        ConsentState::Ended { .. } => true,
    }
}
