//! Introspection (RFC 7662) and revocation (RFC 7009) by the client that the token was issued to.

use serde::Serialize;

use super::authenticate_client::{ClientCredentials, authenticate_client};
use crate::domain::consent::Consent;
use crate::domain::ids::ConsentId;
use crate::domain::token::{ConsentTokenClaims, RefusalCode};
use crate::node::holder::oauth::verify_own_token::open_token;
use crate::node::holder::permissions::revoke_consent::give_back;
use crate::node::{Node, OAuthError};
use crate::store::StoreError;
use crate::store::holder::{consents, tokens};

/// The introspection response. Inactive tokens are not distinguished (RFC 7662 §2.2).
#[derive(Serialize)]
pub(crate) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    claims: Option<ConsentTokenClaims>,
}

/// Whether a client's token can be used for an exchange now.
///
/// # Errors
/// [`OAuthError`] when the client is not authenticated, or the store is unavailable.
pub(crate) async fn introspect_token(
    node: &Node,
    credentials: &ClientCredentials,
    token: Option<&str>,
) -> Result<Introspection, OAuthError> {
    let known = authenticate_client(node, credentials).await?;
    let token = token.ok_or(OAuthError::request("token is missing"))?;
    let inactive = Introspection { active: false, token_type: None, claims: None };
    let now = node.now();
    let authentic = match open_token(node, token, now).await {
        Ok(authentic) => authentic,
        Err(refusal) if refusal.code == RefusalCode::Unavailable => return Err(refusal.into()),
        Err(_) => return Ok(inactive),
    };
    let claims = authentic.claims().clone();
    if claims.client_id != known.peer().id {
        return Ok(inactive);
    }
    let grant = claims.grant_id.clone();
    let consent: Result<Consent, StoreError> =
        node.store.read("introspect_token", move |store| consents::find_by_grant(store, &grant)).await;
    match consent {
        // A replaced consent has passed its grant on; its token belongs to it alone.
        Ok(consent) if is_of(&claims, &consent) && consent.in_force(now).is_ok() => {
            Ok(Introspection { active: true, token_type: Some("DPoP"), claims: Some(claims) })
        }
        Ok(_) | Err(StoreError::NotFound) => Ok(inactive),
        Err(error) => Err(error.into()),
    }
}

/// Ends a consent because the client revokes its access or refresh token. Unknown tokens are no error (RFC 7009 §2.2).
///
/// # Errors
/// [`OAuthError`] when the client is not authenticated, or the store is unavailable.
pub(crate) async fn revoke_token(
    node: &Node,
    credentials: &ClientCredentials,
    token: Option<&str>,
) -> Result<(), OAuthError> {
    let known = authenticate_client(node, credentials).await?;
    let token = token.ok_or(OAuthError::request("token is missing"))?.to_owned();
    let client = known.peer().id.clone();
    let authentic = match open_token(node, &token, node.now()).await {
        Ok(authentic) => Some(authentic),
        Err(refusal) if refusal.code == RefusalCode::Unavailable => return Err(refusal.into()),
        // A refresh token, or an unknown one.
        Err(_) => None,
    };
    let found: Result<Option<ConsentId>, StoreError> = node
        .store
        .read("find_token_to_revoke", move |store| match authentic {
            Some(authentic) if authentic.claims().client_id == client => {
                let consent = consents::find_by_grant(store, &authentic.claims().grant_id)?;
                Ok(is_of(authentic.claims(), &consent).then_some(consent.id))
            }
            Some(_) => Ok(None),
            None => tokens::find_refresh(store, &token, &client).map(Some),
        })
        .await;
    match found {
        Ok(Some(consent)) => Ok(give_back(node, consent).await?),
        Ok(None) | Err(StoreError::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a token was issued for this consent, and not for a previous one with the same grant.
fn is_of(claims: &ConsentTokenClaims, consent: &Consent) -> bool {
    claims.consent_commitment == consent.commitment.as_str()
}
