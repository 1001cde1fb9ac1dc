//! Signed receipts of decisions and changes, for their residents.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::consent::ReceiptChange;
use crate::domain::ids::{ConsentId, KeyId, PersonId, ReceiptId};
use crate::domain::jose::SigningKey;
use crate::domain::sync::lock;
use crate::store::engine::schema::{consent_receipts, signing_keys};
use crate::store::engine::sealed::column;
use crate::store::keys::signing_keys::{KeyState, Purpose, with_private_part};
use crate::store::{Reader, StoreError, Tx};

/// A stored receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceipt {
    /// Which.
    pub id: ReceiptId,
    /// The consent, or the declined request by its own identifier.
    pub consent: ConsentId,
    /// Whose.
    pub person: PersonId,
    /// 1 for the decision, then one more for every change.
    pub version: u32,
    /// What happened.
    pub change: ReceiptChange,
    /// When.
    pub at: Timestamp,
    /// The number of its log entry.
    pub log_index: u64,
    /// The receipt, a compact JWS.
    pub text: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = consent_receipts)]
struct Row {
    id: ReceiptId,
    consent: ConsentId,
    person: PersonId,
    version: i64,
    change: String,
    at: Timestamp,
    log_idx: i64,
    receipt: Vec<u8>,
}

impl Row {
    fn open(self, reader: &Reader<'_>) -> Result<StoredReceipt, StoreError> {
        let text = reader.keys.sealer.open_text(
            column!(consent_receipts.receipt),
            self.id.as_bytes(),
            &self.receipt,
        )?;
        Ok(StoredReceipt {
            id: self.id,
            consent: self.consent,
            person: self.person,
            version: u32::try_from(self.version)
                .map_err(|_| StoreError::Corrupt("consent_receipts.version"))?,
            change: self
                .change
                .parse::<ReceiptChange>()
                .map_err(|_| StoreError::Corrupt("consent_receipts.change"))?,
            at: self.at,
            log_index: u64::try_from(self.log_idx)
                .map_err(|_| StoreError::Corrupt("consent_receipts.log_idx"))?,
            text: text.to_string(),
        })
    }
}

/// Stores a receipt in the transaction that makes the change, after its log entry.
///
/// # Errors
/// [`StoreError::Conflict`] when the consent has a receipt of that version.
pub(crate) fn insert(tx: &mut Tx<'_>, receipt: &StoredReceipt) -> Result<(), StoreError> {
    let sealed = tx.keys.sealer.seal(
        column!(consent_receipts.receipt),
        receipt.id.as_bytes(),
        receipt.text.as_bytes(),
    )?;
    let index = i64::try_from(receipt.log_index).map_err(|_| StoreError::Rule("consent_receipts.log_idx"))?;
    diesel::insert_into(consent_receipts::table)
        .values((
            consent_receipts::id.eq(receipt.id),
            consent_receipts::consent.eq(receipt.consent),
            consent_receipts::person.eq(receipt.person),
            consent_receipts::version.eq(i64::from(receipt.version)),
            consent_receipts::change.eq(receipt.change.as_str()),
            consent_receipts::at.eq(receipt.at),
            consent_receipts::log_idx.eq(index),
            consent_receipts::receipt.eq(sealed),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The receipts of a consent or a declined request, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_consent(reader: &mut Reader<'_>, consent: ConsentId) -> Result<Vec<StoredReceipt>, StoreError> {
    let rows: Vec<Row> = consent_receipts::table
        .filter(consent_receipts::consent.eq(consent))
        .order(consent_receipts::version)
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| row.open(reader)).collect()
}

/// A person's receipts, newest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    limit: u32,
) -> Result<Vec<StoredReceipt>, StoreError> {
    let rows: Vec<Row> = consent_receipts::table
        .filter(consent_receipts::person.eq(person))
        .order((consent_receipts::at.desc(), consent_receipts::log_idx.desc()))
        .limit(i64::from(limit))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| row.open(reader)).collect()
}

/// Erases the receipts of a consent; the resident may have copies.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn erase(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    diesel::delete(consent_receipts::table.filter(consent_receipts::consent.eq(consent))).execute(tx.db)?;
    Ok(())
}

/// The active receipt key, parsed once in this process.
///
/// # Errors
/// [`StoreError::NotFound`] when none is active.
pub(crate) fn signer(reader: &mut Reader<'_>) -> Result<SigningKey, StoreError> {
    let kid: KeyId = signing_keys::table
        .filter(signing_keys::purpose.eq(Purpose::Receipt).and(signing_keys::state.eq(KeyState::Active)))
        .select(signing_keys::kid)
        .first(reader.db)?;
    let known = lock(&reader.keys.receipt_key).clone();
    if let Some(key) = known.filter(|key| *key.kid() == kid) {
        return Ok(key);
    }
    let key = with_private_part(reader, &kid)?;
    *lock(&reader.keys.receipt_key) = Some(key.clone());
    Ok(key)
}

/// The newest receipt of a consent.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub(crate) fn newest(reader: &mut Reader<'_>, consent: ConsentId) -> Result<StoredReceipt, StoreError> {
    let row: Row = consent_receipts::table
        .filter(consent_receipts::consent.eq(consent))
        .order(consent_receipts::version.desc())
        .select(Row::as_select())
        .first(reader.db)?;
    row.open(reader)
}
