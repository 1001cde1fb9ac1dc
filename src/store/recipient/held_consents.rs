//! Consents at their recipient: requested by services or given by residents, and their tokens.

mod erasure;
mod pending;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::domain::clock::Timestamp;
use crate::domain::consent::held::FormerGrant;
use crate::domain::consent::{
    Commitment, GrantAction, HeldConsent, HeldGrant, HeldLife, HeldReason, HeldState, HeldStatus, HeldTokens,
    Origin,
};
use crate::domain::ids::{EntityId, GrantId, HeldConsentId, KeyId, NationalIdentifier, ServiceId};
use crate::store::engine::columns::{demand, from_json, to_json};
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::held_consents;
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{Reader, StoreError, Tx};

pub(crate) use erasure::erase_ended;
#[cfg(test)]
pub(crate) use pending::take_pending;
pub(crate) use pending::{Returned, set_pending, take_pending_of_any};

#[derive(Queryable, Selectable)]
#[diesel(table_name = held_consents)]
struct Row {
    id: HeldConsentId,
    origin: String,
    service: ServiceId,
    holder: EntityId,
    detail: String,
    case_reference: Option<Vec<u8>>,
    expected_person: Option<Vec<u8>>,
    return_url: Option<String>,
    state: String,
    reason: Option<String>,
    grant_id: Option<GrantId>,
    access_token: Option<Vec<u8>>,
    access_expires_at: Option<Timestamp>,
    refresh_token: Option<Vec<u8>>,
    dpop_kid: Option<KeyId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    sequence: i64,
    commitment: Option<String>,
    action: Option<String>,
    replaces: Option<HeldConsentId>,
    asked_acr: Option<String>,
    asked_max_age: Option<i64>,
}

struct GrantColumns {
    grant_id: Option<GrantId>,
    tokens: Option<HeldTokens>,
    commitment: Option<Commitment>,
}

/// The state with its data; inconsistent columns do not load.
fn state(status: HeldStatus, reason: Option<HeldReason>, grant: GrantColumns) -> Option<HeldState> {
    let GrantColumns { grant_id, tokens, commitment } = grant;
    match (status, tokens) {
        (HeldStatus::Requested, None) => Some(HeldState::Requested { reason }),
        (HeldStatus::Given, None) => Some(HeldState::Given { grant_id: grant_id?, reason }),
        (HeldStatus::Active, Some(tokens)) => {
            let grant = HeldGrant { grant_id: grant_id?, tokens, commitment: commitment? };
            Some(HeldState::Active { grant, reason })
        }
        (HeldStatus::Suspended, Some(tokens)) => {
            let grant = HeldGrant { grant_id: grant_id?, tokens, commitment: commitment? };
            Some(HeldState::Suspended { grant, reason })
        }
        (HeldStatus::Declined, None) => Some(HeldState::Declined),
        (HeldStatus::Lapsed, None) => Some(HeldState::Lapsed { reason }),
        (HeldStatus::Failed, None) => Some(HeldState::Failed { reason: reason? }),
        (HeldStatus::Ended, None) => {
            let grant = grant_id.map(|grant_id| FormerGrant { grant_id, commitment });
            Some(HeldState::Ended { grant, reason: reason? })
        }
        _ => None,
    }
}

