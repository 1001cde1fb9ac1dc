//! Consent requests at the holder, until they are decided or expire.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::domain::clock::Timestamp;
use crate::domain::consent::{
    ConsentRequest, DenialKind, GrantAction, Origin, PendingDecision, RequestState,
};
use crate::domain::ids::{ConsentId, EntityId, PersonId, RequestId};
use crate::store::engine::columns::{demand, from_json, to_json};
use crate::store::engine::error::exactly_one;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::consent_requests;
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::resident::persons::Person;
use crate::store::{Reader, StoreError, Tx};

/// As the partial indexes say it: no planner can compare a bound value with them.
fn is_open() -> SqlLiteral<Bool> {
    sql("consent_requests.state = 'requested'")
}

const URI_KIND: &str = "request-uri";

#[derive(Queryable, Selectable)]
#[diesel(table_name = consent_requests)]
struct Row {
    id: RequestId,
    origin: String,
    recipient_name: String,
    terms: String,
    declared_use: String,
    return_path: Option<String>,
    expected_person: Option<Vec<u8>>,
    person: Option<PersonId>,
    state: String,
    consent: Option<ConsentId>,
    created_at: Timestamp,
    expires_at: Timestamp,
    asked_acr: Option<String>,
    asked_max_age: Option<i64>,
    action: Option<String>,
    replaces: Option<ConsentId>,
}

impl Row {
    fn into_request(self) -> Result<ConsentRequest, StoreError> {
        let state = match (self.state.as_str(), self.consent) {
            ("requested", None) => RequestState::Requested,
            ("allowed", Some(consent)) => RequestState::Allowed(consent),
            ("declined", None) => RequestState::Declined,
            ("lapsed", None) => RequestState::Lapsed,
            _ => return Err(StoreError::Corrupt("consent_requests.state")),
        };
        let how = self.action.as_deref().map(|word| {
            word.parse::<GrantAction>().map_err(|_| StoreError::Corrupt("consent_requests.action"))
        });
        Ok(ConsentRequest {
            replaces: how.transpose()?.zip(self.replaces),
            id: self.id,
            origin: self
                .origin
                .parse::<Origin>()
                .map_err(|_| StoreError::Corrupt("consent_requests.origin"))?,
            terms: from_json(&self.terms, "consent_requests.terms")?,
            declared_use: from_json(&self.declared_use, "consent_requests.declared_use")?,
            recipient_name: from_json(&self.recipient_name, "consent_requests.recipient_name")?,
            return_path: self
                .return_path
                .map(|path| from_json(&path, "consent_requests.return_path"))
                .transpose()?,
            expected_person: self.expected_person,
            asked: demand(self.asked_acr, self.asked_max_age, "consent_requests.asked_max_age")?,
            person: self.person,
            state,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

const fn word(state: RequestState) -> &'static str {
    match state {
        RequestState::Requested => "requested",
        RequestState::Allowed(_) => "allowed",
        RequestState::Declined => "declined",
        RequestState::Lapsed => "lapsed",
    }
}

/// Stores a new request. A pushed one has a `request_uri` (RFC 9126), stored hashed, and its expiry.
///
/// # Errors
/// [`StoreError`].
pub fn insert(
    tx: &mut Tx<'_>,
    request: &ConsentRequest,
    pushed: Option<(&str, Timestamp)>,
) -> Result<(), StoreError> {
    let uri_hash = pushed.map(|(uri, _)| tx.keys.lookup.secret(URI_KIND, uri));
    let return_path =
        request.return_path.as_ref().map(|path| to_json(path, "consent_requests.return_path")).transpose()?;
    diesel::insert_into(consent_requests::table)
        .values((
            consent_requests::id.eq(request.id),
            consent_requests::origin.eq(request.origin.as_str()),
            consent_requests::recipient.eq(&request.terms.recipient),
            consent_requests::recipient_name
                .eq(to_json(&request.recipient_name, "consent_requests.recipient_name")?),
            consent_requests::terms.eq(to_json(&request.terms, "consent_requests.terms")?),
            consent_requests::declared_use
                .eq(to_json(&request.declared_use, "consent_requests.declared_use")?),
            consent_requests::return_path.eq(return_path),
            consent_requests::expected_person.eq(request.expected_person.as_deref()),
            consent_requests::person.eq(request.person),
            consent_requests::request_uri_hash.eq(uri_hash),
            consent_requests::request_uri_expires_at.eq(pushed.map(|(_, expires)| expires)),
            consent_requests::state.eq(word(request.state)),
            consent_requests::created_at.eq(request.created_at),
            consent_requests::expires_at.eq(request.expires_at),
            consent_requests::asked_acr.eq(request.asked.acr.as_deref()),
            consent_requests::asked_max_age.eq(request.asked.max_age.map(i64::from)),
            consent_requests::action.eq(request.replaces.map(|(how, _)| how.as_str())),
            consent_requests::replaces.eq(request.replaces.map(|(_, consent)| consent)),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The number of undecided requests that a recipient has pushed; only those for one expected person if `expected` is
/// given.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count_open_pushed(
    reader: &mut Reader<'_>,
    recipient: &EntityId,
    expected: Option<&[u8]>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let open = consent_requests::table
        .filter(is_open())
        .filter(consent_requests::expires_at.gt(now))
        .filter(consent_requests::recipient.eq(recipient))
        .filter(consent_requests::origin.eq(Origin::Pushed.as_str()));
    let count: i64 = match expected {
        None => open.count().get_result(reader.db)?,
        Some(expected) => {
            open.filter(consent_requests::expected_person.eq(expected)).count().get_result(reader.db)?
        }
    };
    u64::try_from(count).map_err(|_| StoreError::Corrupt("consent_requests"))
}

/// The number of undecided requests that a resident has begun in the portal.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count_open_begun(
    reader: &mut Reader<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let count: i64 = consent_requests::table
        .filter(is_open())
        .filter(consent_requests::expires_at.gt(now))
        .filter(consent_requests::person.eq(person))
        .filter(consent_requests::origin.eq(Origin::Portal.as_str()))
        .count()
        .get_result(reader.db)?;
    u64::try_from(count).map_err(|_| StoreError::Corrupt("consent_requests"))
}

/// A request by id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, id: RequestId) -> Result<ConsentRequest, StoreError> {
    let row: Row = consent_requests::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    row.into_request()
}

/// The request that led to a consent.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn of_consent(reader: &mut Reader<'_>, consent: ConsentId) -> Result<ConsentRequest, StoreError> {
    use crate::store::engine::schema::consents;
    let id: RequestId = consents::table.find(consent).select(consents::request).get_result(reader.db)?;
    find(reader, id)
}

/// The request behind an unused `request_uri`, for its own client only (RFC 9126 §4).
///
/// # Errors
/// [`StoreError::NotFound`] when it is unknown, another client's, expired or used, without distinction.
pub fn by_request_uri(
    reader: &mut Reader<'_>,
    request_uri: &str,
    client: &EntityId,
    now: Timestamp,
) -> Result<ConsentRequest, StoreError> {
    let hash = reader.keys.lookup.secret(URI_KIND, request_uri);
    let row: Row = consent_requests::table
        .filter(consent_requests::request_uri_hash.eq(hash))
        .filter(consent_requests::recipient.eq(client))
        .filter(consent_requests::request_uri_expires_at.gt(now))
        .filter(consent_requests::request_uri_used_at.is_null())
        .filter(consent_requests::state.eq(word(RequestState::Requested)))
        .select(Row::as_select())
        .first(reader.db)?;
    row.into_request()
}

/// Assigns a request to the resident whose browser presented its `request_uri`, and uses that up (RFC 9126 §7.3). A
/// login may take longer than the URI is valid.
///
/// # Errors
/// [`StoreError::Conflict`] when it was opened before, or belongs to somebody else.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    id: RequestId,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        consent_requests::table
            .find(id)
            .filter(consent_requests::request_uri_used_at.is_null())
            .filter(consent_requests::person.is_null().or(consent_requests::person.eq(person))),
    )
    .set((consent_requests::request_uri_used_at.eq(now), consent_requests::person.eq(person)))
    .execute(tx.db)?;
    exactly_one(changed, StoreError::Conflict)
}

