//! Consents at their holder, every change of theirs, and the evidence of the decision.

use diesel::prelude::*;

use super::{consent_receipts, status_lists};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{
    Actor, Commitment, Consent, ConsentState, End, Evidence, Origin, Reason, Transition,
};
use crate::domain::ids::{ConsentId, EntityId, GrantId, PairwiseSubject, PersonId, RequestId};
use crate::domain::token::status_list::LIST_SIZE;
use crate::store::engine::columns::{from_json, to_json};
use crate::store::engine::db::Db;
use crate::store::engine::schema::{consent_events, consents, counters, persons};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

#[derive(Queryable, Selectable)]
#[diesel(table_name = consents)]
struct Row {
    id: ConsentId,
    grant_id: String,
    origin: String,
    person: PersonId,
    subject: PairwiseSubject,
    terms: String,
    commitment: String,
    acr: Option<String>,
    stated_auth_time: Option<Timestamp>,
    state: String,
    status_index: i64,
    exchanges: i64,
    last_exchange_at: Option<Timestamp>,
    decided_at: Timestamp,
    ended_at: Option<Timestamp>,
    reason: Option<String>,
    replaces: Option<ConsentId>,
    replaced_by: Option<ConsentId>,
}

/// Stands between a grant's identifier and what keeps the stored text unique once another consent has taken the grant
/// over: a grant has one consent at a time. No identifier contains it.
pub(crate) const GRANT_MARK: char = '#';

impl Row {
    fn into_consent(self) -> Result<Consent, StoreError> {
        let grant_id = self.grant_id.split(GRANT_MARK).next().unwrap_or_default();
        let state = ConsentState::from_stored(&self.state, self.ended_at)
            .ok_or(StoreError::Corrupt("consents.state"))?;
        Ok(Consent {
            id: self.id,
            grant_id: GrantId::new(grant_id).map_err(|_| StoreError::Corrupt("consents.grant_id"))?,
            person: self.person,
            subject: self.subject,
            terms: from_json(&self.terms, "consents.terms")?,
            origin: self.origin.parse::<Origin>().map_err(|_| StoreError::Corrupt("consents.origin"))?,
            commitment: Commitment::from_text(self.commitment),
            status_index: u32::try_from(self.status_index)
                .map_err(|_| StoreError::Corrupt("consents.status_index"))?,
            state,
            reason: reason(self.reason.as_deref(), state)?,
            replaces: self.replaces,
            replaced_by: self.replaced_by,
            exchanges: u32::try_from(self.exchanges)
                .map_err(|_| StoreError::Corrupt("consents.exchanges"))?,
            last_exchange_at: self.last_exchange_at,
            decided_at: self.decided_at,
            acr: self.acr,
            auth_time: self.stated_auth_time,
        })
    }
}

/// The stored word; changes that were kept before reasons were have the one that their state tells.
fn reason(word: Option<&str>, state: ConsentState) -> Result<Reason, StoreError> {
    match word {
        Some(word) => word.parse::<Reason>().map_err(|_| StoreError::Corrupt("consents.reason")),
        None => Ok(match state {
            ConsentState::Active => Reason::Decided,
            ConsentState::Suspended => Reason::Paused,
            ConsentState::Ended { how, .. } => match how {
                End::Revoked(Actor::Resident) => Reason::TakenBack,
                End::Revoked(Actor::Recipient) => Reason::GivenBack,
                End::Revoked(Actor::Node) => Reason::CodeReplayed,
                End::Expired => Reason::LastDay,
                End::Exhausted => Reason::UsedUp,
                End::Replaced => Reason::Replaced,
            },
        }),
    }
}

/// One change in a consent's life, as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// State before it; none for the decision itself.
    pub from: Option<&'static str>,
    /// State after it.
    pub to: ConsentState,
    /// Who caused it.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// Draws an unused place in the status lists, at random within the newest list, so that a place says nothing about when
