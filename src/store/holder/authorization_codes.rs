//! One-time codes that a recipient redeems for a consent token: authorization codes and pre-authorised codes.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, EntityId, Thumbprint};
use crate::domain::word_enum::word_enum;
use crate::store::engine::columns::word_column;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::authorization_codes;
use crate::store::{Reader, StoreError, Tx};

const KIND: &str = "authorization-code";

word_enum! {
    /// How a code reached the recipient.
    pub(crate) enum CodeKind {
        /// Through the browser (RFC 6749 §4.1.2).
        Code = "code",
        /// In an event (OpenID4VCI's `pre-authorized_code`).
        PreAuthorized = "pre_authorized_code",
    }
}

word_column!(CodeKind);

/// A code and what it was issued for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = authorization_codes)]
pub(crate) struct Code {
    /// How it reached the recipient.
    pub(crate) kind: CodeKind,
    /// The consent that it was issued for.
    pub(crate) consent: ConsentId,
    /// The only client that may redeem it.
    pub(crate) client: EntityId,
    /// Must be repeated at the token endpoint.
    pub(crate) redirect_uri: Option<String>,
    /// PKCE S256.
    pub(crate) code_challenge: Option<String>,
    /// The key that it is bound to (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<Thumbprint>,
    /// Not redeemable from then on.
    pub(crate) expires_at: Timestamp,
}

/// The result of redeeming a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Redeemed {
    /// Used for the first time.
    Fresh(Code),
    /// Used before: its tokens must be revoked (RFC 6749 §4.1.2), and that change committed.
    Replayed(Code),
}

/// Stores a code, hashed.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, text: &str, code: &Code, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(authorization_codes::table)
        .values((
            authorization_codes::code_hash.eq(tx.keys.lookup.secret(KIND, text)),
            authorization_codes::kind.eq(code.kind),
            authorization_codes::consent.eq(code.consent),
            authorization_codes::client.eq(&code.client),
            authorization_codes::redirect_uri.eq(code.redirect_uri.as_deref()),
            authorization_codes::code_challenge.eq(code.code_challenge.as_deref()),
            authorization_codes::dpop_jkt.eq(code.dpop_jkt.clone()),
            authorization_codes::created_at.eq(now),
            authorization_codes::expires_at.eq(code.expires_at),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// Redeems a code. Another client's attempt neither redeems it nor learns that it exists.
///
/// # Errors
/// [`StoreError::NotFound`] when it is unknown, another client's, or expired unused.
pub(crate) fn redeem(
    tx: &mut Tx<'_>,
    text: &str,
    client: &EntityId,
    now: Timestamp,
) -> Result<Redeemed, StoreError> {
    let hash = tx.keys.lookup.secret(KIND, text);
    let (code, used_at): (Code, Option<Timestamp>) = authorization_codes::table
        .find(hash)
        .filter(authorization_codes::client.eq(client))
        .select((Code::as_select(), authorization_codes::used_at))
        .first(tx.db)?;
    if used_at.is_some() {
        return Ok(Redeemed::Replayed(code));
    }
    if code.expires_at <= now {
        return Err(StoreError::NotFound);
    }
    diesel::update(authorization_codes::table.find(hash))
        .set(authorization_codes::used_at.eq(now))
        .execute(tx.db)?;
    Ok(Redeemed::Fresh(code))
}

/// Consents in force whose code expired unredeemed: their recipients have no token.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn unredeemed(
    reader: &mut Reader<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ConsentId>, StoreError> {
    use crate::store::engine::schema::consents;
    Ok(authorization_codes::table
        .inner_join(consents::table.on(authorization_codes::consent.eq(consents::id)))
        .filter(authorization_codes::used_at.is_null().and(authorization_codes::expires_at.le(now)))
        .filter(consents::ended_at.is_null())
        .limit(i64::from(limit))
        .select(authorization_codes::consent)
        .load(reader.db)?)
}

/// Deletes codes that expired before a moment. Returns how many. A replay after that looks like an unknown code.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "authorization_codes", key "code_hash", while "expires_at < $1", by "expires_at", before, limit
    )
}
