//! `[login]`: the city's OpenID provider.

use std::path::Path;

use serde::Deserialize;

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use super::secret::SecretFile;

/// How the node authenticates at the provider's token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Secret(SecretFile),
    /// `private_key_jwt` (RFC 7523) with the node's own client key, published at `/oauth/login-jwks`.
    PrivateKeyJwt,
}

/// The algorithm of client assertions and request objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum SigningAlgorithm {
    /// ECDSA with P-256, with the node's client key.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA with a key of its own: many providers of the Finnish Trust Network support nothing else.
    #[serde(rename = "RS256")]
    Rs256,
}

/// How a level of assurance is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssuranceRequest {
    /// As an essential claim, if the provider's metadata supports the parameter `claims`.
    Claims,
    /// By `acr_values`, whatever the metadata says.
    AcrValues,
}

/// `[login]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The provider's issuer, exactly as its metadata and ID tokens spell it.
    pub issuer: String,
    /// The node's client identifier there. The redirect URI to register is `<base_url>/login/callback`.
    pub client_id: String,
    /// How the node authenticates.
    pub authentication: ClientAuthentication,
    /// The claim that holds the national identifier.
    pub identifier_claim: String,
    /// Scopes to ask for; `openid` is among them.
    pub scopes: Vec<String>,
    /// The provider's `acr` values, weakest first. Empty: assurance levels are not used.
    pub acr_values: Vec<String>,
    /// How a level is requested.
    pub assurance_request: AssuranceRequest,
    /// The algorithm that signs what the node sends to the provider.
    pub(crate) signing_algorithm: SigningAlgorithm,
    /// Authorization requests are signed request objects (RFC 9101).
    pub(crate) signed_requests: bool,
    /// The provider encrypts ID tokens and UserInfo answers to the keys at `<base_url>/oauth/login-jwks`; others are refused.
    pub(crate) encrypted_responses: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    ClientSecret,
    PrivateKeyJwt,
}

pub(super) fn read(mut section: Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Login> {
    const SECRET: &str =
        "write the path of the file with the client secret, or authentication = \"private_key_jwt\"";
    let document = section.document();
    let issuer =
        section.required::<String>("issuer", "write the provider's issuer exactly as its metadata spells it");
    let client_id =
        section.required::<String>("client_id", "write the client identifier that the provider gave");
    let method = section
        .optional::<Method>("authentication", "write \"client_secret\" or \"private_key_jwt\"")
        .map_or(Method::ClientSecret, |found| found.value);
    let secret_file = section.optional::<String>("client_secret_file", SECRET);
    let identifier_claim = section.required::<String>(
        "identifier_claim",
        "write the claim that holds the national identifier, such as \"urn:oid:1.2.246.21\"",
    );
    let scopes = section.optional::<Vec<String>>("scopes", "write a list such as [\"openid\", \"profile\"]");
    let acr_values = section.optional::<Vec<String>>("acr_values", "write a list, the weakest level first");
    let assurance_request =
        section.optional::<AssuranceRequest>("assurance_request", "write \"claims\" or \"acr_values\"");
    let signing_algorithm =
        section.optional::<SigningAlgorithm>("signing_algorithm", "write \"ES256\" or \"RS256\"");
    let signed_requests = section.optional::<bool>("signed_requests", "write true or false");
    let encrypted_responses = section.optional::<bool>("encrypted_responses", "write true or false");

    if let Some(issuer) = &issuer
        && let Some(complaint) = checks::address(profile, &issuer.value)
    {
        document.problem(&issuer.at, complaint, checks::address_remedy(profile));
    }
    if let Some(scopes) = &scopes
        && !scopes.value.iter().any(|scope| scope == "openid")
    {
        document.problem(
            &scopes.at,
            "without openid it is no OpenID Connect login",
            "add \"openid\" to the list",
        );
    }
    if method == Method::ClientSecret {
        const KEYS: &str = "write authentication = \"private_key_jwt\", or take the line out";
        let needs_keys = [
            signing_algorithm.as_ref().map(|found| &found.at),
            signed_requests.as_ref().filter(|found| found.value).map(|found| &found.at),
            encrypted_responses.as_ref().filter(|found| found.value).map(|found| &found.at),
        ];
        for at in needs_keys.into_iter().flatten() {
            document.problem(at, "needs a key of the node", KEYS);
        }
    }
    let authentication = match (method, secret_file) {
        (Method::PrivateKeyJwt, None) => Some(ClientAuthentication::PrivateKeyJwt),
        (Method::PrivateKeyJwt, Some(found)) => {
            let complaint = "not used with authentication = \"private_key_jwt\"";
            document.problem(&found.at, complaint, "take one of the two lines out");
            None
        }
        (Method::ClientSecret, Some(found)) => {
            let (path, _) = checks::secret_file(document, data_dir, profile, &found, SECRET);
            Some(ClientAuthentication::Secret(SecretFile::new(path, profile == Profile::Demo)))
        }
        (Method::ClientSecret, None) => {
            section.problem("client_secret_file is missing", SECRET);
            None
        }
    };
    section.close();
    Some(Login {
        issuer: issuer?.value,
        client_id: client_id?.value,
        authentication: authentication?,
        identifier_claim: identifier_claim?.value,
        scopes: scopes.map_or_else(|| vec!["openid".to_owned()], |found| found.value),
        acr_values: acr_values.map_or_else(Vec::new, |found| found.value),
        assurance_request: assurance_request.map_or(AssuranceRequest::Claims, |found| found.value),
        signing_algorithm: signing_algorithm.map_or(SigningAlgorithm::Es256, |found| found.value),
        signed_requests: signed_requests.is_some_and(|found| found.value),
        encrypted_responses: encrypted_responses.is_some_and(|found| found.value),
    })
}
