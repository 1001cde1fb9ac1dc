//! Checks that several sections share. Each returns the fault as text for the operator.

use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use ipnet::IpNet;
use openssl::x509::X509;
use zeroize::Zeroizing;

use super::profile::Profile;
use super::reader::{Document, Found, Section};
use crate::domain::catalogue::Text;
use crate::domain::catalogue::register::DatabaseUrl;
use crate::domain::federation::TrustMark;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, parse_strict_json};

/// The remedy for every text in three languages.
pub(super) const TEXT: &str = "write { fi = \"…\", sv = \"…\", en = \"…\" }";

/// Checks whether an address may be used in a profile; `None` when it may.
pub(super) fn address(profile: Profile, address: &str) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(address) else { return Some("not an address") };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Some("not an address with a host"),
    };
    let by_name = matches!(url.host(), Some(url::Host::Domain(_)));
    match (profile, url.scheme()) {
        (Profile::Production, "https") if local => {
            Some("a loopback host is not allowed in profile production")
        }
        (Profile::Production, "https") if !by_name => {
            Some("a numeric address is not allowed in profile production")
        }
        (_, "https") => None,
        (Profile::Production, "http") => Some("http is not allowed in profile production"),
        (Profile::Demo, "http") if local => None,
        (Profile::Demo, "http") => Some("http is allowed for loopback and *.localhost only"),
        _ => Some("neither https nor http"),
    }
}

/// The remedy for an address that [`address`] refuses.
pub(super) const fn address_remedy(profile: Profile) -> &'static str {
    match profile {
        Profile::Demo => "write http://<name>.localhost:<port> or an https address",
        Profile::Production => "write an https address with a public host name",
    }
}

/// Whether all three languages have text.
pub(super) fn text(text: &Text) -> Option<&'static str> {
    let blank = |text: &str| text.trim().is_empty();
    (blank(&text.fi) || blank(&text.sv) || blank(&text.en)).then_some("a language is empty")
}

/// Whether a text is an ISO 8601 duration of whole years, months, weeks or days (`P1Y`, `P6M`, `P30D`).
pub(super) fn duration(text: &str) -> Option<&'static str> {
    const COMPLAINT: Option<&str> = Some("not a duration");
    let Some(parts) = text.strip_prefix('P').filter(|parts| !parts.is_empty()) else { return COMPLAINT };
    let mut digits = 0_u8;
    let mut units = "YMWD".chars();
    for character in parts.chars() {
        if character.is_ascii_digit() && digits < 4 {
            digits = digits.saturating_add(1);
        } else if digits > 0 && units.any(|unit| unit == character) {
            digits = 0;
        } else {
            return COMPLAINT;
        }
    }
    if digits == 0 { None } else { COMPLAINT }
}

/// Whether a text is an article of the GDPR as the Data Privacy Vocabulary writes it (`A6-1-e`, `A9-2-a`).
pub(super) fn legal_basis(text: &str) -> Option<&'static str> {
    let known = |rest: &str, letters: &str| rest.len() == 1 && letters.contains(rest);
    let good = text.strip_prefix("A6-1-").is_some_and(|rest| known(rest, "abcdef"))
        || text.strip_prefix("A9-2-").is_some_and(|rest| known(rest, "abcdefghij"));
    (!good).then_some("not a legal basis of the GDPR")
}

/// The remedy for [`legal_basis`].
pub(super) const LEGAL_BASIS: &str = "write the article as DPV does, A6-1-a to A6-1-f or A9-2-a to A9-2-j";

/// Parses `sqlite:<path>` or `postgres://user@host/name`. A relative path starts at the data directory.
pub(super) fn database_url(text: &str, data_dir: &Path) -> Result<DatabaseUrl, &'static str> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return match path.is_empty() || path.contains(['?', '#', '\0']) {
            true => Err("not the path of a SQLite file"),
            false => Ok(DatabaseUrl::Sqlite(data_dir.join(path))),
        };
    }
    let mut url = url::Url::parse(text).map_err(|_| "not a database address")?;
    name_authorities(&mut url, SYSTEM_AUTHORITIES.into_iter().find(|path| Path::new(path).is_file()));
    match url.scheme() {
        "postgres" | "postgresql" if url.password().is_some() => Err("a password stands in the address"),
        "postgres" | "postgresql" if url.path().len() > 1 => Ok(DatabaseUrl::Postgres(url)),
        "postgres" | "postgresql" => Err("the address names no database"),
        _ => Err("neither sqlite nor postgres"),
    }
}

/// Whether a connection to a database on another machine could be read or redirected (libpq, "SSL Support").
pub(super) fn unprotected_database(url: &url::Url) -> Option<&'static str> {
    // Of a parameter that comes twice libpq takes the last.
    let parameter =
        |name: &str| url.query_pairs().filter(|(key, _)| key == name).last().map(|(_, value)| value);
    // Addresses in URLs of other schemes than http are names to the URL parser; a path is a socket of this machine.
    let is_here = |host: &str| {
        let host = host.trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        host.is_empty()
            || host == "localhost"
            || host.starts_with('/')
            || host.to_ascii_uppercase().starts_with("%2F")
            || address.is_ok_and(|address| address.is_loopback())
    };
    let host = parameter("hostaddr").or_else(|| parameter("host"));
    let here = host.as_deref().or(url.host_str()).is_none_or(is_here);
    let mode = parameter("sslmode");
    match mode.as_deref() {
        _ if here => None,
        Some("verify-full" | "verify-ca") => None,
        Some("require") => Some("the connection is encrypted, but the database's name is not checked"),
        _ => Some("the connection to the database may be unencrypted"),
    }
}

