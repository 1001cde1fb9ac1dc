//! `[[registers]]` that are services over HTTP: address, credentials, networks, X-Road.

use std::path::{Path, PathBuf};

use http::HeaderName;
use url::Url;

use super::checks;
use super::federation;
use super::profile::Profile;
use super::reader::{Document, Found, Section};
use crate::domain::catalogue::service::{
    Credentials, HttpService, OAuthClient, SUBJECT, XRoad, percent_encoded,
};

const CA: &str =
    "write the path of a PEM file with the certificates of your own authorities, or take the line out";
const CERTIFICATE: &str =
    "write client_certificate_file and client_key_file, the paths of two PEM files, or neither";
const CREDENTIALS: &str = "write bearer_file, or api_key_header and api_key_file, or token_url, client_id and client_secret_file; or none \
                           of them";
const XROAD: &str =
    "write { client = \"FI/GOV/1234567-8/SUBSYSTEM\", service = \"FI/GOV/8765432-1/SUBSYSTEM/SERVICECODE\" }";

/// Default number of requests at once.
const DEFAULT_AT_ONCE: u32 = 8;

/// Reads the keys of a service.
pub(super) fn read(section: &mut Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<HttpService> {
    let document = section.document();
    let base_url = section
        .required::<String>("url", checks::address_remedy(profile))
        .and_then(|found| address(document, profile, &found, true));
    let private_networks = federation::read_networks(section, profile);
    let ca_file = section.optional::<String>("ca_file", CA).map(|found| {
        let path = checks::path(data_dir, &found.value);
        if !checks::holds_certificates(&path) {
            document.problem(&found.at, "the file is not there or holds no PEM certificate", CA);
        }
        path
    });
    let client_certificate = read_certificate(section, data_dir, profile);
    let credentials = read_credentials(section, data_dir, profile);
    let xroad = section.table("xroad").and_then(read_xroad);
    let at_once = at_once(section, DEFAULT_AT_ONCE, 64);
    Some(HttpService {
        base_url: base_url?,
        private_networks,
        demo: profile == Profile::Demo,
        ca_file,
        client_certificate,
        credentials: credentials?,
        xroad,
        at_once,
    })
}

/// Reads `at_once`.
pub(super) fn at_once(section: &mut Section<'_, '_>, default: u32, most: u32) -> u32 {
    let remedy = format!("write a number of requests from 1 to {most}");
    let found = section.optional::<u32>("at_once", &remedy);
    if let Some(found) = &found
        && !(1..=most).contains(&found.value)
    {
        section.document().problem(&found.at, "out of range", &remedy);
    }
    found.map_or(default, |found| found.value)
}

fn address(document: &Document<'_>, profile: Profile, found: &Found<String>, base: bool) -> Option<Url> {
    let complain = |complaint: &str| {
        document.problem(&found.at, complaint, checks::address_remedy(profile));
        None
    };
    if let Some(complaint) = checks::address(profile, &found.value) {
        return complain(complaint);
    }
    let Ok(url) = Url::parse(&found.value) else { return complain("not an address") };
    if !url.username().is_empty() || url.password().is_some() {
        return complain("user and password do not belong into the address");
    }
    if url.fragment().is_some() || (base && url.query().is_some()) {
        return complain("the address ends with its path");
    }
    if url.as_str().trim_end_matches('/') != found.value.trim_end_matches('/') {
        return complain("not spelt as it is sent");
    }
    Some(url)
}

fn read_certificate(
    section: &mut Section<'_, '_>,
    data_dir: &Path,
    profile: Profile,
) -> Option<(PathBuf, PathBuf)> {
    let document = section.document();
    let certificate = section.optional::<String>("client_certificate_file", CERTIFICATE);
    let key = section.optional::<String>("client_key_file", CERTIFICATE);
    match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let path = checks::path(data_dir, &certificate.value);
            if !checks::holds_certificates(&path) {
                let complaint = "the file is not there or holds no PEM certificate";
                document.problem(&certificate.at, complaint, CERTIFICATE);
            }
            let (key, _) = checks::secret_file(document, data_dir, profile, &key, CERTIFICATE);
            Some((path, key))
        }
        _ => {
            section.problem("the node's certificate or its key is missing", CERTIFICATE);
            None
        }
    }
}

fn read_credentials(section: &mut Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Credentials> {
    let document = section.document();
    let bearer = section.optional::<String>("bearer_file", CREDENTIALS);
    let header = section.optional::<String>("api_key_header", CREDENTIALS);
    let key = section.optional::<String>("api_key_file", CREDENTIALS);
    let token_url = section.optional::<String>("token_url", CREDENTIALS);
    let client_id = section.optional::<String>("client_id", CREDENTIALS);
    let client_secret = section.optional::<String>("client_secret_file", CREDENTIALS);
    let scope =
        section.optional::<String>("scope", "write the scope of the tokens, such as \"service.gdprquery\"");
    let secret = |found: &Found<String>| {
        checks::secret_file(document, data_dir, profile, found, "write the secret into this file").0
    };
    if let Some(scope) = &scope
        && token_url.is_none()
    {
        document.problem(&scope.at, "there is no token_url", CREDENTIALS);
    }
    match (bearer, (header, key), (token_url, client_id, client_secret)) {
        (None, (None, None), (None, None, None)) => Some(Credentials::None),
        (Some(file), (None, None), (None, None, None)) => Some(Credentials::Bearer(secret(&file))),
        (None, (Some(header), Some(file)), (None, None, None)) => {
            if HeaderName::from_bytes(header.value.as_bytes()).is_err() {
                document.problem(
                    &header.at,
                    "not the name of a header",
                    "write a name such as \"X-Api-Key\"",
                );
            }
            Some(Credentials::Header(header.value, secret(&file)))
        }
        (None, (None, None), (Some(token_url), Some(client_id), Some(file))) => {
            Some(Credentials::Client(OAuthClient {
                token_url: address(document, profile, &token_url, false)?,
                client_id: client_id.value,
                secret_file: secret(&file),
                scope: scope.map(|found| found.value),
            }))
        }
        _ => {
            section.problem("the credentials are incomplete, or of several kinds", CREDENTIALS);
            None
        }
    }
}

fn read_xroad(mut section: Section<'_, '_>) -> Option<XRoad> {
    let document = section.document();
    let mut identifier = |key, parts: [usize; 2]| {
        let found = section.required::<String>(key, XROAD)?;
        let written: Vec<&str> = found.value.split('/').collect();
        if !parts.contains(&written.len()) || written.iter().any(|part| part.trim().is_empty()) {
            document.problem(&found.at, "not an X-Road identifier", XROAD);
            return None;
        }
        Some(written.into_iter().map(percent_encoded).collect::<Vec<_>>().join("/"))
    };
    let client = identifier("client", [3, 4]);
    let service = identifier("service", [4, 5]);
    let user =
        section.optional::<String>("user", "write \"FI{subject}\", or what stands for the asking office");
    section.close();
    if let Some(user) = &user {
        let text = user.value.replace(SUBJECT, "");
        if user.value.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            document.problem(&user.at, "not the value of a header", "write \"FI{subject}\", or take it out");
        }
    }
    Some(XRoad { client: client?, service: service?, user: user.map(|found| found.value) })
}
