//! `[[services]]`: the city's services that may use the node's service API.

use std::path::Path;

use super::checks;
use super::profile::Profile;
use super::reader::{Found, Section};
use super::secret::SecretFile;
use crate::domain::catalogue::Text;
use crate::domain::ids::ServiceId;

/// Minimum length of a service's secret in characters.
pub(crate) const MIN_SECRET_CHARS: usize = 32;

/// One service of the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its identifier, also its `client_id` at the service API.
    pub id: ServiceId,
    /// Display name.
    pub name: Text,
    /// Its client secret.
    pub client_secret: SecretFile,
    /// A second client secret that is accepted too, for a rotation without interruption.
    pub next_client_secret: Option<SecretFile>,
    /// Prefixes of the addresses that a browser may be sent back to. Each ends with a slash, so that no other host or
    /// directory begins alike.
    pub(crate) return_url_prefixes: Vec<url::Url>,
}

pub(super) fn read(sections: Vec<Section<'_, '_>>, data_dir: &Path, profile: Profile) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for section in sections {
        let Some(service) = read_one(section, data_dir, profile, &services) else { continue };
        services.push(service);
    }
    services
}

fn read_one(
    mut section: Section<'_, '_>,
    data_dir: &Path,
    profile: Profile,
    before: &[Service],
) -> Option<Service> {
    const RETURN: &str = "write addresses that end with a slash, such as [\"https://service.city.example/\"]";
    const SECRET: &str = "write the path of the file with the service's client secret";
    let document = section.document();
    let id = section.required::<ServiceId>("id", "write a short name of a-z, 0-9 and hyphens");
    if let Some(id) = &id {
        section.call(id.value.as_str());
        if before.iter().any(|other| other.id == id.value) {
            document.problem(&id.at, "another service has this id", "write another id");
        }
    }
    let name = section.required::<Text>("name", checks::TEXT);
    if let Some(name) = &name
        && let Some(complaint) = checks::text(&name.value)
    {
        document.problem(&name.at, complaint, checks::TEXT);
    }
    let secret = section.required::<String>("client_secret_file", SECRET);
    let next_secret = section.optional::<String>("next_client_secret_file", SECRET);
    let prefixes = section.required::<Vec<String>>("return_url_prefixes", RETURN);
    section.close();
    let secret_file = |found: &Found<String>, made_when_missing: bool| {
        let (path, length) = checks::secret_file(document, data_dir, profile, found, SECRET);
        if !made_when_missing && profile == Profile::Demo && !path.is_file() {
            document.problem(&found.at, "the file is not there", SECRET);
        }
        if let Some(length) = length.filter(|length| (1..MIN_SECRET_CHARS).contains(length)) {
            let complaint = format!("the secret has {length} characters, fewer than {MIN_SECRET_CHARS}");
            document.problem(&found.at, complaint, "make one with `openssl rand -base64 33`");
        }
        SecretFile::new(path, made_when_missing)
    };
    let client_secret = secret.as_ref().map(|found| secret_file(found, profile == Profile::Demo));
    let next_client_secret = next_secret.as_ref().map(|found| secret_file(found, false));
    let mut return_url_prefixes = Vec::new();
    if let Some(prefixes) = &prefixes {
        for written in &prefixes.value {
            let complaint = match url::Url::parse(written) {
                Ok(url) if !written.ends_with('/') || url.query().is_some() || url.fragment().is_some() => {
                    Some("an address does not end with a slash")
                }
                Ok(url) => {
                    return_url_prefixes.push(url);
                    checks::address(profile, written)
                }
                Err(_) => Some("not an address"),
            };
            if let Some(complaint) = complaint {
                document.problem(&prefixes.at, complaint, RETURN);
            }
        }
    }
    prefixes?;
    Some(Service {
        id: id?.value,
        name: name?.value,
        client_secret: client_secret?,
        next_client_secret,
        return_url_prefixes,
    })
}