/// Assigns a request to the resident who decides on it.
///
/// # Errors
/// [`StoreError::Conflict`] when it belongs to somebody else.
pub(crate) fn bind_person(tx: &mut Tx<'_>, id: RequestId, person: PersonId) -> Result<(), StoreError> {
    let changed = diesel::update(
        consent_requests::table
            .find(id)
            .filter(consent_requests::person.is_null().or(consent_requests::person.eq(person))),
    )
    .set(consent_requests::person.eq(person))
    .execute(tx.db)?;
    exactly_one(changed, StoreError::Conflict)
}

/// Stores a decision, sealed, while it waits for the login provider's signature. A later decision replaces it.
///
/// # Errors
/// [`StoreError::NotFound`] when the request is no longer open.
pub(crate) fn keep_pending(
    tx: &mut Tx<'_>,
    id: RequestId,
    decision: &PendingDecision,
) -> Result<(), StoreError> {
    let text = to_json(decision, "consent_requests.pending_decision")?;
    let sealed =
        tx.keys.sealer.seal(column!(consent_requests.pending_decision), id.as_bytes(), text.as_bytes())?;
    let changed = diesel::update(
        consent_requests::table.find(id).filter(consent_requests::state.eq(word(RequestState::Requested))),
    )
    .set(consent_requests::pending_decision.eq(sealed))
    .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// The decision that waits for its signature.
///
/// # Errors
/// [`StoreError::NotFound`] when none waits.
pub(crate) fn pending(reader: &mut Reader<'_>, id: RequestId) -> Result<PendingDecision, StoreError> {
    let sealed: Option<Vec<u8>> =
        consent_requests::table.find(id).select(consent_requests::pending_decision).get_result(reader.db)?;
    let text = reader.keys.sealer.open_text(
        column!(consent_requests.pending_decision),
        id.as_bytes(),
        &sealed.ok_or(StoreError::NotFound)?,
    )?;
    from_json(&text, "consent_requests.pending_decision")
}

/// Ends an open request and deletes its pending decision.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not open any more: a request is decided once.
pub fn conclude(
    tx: &mut Tx<'_>,
    id: RequestId,
    state: RequestState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let consent = match state {
        RequestState::Allowed(consent) => Some(consent),
        RequestState::Requested => return Err(StoreError::Rule("a request cannot end as open")),
        RequestState::Declined | RequestState::Lapsed => None,
    };
    let changed = diesel::update(
        consent_requests::table.find(id).filter(consent_requests::state.eq(word(RequestState::Requested))),
    )
    .set((
        consent_requests::state.eq(word(state)),
        consent_requests::consent.eq(consent),
        consent_requests::pending_decision.eq(None::<Vec<u8>>),
        consent_requests::ended_at.eq(now),
    ))
    .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// Declines an open request because of a standing denial of the resident to whom it belongs.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not open any more.
pub(crate) fn deny(
    tx: &mut Tx<'_>,
    id: RequestId,
    person: PersonId,
    by: DenialKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    conclude(tx, id, RequestState::Declined, now)?;
    diesel::update(consent_requests::table.find(id))
        .set((consent_requests::denied_by.eq(by.as_str()), consent_requests::person.eq(person)))
        .execute(tx.db)?;
    Ok(())
}

/// A person's requests that a standing denial declined, with when, latest first: those that come after a moment and
/// request of their log.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn denied_behind(
    reader: &mut Reader<'_>,
    person: PersonId,
    (at, request): (Timestamp, RequestId),
    limit: u32,
) -> Result<Vec<(ConsentRequest, Timestamp)>, StoreError> {
    let rows: Vec<(Row, Option<Timestamp>)> = consent_requests::table
        .filter(consent_requests::person.eq(person).and(consent_requests::denied_by.is_not_null()))
        .filter(consent_requests::ended_at.le(at))
        .filter(consent_requests::ended_at.lt(at).or(consent_requests::id.nullable().lt(request)))
        .order((consent_requests::ended_at.desc(), consent_requests::id.desc()))
        .limit(i64::from(limit))
        .select((Row::as_select(), consent_requests::ended_at))
        .load(reader.db)?;
    rows.into_iter().filter_map(|(row, ended)| ended.map(|ended| Ok((row.into_request()?, ended)))).collect()
}

/// The open requests that wait for a resident, oldest first: those they have opened, and those whose service expects
/// them.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn waiting_for(
    reader: &mut Reader<'_>,
    person: &Person,
    now: Timestamp,
) -> Result<Vec<ConsentRequest>, StoreError> {
    let theirs = consent_requests::person.eq(person.id).or(consent_requests::person
        .is_null()
        .and(consent_requests::expected_person.eq(person.identifier_hash)));
    let rows: Vec<Row> = consent_requests::table
        .filter(is_open())
        .filter(consent_requests::expires_at.gt(now))
        .filter(theirs.assume_not_null())
        .order((consent_requests::created_at, consent_requests::id))
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(Row::into_request).collect()
}

