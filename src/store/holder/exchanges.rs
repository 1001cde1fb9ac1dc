//! Exchanges at their holder: the released data's description, the receipt, and the recipient's acknowledgement.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, DatasetId, EntityId, ExchangeId, FieldPath, PersonId};
use crate::prepared::PreparedOnce;
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::db::Db;
use crate::store::engine::schema::{consents, exchanges};
use crate::store::resident::reported_uses::Before;
use crate::store::{Reader, StoreError, Tx};

/// A released exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which.
    pub id: ExchangeId,
    /// Under which consent.
    pub consent: ConsentId,
    /// Who fetched.
    pub recipient: EntityId,
    /// What.
    pub dataset: DatasetId,
    /// Which fields.
    pub fields: Vec<FieldPath>,
    /// When it was released.
    pub at: Timestamp,
    /// The number of its log entry.
    pub log_index: u64,
    /// SHA-256 of the compact proof, base64url.
    pub proof_digest: String,
    /// SHA-256 of the body, base64url.
    pub body_digest: String,
    /// The receipt, compact.
    pub receipt: String,
    /// When the recipient confirmed it.
    pub acknowledged_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = exchanges)]
struct Row {
    id: ExchangeId,
    consent: ConsentId,
    recipient: EntityId,
    dataset: DatasetId,
    fields: String,
    at: Timestamp,
    log_idx: i64,
    proof_digest: String,
    body_digest: String,
    receipt: String,
    acknowledged_at: Option<Timestamp>,
}

impl Row {
    fn into_exchange(self) -> Result<Exchange, StoreError> {
        Ok(Exchange {
            id: self.id,
            consent: self.consent,
            recipient: self.recipient,
            dataset: self.dataset,
            fields: from_json(&self.fields, "exchanges.fields")?,
            at: self.at,
            log_index: u64::try_from(self.log_idx).map_err(|_| StoreError::Corrupt("exchanges.log_idx"))?,
            proof_digest: self.proof_digest,
            body_digest: self.body_digest,
            receipt: self.receipt,
            acknowledged_at: self.acknowledged_at,
        })
    }
}

/// Records an exchange in the transaction that releases it, after its log entry.
///
/// # Errors
/// [`StoreError`].
pub fn insert(tx: &mut Tx<'_>, exchange: &Exchange) -> Result<(), StoreError> {
    insert_all(tx, &[(exchange, exchange.log_index)])
}

/// As [`insert`], several, each with the number of its log entry.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert_all(tx: &mut Tx<'_>, made: &[(&Exchange, u64)]) -> Result<(), StoreError> {
    let numbers: Result<Vec<i64>, _> = made.iter().map(|(_, index)| i64::try_from(*index)).collect();
    let numbers = numbers.map_err(|_| StoreError::Rule("exchanges.log_idx"))?;
    let fields: Result<Vec<String>, _> =
        made.iter().map(|(exchange, _)| to_json(&exchange.fields, "exchanges.fields")).collect();
    let fields = fields?;
    match &mut *tx.db {
        Db::Postgres(connection) => {
            let texts = |of: fn(&Exchange) -> &str| made.iter().map(|(one, _)| of(one)).collect::<Vec<_>>();
            let insert = diesel::sql_query(INSERT_ALL)
                .bind::<Array<Binary>, _>(made.iter().map(|(one, _)| one.id).collect::<Vec<_>>())
                .bind::<Array<Binary>, _>(made.iter().map(|(one, _)| one.consent).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(texts(|one| one.recipient.as_str()))
                .bind::<Array<Text>, _>(texts(|one| one.dataset.as_str()))
                .bind::<Array<Text>, _>(fields)
                .bind::<Array<BigInt>, _>(made.iter().map(|(one, _)| one.at).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(numbers)
                .bind::<Array<Text>, _>(texts(|one| &one.proof_digest))
                .bind::<Array<Text>, _>(texts(|one| &one.body_digest))
                .bind::<Array<Text>, _>(texts(|one| &one.receipt));
            PreparedOnce(insert).execute(connection)?;
        }
        Db::Sqlite(connection) => {
            for (((exchange, _), index), fields) in made.iter().zip(numbers).zip(fields) {
                diesel::insert_into(exchanges::table)
                    .values((
                        exchanges::id.eq(exchange.id),
                        exchanges::consent.eq(exchange.consent),
                        exchanges::recipient.eq(&exchange.recipient),
                        exchanges::dataset.eq(&exchange.dataset),
                        exchanges::fields.eq(fields),
                        exchanges::at.eq(exchange.at),
                        exchanges::log_idx.eq(index),
                        exchanges::proof_digest.eq(&exchange.proof_digest),
                        exchanges::body_digest.eq(&exchange.body_digest),
                        exchanges::receipt.eq(&exchange.receipt),
                    ))
                    .execute(connection)?;
            }
        }
    }
    Ok(())
}

const INSERT_ALL: &str = "\
    INSERT INTO exchanges (id, consent, recipient, dataset, fields, at, log_idx, proof_digest, body_digest, receipt) \
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Stores the recipient's acknowledgement of an exchange; the first one counts.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such exchange with this recipient.
pub(crate) fn acknowledge(
    tx: &mut Tx<'_>,
    id: ExchangeId,
    recipient: &EntityId,
    acknowledgement: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let acknowledged: Option<Timestamp> = exchanges::table
        .find(id)
        .filter(exchanges::recipient.eq(recipient))
        .select(exchanges::acknowledged_at)
        .first(tx.db)?;
    if acknowledged.is_none() {
        diesel::update(exchanges::table.find(id))
            .set((exchanges::acknowledged_at.eq(now), exchanges::acknowledgement.eq(acknowledgement)))
            .execute(tx.db)?;
    }
    Ok(())
}

/// An exchange by id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, id: ExchangeId) -> Result<Exchange, StoreError> {
    let row: Row = exchanges::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    row.into_exchange()
}

