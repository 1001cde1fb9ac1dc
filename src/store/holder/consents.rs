//! Consents at their holder, their changes, and the evidence of the decision.

mod declared_uses;
mod due;
mod for_exchange;
mod held_back;
mod status;

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary};

use super::status_lists;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{
    Actor, Commitment, Consent, ConsentState, Evidence, Origin, Reason, Transition,
};
use crate::domain::ids::{ConsentId, EntityId, GrantId, PairwiseSubject, PersonId, RequestId};
use crate::prepared::PreparedOnce;
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::db::Db;
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::{consent_events, consent_evidence, consents, persons};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

pub(crate) use declared_uses::{mark_followed, next_declared_use, not_compared};
pub use due::reminded_at;
pub(crate) use due::{due_for_erasure, due_for_reminder, due_to_expire, erase, erased_at, remind};
pub(crate) use for_exchange::{ForExchange, for_exchange};
pub use held_back::is_held_back;
pub(crate) use held_back::{mark_all_compared, mark_compared, of_recipient, recipients_held_back};
pub use status::draw_status_index;
pub(crate) use status::{status_lists, statuses, statuses_at};

#[derive(Queryable, Selectable)]
#[diesel(table_name = consents)]
struct Row {
    id: ConsentId,
    grant_id: GrantId,
    origin: String,
    person: PersonId,
    subject: PairwiseSubject,
    terms: String,
    commitment: String,
    acr: Option<String>,
    auth_time: Option<Timestamp>,
    state: String,
    status_index: i64,
    exchanges: i64,
    last_exchange_at: Option<Timestamp>,
    decided_at: Timestamp,
    ended_at: Option<Timestamp>,
    reason: String,
    replaces: Option<ConsentId>,
    replaced_by: Option<ConsentId>,
}

impl Row {
    fn into_consent(self) -> Result<Consent, StoreError> {
        let state = ConsentState::from_stored(&self.state, self.ended_at)
            .ok_or(StoreError::Corrupt("consents.state"))?;
        Ok(Consent {
            id: self.id,
            grant_id: self.grant_id,
            person: self.person,
            subject: self.subject,
            terms: from_json(&self.terms, "consents.terms")?,
            origin: self.origin.parse::<Origin>().map_err(|_| StoreError::Corrupt("consents.origin"))?,
            commitment: Commitment::from_text(self.commitment),
            status_index: u32::try_from(self.status_index)
                .map_err(|_| StoreError::Corrupt("consents.status_index"))?,
            state,
            reason: reason(&self.reason, "consents.reason")?,
            replaces: self.replaces,
            replaced_by: self.replaced_by,
            exchanges: u32::try_from(self.exchanges)
                .map_err(|_| StoreError::Corrupt("consents.exchanges"))?,
            last_exchange_at: self.last_exchange_at,
            decided_at: self.decided_at,
            acr: self.acr,
            auth_time: self.auth_time,
        })
    }
}

fn reason(word: &str, column: &'static str) -> Result<Reason, StoreError> {
    word.parse::<Reason>().map_err(|_| StoreError::Corrupt(column))
}

/// One change of a consent, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// State before it; `None` for the decision.
    pub from: Option<&'static str>,
    /// State after it.
    pub to: ConsentState,
    /// The actor.
    pub actor: Actor,
    /// The reason.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// Stores a consent with the evidence of its decision, as the first change.
