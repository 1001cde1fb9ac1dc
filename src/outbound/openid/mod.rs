//! Logging residents in through the city's OpenID provider: the authorization code flow of OpenID Connect Core 1.0 with
//! PKCE (RFC 7636), `state`, `nonce` and the issuer in the answer (RFC 9207); where the provider demands it, with signed
//! requests (RFC 9101) and encrypted answers (RFC 7516).
//!
//! openidconnect builds the requests and does the code exchange; the provider's metadata, ID tokens and UserInfo
//! responses are read here: strictly where security depends on it, leniently where a member is unused. Nothing that a
//! provider or a browser sent appears in an error or a log line.

mod client;
mod documents;
mod http;
mod id_token;
mod metadata;
mod request;
mod settings;
mod token;
mod user_info;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::{ClientId, EndSessionUrl, IssuerUrl, LogoutRequest, PostLogoutRedirectUrl};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use url::Url;

pub use self::http::ProviderNetwork;
pub use self::settings::{
    AssuranceRequest, ClientAuthentication, ClientKey, ClientKeySource, MessageProtection, OpenIdSettings,
    OpenIdSettingsError,
};

use self::client::FlowClient;
use self::documents::{DocumentCache, Documents};
use self::http::Http;
use self::id_token::Expected;
use self::request::{REQUEST_OBJECT_TYPE, RequestObject};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::domain::jose;
use crate::domain::jose::id_token::{IdTokenClaims, ProviderDocuments};
use crate::domain::jose::jwe;
use crate::domain::jose::provider_jwt::{KeyNotFound, ProviderJwt};
use crate::domain::login::{AuthenticatedPerson, Callback, LoginError, LoginStart, PendingLogin};
use crate::http::Route;
use crate::ports::{Clock, Entropy, IdentityProvider, random};

/// The city's OpenID provider.
pub struct OpenIdProvider {
    issuer: IssuerUrl,
    settings: OpenIdSettings,
    http: Http,
    documents: DocumentCache,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A verified ID token with its key.
struct CheckedIdToken {
    /// The compact signed form, decrypted if it was encrypted.
    text: String,
    claims: IdTokenClaims,
    /// The public key that verified it.
    key: Value,
    published: ProviderDocuments,
}

impl OpenIdProvider {
    /// Takes the settings; nothing is fetched before the first login.
    ///
    /// # Errors
    /// [`OpenIdSettingsError`] when the issuer is not an allowed address, keys are missing, or no HTTP client can be
    /// created.
    pub fn new(
        settings: OpenIdSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenIdSettingsError> {
        Self::over(settings, &Route::default(), clock, entropy)
    }

    /// As [`Self::new`], with a configured route for outgoing requests.
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
        let needs_keys = settings.messages.signed_requests || settings.messages.encrypted_responses;
        if needs_keys && settings.authentication.keys().is_none() {
            return Err(OpenIdSettingsError::NoClientKeys);
        }
        let documents = DocumentCache::new(settings.issuer.clone());
        Ok(Self { issuer, settings, http, documents, clock, entropy })
    }

    fn client(&self, documents: &Documents) -> FlowClient {
        client::flow_client(&self.settings, &self.issuer, &documents.metadata)
    }

    /// The address with a signed request object in place of the parameters.
    async fn signed(&self, endpoint: &Url, plain: &Url, now: Timestamp) -> Result<Url, LoginError> {
        let keys = self.settings.authentication.keys().ok_or(LoginError::ProviderUnavailable)?;
        let key = keys.active_client_key().await.ok_or(LoginError::ProviderUnavailable)?;
        let id = jose::b64url(&random::<16>(self.entropy.as_ref()));
        let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
        let claims = RequestObject { issuer, client_id, id: &id, now }.claims(endpoint, plain);
        let object = key.sign(REQUEST_OBJECT_TYPE, &claims).map_err(|_| LoginError::ProviderUnavailable)?;
        Ok(request::signed_address(endpoint, plain, &object))
    }

    /// The signed message in a response, decrypted if [login] requires encryption. Refused if it is encrypted without
    /// that setting, or not encrypted with it.
    async fn decrypted(&self, text: &str) -> Result<String, LoginError> {
        let encrypted = jwe::is_compact_jwe(text);
        if encrypted != self.settings.messages.encrypted_responses {
            tracing::warn!(
                event = "login_provider_encryption_differs",
                encrypted,
                "the login provider does not encrypt as [login] encrypted_responses says"
            );
            return Err(LoginError::Invalid("encryption"));
        }
        if !encrypted {
            return Ok(text.to_owned());
        }
        let keys = self.settings.authentication.keys().ok_or(LoginError::Invalid("encryption"))?;
        jwe::decrypt_with(text, &keys.decryption_keys().await).map_err(|error| {
            tracing::warn!(
                event = "login_provider_message_not_decrypted",
                reason = error.reason(),
                "a message of the login provider cannot be decrypted with the keys that this node publishes"
            );
            id_token::form_error(error)
        })
    }

