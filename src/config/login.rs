//! `[login]`: the city's OpenID provider.

use std::path::Path;

use serde::Deserialize;

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use super::secret::SecretFile;

/// How the node proves itself at the provider's token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Secret(SecretFile),
    /// `private_key_jwt` (RFC 7523) with the node's own client key, published at `/oauth/client-jwks`.
    PrivateKeyJwt,
}

/// `[login]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The provider's issuer, exactly as its metadata and ID tokens spell it.
    pub issuer: String,
    /// The node's client identifier there. The redirect URI to register is `<base_url>/login/callback`.
    pub client_id: String,
    /// How the node proves itself.
    pub authentication: ClientAuthentication,
    /// The claim that holds the national identifier.
    pub identifier_claim: String,
    /// Scopes to ask for; `openid` is among them.
    pub scopes: Vec<String>,
    /// Values of `acr` that the provider knows, the weakest first. Empty: assurance levels are not used.
    pub acr_values: Vec<String>,
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
    })
}
