//! The token endpoint (OpenID Connect Core 1.0 §3.1.3): client authentication and code exchange.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{AuthorizationCode, PkceCodeVerifier, RequestTokenError};
use serde_json::{Map, Value, json};

use super::OpenIdProvider;
use super::client::TokenAnswer;
use super::documents::Documents;
use super::settings::ClientKeySource;
use crate::domain::clock::Timestamp;
use crate::domain::jose;
use crate::domain::login::{LoginError, PendingLogin};
use crate::ports::random;

/// `client_assertion_type` (RFC 7523 §2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a client assertion is valid, in seconds.
const ASSERTION_SECS: i64 = 60;

impl OpenIdProvider {
    pub(super) async fn redeem(
        &self,
        documents: &Documents,
        code: &str,
        pending: &PendingLogin,
        now: Timestamp,
    ) -> Result<TokenAnswer, LoginError> {
        let client = self.client(documents);
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(pending.code_verifier.clone()));
        if let Some(source) = self.settings.authentication.keys() {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", self.assertion(source, now).await?);
        }
        request.request_async(&self.http.as_function()).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer)
                if *answer.error() == CoreErrorResponseType::InvalidGrant =>
            {
                LoginError::Invalid("code")
            }
            RequestTokenError::ServerResponse(answer) => {
                tracing::warn!(
                    event = "login_provider_token_refused",
                    error = known_error(answer.error()),
                    "the login provider refuses this node at its token endpoint"
                );
                LoginError::ProviderUnavailable
            }
            // A token endpoint answered, with a malformed ID token.
            RequestTokenError::Parse(_, body) if has_id_token(&body) => LoginError::Invalid("id_token"),
            RequestTokenError::Request(error) => {
                tracing::warn!(
                    event = "login_provider_token_unreachable",
                    %error,
                    "the login provider's token endpoint does not answer"
                );
                LoginError::ProviderUnavailable
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                tracing::warn!(
                    event = "login_provider_token_answer_malformed",
                    "the login provider's token endpoint did not answer with an access token"
                );
                LoginError::ProviderUnavailable
            }
        })
    }

    /// A client assertion (RFC 7523), with the provider's issuer as its only audience.
    async fn assertion(&self, source: &dyn ClientKeySource, now: Timestamp) -> Result<String, LoginError> {
        let key = source.active_client_key().await.ok_or(LoginError::ProviderUnavailable)?;
        let claims = json!({
            "iss": self.settings.client_id,
            "sub": self.settings.client_id,
            "aud": self.settings.issuer,
            "iat": now.secs(),
            "exp": now.plus_secs(ASSERTION_SECS).secs(),
            "jti": jose::b64url(&random::<16>(self.entropy.as_ref())),
        });
        key.sign(jose::PLAIN_JWT, &claims).map_err(|_| LoginError::ProviderUnavailable)
    }
}

/// The code of an error response for the log (RFC 6749 §5.2). Any other text may contain anything and is not logged.
const fn known_error(error: &CoreErrorResponseType) -> &'static str {
    match error {
        CoreErrorResponseType::InvalidClient => "invalid_client",
        CoreErrorResponseType::InvalidRequest => "invalid_request",
        CoreErrorResponseType::InvalidScope => "invalid_scope",
        CoreErrorResponseType::UnauthorizedClient => "unauthorized_client",
        CoreErrorResponseType::UnsupportedGrantType => "unsupported_grant_type",
        _ => "other",
    }
}

fn has_id_token(body: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(body)
        .is_ok_and(|members| members.contains_key("access_token") && members.contains_key("id_token"))
}