///
/// # Errors
/// [`StoreError::Conflict`] when its request has led to a consent already.
pub fn insert(
    tx: &mut Tx<'_>,
    consent: &Consent,
    request: RequestId,
    evidence: &Evidence,
) -> Result<(), StoreError> {
    let sealed = tx.keys.sealer.seal(
        column!(consent_evidence.evidence),
        consent.id.as_bytes(),
        to_json(evidence, "consent_evidence.evidence")?.as_bytes(),
    )?;
    let epoch = held_back::epoch(tx)?;
    let signer: KeyedHash =
        persons::table.find(consent.person).select(persons::identifier_hash).get_result(tx.db)?;
    diesel::insert_into(consents::table)
        .values((
            consents::id.eq(consent.id),
            consents::grant_id.eq(&consent.grant_id),
            consents::request.eq(request),
            consents::origin.eq(consent.origin.as_str()),
            consents::person.eq(consent.person),
            consents::subject.eq(&consent.subject),
            consents::recipient.eq(&consent.terms.recipient),
            consents::dataset.eq(&consent.terms.dataset),
            consents::declared_use.eq(consent.terms.declared_use.as_str()),
            consents::terms.eq(to_json(&consent.terms, "consents.terms")?),
            consents::commitment.eq(consent.commitment.as_str()),
            consents::acr.eq(consent.acr.as_deref()),
            consents::auth_time.eq(consent.auth_time),
            consents::identifier_hash.eq(Some(signer)),
            consents::passkey.eq(evidence.passkey.as_ref().map(|passkey| passkey.credential_hash.as_str())),
            consents::state.eq(consent.state.as_str()),
            consents::status_index.eq(i64::from(consent.status_index)),
            consents::exchanges.eq(i64::from(consent.exchanges)),
            consents::last_exchange_at.eq(consent.last_exchange_at),
            consents::decided_at.eq(consent.decided_at),
            consents::until_at.eq(consent.terms.until.end()),
            consents::remind_at.eq(consent.reminder_at()),
            consents::ended_at.eq(consent.state.ended_at()),
            consents::reason.eq(consent.reason.as_str()),
            consents::replaces.eq(consent.replaces),
            consents::epoch.eq(epoch),
        ))
        .execute(tx.db)?;
    diesel::insert_into(consent_evidence::table)
        .values((consent_evidence::consent.eq(consent.id), consent_evidence::evidence.eq(sealed)))
        .execute(tx.db)?;
    let decision = Transition {
        to: consent.state,
        actor: Actor::Resident,
        reason: consent.reason,
        at: consent.decided_at,
    };
    keep_change(tx, consent.id, None, &decision)
}

fn keep_change(
    tx: &mut Tx<'_>,
    consent: ConsentId,
    from: Option<&str>,
    change: &Transition,
) -> Result<(), StoreError> {
    diesel::insert_into(consent_events::table)
        .values((
            consent_events::consent.eq(consent),
            consent_events::at.eq(change.at),
            consent_events::actor.eq(change.actor.as_str()),
            consent_events::from_state.eq(from),
            consent_events::to_state.eq(change.to.as_str()),
            consent_events::ended_at.eq(change.to.ended_at()),
            consent_events::reason.eq(change.reason.as_str()),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// A consent by id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, id: ConsentId) -> Result<Consent, StoreError> {
    let row: Row = consents::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    row.into_consent()
}

/// A consent, and the chain of consents that it replaced: their fetches since a moment count as its own, if they rest
/// on the same declared use.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn succession(
    reader: &mut Reader<'_>,
    consent: &Consent,
    since: Timestamp,
) -> Result<Vec<ConsentId>, StoreError> {
    let (mut line, mut before) = (vec![consent.id], consent.replaces);
    while let Some(id) = before {
        let old = find(reader, id)?;
        if old.state.ended_at().is_some_and(|at| at <= since) {
            break;
        }
        if old.terms.declared_use == consent.terms.declared_use {
            line.push(id);
        }
        before = old.replaces;
    }
    Ok(line)
}

/// A consent by its identifier towards its recipient (`grant_id`).
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_by_grant(reader: &mut Reader<'_>, grant: &GrantId) -> Result<Consent, StoreError> {
    let row: Row = consents::table
        .filter(consents::grant_id.eq(grant).and(consents::superseded_at.is_null()))
        .select(Row::as_select())
        .get_result(reader.db)?;
    row.into_consent()
}

/// How a decision was made, beyond the consent's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionBasis {
    /// Whether a passkey signed it too.
    pub(crate) passkey: bool,
    /// Whether the login provider has since stated another national identifier for the same login.
    pub(crate) identifier_changed: bool,
}