/// Ends open requests whose time is over, the oldest first. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn lapse_due(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let due: Vec<RequestId> = consent_requests::table
        .filter(is_open())
        .filter(consent_requests::expires_at.le(now))
        .order(consent_requests::expires_at)
        .limit(i64::from(limit))
        .select(consent_requests::id)
        .load(tx.db)?;
    let open = consent_requests::state.eq(word(RequestState::Requested));
    Ok(diesel::update(consent_requests::table.filter(consent_requests::id.eq_any(due)).filter(open))
        .set((
            consent_requests::state.eq(word(RequestState::Lapsed)),
            consent_requests::pending_decision.eq(None::<Vec<u8>>),
            consent_requests::ended_at.eq(now),
        ))
        .execute(tx.db)?)
}

/// Deletes requests that lapsed before a moment: nobody decided them. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn delete_lapsed(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "consent_requests", key "id", while "ended_at < $1 AND consent IS NULL AND state = 'lapsed'", by "ended_at", before, limit
    )
}

/// Deletes the expected person of a request that led to a consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn erase_person(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    use crate::store::engine::schema::consents;
    let own = consents::table.find(consent).select(consents::request);
    diesel::update(consent_requests::table.filter(consent_requests::id.eq_any(own)))
        .set((
            consent_requests::expected_person.eq(None::<KeyedHash>),
            consent_requests::person.eq(None::<PersonId>),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// Deletes requests that ended without a consent before a moment. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn delete_ended(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let over: Vec<RequestId> = consent_requests::table
        .filter(consent_requests::consent.is_null().and(consent_requests::ended_at.lt(before)))
        .order(consent_requests::ended_at)
        .limit(i64::from(limit))
        .select(consent_requests::id)
        .load(tx.db)?;
    Ok(diesel::delete(consent_requests::table.filter(consent_requests::id.eq_any(over))).execute(tx.db)?)
}
