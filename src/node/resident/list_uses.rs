//! The uses of a resident's data by contract and law, with what the resident has said about them.

use crate::domain::catalogue::Processing;
use crate::domain::clock::Timestamp;
use crate::domain::login::Resident;
use crate::domain::uses::objection::Objection;
use crate::node::{Node, Problem};
use crate::store::StoreError;
use crate::store::resident::{persons, reported_uses, use_objections};

/// One activity of the record of processing, for one resident.
#[derive(Debug, Clone)]
pub(crate) struct OwnUse {
    pub(crate) processing: Processing,
    /// How often its reports name the resident's data, and when last.
    pub(crate) reported: Option<(i64, Timestamp)>,
    /// The latest objection.
    pub(crate) objection: Option<Objection>,
}

/// Every activity of the record of processing. No register is asked whether it holds anything about the resident.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn list(node: &Node, resident: &Resident) -> Result<Vec<OwnUse>, Problem> {
    let (person, now) = (resident.person, node.now());
    let (counts, objections) = node
        .store
        .read("list_own_uses", move |store| {
            let known = persons::find(store, person)?;
            let counts = reported_uses::count(store, known.identifier_hash, now)?;
            Ok::<_, StoreError>((counts, use_objections::of_person(store, person)?))
        })
        .await?;
    Ok(node
        .settings
        .processing
        .iter()
        .map(|processing| OwnUse {
            reported: counts
                .iter()
                .find(|(activity, ..)| activity == processing.id.as_str())
                .map(|(_, uses, last)| (*uses, *last)),
            objection: objections.iter().find(|objection| objection.activity == processing.id).cloned(),
            processing: processing.clone(),
        })
        .collect())
}