/// How a decision was made.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn decision_basis(reader: &mut Reader<'_>, id: ConsentId) -> Result<DecisionBasis, StoreError> {
    let (person, passkey, then): (PersonId, Option<String>, Option<KeyedHash>) = consents::table
        .find(id)
        .select((consents::person, consents::passkey, consents::identifier_hash))
        .get_result(reader.db)?;
    let now: KeyedHash =
        persons::table.find(person).select(persons::identifier_hash).get_result(reader.db)?;
    Ok(DecisionBasis { passkey: passkey.is_some(), identifier_changed: then.is_some_and(|then| then != now) })
}

/// A recipient's consent by its commitment, even if its grant has passed to another consent.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find_by_commitment(
    reader: &mut Reader<'_>,
    recipient: &EntityId,
    commitment: &Commitment,
) -> Result<Consent, StoreError> {
    let row: Row = consents::table
        .filter(consents::commitment.eq(commitment.as_str()).and(consents::recipient.eq(recipient)))
        .select(Row::as_select())
        .first(reader.db)?;
    row.into_consent()
}

/// A consent by id, locked until the transaction ends.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn lock(tx: &mut Tx<'_>, id: ConsentId) -> Result<Consent, StoreError> {
    if let Db::Postgres(c) = &mut *tx.db {
        consents::table.find(id).select(consents::id).for_update().first::<ConsentId>(c)?;
    }
    // SQLite has one writer: the transaction itself is the lock.
    find(tx, id)
}