/// the consent was given. A list is filled by half at most.
///
/// # Errors
/// [`StoreError`].
pub fn draw_status_index(tx: &mut Tx<'_>) -> Result<u32, StoreError> {
    let drawn: i64 = diesel::update(counters::table.find("status_index"))
        .set(counters::next_value.eq(counters::next_value + 1))
        .returning(counters::next_value)
        .get_result(tx.db)?;
    let list = (drawn - 1) / i64::from(LIST_SIZE / 2);
    for _ in 0..64 {
        let place = u32::from_be_bytes(tx.random()) % LIST_SIZE;
        let index = list * i64::from(LIST_SIZE) + i64::from(place);
        let taken: i64 =
            consents::table.filter(consents::status_index.eq(index)).count().get_result(tx.db)?;
        if taken == 0 {
            return u32::try_from(index).map_err(|_| StoreError::Rule("the status lists are full"));
        }
    }
    Err(StoreError::Rule("the status lists are full"))
}

/// Stores a consent with the evidence of its decision, as the first change of its life.
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
        column!(consents.evidence),
        consent.id.as_bytes(),
        to_json(evidence, "consents.evidence")?.as_bytes(),
    )?;
    let signer: KeyedHash =
        persons::table.find(consent.person).select(persons::identifier_hash).first(tx.db)?;
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
            consents::terms.eq(to_json(&consent.terms, "consents.terms")?),
            consents::evidence.eq(sealed),
            consents::commitment.eq(consent.commitment.as_str()),
            consents::acr.eq(consent.acr.as_deref()),
            consents::auth_time.eq(consent.auth_time.unwrap_or(consent.decided_at)),
            consents::stated_auth_time.eq(consent.auth_time),
            consents::identifier_hash.eq(Some(signer)),
            consents::passkey.eq(evidence.passkey.as_ref().map(|passkey| passkey.credential_hash.as_str())),
            consents::state.eq(consent.state.as_str()),
            consents::status_index.eq(i64::from(consent.status_index)),
            consents::exchanges.eq(i64::from(consent.exchanges)),
            consents::last_exchange_at.eq(consent.last_exchange_at),
            consents::decided_at.eq(consent.decided_at),
            consents::until_at.eq(consent.terms.until.end()),
            consents::ended_at.eq(consent.state.ended_at()),
            consents::reason.eq(consent.reason.as_str()),
            consents::replaces.eq(consent.replaces),
        ))
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
    let row: Row = consents::table.find(id).select(Row::as_select()).first(reader.db)?;
    row.into_consent()
}

/// A consent, and before it those in whose place it came one after the other: what was fetched under them since a moment
/// counts as fetched under it, as far as they rest on the same declared use.
///
/// # Errors
/// [`StoreError`].
pub fn succession(
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

/// A consent by the identifier that it has towards its recipient.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_by_grant(reader: &mut Reader<'_>, grant: &GrantId) -> Result<Consent, StoreError> {
    let row: Row =
        consents::table.filter(consents::grant_id.eq(grant)).select(Row::as_select()).first(reader.db)?;
    row.into_consent()
}

/// What the decision was made with, beside what the consent itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionBasis {
    /// Whether a passkey signed it too.
    pub passkey: bool,
    /// Whether the login provider has since stated another national identifier for the same login.
    pub identifier_changed: bool,
}

/// What a decision was made with.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn decision_basis(reader: &mut Reader<'_>, id: ConsentId) -> Result<DecisionBasis, StoreError> {
    let (person, passkey, then): (PersonId, Option<String>, Option<KeyedHash>) = consents::table
        .find(id)
        .select((consents::person, consents::passkey, consents::identifier_hash))
        .first(reader.db)?;
    let now: KeyedHash = persons::table.find(person).select(persons::identifier_hash).first(reader.db)?;
    Ok(DecisionBasis { passkey: passkey.is_some(), identifier_changed: then.is_some_and(|then| then != now) })
}

/// A recipient's consent by its commitment: also one whose grant has passed to another consent.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_by_commitment(
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

/// A consent by id, held until the transaction ends: no other write changes it in between.
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

/// As [`lock`], by the identifier that the consent has towards its recipient.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn lock_by_grant(tx: &mut Tx<'_>, grant: &GrantId) -> Result<Consent, StoreError> {
    let id: ConsentId =
        consents::table.filter(consents::grant_id.eq(grant)).select(consents::id).first(tx.db)?;
    lock(tx, id)
}

