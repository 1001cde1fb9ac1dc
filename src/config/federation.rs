//! `[federation]`: resolution of other members and their addresses.

use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use crate::domain::ids::EntityId;

/// `[federation]`. Every value has a default; the section may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Federation {
    /// Maximum age of a resolved chain, in seconds: the time within which a removed membership, a lost role or a new
    /// key takes effect. Default 60, from 5 to 300.
    pub chain_age_seconds: u32,
    /// Non-public networks that connections may go to, as in a staging environment. Default none.
    pub(crate) private_networks: Vec<IpNet>,
    /// Files with trust marks that this node was given by other means than a superior's trust mark endpoint, each a
    /// compact JWS. Default none.
    pub trust_mark_files: Vec<PathBuf>,
}

impl Default for Federation {
    fn default() -> Self {
        Self { chain_age_seconds: 60, private_networks: Vec::new(), trust_mark_files: Vec::new() }
    }
}

/// Reads `[federation]`; what is left out has its default. The files with trust marks are looked into where it is known whose
/// they must be.
pub(super) fn read(
    section: Option<Section<'_, '_>>,
    data_dir: &Path,
    profile: Profile,
    own: Option<&EntityId>,
) -> Federation {
    const SECONDS: &str = "write a number of seconds from 5 to 300, or take the line out for 60";
    let mut federation = Federation::default();
    let Some(mut section) = section else { return federation };
    if let Some(found) = section.optional::<u32>("chain_age_seconds", SECONDS) {
        if !(5..=300).contains(&found.value) {
            section.document().problem(&found.at, "out of range", SECONDS);
        }
        federation.chain_age_seconds = found.value;
    }
    federation.private_networks = read_networks(&mut section, profile);
    federation.trust_mark_files = read_trust_mark_files(&mut section, data_dir, own);
    section.close();
    federation
}

/// Reads the `[federation]` of a trust anchor, which has only `private_networks`.
pub(super) fn read_of_anchor(section: Option<Section<'_, '_>>, profile: Profile) -> Vec<IpNet> {
    let Some(mut section) = section else { return Vec::new() };
    let networks = read_networks(&mut section, profile);
    section.close();
    networks
}

fn read_trust_mark_files(
    section: &mut Section<'_, '_>,
    data_dir: &Path,
    own: Option<&EntityId>,
) -> Vec<PathBuf> {
    const FILES: &str =
        "write a list of files that each hold one trust mark of this node, as its issuer signed it";
    let Some(found) = section.optional::<Vec<String>>("trust_mark_files", FILES) else { return Vec::new() };
    let paths: Vec<PathBuf> = found.value.iter().map(|written| checks::path(data_dir, written)).collect();
    for path in &paths {
        if let Some(complaint) = own.and_then(|own| checks::trust_mark_file(path, own)) {
            section.document().problem(&found.at, format!("{}: {complaint}", path.display()), FILES);
        }
    }
    paths
}

/// Reads `private_networks`.
pub(super) fn read_networks(section: &mut Section<'_, '_>, profile: Profile) -> Vec<IpNet> {
    const NETWORKS: &str =
        "write a list of private networks, such as [\"10.20.0.0/16\"], or take the line out";
    let Some(found) = section.optional::<Vec<String>>("private_networks", NETWORKS) else {
        return Vec::new();
    };
    let document = section.document();
    if profile == Profile::Demo {
        document.problem(&found.at, "profile demo reaches this machine only", "take the line out");
    }
    let mut networks = Vec::new();
    for written in &found.value {
        match checks::network(written) {
            Ok(network) if is_private(&network) => networks.push(network),
            Ok(_) => {
                document.problem(
                    &found.at,
                    format!("{written} is not a private or loopback network"),
                    NETWORKS,
                );
            }
            Err(complaint) => document.problem(&found.at, complaint, NETWORKS),
        }
    }
    networks
}

/// Networks that may be listed: RFC 1918, RFC 6598 (shared), RFC 2544 (benchmarks), RFC 4193 (unique local), loopback.
/// Not link-local: cloud providers serve the machine's own credentials there.
fn is_private(network: &IpNet) -> bool {
    const PRIVATE: [&str; 8] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "198.18.0.0/15",
        "127.0.0.0/8",
        "fc00::/7",
        "::1/128",
    ];
    PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|private| private.contains(network))
}
