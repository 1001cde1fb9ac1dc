//! Logging residents in through the city's OpenID provider: the authorization code flow of OpenID Connect Core 1.0 with
//! PKCE (RFC 7636), `state`, `nonce` and the issuer in the answer (RFC 9207).
//!
//! openidconnect carries the protocol; what it leaves open by default (`iat`, `acr`, `auth_time`, `azp`, the key that
//! verified) is decided here. Nothing that a provider or a browser sent appears in an error or a log line.

mod documents;
mod http;
mod id_token;
mod settings;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ::http::header::{ACCEPT, AUTHORIZATION};
use async_trait::async_trait;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreTokenResponse,
};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, LanguageTag, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;
use url::Url;

pub use self::http::ProviderNetwork;
pub use self::settings::{ClientAuthentication, ClientKeySource, OpenIdSettings, OpenIdSettingsError};

use self::documents::{DocumentCache, Documents};
use self::http::Http;
use self::id_token::{CheckedIdToken, Expected, NoKey};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::domain::jose::id_token::ProviderDocuments;
use crate::domain::jose::{self, SigningKey};
use crate::domain::login::{AuthenticatedPerson, Callback, LoginError, LoginStart, PendingLogin};
use crate::http::Route;
use crate::ports::{Clock, Entropy, IdentityProvider, random};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a client assertion holds, in seconds.
const ASSERTION_SECS: i64 = 60;

/// Claims of an ID token that say nothing about a person beyond the provider's own name for them.
const IMPERSONAL_CLAIMS: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
];