/// Stores a consent's state and use, and the change if there was one. Nothing leaves an end state.
///
/// # Errors
/// [`StoreError::Conflict`] when the stored consent has ended.
pub fn save(tx: &mut Tx<'_>, consent: &Consent, change: Option<&Transition>) -> Result<(), StoreError> {
    let before: String = consents::table.find(consent.id).select(consents::state).first(tx.db)?;
    let changed = diesel::update(consents::table.find(consent.id).filter(consents::ended_at.is_null()))
        .set((
            consents::state.eq(consent.state.as_str()),
            consents::ended_at.eq(consent.state.ended_at()),
            consents::exchanges.eq(i64::from(consent.exchanges)),
            consents::last_exchange_at.eq(consent.last_exchange_at),
            consents::reason.eq(consent.reason.as_str()),
            consents::replaced_by.eq(consent.replaced_by),
            consents::version.eq(consents::version + 1),
        ))
        .execute(tx.db)?;
    if changed != 1 {
        return Err(StoreError::Conflict);
    }
    if before != consent.state.as_str() {
        status_lists::count_change(tx, consent.status_index)?;
    }
    match change {
        Some(change) => keep_change(tx, consent.id, Some(&before), change),
        None if before == consent.state.as_str() => Ok(()),
        None => Err(StoreError::Rule("a consent changed its state without saying so")),
    }
}

/// Lets go of the grant's identifier, for the consent that takes the grant over. The consent itself still tells it.
///
/// # Errors
/// [`StoreError::NotFound`] when it does not hold the grant.
pub fn release_grant_id(tx: &mut Tx<'_>, consent: &Consent) -> Result<(), StoreError> {
    let marked = format!("{}{GRANT_MARK}{}", consent.grant_id.as_str(), consent.id);
    let holds = consents::table.find(consent.id).filter(consents::grant_id.eq(&consent.grant_id));
    let changed = diesel::update(holds).set(consents::grant_id.eq(marked)).execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// A person's consents, latest decision first.
///
/// # Errors
/// [`StoreError`].
pub fn of_person(reader: &mut Reader<'_>, person: PersonId) -> Result<Vec<Consent>, StoreError> {
    let rows: Vec<Row> = consents::table
        .filter(consents::person.eq(person))
        .order((consents::decided_at.desc(), consents::id))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_consent).collect()
}

/// Consents that have not ended, from behind one on, in the order of their identifiers.
///
/// # Errors
/// [`StoreError`].
pub fn in_force_after(
    reader: &mut Reader<'_>,
    after: Option<ConsentId>,
    limit: u32,
) -> Result<Vec<Consent>, StoreError> {
    let from = after.unwrap_or(ConsentId::from_bytes([0; 16]));
    let rows: Vec<Row> = consents::table
        .filter(consents::ended_at.is_null().and(consents::id.gt(from)))
        .order(consents::id)
        .limit(i64::from(limit))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_consent).collect()
}

/// Every change of a consent, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn history(reader: &mut Reader<'_>, id: ConsentId) -> Result<Vec<Change>, StoreError> {
    type Event = (Option<String>, String, Option<Timestamp>, String, Timestamp, Option<String>);
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
                // The moment plays no part in the word.
                from: from.map(|word| state(&word, Some(at))).transpose()?.map(ConsentState::as_str),
                to,
                actor: actor.parse::<Actor>().map_err(|_| StoreError::Corrupt("consent_events.actor"))?,
                reason: reason(why.as_deref(), to)?,
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
    let sealed: Vec<u8> = consents::table
        .find(id)
        .filter(consents::erased_at.is_null())
        .select(consents::evidence)
        .first(reader.db)?;
    let text = reader.keys.sealer.open_text(column!(consents.evidence), id.as_bytes(), &sealed)?;
    from_json(&text, "consents.evidence")
}

