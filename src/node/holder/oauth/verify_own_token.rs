//! This holder's own consent tokens, from text to [`AuthenticToken`], including tokens of retired or revoked keys.

use crate::domain::clock::Timestamp;
use crate::domain::token::{
    AuthenticToken, IssueRecord, Refusal, RefusalReason, SuspectToken, UnverifiedToken,
};
use crate::node::{KeyPurpose, Node};
use crate::store::StoreError;
use crate::store::holder::{consents, tokens};

/// Checks format, issuer, signature and claims of a token (steps 1 to 3 of an exchange).
///
/// Retired keys verify for ever. For a revoked one, this node's own record of issuing the token decides.
///
/// # Errors
/// [`Refusal`] `invalid_token`, 431, or 503 when the keys or the record are not available.
pub(crate) async fn open_token(node: &Node, text: &str, now: Timestamp) -> Result<AuthenticToken, Refusal> {
    let policy = &node.settings.token_policy;
    let unverified = UnverifiedToken::parse(text, policy)?;
    let kid = unverified.kid().cloned();
    let mut keys = node.keys.verifying(KeyPurpose::Token);
    let Some(kid) = kid.filter(|kid| keys.find(kid).is_none()) else {
        return unverified.verify(policy, &keys, now);
    };
    let unavailable = |error: StoreError| {
        tracing::warn!(event = "keys_unavailable", %error, "the signing keys cannot be consulted");
        Refusal::unavailable(RefusalReason::Keys)
    };
    // Another process may have activated a new key just now.
    if node.keys.refresh_if_changed(&node.store, now).await.map_err(unavailable)? {
        keys = node.keys.verifying(KeyPurpose::Token);
    }
    match node.keys.revoked(KeyPurpose::Token, &kid) {
        None => unverified.verify(policy, &keys, now),
        Some(revoked) => {
            let suspect = unverified.verify_with_revoked(policy, revoked.key, revoked.standing, now)?;
            let record = record(node, &suspect).await.map_err(unavailable)?;
            suspect.uphold(record.as_ref())
        }
    }
}

async fn record(node: &Node, suspect: &SuspectToken) -> Result<Option<IssueRecord>, StoreError> {
    let jti = suspect.claims().jti.clone();
    let found = node
        .store
        .read("find_consent_of_token", move |store| {
            let issued = tokens::find(store, &jti)?;
            let grant_id = consents::find(store, issued.consent)?.grant_id;
            Ok(IssueRecord { jti: issued.jti, grant_id, jkt: issued.jkt, iat: issued.iat, exp: issued.exp })
        })
        .await;
    match found {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
