//! Registers that are services: how to reach one, and what to ask it for a dataset.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use super::pointer::Pointer;
use crate::domain::word_enum::word_enum;

/// What stands for the person's identifier in a request.
pub const SUBJECT: &str = "{subject}";

/// A service that answers over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpService {
    /// What every path is appended to; it has no query and ends without a slash.
    pub base_url: Url,
    /// Networks that are not public and that its name may lead to.
    pub private_networks: Vec<IpNet>,
    /// Whether it is on this machine over plain HTTP, as in the demo.
    pub demo: bool,
    /// Certificate authorities that count beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The node's certificate and key for the connection, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// How requests are authorised.
    pub credentials: Credentials,
    /// Present where it is reached through an X-Road security server.
    pub xroad: Option<XRoad>,
    /// Maximum number of requests at once.
    pub at_once: u32,
}

/// How requests are authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// By the connection, or not at all.
    None,
    /// By a bearer token (RFC 6750) in a file.
    Bearer(PathBuf),
    /// By a header of this name with the content of a file.
    Header(String, PathBuf),
    /// By tokens of an OAuth 2.0 client credentials grant (RFC 6749 §4.4).
    Client(OAuthClient),
}

/// A client of an OAuth 2.0 authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClient {
    /// The token endpoint.
    pub token_url: Url,
    /// `client_id`.
    pub client_id: String,
    /// A file with the client's secret.
    pub secret_file: PathBuf,
    /// `scope`, if the server needs one.
    pub scope: Option<String>,
}

/// Both ends of a call through X-Road (Message Protocol for REST §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XRoad {
    /// Instance, member class, member code and subsystem of the city, each percent-encoded, between slashes.
    pub client: String,
    /// The same of the provider, with the service code.
    pub service: String,
    /// `X-Road-UserId`, where [`SUBJECT`] stands for the person.
    pub user: Option<String>,
}

/// A program of the city that reads a register, run as a child process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginProcess {
    /// Its absolute path and its arguments.
    pub command: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Where it runs.
    pub working_directory: PathBuf,
    /// Maximum size of its memory.
    pub memory_mib: u32,
    /// Maximum number of questions without an answer.
    pub at_once: u32,
}

word_enum! {
    /// The method of a request.
    #[derive(Default)]
    pub enum Method {
        /// The person stands in the address or in a header.
        #[default]
        Get = "GET",
        /// The person stands in the body.
        Post = "POST",
    }
}

/// Whose a record of an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoseRecord {
    /// Each record names its person here.
    At(Pointer),
    /// The person's that was asked for: the answer names nobody.
    Asked,
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// The answer has its address, or none at the end.
    Link(Pointer),
    /// A parameter of the query counts.
    Count {
        /// Its name.
        parameter: String,
        /// At the first page.
        first: u32,
        /// From one page to the next; where it is over 1, a page with fewer records is the last one.
        step: u32,
    },
}

/// What to ask a service for a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// The method.
    pub method: Method,
    /// Path and query below the service's address, with [`SUBJECT`].
    pub path: String,
    /// The body, in whose texts [`SUBJECT`] stands for the person.
    pub body: Option<serde_json::Value>,
    /// A header with the person's identifier.
    pub subject_header: Option<String>,
    /// The records: a list of them, or a single one.
    pub records: Pointer,
    /// Whose each is.
    pub whose: WhoseRecord,
    /// Whether a field that a record has no place for is empty; else it is an error.
    pub absent_is_null: bool,
    /// How the records are distributed over pages, if they are.
    pub paging: Option<Paging>,
    /// Statuses that mean that nothing is held about the person.
    pub none_status: Vec<u16>,
    /// Where an answer tells from when on there is one.
    pub available_from: Option<Pointer>,
}

/// A text with the person's identifier, so escaped that it is one path segment or query value (RFC 3986 §2.1).
#[must_use]
pub(crate) fn fill(template: &str, subject: &str) -> String {
    template.replace(SUBJECT, &percent_encoded(subject))
}

/// Everything but unreserved characters as `%XX`.
#[must_use]
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A JSON body with the person's identifier in its texts.
#[must_use]
pub(crate) fn fill_body(template: &serde_json::Value, subject: &str) -> serde_json::Value {
    use serde_json::Value;
    match template {
        Value::String(text) => Value::String(text.replace(SUBJECT, subject)),
        Value::Array(items) => items.iter().map(|item| fill_body(item, subject)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), fill_body(value, subject))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_never_leaves_its_place_in_a_request() {
        for (attack, escaped) in [
            ("010190-900P", "010190-900P"),
            ("../../ADMIN", "..%2F..%2FADMIN"),
            ("A?B=C&D#E", "A%3FB%3DC%26D%23E"),
            ("%2E%2E%00", "%252E%252E%2500"),
            ("{subject}", "%7Bsubject%7D"),
        ] {
            assert_eq!(fill("/p/{subject}?of={subject}", attack), format!("/p/{escaped}?of={escaped}"));
        }
        let body = serde_json::json!({"person": {"code": "{subject}"}, "list": ["FI{subject}"], "n": 1});
        let filled = fill_body(&body, "X\", \"all\": \"");
        assert_eq!(
            filled,
            serde_json::json!({"person": {"code": "X\", \"all\": \""}, "list": ["FIX\", \"all\": \""], "n": 1})
        );
    }
}