    /// Parses a signed message and finds the provider's key for it; keys are fetched again for an unknown identifier.
    async fn with_key(
        &self,
        documents: Arc<Documents>,
        text: &str,
        now: Timestamp,
    ) -> Result<(ProviderJwt, Value, ProviderDocuments), LoginError> {
        let jwt = ProviderJwt::parse(text).map_err(id_token::form_error)?;
        let mut documents = documents;
        let mut key = jwt.find_key(&documents.keys);
        if key == Err(KeyNotFound::Unknown) {
            documents = self.documents.with_newer_keys(&self.http, &documents, now).await?;
            key = jwt.find_key(&documents.keys);
        }
        let key = key.map_err(|_| LoginError::Invalid("kid"))?;
        Ok((jwt, key, documents.to_keep()))
    }

    /// Decrypts if configured, verifies the signature with the provider's keys, and checks the claims against the
    /// request.
    async fn check(
        &self,
        documents: &Arc<Documents>,
        text: &str,
        pending: &PendingLogin,
        now: Timestamp,
    ) -> Result<CheckedIdToken, LoginError> {
        let text = self.decrypted(text).await?;
        let (_, key, published) = self.with_key(Arc::clone(documents), &text, now).await?;
        // The same parser as for evidence, so that nobody logs in with a token that can never be evidence.
        let claims = jose::id_token::verify(&text, &key).map_err(id_token::form_error)?;
        let expected =
            Expected { issuer: &self.settings.issuer, client_id: &self.settings.client_id, pending, now };
        id_token::check(&claims, &expected)?;
        Ok(CheckedIdToken { text, claims, key, published })
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
        let metadata = &documents.metadata;
        let client = self.client(&documents);
        let mut address = request::address(&client, &self.settings, metadata.takes_claims_parameter, &start);
        if self.settings.messages.signed_requests {
            address = self.signed(&metadata.authorization_endpoint, &address, now).await?;
        }
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
            return Err(error_in_callback(error));
        }
        let code = callback.code.as_deref().ok_or(LoginError::Invalid("code"))?;
        let answer = self.redeem(&documents, code, pending, now).await?;
        let id_token = answer.id_token.as_deref().ok_or(LoginError::Invalid("id_token"))?;
        let checked = self.check(&documents, id_token, pending, now).await?;

        let mut claims = checked.claims.all.clone();
        if !claims.contains_key(&self.settings.identifier_claim) {
            let more = self.user_info(&documents, &answer, &checked.claims.sub, now).await?;
            // Claims of the signed ID token take precedence over UserInfo.
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
            subject: checked.claims.sub,
            identifier,
            display_name: display_name(&claims),
            acr: checked.claims.acr,
            auth_time: checked.claims.auth_time.map(Timestamp::from_secs),
            id_token: checked.text,
            provider_key: checked.key,
            provider_documents: checked.published,
        })
    }

    /// RP-Initiated Logout 1.0 §2. The hint is sent only if it does not identify the person: URLs end up in histories
    /// and logs. Without it, `client_id` tells the provider who asks.
    async fn logout_url(&self, id_token_hint: &str, back_to: &Url) -> Option<Url> {
        let documents = self.documents.get(&self.http, self.clock.now()).await.ok()?;
        let endpoint = EndSessionUrl::from_url(documents.metadata.end_session_endpoint.clone()?);
        let mut address = LogoutRequest::from(endpoint)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(back_to.clone()))
            .http_get_url();
        let hint = ProviderJwt::parse(id_token_hint).ok();
        if hint.is_some_and(|hint| id_token::is_impersonal(hint.unverified_payload())) {
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

/// RFC 9207 §2.4: compared when present, required when the provider's metadata says that it is sent.
fn check_issuer(documents: &Documents, issuer: &str, callback: &Callback) -> Result<(), LoginError> {
    match &callback.iss {
        Some(iss) if iss == issuer => Ok(()),
        None if !documents.metadata.names_issuer_in_response => Ok(()),
        _ => Err(LoginError::Invalid("iss")),
    }
}

/// The meaning of an error response (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6, OpenID Connect Core Unmet
/// Authentication Requirements 1.0).
fn error_in_callback(error: &str) -> LoginError {
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
