//! Consents at their recipient: what services asked for or residents gave, and the tokens that fetch the data.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::consent::held::AWAY_SECS;
use crate::domain::consent::held::FormerGrant;
use crate::domain::consent::{
    Commitment, GrantAction, HeldConsent, HeldGrant, HeldLife, HeldReason, HeldState, HeldStatus, HeldTokens,
    Origin, PendingAuthorization,
};
use crate::domain::ids::{EntityId, GrantId, HeldConsentId, KeyId, NationalIdentifier, ServiceId};
use crate::store::engine::columns::{demand, from_json, to_json};
use crate::store::engine::schema::{deletions, fetches, held_consents};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::holder::consents::GRANT_MARK;
use crate::store::{Reader, StoreError, Tx};

const STATE_KIND: &str = "authorization-state";
const BINDING_KIND: &str = "browser-binding";

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
    grant_id: Option<String>,
    access_token: Option<Vec<u8>>,
    access_expires_at: Option<Timestamp>,
    refresh_token: Option<Vec<u8>>,
    dpop_kid: Option<KeyId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    suspended_at: Option<Timestamp>,
    sequence: i64,
    commitment: Option<String>,
    action: Option<String>,
    replaces: Option<HeldConsentId>,
    asked_acr: Option<String>,
    asked_max_age: Option<i64>,
}

/// A suspended consent is stored as an active one with the moment since when it is held back: it keeps its tokens.
const fn stored_status(held: &HeldConsent) -> HeldStatus {
    match held.status() {
        HeldStatus::Suspended => HeldStatus::Active,
        other => other,
    }
}

fn suspended_at(held: &HeldConsent) -> Option<Timestamp> {
    (held.status() == HeldStatus::Suspended).then_some(held.life.updated_at())
}

/// What the columns say of a grant.
struct GrantColumns {
    grant_id: Option<GrantId>,
    tokens: Option<HeldTokens>,
    commitment: Option<Commitment>,
}