/// Files with the system's certificate authorities, by distribution.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Sets the file of certificate authorities that a verified connection needs, unless the operator sets it: libpq looks
/// only in the user's home directory, and the bundled OpenSSL has no default directory.
fn name_authorities(url: &mut url::Url, system: Option<&str>) {
    let (mut verified, mut named) = (false, false);
    for (name, value) in url.query_pairs() {
        verified |= name == "sslmode" && matches!(&*value, "verify-full" | "verify-ca");
        // libpq's word for the folder that this program's OpenSSL does not know.
        named |= name == "sslrootcert" && value != "system";
    }
    if let Some(path) = system.filter(|_| verified && !named) {
        // Of a parameter that comes twice libpq takes the last.
        url.query_pairs_mut().append_pair("sslrootcert", path);
    }
}

/// What is wrong with the file of certificate authorities that an address names.
pub(super) fn database_authorities(url: &url::Url) -> Option<String> {
    let (_, path) = url.query_pairs().filter(|(name, _)| name == "sslrootcert").last()?;
    (path != "system" && !holds_certificates(Path::new(&*path)))
        .then(|| format!("{path} is not there or holds no PEM certificate"))
}

/// Whether a file holds a PEM certificate at least.
pub(super) fn holds_certificates(path: &Path) -> bool {
    let certificates = std::fs::read(path).ok().and_then(|pem| X509::stack_from_pem(&pem).ok());
    certificates.is_some_and(|certificates| !certificates.is_empty())
}

/// The remedy for [`database_url`].
pub(super) const DATABASE_URL: &str = "write \"sqlite:<file>\" or \"postgres://<user>@<host>/<database>\", the password in a file of its own (password_file)";

/// Whether a relative path stays inside its directory, judged by its text.
pub(super) fn stays_inside(path: &Path) -> bool {
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Reads a network, such as `10.20.0.0/16`.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().map_err(|_| format!("{text} is not a network"))?;
    if network != network.trunc() {
        return Err(format!("{text} has bits behind its prefix; the network is {}", network.trunc()));
    }
    Ok(network)
}

/// Reads `drain_ms`.
pub(super) fn drain_ms(section: &mut Section<'_, '_>) -> Option<u32> {
    const DRAIN: &str = "write a time in milliseconds from 0 to 60000";
    let found = section.optional::<u32>("drain_ms", DRAIN)?;
    if found.value > 60_000 {
        section.document().problem(&found.at, "out of range", DRAIN);
    }
    Some(found.value)
}

/// A path as written in the file: absolute as it is, relative from the data folder.
pub(super) fn path(data_dir: &Path, written: &str) -> PathBuf {
    data_dir.join(written)
}

/// Checks a file with a secret: in production it must exist and not be empty, and others should not be able to read it.
/// Returns the path, and the length of the secret if it can be read.
pub(super) fn secret_file(
    document: &Document<'_>,
    data_dir: &Path,
    profile: Profile,
    found: &Found<String>,
    remedy: &str,
) -> (PathBuf, Option<usize>) {
    let path = path(data_dir, &found.value);
    if profile == Profile::Production && !path.is_file() {
        document.problem(&found.at, "the file is not there", remedy);
    }
    let mode = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o007 != 0
    {
        let complaint = format!("everybody on this machine may open the file (mode {mode:03o})");
        document.warning(&found.at, complaint, format!("run `chmod 600 {}`", path.display()));
    }
    let secret = std::fs::read_to_string(&path).map(Zeroizing::new);
    let length = secret.ok().map(|secret| secret.trim().chars().count());
    if length == Some(0) {
        document.problem(&found.at, "the file is empty", remedy);
    }
    (path, length)
}

/// Checks a file that must hold an entity's keys; returns the fault.
pub(super) fn jwks_file(path: &Path) -> Option<&'static str> {
    if !path.is_file() {
        return Some("the file is not there");
    }
    let Ok(bytes) = std::fs::read(path) else { return Some("the file cannot be read") };
    let Ok(jwks) = parse_strict_json(&bytes) else { return Some("the file is not JSON") };
    PublicKeys::from_jwks(&jwks).is_err().then_some("the file holds no JWK Set with keys that can be used")
}

/// What is wrong with a file that must hold a trust mark of this node. Whether the mark counts is for its readers to judge.
pub(super) fn trust_mark_file(path: &Path, own: &EntityId) -> Option<&'static str> {
    if !path.is_file() {
        return Some("the file is not there");
    }
    let Ok(text) = std::fs::read_to_string(path) else { return Some("the file cannot be read") };
    match TrustMark::claimed(text.trim()) {
        Ok(mark) if mark.sub == *own => None,
        Ok(_) => Some("the trust mark is another member's"),
        Err(_) => Some("the file holds no trust mark"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_database_connection_uses_the_systems_authorities_unless_others_are_named() {
        let completed = |text: &str| {
            let mut url = url::Url::parse(text).unwrap();
            name_authorities(&mut url, Some("/ca.pem"));
            url.query_pairs()
                .filter(|(name, _)| name == "sslrootcert")
                .last()
                .map(|(_, value)| value.into_owned())
        };
        for mode in ["verify-full", "verify-ca"] {
            let url = format!("postgres://u@db.example/d?sslmode={mode}");
            assert_eq!(completed(&url).as_deref(), Some("/ca.pem"));
            assert_eq!(completed(&format!("{url}&sslrootcert=/own.pem")).as_deref(), Some("/own.pem"));
            assert_eq!(completed(&format!("{url}&sslrootcert=system")).as_deref(), Some("/ca.pem"));
        }
        assert_eq!(completed("postgres://u@db.example/d?sslmode=require"), None);
    }
}
