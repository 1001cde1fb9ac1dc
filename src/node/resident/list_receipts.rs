//! A resident's own receipts.

use crate::domain::consent::ConsentReceipt;
use crate::domain::consent::receipt::CONSENT_RECEIPT;
use crate::domain::ids::ConsentId;
use crate::domain::jose::UnverifiedJws;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::holder::consent_receipts;
use crate::store::holder::consent_receipts::StoredReceipt;

/// Maximum number of receipts in one list.
const MOST: u32 = 500;

/// A receipt with its claims.
#[derive(Debug, Clone)]
pub(crate) struct OwnReceipt {
    /// The signed receipt as it was stored.
    pub(crate) stored: StoredReceipt,
    pub(crate) receipt: ConsentReceipt,
}

/// All of a resident's receipts, newest first.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn all(node: &Node, resident: &Resident) -> Result<Vec<OwnReceipt>, Problem> {
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
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn of_consent(
    node: &Node,
    resident: &Resident,
    id: ConsentId,
) -> Result<Vec<OwnReceipt>, Problem> {
    let stored = node
        .store
        .read("list_receipts_of_consent", move |store| consent_receipts::of_consent(store, id))
        .await?;
    let acting = Acting::for_self(resident);
    let own = !stored.is_empty() && stored.iter().all(|receipt| acting.demand(receipt.person).is_ok());
    if own { stored.into_iter().map(read).collect() } else { Err(Problem::new(ProblemKind::NotFound)) }
}

/// This node's own signature is not verified again: the receipt was read from a sealed column.
fn read(stored: StoredReceipt) -> Result<OwnReceipt, Problem> {
    let receipt = UnverifiedJws::parse(&stored.text, &CONSENT_RECEIPT)?.claimed()?;
    Ok(OwnReceipt { stored, receipt })
}
