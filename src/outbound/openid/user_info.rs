//! UserInfo (OpenID Connect Core 1.0 §5.3): claims that the ID token lacks, as JSON or as a signed and encrypted JWT.

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::OAuth2TokenResponse;
use openidconnect::core::CoreTokenType;
use serde_json::{Map, Value};

use super::client::TokenAnswer;
use super::documents::Documents;
use super::{OpenIdProvider, id_token};
use crate::domain::clock::Timestamp;
use crate::domain::jose;
use crate::domain::login::LoginError;

impl OpenIdProvider {
    /// The claims of UserInfo, which must have the same `sub`.
    pub(super) async fn user_info(
        &self,
        documents: &Arc<Documents>,
        answer: &TokenAnswer,
        subject: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, LoginError> {
        let endpoint = documents.metadata.userinfo_endpoint.as_ref().ok_or(LoginError::NoIdentifier)?;
        // RFC 6749 §7.1: a token of an unknown type is not used.
        if *answer.token_type() != CoreTokenType::Bearer {
            return Err(LoginError::Invalid("token_type"));
        }
        let accept = match self.settings.messages.encrypted_responses {
            true => "application/jwt",
            false => "application/json, application/jwt;q=0.9",
        };
        let request = http::Request::get(endpoint.as_str())
            .header(ACCEPT, accept)
            .header(AUTHORIZATION, format!("Bearer {}", answer.access_token().secret()))
            .body(Vec::new())
            .map_err(|_| LoginError::ProviderUnavailable)?;
        let response = self.http.send(request).await.map_err(|error| {
            tracing::warn!(
                event = "login_provider_user_info_unreachable",
                %error,
                "the login provider's UserInfo endpoint does not answer"
            );
            LoginError::ProviderUnavailable
        })?;
        if response.status() != http::StatusCode::OK {
            tracing::warn!(
                event = "login_provider_user_info_refused",
                status = response.status().as_u16(),
                "the login provider's UserInfo endpoint refuses this node"
            );
            return Err(LoginError::ProviderUnavailable);
        }
        let claims = if is_jwt(&response) {
            let text = std::str::from_utf8(response.body()).map_err(|_| LoginError::Invalid("userinfo"))?;
            self.signed_claims(documents, text.trim(), now).await?
        } else if self.settings.messages.encrypted_responses {
            return Err(LoginError::Invalid("encryption"));
        } else {
            match jose::parse_strict_json(response.body()) {
                Ok(Value::Object(claims)) => claims,
                _ => return Err(LoginError::ProviderUnavailable),
            }
        };
        // Without this comparison, a response about someone else could be substituted (§5.3.2).
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(LoginError::Invalid("userinfo sub"));
        }
        Ok(claims)
    }

    /// A signed response names its provider and its client (§5.3.2): one for another client is refused.
    async fn signed_claims(
        &self,
        documents: &Arc<Documents>,
        text: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, LoginError> {
        let signed = self.decrypted(text).await?;
        let (jwt, key, _) = self.with_key(Arc::clone(documents), &signed, now).await?;
        let claims = jwt.verify(&key).map_err(id_token::form_error)?;
        let named = |name: &str, expected: &str| match claims.get(name) {
            None => true,
            Some(Value::Array(all)) => all.iter().any(|one| one == expected),
            Some(one) => one == expected,
        };
        if !named("iss", &self.settings.issuer) {
            return Err(LoginError::Invalid("userinfo iss"));
        }
        if !named("aud", &self.settings.client_id) {
            return Err(LoginError::Invalid("userinfo aud"));
        }
        Ok(claims)
    }
}

fn is_jwt(response: &http::Response<Vec<u8>>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/jwt")
}