impl Row {
    fn into_held(self, reader: &Reader<'_>) -> Result<HeldConsent, StoreError> {
        let sealer = &reader.keys.sealer;
        let row = self.id.as_bytes();
        let open = |column, sealed: &Option<Vec<u8>>| sealer.open_text_option(column, row, sealed.as_deref());
        let tokens = match (
            open(column!(held_consents.access_token), &self.access_token)?,
            self.access_expires_at,
            self.dpop_kid,
        ) {
            (Some(access_token), Some(expires_at), Some(dpop_kid)) => Some(HeldTokens {
                access_token: access_token.to_string(),
                expires_at,
                refresh_token: open(column!(held_consents.refresh_token), &self.refresh_token)?
                    .map(|token| token.to_string()),
                dpop_kid,
            }),
            (None, None, None) => None,
            _ => return Err(StoreError::Corrupt("held_consents.access_token")),
        };
        let expected_person = open(column!(held_consents.expected_person), &self.expected_person)?
            .map(|person| NationalIdentifier::new(&person))
            .transpose()
            .map_err(|_| StoreError::Corrupt("held_consents.expected_person"))?;
        let status =
            self.state.parse::<HeldStatus>().map_err(|_| StoreError::Corrupt("held_consents.state"))?;
        let reason = self
            .reason
            .map(HeldReason::try_from)
            .transpose()
            .map_err(|_| StoreError::Corrupt("held_consents.reason"))?;
        let commitment = self.commitment.map(Commitment::from_text);
        let grant = GrantColumns { grant_id: self.grant_id, tokens, commitment };
        let state = state(status, reason, grant).ok_or(StoreError::Corrupt("held_consents.state"))?;
        let life = HeldLife::restored(
            state,
            from_json(&self.detail, "held_consents.detail")?,
            u64::try_from(self.sequence).map_err(|_| StoreError::Corrupt("held_consents.sequence"))?,
            self.updated_at,
        );
        let how = self
            .action
            .as_deref()
            .map(|word| word.parse::<GrantAction>().map_err(|_| StoreError::Corrupt("held_consents.action")));
        Ok(HeldConsent {
            case_reference: open(column!(held_consents.case_reference), &self.case_reference)?
                .map(|reference| reference.to_string()),
            id: self.id,
            origin: self.origin.parse::<Origin>().map_err(|_| StoreError::Corrupt("held_consents.origin"))?,
            service: self.service,
            holder: self.holder,
            expected_person,
            asked: demand(self.asked_acr, self.asked_max_age, "held_consents.asked_max_age")?,
            return_url: self.return_url,
            replaces: how.transpose()?.zip(self.replaces),
            created_at: self.created_at,
            life,
        })
    }
}

/// The columns of the tokens: sealed, or all empty.
struct SealedTokens {
    access: Option<Vec<u8>>,
    expires_at: Option<Timestamp>,
    refresh: Option<Vec<u8>>,
    dpop_kid: Option<KeyId>,
}

fn seal_tokens(reader: &Reader<'_>, held: &HeldConsent) -> Result<SealedTokens, StoreError> {
    let (sealer, row) = (&reader.keys.sealer, held.id.as_bytes());
    let tokens = held.life.grant_held().map(|grant| &grant.tokens);
    Ok(SealedTokens {
        access: sealer.seal_option(
            column!(held_consents.access_token),
            row,
            tokens.map(|tokens| tokens.access_token.as_bytes()),
        )?,
        expires_at: tokens.map(|tokens| tokens.expires_at),
        refresh: sealer.seal_option(
            column!(held_consents.refresh_token),
            row,
            tokens.and_then(|tokens| tokens.refresh_token.as_deref()).map(str::as_bytes),
        )?,
        dpop_kid: tokens.map(|tokens| tokens.dpop_kid.clone()),
    })
}

