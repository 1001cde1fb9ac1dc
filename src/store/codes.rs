//! One-time codes that a recipient redeems for a consent token: authorization codes and pre-authorised codes.

use diesel::prelude::*;

use super::columns::text_enum;
use super::schema::authorization_codes as codes;
use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::consent::request::ReturnPath;
use crate::domain::ids::{ConsentId, EntityId, Thumbprint};

const KIND: &str = "authorization-code";

/// How a code reaches the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// Through the browser (RFC 6749 §4.1.2).
    Authorization,
    /// In an event (`pre-authorized_code` of OpenID for Verifiable Credential Issuance).
    PreAuthorized,
}

text_enum!(CodeKind { Authorization = "code", PreAuthorized = "pre_authorized_code" });

/// A code that is being given out.
#[derive(Clone, Copy)]
pub struct NewCode<'a> {
    /// The code itself; stored hashed.
    pub code: &'a str,
    /// How it reaches the recipient.
    pub kind: CodeKind,
    /// The consent that it stands for.
    pub consent: ConsentId,
    /// The only client that may redeem it.
    pub client: &'a EntityId,
    /// What must be repeated or proved when it is redeemed.
    pub return_path: Option<&'a ReturnPath>,
    /// Not redeemable from then on.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for NewCode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCode").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = codes)]
pub struct StoredCode {
    /// How it reached the recipient.
    pub kind: CodeKind,
    /// The consent.
    pub consent: ConsentId,
    /// The only client that may redeem it.
    pub client: EntityId,
    /// Must be repeated at the token endpoint.
    pub redirect_uri: Option<String>,
    /// PKCE S256.
    pub code_challenge: Option<String>,
    /// The key that it is bound to (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
    /// Not redeemable from then on.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub used_at: Option<Timestamp>,
}

/// Stores a code, hashed.
///
/// # Errors
/// [`StoreError`].
pub fn insert(tx: &mut Tx<'_>, new: &NewCode<'_>, now: Timestamp) -> Result<(), StoreError> {
    let path = new.return_path;
    diesel::insert_into(codes::table)
        .values((
            codes::code_hash.eq(tx.keys.lookup.secret(KIND, new.code)),
            codes::kind.eq(new.kind),
            codes::consent.eq(new.consent),
            codes::client.eq(new.client),
            codes::redirect_uri.eq(path.map(|path| path.redirect_uri.as_str())),
            codes::code_challenge.eq(path.map(|path| path.code_challenge.as_str())),
            codes::dpop_jkt.eq(path.and_then(|path| path.dpop_jkt.clone())),
            codes::created_at.eq(now),
            codes::expires_at.eq(new.expires_at),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// What a code stands for, also when it is used or expired.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(reader: &mut Reader<'_>, code: &str) -> Result<StoredCode, StoreError> {
    Ok(codes::table
        .find(reader.keys.lookup.secret(KIND, code))
        .select(StoredCode::as_select())
        .first(reader.db)?)
}

/// Uses a code up. False when it was used before: then what came of it must end (RFC 6749 §4.1.2), and that change be
/// committed.
///
/// # Errors
/// [`StoreError`].
pub fn mark_used(tx: &mut Tx<'_>, code: &str, now: Timestamp) -> Result<bool, StoreError> {
    let hash = tx.keys.lookup.secret(KIND, code);
    let changed = diesel::update(codes::table.find(hash).filter(codes::used_at.is_null()))
        .set(codes::used_at.eq(now))
        .execute(tx.db)?;
    Ok(changed == 1)
}

/// Forgets codes that expired before a moment. Returns how many. A replay after that looks like an unknown code.
///
/// # Errors
/// [`StoreError`].
pub fn purge(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    Ok(diesel::delete(codes::table.filter(codes::expires_at.lt(before))).execute(tx.db)?)
}
