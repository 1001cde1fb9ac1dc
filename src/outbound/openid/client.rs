//! openidconnect's client as configured here: it builds requests and does the code exchange. The provider's metadata
//! and ID tokens are read elsewhere, so the client gets addresses and no keys, and returns the ID token as text.

use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AuthType, AuthUrl, Client, ClientId, ClientSecret, EmptyAdditionalClaims, EndpointNotSet,
    EndpointSet, IdToken, IssuerUrl, JsonWebKeySet, OAuth2TokenResponse, RedirectUrl, RefreshToken, Scope,
    StandardErrorResponse, TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::metadata::Metadata;
use super::settings::{ClientAuthentication, OpenIdSettings};

/// The token response, as far as it is used. Other members may have any form: openidconnect's own type refuses the
/// response for an `expires_in` that is text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TokenAnswer {
    access_token: AccessToken,
    #[serde(default = "unknown_type", deserialize_with = "read_type")]
    token_type: CoreTokenType,
    /// The ID token as received, signed or encrypted.
    #[serde(default)]
    pub(crate) id_token: Option<String>,
}

fn unknown_type() -> CoreTokenType {
    CoreTokenType::Extension("unknown".to_owned())
}

/// RFC 6749 §5.1: the type is compared without regard to case.
fn read_type<'de, D: Deserializer<'de>>(input: D) -> Result<CoreTokenType, D::Error> {
    let is_bearer =
        Value::deserialize(input)?.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    Ok(if is_bearer { CoreTokenType::Bearer } else { unknown_type() })
}

impl OAuth2TokenResponse for TokenAnswer {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for TokenAnswer
{
    /// Unused: it is read by `domain::jose::id_token`, as evidence is.
    fn id_token(
        &self,
    ) -> Option<
        &IdToken<
            EmptyAdditionalClaims,
            CoreGenderClaim,
            CoreJweContentEncryptionAlgorithm,
            CoreJwsSigningAlgorithm,
        >,
    > {
        None
    }
}

/// The client of the code flow, with the two endpoints that it needs.
pub(crate) type FlowClient = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// The client for a provider.
pub(crate) fn flow_client(settings: &OpenIdSettings, issuer: &IssuerUrl, metadata: &Metadata) -> FlowClient {
    let (method, secret) = match &settings.authentication {
        ClientAuthentication::SecretBasic(secret) => (AuthType::BasicAuth, Some(secret)),
        ClientAuthentication::SecretPost(secret) => (AuthType::RequestBody, Some(secret)),
        ClientAuthentication::PrivateKeyJwt(_) => (AuthType::RequestBody, None),
    };
    let client =
        Client::new(ClientId::new(settings.client_id.clone()), issuer.clone(), JsonWebKeySet::default())
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
            .set_redirect_uri(RedirectUrl::from_url(settings.redirect_url.clone()))
            .set_auth_type(method);
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
        None => client,
    }
}