/// Stores a new consent.
///
/// # Errors
/// [`StoreError::Conflict`] when this holder's grant is stored already.
pub(crate) fn insert(tx: &mut Tx<'_>, held: &HeldConsent) -> Result<(), StoreError> {
    let tokens = seal_tokens(tx, held)?;
    let sequence =
        i64::try_from(held.life.sequence()).map_err(|_| StoreError::Rule("held_consents.sequence"))?;
    let (sealer, row) = (&tx.keys.sealer, held.id.as_bytes());
    let case_reference = sealer.seal_option(
        column!(held_consents.case_reference),
        row,
        held.case_reference.as_deref().map(str::as_bytes),
    )?;
    let expected_person = sealer.seal_option(
        column!(held_consents.expected_person),
        row,
        held.expected_person.as_ref().map(|person| person.reveal().as_bytes()),
    )?;
    diesel::insert_into(held_consents::table)
        .values((
            held_consents::id.eq(held.id),
            held_consents::origin.eq(held.origin.as_str()),
            held_consents::service.eq(&held.service),
            held_consents::holder.eq(&held.holder),
            held_consents::detail.eq(to_json(held.life.detail(), "held_consents.detail")?),
            held_consents::case_reference.eq(case_reference),
            held_consents::expected_person.eq(expected_person),
            held_consents::return_url.eq(held.return_url.as_deref()),
            held_consents::state.eq(held.status().as_str()),
            held_consents::sequence.eq(sequence),
            held_consents::commitment.eq(held.life.commitment().map(Commitment::as_str)),
            held_consents::reason.eq(held.life.reason().map(HeldReason::as_str)),
            held_consents::grant_id.eq(held.life.grant_id()),
            held_consents::access_token.eq(tokens.access),
            held_consents::access_expires_at.eq(tokens.expires_at),
            held_consents::refresh_token.eq(tokens.refresh),
            held_consents::dpop_kid.eq(tokens.dpop_kid),
            held_consents::created_at.eq(held.created_at),
            held_consents::updated_at.eq(held.life.updated_at()),
            held_consents::action.eq(held.replaces.map(|(how, _)| how.as_str())),
            held_consents::replaces.eq(held.replaces.map(|(_, replaced)| replaced)),
            held_consents::asked_acr.eq(held.asked.acr.as_deref()),
            held_consents::asked_max_age.eq(held.asked.max_age.map(i64::from)),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// Stores a consent's changes: terms, state, grant and tokens. End states are final; a second end changes nothing.
///
/// # Errors
/// [`StoreError::Conflict`] when it has ended: tokens that arrive late are not stored.
/// [`StoreError::NotFound`] when there is no such consent.
pub fn save(tx: &mut Tx<'_>, held: &HeldConsent) -> Result<(), StoreError> {
    let stored: String = held_consents::table.find(held.id).select(held_consents::state).get_result(tx.db)?;
    let stored = stored.parse::<HeldStatus>().map_err(|_| StoreError::Corrupt("held_consents.state"))?;
    if stored.is_end() {
        return if held.status().is_end() { Ok(()) } else { Err(StoreError::Conflict) };
    }
    let tokens = seal_tokens(tx, held)?;
    let sequence =
        i64::try_from(held.life.sequence()).map_err(|_| StoreError::Rule("held_consents.sequence"))?;
    diesel::update(held_consents::table.find(held.id))
        .set((
            held_consents::detail.eq(to_json(held.life.detail(), "held_consents.detail")?),
            held_consents::state.eq(held.status().as_str()),
            held_consents::sequence.eq(sequence),
            held_consents::commitment.eq(held.life.commitment().map(Commitment::as_str)),
            held_consents::reason.eq(held.life.reason().map(HeldReason::as_str)),
            held_consents::grant_id.eq(held.life.grant_id()),
            held_consents::access_token.eq(tokens.access),
            held_consents::access_expires_at.eq(tokens.expires_at),
            held_consents::refresh_token.eq(tokens.refresh),
            held_consents::dpop_kid.eq(tokens.dpop_kid),
            held_consents::updated_at.eq(held.life.updated_at()),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// Releases the grant for the consent that takes it over: a grant has one consent at a time.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such consent, or it has no grant.
pub(crate) fn supersede(tx: &mut Tx<'_>, held: &HeldConsent, now: Timestamp) -> Result<(), StoreError> {
    let holds = held_consents::table
        .find(held.id)
        .filter(held_consents::grant_id.is_not_null().and(held_consents::superseded_at.is_null()));
    let changed = diesel::update(holds).set(held_consents::superseded_at.eq(now)).execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// The number of consents given in a holder's portal since a moment.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count_given(
    reader: &mut Reader<'_>,
    holder: &EntityId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let count: i64 = held_consents::table
        .filter(held_consents::holder.eq(holder).and(held_consents::created_at.gt(since)))
        // As the partial index says it: no planner can compare a bound value with it.
        .filter(sql::<Bool>("origin = 'portal'"))
        .count()
        .get_result(reader.db)?;
    u64::try_from(count).map_err(|_| StoreError::Corrupt("held_consents"))
}

/// The number of a service's undecided requests.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count_requested(reader: &mut Reader<'_>, service: &ServiceId) -> Result<u64, StoreError> {
    let count: i64 = held_consents::table
        .filter(held_consents::service.eq(service))
        .filter(held_consents::state.eq(HeldStatus::Requested.as_str()))
        .count()
        .get_result(reader.db)?;
    u64::try_from(count).map_err(|_| StoreError::Corrupt("held_consents"))
}

/// A consent by id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, id: HeldConsentId) -> Result<HeldConsent, StoreError> {
    let row: Row = held_consents::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    row.into_held(reader)
}

/// A consent, and the chain of consents that it replaced and that were in force after a moment, if they rest on the
/// same declared use.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn succession(
    reader: &mut Reader<'_>,
    held: &HeldConsent,
    since: Timestamp,
) -> Result<Vec<HeldConsentId>, StoreError> {
    let (mut line, mut before) = (vec![held.id], held.replaces);
    while let Some((_, id)) = before {
        let old = find(reader, id)?;
        if old.life.updated_at() <= since {
            break;
        }
        if old.life.detail().declared_use == held.life.detail().declared_use {
            line.push(id);
        }
        before = old.replaces;
    }
    Ok(line)
}

/// A consent by its holder and its identifier there (`grant_id`).
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find_by_grant(
    reader: &mut Reader<'_>,
    holder: &EntityId,
    grant: &GrantId,
) -> Result<HeldConsent, StoreError> {
    let row: Row = held_consents::table
        .filter(held_consents::holder.eq(holder).and(held_consents::grant_id.eq(grant)))
        .filter(held_consents::superseded_at.is_null())
        .select(Row::as_select())
        .first(reader.db)?;
    row.into_held(reader)
}

/// The holders of consents that have not ended.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn holders(reader: &mut Reader<'_>) -> Result<Vec<EntityId>, StoreError> {
    let going_on = [HeldStatus::Given, HeldStatus::Active, HeldStatus::Suspended].map(HeldStatus::as_str);
    Ok(held_consents::table
        .filter(held_consents::state.eq_any(going_on))
        .select(held_consents::holder)
        .distinct()
        .order(held_consents::holder)
        .load(reader.db)?)
}

/// All consents of a holder, except what was erased.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_holder(reader: &mut Reader<'_>, holder: &EntityId) -> Result<Vec<HeldConsent>, StoreError> {
    let rows: Vec<Row> = held_consents::table
        .filter(held_consents::holder.eq(holder).and(held_consents::erased_at.is_null()))
        .order(held_consents::created_at)
        .select(Row::as_select())
        .load(reader.db)?;
    rows.into_iter().map(|row| row.into_held(reader)).collect()
}

/// A service's consents, of one state or of all, newest first, after a given position.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn of_service(
    reader: &mut Reader<'_>,
    service: &ServiceId,
    status: Option<HeldStatus>,
    after: Option<(Timestamp, HeldConsentId)>,
    limit: u32,
) -> Result<Vec<HeldConsent>, StoreError> {
    // Without a position the list begins before every possible consent.
    let (at, last) =
        after.unwrap_or_else(|| (Timestamp::from_secs(i64::MAX), HeldConsentId::from_bytes([0; 16])));
    let all = held_consents::table
        .filter(held_consents::service.eq(service))
        .filter(held_consents::created_at.le(at))
        .filter(held_consents::created_at.lt(at).or(held_consents::id.gt(last)))
        .order((held_consents::created_at.desc(), held_consents::id))
        .limit(i64::from(limit))
        .select(Row::as_select());
    let rows: Vec<Row> = match status {
        None => all.load(reader.db)?,
        Some(status) => all.filter(held_consents::state.eq(status.as_str())).load(reader.db)?,
    };
    rows.into_iter().map(|row| row.into_held(reader)).collect()
}

/// Lets requests lapse that were made before a moment and are still undecided, the oldest first. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn lapse_older(
    tx: &mut Tx<'_>,
    than: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let due: Vec<HeldConsentId> = held_consents::table
        .filter(sql::<Bool>("state = 'requested'"))
        .filter(held_consents::created_at.lt(than))
        .order(held_consents::created_at)
        .limit(i64::from(limit))
        .select(held_consents::id)
        .load(tx.db)?;
    let undecided = held_consents::state.eq(HeldStatus::Requested.as_str());
    Ok(diesel::update(held_consents::table.filter(held_consents::id.eq_any(due)).filter(undecided))
        .set((
            held_consents::state.eq(HeldStatus::Lapsed.as_str()),
            held_consents::oauth_state_hash.eq(None::<KeyedHash>),
            held_consents::code_verifier.eq(None::<Vec<u8>>),
            held_consents::browser_binding_hash.eq(None::<KeyedHash>),
            held_consents::authorization_expires_at.eq(None::<Timestamp>),
            held_consents::updated_at.eq(now),
        ))
        .execute(tx.db)?)
}