/// The recipient's acknowledgement of an exchange.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none yet.
pub(crate) fn acknowledgement(reader: &mut Reader<'_>, id: ExchangeId) -> Result<String, StoreError> {
    let text: Option<String> =
        exchanges::table.find(id).select(exchanges::acknowledgement).get_result(reader.db)?;
    text.ok_or(StoreError::NotFound)
}

/// The exchanges under one consent, latest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_consent(
    reader: &mut Reader<'_>,
    consent: ConsentId,
    limit: u32,
) -> Result<Vec<Exchange>, StoreError> {
    let rows: Vec<Row> = exchanges::table
        .filter(exchanges::consent.eq(consent))
        .order((exchanges::at.desc(), exchanges::log_idx.desc()))
        .limit(i64::from(limit))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_exchange).collect()
}

/// A person's exchanges that come after an entry of their log, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(
    reader: &mut Reader<'_>,
    person: PersonId,
    before: Before,
    limit: u32,
) -> Result<Vec<Exchange>, StoreError> {
    let mut keys: Vec<(Timestamp, i64)> = Vec::new();
    for consent in persons_consents(reader, person)? {
        let of_one: Vec<(Timestamp, i64)> = exchanges::table
            .filter(exchanges::consent.eq(consent).and(exchanges::at.le(before.at)))
            .filter(exchanges::at.lt(before.at).or(exchanges::log_idx.lt(before.number)))
            .order((exchanges::at.desc(), exchanges::log_idx.desc()))
            .limit(i64::from(limit))
            .select((exchanges::at, exchanges::log_idx))
            .load(reader.db)?;
        keys.extend(of_one);
    }
    let rows: Vec<Row> = exchanges::table
        .filter(exchanges::log_idx.eq_any(newest(keys, limit)))
        .select(Row::as_select())
        .load(reader.db)?;
    let mut found = rows.into_iter().map(Row::into_exchange).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable_by_key(|exchange| std::cmp::Reverse((exchange.at, exchange.log_index)));
    Ok(found)
}

/// The numbers of the newest of the entries found under each of a person's consents. A page reads so many keys of each
/// consent in the order of an index; one statement over all of them reads and sorts every entry of the person.
pub(super) fn newest(mut keys: Vec<(Timestamp, i64)>, limit: u32) -> Vec<i64> {
    keys.sort_unstable_by_key(|key| std::cmp::Reverse(*key));
    keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    keys.into_iter().map(|(_, number)| number).collect()
}

pub(super) fn persons_consents(
    reader: &mut Reader<'_>,
    person: PersonId,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table.filter(consents::person.eq(person)).select(consents::id).load(reader.db)?)
}

/// When the latest exchanges under any of these consents were released, latest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn latest(
    reader: &mut Reader<'_>,
    consents: &[ConsentId],
    limit: u32,
) -> Result<Vec<Timestamp>, StoreError> {
    let mut latest: Vec<Timestamp> = Vec::new();
    // One by one: the planners read and sort all exchanges of several consents.
    for consent in consents {
        let of_one: Vec<Timestamp> = exchanges::table
            .filter(exchanges::consent.eq(consent))
            .order(exchanges::at.desc())
            .limit(i64::from(limit))
            .select(exchanges::at)
            .load(reader.db)?;
        latest.extend(of_one);
    }
    latest.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
    latest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(latest)
}