/// The city's OpenID provider, seen from this node.
pub struct OpenIdProvider {
    issuer: IssuerUrl,
    client_id: ClientId,
    settings: OpenIdSettings,
    http: Http,
    documents: DocumentCache,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

type ConfiguredClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl OpenIdProvider {
    /// Takes the settings; nothing is fetched before the first login.
    ///
    /// # Errors
    /// [`OpenIdSettingsError`] when the issuer is not an allowed address or no HTTP client can be made.
    pub fn new(
        settings: OpenIdSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenIdSettingsError> {
        Self::over(settings, &Route::default(), clock, entropy)
    }

    /// As [`Self::new`], with requests that leave this machine by a configured route.
    ///
    /// # Errors
    /// As [`Self::new`]; also when proxy or certificates of the route cannot be used.
    pub fn over(
        settings: OpenIdSettings,
        route: &Route,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenIdSettingsError> {
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|_| OpenIdSettingsError::Issuer)?;
        let http = Http::new(settings.network, route).map_err(OpenIdSettingsError::Http)?;
        if !http.allows(issuer.url()) {
            return Err(OpenIdSettingsError::InsecureIssuer);
        }
        Ok(Self {
            client_id: ClientId::new(settings.client_id.clone()),
            documents: DocumentCache::new(settings.issuer.clone()),
            issuer,
            settings,
            http,
            clock,
            entropy,
        })
    }

    fn client(&self, documents: &Documents) -> ConfiguredClient {
        let (method, secret) = match &self.settings.authentication {
            ClientAuthentication::SecretBasic(secret) => (AuthType::BasicAuth, Some(secret)),
            ClientAuthentication::SecretPost(secret) => (AuthType::RequestBody, Some(secret)),
            ClientAuthentication::PrivateKeyJwt(_) => (AuthType::RequestBody, None),
        };
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        CoreClient::from_provider_metadata(documents.metadata.clone(), self.client_id.clone(), secret)
            .set_auth_type(method)
            .set_redirect_uri(RedirectUrl::from_url(self.settings.redirect_url.clone()))
    }

    /// Redeems the code (OpenID Connect Core 1.0 §3.1.3).
    async fn redeem(
        &self,
        documents: &Documents,
        code: &str,
        pending: &PendingLogin,
        now: Timestamp,
    ) -> Result<CoreTokenResponse, LoginError> {
        let client = self.client(documents);
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| LoginError::ProviderUnavailable)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.code_verifier.clone()));
        if let ClientAuthentication::PrivateKeyJwt(source) = &self.settings.authentication {
            let key = source.active_client_key().await.ok_or(LoginError::ProviderUnavailable)?;
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", self.assertion(&key, now)?);
        }
        request.request_async(&self.http.as_function()).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer)
                if *answer.error() == CoreErrorResponseType::InvalidGrant =>
            {
                LoginError::Invalid("code")
            }
            RequestTokenError::ServerResponse(answer) => {
                tracing::warn!(error = ?answer.error(), "the login provider refuses this node at its token endpoint");
                LoginError::ProviderUnavailable
            }
            // A token endpoint answered, with an ID token that is none.
            RequestTokenError::Parse(_, body) if has_id_token(&body) => LoginError::Invalid("id_token"),
            RequestTokenError::Request(error) => {
                tracing::warn!(%error, "the login provider's token endpoint does not answer");
                LoginError::ProviderUnavailable
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                tracing::warn!("the login provider's token endpoint does not answer as it should");
                LoginError::ProviderUnavailable
            }
        })
    }

    /// A client assertion (RFC 7523), for the provider's issuer as its only audience.
    fn assertion(&self, key: &SigningKey, now: Timestamp) -> Result<String, LoginError> {
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

    /// Checks the ID token with the provider's keys, newer ones where it names a key that is not known yet.
    async fn check(
        &self,
        documents: Arc<Documents>,
        answer: &CoreTokenResponse,
        pending: &PendingLogin,
        now: Timestamp,
    ) -> Result<(CheckedIdToken, ProviderDocuments), LoginError> {
        let token = answer.id_token().ok_or(LoginError::Invalid("id_token"))?;
        let mut documents = documents;
        let mut key = id_token::find_key(token, &documents.keys);
        if matches!(key, Err(NoKey::Unknown)) {
            documents = self.documents.with_newer_keys(&self.http, &documents, now).await?;
            key = id_token::find_key(token, &documents.keys);
        }
        let key = key.map_err(|why| match why {
            NoKey::Unknown => LoginError::Invalid("kid"),
            NoKey::Refused(error) => error,
        })?;
        let expected = Expected { issuer: &self.issuer, client_id: &self.client_id, pending, now };
        Ok((id_token::check(token, key, &expected)?, documents.to_keep()))
    }

    /// The claims at UserInfo (OpenID Connect Core 1.0 §5.3), which must be about the same person.
    async fn user_info(
        &self,
        documents: &Documents,
        access_token: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, LoginError> {
        let endpoint = documents.metadata.userinfo_endpoint().ok_or(LoginError::NoIdentifier)?;
        let request = ::http::Request::get(endpoint.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
            .body(Vec::new())
            .map_err(|_| LoginError::ProviderUnavailable)?;
        let response = self.http.send(request).await.map_err(|error| {
            tracing::warn!(%error, "the login provider's UserInfo endpoint does not answer");
            LoginError::ProviderUnavailable
        })?;
        if response.status() != ::http::StatusCode::OK {
            tracing::warn!(
                status = response.status().as_u16(),
                "the login provider's UserInfo endpoint refuses"
            );
            return Err(LoginError::ProviderUnavailable);
        }
        let Ok(Value::Object(claims)) = jose::parse_strict_json(response.body()) else {
            return Err(LoginError::ProviderUnavailable);
        };
        // Without this comparison, an answer about someone else could be slipped in (§5.3.2).
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(LoginError::Invalid("userinfo sub"));
        }
        Ok(claims)
    }

    /// Whether an ID token may stand in an address: only when nothing in it tells who the person is.
    fn is_impersonal(id_token: &str) -> bool {
        id_token
            .split('.')
            .nth(1)
            .and_then(id_token::decoded)
            .is_some_and(|claims| claims.keys().all(|name| IMPERSONAL_CLAIMS.contains(&name.as_str())))
    }
}

#[async_trait]
impl IdentityProvider for OpenIdProvider {
    async fn begin(&self, start: LoginStart) -> Result<(Url, PendingLogin), LoginError> {
        // openidconnect panics at a verifier of another length (RFC 7636 §4.1).
        if !(43..=128).contains(&start.code_verifier.len()) {
            return Err(LoginError::Invalid("code_verifier"));
        }
        let now = self.clock.now();
        let documents = self.documents.get(&self.http, now).await?;
        let client = self.client(&documents);
        let (state, nonce) = (start.state.clone(), start.nonce.clone());
        let verifier = PkceCodeVerifier::new(start.code_verifier.clone());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(self.settings.scopes.iter().map(|scope| Scope::new(scope.clone())))
            .add_ui_locale(LanguageTag::new(start.language.tag().to_owned()));
        let levels: Vec<&str> = start.acr.iter().flat_map(|values| values.split(' ')).collect();
        // `acr_values` is a wish, which a live login need not fulfil. A demand is an essential claim (OpenID Connect Core
        // 1.0 §5.5.1.1), never beside the wish, because what both mean together is left open there. A provider that knows
        // no such claims is asked for a login whatever is live.
        if documents.metadata.claims_parameter_supported() == Some(true) && !levels.is_empty() {
            let claims = json!({"id_token": {"acr": {"essential": true, "values": levels}}});
            request = request.add_extra_param("claims", claims.to_string());
        } else {
            for acr in levels {
                request = request.add_auth_context_value(AuthenticationContextClass::new(acr.to_owned()));
            }
            if start.step_up {
                request = request.add_prompt(CoreAuthPrompt::Login);
            }
        }
        if let Some(max_age) = start.max_age {
            request = request.set_max_age(std::time::Duration::from_secs(u64::from(max_age)));
        }
        let (address, _, _) = request.url();
        let pending = PendingLogin {
            nonce: start.nonce,
            state: start.state,
            code_verifier: start.code_verifier,
            acr: start.acr,
            max_age: start.max_age,
            started_at: now,
        };
        Ok((address, pending))
    }

    async fn complete(
        &self,
        pending: &PendingLogin,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<AuthenticatedPerson, LoginError> {
        check_state(pending, callback)?;
        let documents = self.documents.get(&self.http, now).await?;
        check_issuer(&documents, &self.settings.issuer, callback)?;
        if let Some(error) = &callback.error {
            return Err(turned_back(error));
        }
        let code = callback.code.as_deref().ok_or(LoginError::Invalid("code"))?;
        let answer = self.redeem(&documents, code, pending, now).await?;
        let (checked, published) = self.check(Arc::clone(&documents), &answer, pending, now).await?;

        let mut claims = checked.claims;
        if !claims.contains_key(&self.settings.identifier_claim) {
            let access_token = answer.access_token().secret();
            let more = self.user_info(&documents, access_token, &checked.subject).await?;
            // What the provider signed goes before what it merely says.
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        let identifier = claims
            .get(&self.settings.identifier_claim)
            .and_then(Value::as_str)
            .and_then(|text| NationalIdentifier::new(text).ok())
            .ok_or(LoginError::NoIdentifier)?;
        Ok(AuthenticatedPerson {
            issuer: self.settings.issuer.clone(),
            subject: checked.subject,
            identifier,
            display_name: display_name(&claims),
            acr: checked.acr,
            auth_time: checked.auth_time,
            id_token: checked.text,
            provider_key: checked.key,
            provider_documents: published,
        })
    }

    /// RP-Initiated Logout 1.0 §2. The hint goes along only when it tells nothing about the person: addresses end up in
    /// histories and logs. Without it, `client_id` says to the provider who asks.
    async fn logout_url(&self, id_token_hint: &str, back_to: &Url) -> Option<Url> {
        let documents = self.documents.get(&self.http, self.clock.now()).await.ok()?;
        let mut address = documents.metadata.additional_metadata().end_session_endpoint.clone()?;
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back_to.as_str());
        if Self::is_impersonal(id_token_hint) {
            address.query_pairs_mut().append_pair("id_token_hint", id_token_hint);
        }
        Some(address)
    }
}

fn check_state(pending: &PendingLogin, callback: &Callback) -> Result<(), LoginError> {
    let came = callback.state.as_deref().unwrap_or_default();
    let is_ours = bool::from(came.as_bytes().ct_eq(pending.state.as_bytes()));
    if is_ours && !pending.state.is_empty() { Ok(()) } else { Err(LoginError::Invalid("state")) }
}

/// RFC 9207 §2.4: compared when it is there, demanded when the provider says that it sends it.
fn check_issuer(documents: &Documents, issuer: &str, callback: &Callback) -> Result<(), LoginError> {
    let demanded = documents.metadata.additional_metadata().authorization_response_iss_parameter_supported;
    match &callback.iss {
        Some(iss) if iss == issuer => Ok(()),
        None if !demanded => Ok(()),
        _ => Err(LoginError::Invalid("iss")),
    }
}

/// What an error in the answer means (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6, OpenID Connect Core
/// Unmet Authentication Requirements 1.0).
fn turned_back(error: &str) -> LoginError {
    match error {
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => LoginError::Cancelled,
        "unmet_authentication_requirements" => LoginError::AssuranceTooLow,
        "server_error" | "temporarily_unavailable" => LoginError::ProviderUnavailable,
        _ => LoginError::Invalid("error"),
    }
}

fn has_id_token(body: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(body)
        .is_ok_and(|members| members.contains_key("access_token") && members.contains_key("id_token"))
}

/// The name to greet with: `name`, or given and family name. Only a short, printable one.
fn display_name(claims: &Map<String, Value>) -> Option<String> {
    let text =
        |name: &str| claims.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let name = match (text("name"), text("given_name"), text("family_name")) {
        (Some(name), ..) => name.to_owned(),
        (None, Some(given), Some(family)) => format!("{given} {family}"),
        (None, given, family) => given.or(family)?.to_owned(),
    };
    (name.chars().count() <= 120 && !name.chars().any(char::is_control)).then_some(name)
}
