//! A resident's own receipts. Never anybody else's.

use crate::domain::consent::ConsentReceipt;
use crate::domain::consent::receipt::CONSENT_RECEIPT;
use crate::domain::ids::ConsentId;
use crate::domain::jose::UnverifiedJws;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::holder::consent_receipts;
use crate::store::holder::consent_receipts::StoredReceipt;

/// Most receipts of one list.
const MOST: u32 = 500;

/// A receipt with what it says.
#[derive(Debug, Clone)]
pub struct OwnReceipt {
    /// The signed receipt as it was stored.
    pub stored: StoredReceipt,
    /// What it says.
    pub receipt: ConsentReceipt,
}

/// All of a resident's receipts, newest first.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn all(node: &Node, resident: &Resident) -> Result<Vec<OwnReceipt>, Problem> {
    let person = resident.person;
    let stored = node
        .store
        .read("list_receipts", move |store| consent_receipts::of_person(store, person, MOST))
        .await?;
    stored.into_iter().map(read).collect()
}

/// The receipts of one permission or declined request, oldest first; at least one.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn of_consent(node: &Node, resident: &Resident, id: ConsentId) -> Result<Vec<OwnReceipt>, Problem> {
    let stored = node
        .store
        .read("list_receipts_of_consent", move |store| consent_receipts::of_consent(store, id))
        .await?;
    let acting = Acting::for_self(resident);
    let own = !stored.is_empty() && stored.iter().all(|receipt| acting.demand(receipt.person).is_ok());
    if own { stored.into_iter().map(read).collect() } else { Err(Problem::new(ProblemKind::NotFound)) }
}

/// What this node signed needs no second check by itself: it was read back from a sealed column.
fn read(stored: StoredReceipt) -> Result<OwnReceipt, Problem> {
    let receipt = UnverifiedJws::parse(&stored.text, &CONSENT_RECEIPT)?.claimed()?;
    Ok(OwnReceipt { stored, receipt })
}
