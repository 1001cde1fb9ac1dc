//! The consent tokens that the holder has issued, and their refresh tokens. The tokens themselves are not stored.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, EntityId, Jti, Thumbprint};
use crate::store::engine::schema::{issued_tokens, refresh_tokens};
use crate::store::{Reader, StoreError, Tx};

const KIND: &str = "refresh-token";

/// A consent token as issued.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = issued_tokens)]
pub(crate) struct IssuedToken {
    /// `jti`.
    pub(crate) jti: Jti,
    pub(crate) consent: ConsentId,
    /// The key that it is bound to (`cnf.jkt`).
    pub(crate) jkt: Thumbprint,
    /// `iat`.
    pub(crate) iat: Timestamp,
    /// `exp`.
    pub(crate) exp: Timestamp,
}

/// Records a token that is being issued.
///
/// # Errors
/// [`StoreError::Conflict`] when its `jti` is taken.
pub(crate) fn insert(tx: &mut Tx<'_>, token: &IssuedToken) -> Result<(), StoreError> {
    diesel::insert_into(issued_tokens::table)
        .values((
            issued_tokens::jti.eq(&token.jti),
            issued_tokens::consent.eq(token.consent),
            issued_tokens::jkt.eq(&token.jkt),
            issued_tokens::iat.eq(token.iat),
            issued_tokens::exp.eq(token.exp),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// An issued token; its consent may have ended.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find(reader: &mut Reader<'_>, jti: &Jti) -> Result<IssuedToken, StoreError> {
    Ok(issued_tokens::table.find(jti).select(IssuedToken::as_select()).get_result(reader.db)?)
}

/// Whether a token of this consent was issued to this key.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn issued_to(
    reader: &mut Reader<'_>,
    consent: ConsentId,
    jkt: &Thumbprint,
) -> Result<bool, StoreError> {
    let issued =
        issued_tokens::table.filter(issued_tokens::consent.eq(consent).and(issued_tokens::jkt.eq(jkt)));
    Ok(diesel::select(diesel::dsl::exists(issued)).get_result(reader.db)?)
}

/// Stores a refresh token, hashed. It is valid as long as the consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert_refresh(
    tx: &mut Tx<'_>,
    text: &str,
    consent: ConsentId,
    client: &EntityId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(tx.keys.lookup.secret(KIND, text)),
            refresh_tokens::consent.eq(consent),
            refresh_tokens::client.eq(client),
            refresh_tokens::created_at.eq(now),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The consent behind a client's own refresh token.
///
/// # Errors
/// [`StoreError::NotFound`] when it is unknown, or another client's.
pub(crate) fn find_refresh(
    reader: &mut Reader<'_>,
    text: &str,
    client: &EntityId,
) -> Result<ConsentId, StoreError> {
    Ok(refresh_tokens::table
        .find(reader.keys.lookup.secret(KIND, text))
        .filter(refresh_tokens::client.eq(client))
        .select(refresh_tokens::consent)
        .first(reader.db)?)
}

/// Deletes every token of an ended consent.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn forget(tx: &mut Tx<'_>, consent: ConsentId) -> Result<(), StoreError> {
    diesel::delete(issued_tokens::table.filter(issued_tokens::consent.eq(consent))).execute(tx.db)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::consent.eq(consent))).execute(tx.db)?;
    Ok(())
}
