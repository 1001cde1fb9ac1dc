//! The part of a provider's metadata that is used (OpenID Connect Discovery 1.0 §3). Members that a login does not need
//! may have any form: a malformed unused member must not prevent logins.

use serde_json::Value;
use url::Url;

/// The part of the metadata that this node uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Option<Url>,
    /// RP-Initiated Logout 1.0 §2.1.
    pub(crate) end_session_endpoint: Option<Url>,
    /// Whether every response contains its issuer (RFC 9207 §3).
    pub(crate) names_issuer_in_response: bool,
    /// Whether it supports the request parameter `claims` (OpenID Connect Core 1.0 §5.5).
    pub(crate) takes_claims_parameter: bool,
}

/// The member that makes the metadata unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {fault}")]
pub(crate) struct MetadataError {
    pub(crate) member: &'static str,
    pub(crate) fault: &'static str,
}

/// The used part, and the optional members that were ignored because of their form.
pub(crate) struct ReadMetadata {
    pub(crate) metadata: Metadata,
    pub(crate) ignored: Vec<&'static str>,
}

impl Metadata {
    /// Parses the metadata of this issuer. `allows` is whether an address may be used.
    pub(crate) fn read(
        raw: &Value,
        issuer: &str,
        allows: impl Fn(&Url) -> bool,
    ) -> Result<ReadMetadata, MetadataError> {
        if raw.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(MetadataError { member: "issuer", fault: "is not the configured one" });
        }
        let address = |member: &'static str| {
            let refuse = |fault| MetadataError { member, fault };
            let text = raw.get(member).and_then(Value::as_str).ok_or(refuse("is missing"))?;
            let url = Url::parse(text).map_err(|_| refuse("is not a URL"))?;
            if allows(&url) { Ok(url) } else { Err(refuse("needs https")) }
        };
        let mut ignored = Vec::new();
        let mut optional = |member: &'static str| {
            raw.get(member).filter(|value| !value.is_null())?;
            address(member).map_err(|error| ignored.push(error.member)).ok()
        };
        let (userinfo_endpoint, end_session_endpoint) =
            (optional("userinfo_endpoint"), optional("end_session_endpoint"));
        let mut flag = |member: &'static str| match raw.get(member) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            // A provider that says yes in the wrong type means yes.
            Some(Value::String(text)) if text == "true" => true,
            Some(_) => {
                ignored.push(member);
                false
            }
        };
        let (names_issuer_in_response, takes_claims_parameter) =
            (flag("authorization_response_iss_parameter_supported"), flag("claims_parameter_supported"));
        let metadata = Self {
            authorization_endpoint: address("authorization_endpoint")?,
            token_endpoint: address("token_endpoint")?,
            jwks_uri: address("jwks_uri")?,
            userinfo_endpoint,
            end_session_endpoint,
            names_issuer_in_response,
            takes_claims_parameter,
        };
        Ok(ReadMetadata { metadata, ignored })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(changes: &Value) -> Result<ReadMetadata, MetadataError> {
        let mut raw = json!({
            "issuer": "https://login.example", "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://login.example/token", "jwks_uri": "https://login.example/jwks",
        });
        for (name, value) in changes.as_object().unwrap() {
            raw[name] = value.clone();
        }
        Metadata::read(&raw, "https://login.example", |url| url.scheme() == "https")
    }

    #[test]
    fn optional_members_of_any_form_do_not_stop_a_login() {
        for (changes, ignored) in [
            (json!({"op_policy_uri": "", "op_tos_uri": 7, "scopes_supported": "openid"}), vec![]),
            (json!({"response_types_supported": null, "subject_types_supported": {}}), vec![]),
            (json!({"authorization_response_iss_parameter_supported": null}), vec![]),
            (json!({"end_session_endpoint": ""}), vec!["end_session_endpoint"]),
            (json!({"userinfo_endpoint": "http://login.example/me"}), vec!["userinfo_endpoint"]),
            (json!({"claims_parameter_supported": 1}), vec!["claims_parameter_supported"]),
            (json!({"end_session_endpoint": null, "userinfo_endpoint": null}), vec![]),
        ] {
            let read = metadata(&changes).unwrap();
            assert_eq!(read.ignored, ignored, "{changes}");
            assert!(!read.metadata.names_issuer_in_response && !read.metadata.takes_claims_parameter);
        }
        let read = metadata(&json!({"authorization_response_iss_parameter_supported": "true"})).unwrap();
        assert!(read.metadata.names_issuer_in_response, "a yes in the wrong type protects all the same");
    }

    #[test]
    fn the_member_that_stops_a_login_is_named() {
        for (member, value, fault) in [
            ("issuer", json!("https://login.example/"), "is not the configured one"),
            ("authorization_endpoint", json!(null), "is missing"),
            ("token_endpoint", json!(""), "is not a URL"),
            ("token_endpoint", json!(["https://login.example/token"]), "is missing"),
            ("jwks_uri", json!("http://login.example/jwks"), "needs https"),
        ] {
            let error = metadata(&json!({member: value})).err().unwrap();
            assert_eq!(error, MetadataError { member, fault });
        }
    }
}