/// Consents whose last day is over and that still stand as if it were not.
///
/// # Errors
/// [`StoreError`].
pub fn due_to_expire(
    reader: &mut Reader<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table
        .filter(consents::ended_at.is_null().and(consents::until_at.le(now)))
        .order(consents::until_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// The entries of one status list that are not valid: place in that list, state.
///
/// # Errors
/// [`StoreError`].
pub fn statuses(reader: &mut Reader<'_>, list: u32) -> Result<Vec<(u32, ConsentState)>, StoreError> {
    let size = i64::from(LIST_SIZE);
    let first = i64::from(list) * size;
    let rows: Vec<(i64, String, Option<Timestamp>)> = consents::table
        .filter(consents::status_index.ge(first).and(consents::status_index.lt(first + size)))
        .filter(consents::state.ne(ConsentState::Active.as_str()))
        .order(consents::status_index)
        .select((consents::status_index, consents::state, consents::ended_at))
        .load(reader.db)?;
    rows.into_iter()
        .map(|(index, state, ended)| {
            let place =
                u32::try_from(index - first).map_err(|_| StoreError::Corrupt("consents.status_index"))?;
            let state =
                ConsentState::from_stored(&state, ended).ok_or(StoreError::Corrupt("consents.state"))?;
            Ok((place, state))
        })
        .collect()
}

/// How many status lists there are; the newest may be empty yet.
///
/// # Errors
/// [`StoreError`].
pub fn status_lists(reader: &mut Reader<'_>) -> Result<u32, StoreError> {
    let drawn: i64 = counters::table.find("status_index").select(counters::next_value).first(reader.db)?;
    u32::try_from(drawn / i64::from(LIST_SIZE / 2) + 1)
        .map_err(|_| StoreError::Corrupt("counters.next_value"))
}

/// Consents in force that end before a moment and of which the resident was not reminded yet. A consent that was given
/// for a short time only, twice the lead at most, needs no reminder.
///
/// # Errors
/// [`StoreError`].
pub fn due_for_reminder(
    reader: &mut Reader<'_>,
    now: Timestamp,
    ends_before: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    let lead = ends_before.micros().saturating_sub(now.micros());
    Ok(consents::table
        .filter(consents::ended_at.is_null().and(consents::reminded_at.is_null()))
        .filter(consents::until_at.gt(now).and(consents::until_at.le(ends_before)))
        .filter(consents::decided_at.lt(consents::until_at - lead.saturating_mul(2)))
        .order(consents::until_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// The resident is reminded, once.
///
/// # Errors
/// [`StoreError::NotFound`] when it was done before.
pub fn remind(tx: &mut Tx<'_>, id: ConsentId, now: Timestamp) -> Result<(), StoreError> {
    let changed = diesel::update(consents::table.find(id).filter(consents::reminded_at.is_null()))
        .set(consents::reminded_at.eq(now))
        .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// When the resident was reminded that a consent ends soon.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn reminded_at(reader: &mut Reader<'_>, id: ConsentId) -> Result<Option<Timestamp>, StoreError> {
    Ok(consents::table.find(id).select(consents::reminded_at).first(reader.db)?)
}

/// Consents that ended before a moment and of which everything is still kept.
///
/// # Errors
/// [`StoreError`].
pub fn due_for_erasure(
    reader: &mut Reader<'_>,
    ended_before: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    Ok(consents::table
        .filter(consents::ended_at.lt(ended_before).and(consents::erased_at.is_null()))
        .order(consents::ended_at)
        .limit(i64::from(limit))
        .select(consents::id)
        .load(reader.db)?)
}

/// Erases the evidence of an ended consent and its receipts. What a resident signed cannot be shown after that.
///
/// # Errors
/// [`StoreError::NotFound`] when it has not ended.
pub fn erase(tx: &mut Tx<'_>, id: ConsentId, now: Timestamp) -> Result<(), StoreError> {
    let nothing = tx.keys.sealer.seal(column!(consents.evidence), id.as_bytes(), b"null")?;
    consent_receipts::erase(tx, id)?;
    let changed = diesel::update(consents::table.find(id).filter(consents::ended_at.is_not_null()))
        .set((
            consents::evidence.eq(nothing),
            consents::identifier_hash.eq(None::<KeyedHash>),
            consents::erased_at.eq(now),
        ))
        .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// When the evidence of a consent was erased.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn erased_at(reader: &mut Reader<'_>, id: ConsentId) -> Result<Option<Timestamp>, StoreError> {
    Ok(consents::table.find(id).select(consents::erased_at).first(reader.db)?)
}