/// The state with what belongs to it; columns that do not fit together do not load.
fn state(
    status: HeldStatus,
    is_suspended: bool,
    reason: Option<HeldReason>,
    grant: GrantColumns,
) -> Option<HeldState> {
    let GrantColumns { grant_id, tokens, commitment } = grant;
    match (status, tokens) {
        (HeldStatus::Requested, None) => Some(HeldState::Requested { reason }),
        (HeldStatus::Given, None) => Some(HeldState::Given { grant_id: grant_id?, reason }),
        (HeldStatus::Active | HeldStatus::Suspended, Some(tokens)) => {
            let grant = HeldGrant { grant_id: grant_id?, tokens, commitment: commitment? };
            Some(if is_suspended || status == HeldStatus::Suspended {
                HeldState::Suspended { grant, reason }
            } else {
                HeldState::Active { grant, reason }
            })
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
        let grant_id = self.grant_id.as_deref().and_then(|grant| grant.split(GRANT_MARK).next());
        let grant_id = grant_id
            .map(GrantId::new)
            .transpose()
            .map_err(|_| StoreError::Corrupt("held_consents.grant_id"))?;
        let reason = self
            .reason
            .map(HeldReason::try_from)
            .transpose()
            .map_err(|_| StoreError::Corrupt("held_consents.reason"))?;
        let commitment = self.commitment.map(Commitment::from_text);
        let grant = GrantColumns { grant_id, tokens, commitment };
        let state = state(status, self.suspended_at.is_some(), reason, grant)
            .ok_or(StoreError::Corrupt("held_consents.state"))?;
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
/// [`StoreError::Conflict`] when this holder's grant is known already.
pub fn insert(tx: &mut Tx<'_>, held: &HeldConsent) -> Result<(), StoreError> {
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
            held_consents::state.eq(stored_status(held).as_str()),
            held_consents::suspended_at.eq(suspended_at(held)),
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

/// Stores what changes in a consent's life: what is allowed, state, grant and tokens. Nothing leaves an end state; a
/// second end changes nothing.
///
/// # Errors
/// [`StoreError::Conflict`] when it has ended meanwhile: tokens that came too late are not kept.
/// [`StoreError::NotFound`] when there is no such consent.
pub fn save(tx: &mut Tx<'_>, held: &HeldConsent) -> Result<(), StoreError> {
    let stored: String = held_consents::table.find(held.id).select(held_consents::state).first(tx.db)?;
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
            held_consents::state.eq(stored_status(held).as_str()),
            held_consents::suspended_at.eq(suspended_at(held)),
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

/// Lets go of the grant's identifier, for the consent that takes the grant over. The consent itself still tells it.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such consent, or it has no grant.
pub fn release_grant_id(tx: &mut Tx<'_>, held: &HeldConsent) -> Result<(), StoreError> {
    let grant = held.life.grant_id().ok_or(StoreError::NotFound)?;
    let marked = format!("{}{GRANT_MARK}{}", grant.as_str(), held.id);
    let holds = held_consents::table.find(held.id).filter(held_consents::grant_id.eq(grant));
    let changed = diesel::update(holds).set(held_consents::grant_id.eq(marked)).execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// How many consents of a holder's residents have been given in its portal since a moment.
///
/// # Errors
/// [`StoreError`].
pub fn count_given(reader: &mut Reader<'_>, holder: &EntityId, since: Timestamp) -> Result<u64, StoreError> {
    let count: i64 = held_consents::table
        .filter(held_consents::holder.eq(holder).and(held_consents::created_at.gt(since)))
        .filter(held_consents::origin.eq(Origin::Portal.as_str()))
        .count()
        .get_result(reader.db)?;
    u64::try_from(count).map_err(|_| StoreError::Corrupt("held_consents"))
}

/// How many of a service's requests are undecided.
///
/// # Errors
/// [`StoreError`].
pub fn count_requested(reader: &mut Reader<'_>, service: &ServiceId) -> Result<u64, StoreError> {
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
    let row: Row = held_consents::table.find(id).select(Row::as_select()).first(reader.db)?;
    row.into_held(reader)
}

/// A consent, and before it those in whose place it came one after the other and that stood after a moment, as far as they
/// rest on the same declared use.
///
/// # Errors
/// [`StoreError`].
pub fn succession(
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

/// A consent by its holder and the identifier that it has there.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_by_grant(
    reader: &mut Reader<'_>,
    holder: &EntityId,
    grant: &GrantId,
) -> Result<HeldConsent, StoreError> {
    let row: Row = held_consents::table
        .filter(held_consents::holder.eq(holder).and(held_consents::grant_id.eq(grant)))
        .select(Row::as_select())
        .first(reader.db)?;
    row.into_held(reader)
}

/// A service's consents, of one state or of all, newest first; those that come after a place in that order.
///
/// # Errors
/// [`StoreError`].
pub fn of_service(
    reader: &mut Reader<'_>,
    service: &ServiceId,
    status: Option<HeldStatus>,
    after: Option<(Timestamp, HeldConsentId)>,
    limit: u32,
) -> Result<Vec<HeldConsent>, StoreError> {
    // Without a place the list begins before every consent there can be.
    let (at, last) =
        after.unwrap_or_else(|| (Timestamp::from_secs(i64::MAX), HeldConsentId::from_bytes([0; 16])));
    let all = held_consents::table
        .filter(held_consents::service.eq(service))
        .filter(
            held_consents::created_at
                .lt(at)
                .or(held_consents::created_at.eq(at).and(held_consents::id.gt(last))),
        )
        .order((held_consents::created_at.desc(), held_consents::id))
        .limit(i64::from(limit))
        .select(Row::as_select());
    let rows: Vec<Row> = match status {
        None => all.load(reader.db)?,
        Some(HeldStatus::Suspended) => {
            all.filter(held_consents::suspended_at.is_not_null()).load(reader.db)?
        }
        Some(status) => all
            .filter(held_consents::state.eq(status.as_str()).and(held_consents::suspended_at.is_null()))
            .load(reader.db)?,
    };
    rows.into_iter().map(|row| row.into_held(reader)).collect()
}

/// Remembers, hashed or sealed, what must fit when the browser comes back from the holder. A second start replaces the
/// first.
///
/// # Errors
/// [`StoreError::NotFound`] when the consent does not wait for a decision.
pub fn set_pending(
    tx: &mut Tx<'_>,
    id: HeldConsentId,
    pending: &PendingAuthorization,
    now: Timestamp,
) -> Result<(), StoreError> {
    let verifier = tx.keys.sealer.seal(
        column!(held_consents.code_verifier),
        id.as_bytes(),
        pending.code_verifier.as_bytes(),
    )?;
    let changed = diesel::update(
        held_consents::table.find(id).filter(held_consents::state.eq(HeldStatus::Requested.as_str())),
    )
    .set((
        held_consents::oauth_state_hash.eq(tx.keys.lookup.secret(STATE_KIND, &pending.state)),
        held_consents::code_verifier.eq(verifier),
        held_consents::browser_binding_hash.eq(tx.keys.lookup.secret(BINDING_KIND, &pending.browser_binding)),
        held_consents::authorization_expires_at.eq(now.plus_secs(AWAY_SECS)),
        held_consents::authorization_dpop_kid.eq(pending.dpop_kid.as_ref()),
        held_consents::updated_at.eq(now),
    ))
    .execute(tx.db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// A consent whose browser is back, with what was remembered for it.
pub struct Returned {
    /// The consent.
    pub held: HeldConsent,
    /// The PKCE verifier.
    pub code_verifier: String,
    /// The DPoP key that the code is bound to.
    pub dpop_kid: Option<KeyId>,
}

/// Takes what was remembered, once. Another browser neither gets nor spoils it.
///
/// # Errors
/// [`StoreError::NotFound`] when state or browser do not fit, or it is too late.
pub fn take_pending(
    tx: &mut Tx<'_>,
    state: &str,
    browser_binding: &str,
    now: Timestamp,
) -> Result<Returned, StoreError> {
    let state = tx.keys.lookup.secret(STATE_KIND, state);
    let binding = tx.keys.lookup.secret(BINDING_KIND, browser_binding);
    let (row, sealed, dpop_kid): (Row, Option<Vec<u8>>, Option<KeyId>) = held_consents::table
        .filter(held_consents::oauth_state_hash.eq(state))
        .filter(held_consents::browser_binding_hash.eq(binding))
        .filter(held_consents::authorization_expires_at.gt(now))
        .filter(held_consents::state.eq(HeldStatus::Requested.as_str()))
        .select((Row::as_select(), held_consents::code_verifier, held_consents::authorization_dpop_kid))
        .first(tx.db)?;
    let id = row.id;
    let verifier = tx.keys.sealer.open_text(
        column!(held_consents.code_verifier),
        id.as_bytes(),
        &sealed.ok_or(StoreError::NotFound)?,
    )?;
    diesel::update(held_consents::table.find(id))
        .set((
            held_consents::oauth_state_hash.eq(None::<KeyedHash>),
            held_consents::code_verifier.eq(None::<Vec<u8>>),
            held_consents::browser_binding_hash.eq(None::<KeyedHash>),
            held_consents::authorization_expires_at.eq(None::<Timestamp>),
        ))
        .execute(tx.db)?;
    Ok(Returned { held: row.into_held(tx)?, code_verifier: verifier.to_string(), dpop_kid })
}

/// Takes what was remembered for one of the bindings that a browser has, once, with the binding that it was.
///
/// # Errors
/// [`StoreError::NotFound`] when state or browser do not fit, or it is too late.
pub fn take_pending_of_any(
    tx: &mut Tx<'_>,
    state: &str,
    browser_bindings: &[String],
    now: Timestamp,
) -> Result<(Returned, String), StoreError> {
    for binding in browser_bindings {
        match take_pending(tx, state, binding, now) {
            Err(StoreError::NotFound) => {}
            found => return found.map(|returned| (returned, binding.clone())),
        }
    }
    Err(StoreError::NotFound)
}

/// Lets the requests lapse that were made before a moment and are still undecided. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub fn lapse_older(tx: &mut Tx<'_>, than: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
    Ok(diesel::update(
        held_consents::table
            .filter(held_consents::state.eq(HeldStatus::Requested.as_str()))
            .filter(held_consents::created_at.lt(than)),
    )
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

/// Erases what could tell a person or a case from consents and requests that ended before a moment: the service's own
/// reference, the expected person, the record of fetches, and confirmed deletions. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub fn erase_ended(
    tx: &mut Tx<'_>,
    before: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let ends = HeldStatus::ENDS.map(HeldStatus::as_str);
    let over: Vec<HeldConsentId> = held_consents::table
        .filter(held_consents::state.eq_any(ends))
        .filter(held_consents::updated_at.lt(before).and(held_consents::erased_at.is_null()))
        .order(held_consents::updated_at)
        .limit(i64::from(limit))
        .select(held_consents::id)
        .load(tx.db)?;
    diesel::delete(fetches::table.filter(fetches::held.eq_any(&over))).execute(tx.db)?;
    diesel::delete(
        deletions::table.filter(deletions::held.eq_any(&over)).filter(deletions::confirmed_at.is_not_null()),
    )
    .execute(tx.db)?;
    Ok(diesel::update(held_consents::table.filter(held_consents::id.eq_any(over)))
        .set((
            held_consents::case_reference.eq(None::<Vec<u8>>),
            held_consents::expected_person.eq(None::<Vec<u8>>),
            held_consents::return_url.eq(None::<String>),
            held_consents::erased_at.eq(now),
        ))
        .execute(tx.db)?)
}
