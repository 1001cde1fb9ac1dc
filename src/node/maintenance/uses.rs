//! Consents follow the declared uses that they rest on: held back while a use no longer covers them, let go on when it does
//! again. The resident and the recipient are told, as of every change.

use std::collections::HashMap;
use std::sync::Arc;

use super::BATCH;
use crate::domain::catalogue::DeclaredUse;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::federation::TrustError;
use crate::domain::ids::{ConsentId, UseId};
use crate::node::holder::permissions::suspend_consent;
use crate::node::{Node, Problem};
use crate::store::holder::consents;

/// What is known of a use in this round; none when it cannot be had now.
type Known = HashMap<UseId, Option<Result<Arc<DeclaredUse>, TrustError>>>;

/// Holds every consent in force against its declared use as it is published now. What cannot be asked now is left as it is
/// until the next time: an exchange asks by itself and releases nothing meanwhile.
pub(crate) async fn follow(node: &Node) -> Result<(), Problem> {
    let (mut known, mut after) = (Known::new(), None::<ConsentId>);
    loop {
        let page = node
            .store
            .read("list_consents_in_force", move |store| consents::in_force_after(store, after, BATCH))
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for consent in &page {
            if !is_in_line(node, &mut known, consent).await {
                // One that cannot be changed now does not keep the others waiting.
                if let Err(problem) = suspend_consent::follow_use(node, consent.id).await {
                    tracing::warn!(consent = %consent.id, ?problem, "a declared use could not be followed");
                }
            }
        }
    }
}

/// Whether nothing is to be changed, as far as can be said now.
async fn is_in_line(node: &Node, known: &mut Known, consent: &Consent) -> bool {
    let id = &consent.terms.declared_use;
    if !known.contains_key(id) {
        let answer = match node.peers.declared_use(id).await {
            Err(TrustError::Unavailable(_)) => None,
            decided => Some(decided),
        };
        known.insert(id.clone(), answer);
    }
    let Some(Some(answer)) = known.get(id) else { return true };
    let covers =
        answer.as_ref().is_ok_and(|declared| consent.terms.is_covered_by(declared, &consent.terms.fields));
    match consent.state {
        ConsentState::Active => covers,
        ConsentState::Suspended => !(covers && consent.reason.is_of_use()),
        ConsentState::Ended { .. } => true,
    }
}
