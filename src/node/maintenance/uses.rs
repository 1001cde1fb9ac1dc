//! Suspends consents whose declared use no longer covers them, and resumes them when it does again. The resident and
//! the recipient are notified, as of every change.
//!
//! A consent is compared with its declared use once for every version that is published, and once after every change of
//! its own: a run reads the consents to compare, not those in force.

use std::collections::HashSet;
use std::sync::Arc;

use super::BATCH;
use crate::domain::catalogue::DeclaredUse;
use crate::domain::consent::shown_use::published_as;
use crate::domain::consent::{Consent, ConsentState, ShownUse};
use crate::domain::federation::TrustError;
use crate::domain::ids::{ConsentId, UseId};
use crate::node::holder::permissions::suspend_consent;
use crate::node::{Node, Problem};
use crate::store::StoreError;
use crate::store::holder::{consent_requests, consents};

/// A declared use as published now; `None` when it was withdrawn, or its recipient is not trusted.
type Published = Option<Arc<DeclaredUse>>;

/// Checks consents in force against their declared uses as published now. Without an answer a consent stays unchanged
/// until the next run: every exchange checks the use itself and releases nothing meanwhile.
pub(crate) async fn follow(node: &Node) -> Result<(), Problem> {
    let mut after = None::<UseId>;
    loop {
        let next = node
            .store
            .read("next_declared_use", move |store| consents::next_declared_use(store, after.as_ref()))
            .await?;
        let Some(id) = next else { return Ok(()) };
        match node.member_documents.declared_use(&id).await {
            Err(TrustError::Unavailable(_)) => {}
            decided => follow_one(node, &id, decided.ok()).await?,
        }
        after = Some(id);
    }
}

/// Compares the consents under one declared use that are not compared with this version of it yet.
async fn follow_one(node: &Node, id: &UseId, published: Published) -> Result<(), Problem> {
    let version = published_as(published.as_deref());
    let mut failed = HashSet::<ConsentId>::new();
    loop {
        let (id, limit) = (id.clone(), BATCH.saturating_add(u32::try_from(failed.len()).unwrap_or(BATCH)));
        let (now, but) = (version.clone(), failed.clone());
        let page = node
            .store
            .read("list_consents_to_compare", move |store| {
                let mut consents = consents::not_compared(store, &id, &now, limit)?;
                consents.retain(|consent| !but.contains(&consent.id));
                let with_use = |consent: Consent| {
                    let request = consent_requests::of_consent(store, consent.id)?;
                    let shown = ShownUse::new(request, &consent);
                    Ok::<_, StoreError>((consent, shown))
                };
                consents.into_iter().map(with_use).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        // Where so many cannot be changed, the next run goes on.
        if page.is_empty() || failed.len() > usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let mut in_line = Vec::new();
        for (consent, shown) in &page {
            if is_in_line(published.as_deref(), consent, shown) {
                in_line.push((consent.id, consent.state));
                continue;
            }
            // One that cannot be changed now does not block the others.
            match suspend_consent::follow_use(node, consent.id).await {
                // Its own change has it compared again, below.
                Ok(Some(_)) => {}
                Ok(None) => drop(failed.insert(consent.id)),
                Err(problem) => {
                    failed.insert(consent.id);
                    tracing::warn!(
                        event = "declared_use_not_followed", consent = %consent.id, ?problem,
                        "a declared use could not be followed"
                    );
                }
            }
        }
        let compared_with = version.clone();
        node.store
            .write("mark_compared_consents", move |tx| consents::mark_followed(tx, &in_line, &compared_with))
            .await?;
    }
}

/// Whether nothing is to be changed.
fn is_in_line(published: Option<&DeclaredUse>, consent: &Consent, shown: &ShownUse) -> bool {
    let terms = &consent.terms;
    let covers =
        published.is_some_and(|published| shown.change_in(published, terms, &terms.fields).is_none());
    match consent.state {
        ConsentState::Active => covers,
        ConsentState::Suspended => !(covers && consent.reason.holds_back()),
        ConsentState::Ended { .. } => true,
    }
}