/// As [`lock`], several, in the order of their identifiers, each with whether it [`is_held_back`].
///
/// # Errors
/// [`StoreError::NotFound`] when one is missing.
pub(crate) fn lock_all(
    tx: &mut Tx<'_>,
    ids: &BTreeSet<ConsentId>,
) -> Result<Vec<(Consent, bool)>, StoreError> {
    let rows: Vec<(Row, i64)> = match &mut *tx.db {
        Db::Postgres(connection) => consents::table
            .filter(consents::id.eq_any(ids))
            .order(consents::id)
            .select((Row::as_select(), consents::epoch))
            .for_update()
            .load(connection)?,
        Db::Sqlite(connection) => {
            let find = |id| {
                consents::table.find(id).select((Row::as_select(), consents::epoch)).get_result(connection)
            };
            ids.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    if rows.len() != ids.len() {
        return Err(StoreError::NotFound);
    }
    let epoch = held_back::epoch(tx)?;
    rows.into_iter().map(|(row, compared)| Ok((row.into_consent()?, compared < epoch))).collect()
}

/// Stores how often consents have been used, whose state is as it was.
///
/// # Errors
/// [`StoreError::Conflict`] when one has ended.
pub(crate) fn count_exchanges(tx: &mut Tx<'_>, used: &[&Consent]) -> Result<(), StoreError> {
    match &mut *tx.db {
        Db::Postgres(connection) => {
            let each = |of: fn(&Consent) -> i64| used.iter().map(|consent| of(consent)).collect::<Vec<i64>>();
            let last = |consent: &Consent| consent.last_exchange_at.map_or(0, Timestamp::micros);
            let update = diesel::sql_query(
                "UPDATE consents SET exchanges = new.exchanges, last_exchange_at = new.at \
                 FROM unnest($1, $2, $3) AS new (id, exchanges, at) \
                 WHERE consents.id = new.id AND consents.ended_at IS NULL",
            )
            .bind::<Array<Binary>, _>(used.iter().map(|consent| consent.id).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(each(|consent| i64::from(consent.exchanges)))
            .bind::<Array<BigInt>, _>(each(last));
            let changed = PreparedOnce(update).execute(connection)?;
            if changed == used.len() { Ok(()) } else { Err(StoreError::Conflict) }
        }
        Db::Sqlite(connection) => used.iter().try_for_each(|consent| {
            let stored = consents::table.find(consent.id).filter(consents::ended_at.is_null());
            let update = diesel::update(stored).set((
                consents::exchanges.eq(i64::from(consent.exchanges)),
                consents::last_exchange_at.eq(consent.last_exchange_at),
            ));
            exactly_one(PreparedOnce(update).execute(connection)?, StoreError::Conflict)
        }),
    }
}

/// Stores a consent's state and use, and the change if there was one. End states are final.
///
/// # Errors
/// [`StoreError::Conflict`] when the stored consent has ended.
pub fn save(tx: &mut Tx<'_>, consent: &Consent, change: Option<&Transition>) -> Result<(), StoreError> {
    let before: String = consents::table.find(consent.id).select(consents::state).get_result(tx.db)?;
    let update = diesel::update(consents::table.find(consent.id).filter(consents::ended_at.is_null())).set((
        consents::state.eq(consent.state.as_str()),
        consents::ended_at.eq(consent.state.ended_at()),
        consents::exchanges.eq(i64::from(consent.exchanges)),
        consents::last_exchange_at.eq(consent.last_exchange_at),
        consents::reason.eq(consent.reason.as_str()),
        consents::replaced_by.eq(consent.replaced_by),
    ));
    exactly_one(PreparedOnce(update).execute(tx.db)?, StoreError::Conflict)?;
    if before != consent.state.as_str() {
        status_lists::count_change(tx, consent.status_index)?;
        declared_uses::compare_again(tx, consent.id)?;
    }
    match change {
        Some(change) => keep_change(tx, consent.id, Some(&before), change),
        None if before == consent.state.as_str() => Ok(()),
        None => Err(StoreError::Rule("a consent changed its state without saying so")),
    }
}

/// Releases the grant for the consent that takes it over: a grant has one consent at a time.
///
/// # Errors
/// [`StoreError::NotFound`] when another consent has the grant already.
pub fn supersede(tx: &mut Tx<'_>, consent: &Consent, now: Timestamp) -> Result<(), StoreError> {
    let holds = consents::table.find(consent.id).filter(consents::superseded_at.is_null());
    let changed = diesel::update(holds).set(consents::superseded_at.eq(now)).execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// A person's consents, latest decision first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_person(reader: &mut Reader<'_>, person: PersonId) -> Result<Vec<Consent>, StoreError> {
    let rows: Vec<Row> = consents::table
        .filter(consents::person.eq(person))
        .order((consents::decided_at.desc(), consents::id))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_consent).collect()
}

/// Every change of a consent, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn history(reader: &mut Reader<'_>, id: ConsentId) -> Result<Vec<Change>, StoreError> {
    type Event = (Option<String>, String, Option<Timestamp>, String, Timestamp, String);
    let rows: Vec<Event> = consent_events::table
        .filter(consent_events::consent.eq(id))
        .order(consent_events::seq)
        .select((
            consent_events::from_state,
            consent_events::to_state,
            consent_events::ended_at,
            consent_events::actor,
            consent_events::at,
            consent_events::reason,
        ))
        .load(reader.db)?;
    rows.into_iter()
        .map(|(from, to, ended, actor, at, why)| {
            let state = |word: &str, ended| {
                ConsentState::from_stored(word, ended).ok_or(StoreError::Corrupt("consent_events.to_state"))
            };
            let to = state(&to, ended)?;
            Ok(Change {
                // The moment is not part of the text.
                from: from.map(|word| state(&word, Some(at))).transpose()?.map(ConsentState::as_str),
                to,
                actor: actor.parse::<Actor>().map_err(|_| StoreError::Corrupt("consent_events.actor"))?,
                reason: reason(&why, "consent_events.reason")?,
                at,
            })
        })
        .collect()
}

/// The evidence of the decision.
///
/// # Errors
/// [`StoreError::NotFound`], also when it was erased; [`StoreError::Corrupt`] when it was tampered with.
pub fn evidence(reader: &mut Reader<'_>, id: ConsentId) -> Result<Evidence, StoreError> {
    let sealed: Vec<u8> =
        consent_evidence::table.find(id).select(consent_evidence::evidence).get_result(reader.db)?;
    let text = reader.keys.sealer.open_text(column!(consent_evidence.evidence), id.as_bytes(), &sealed)?;
    from_json(&text, "consent_evidence.evidence")
}
