//! `[keys]`: the root keys, and the rotation of signing keys.

use std::path::{Path, PathBuf};

use super::reader::Section;
use super::store::Store;
use crate::domain::ids::EntityId;

/// The part of the configuration that opens the keys of a node or anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The entity identifier of the node or anchor.
    pub id: EntityId,
    /// `[store]`: where the signing keys are.
    pub store: Store,
    /// `[keys]`: where the root keys are, and the rotation policy.
    pub keys: Keys,
}

/// `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Directory of `sealing.key`, `lookup.key` and `session.key`: 32 bytes each, created at first start with mode
    /// 0600. Anyone with these and the database can read it: keep their backups apart.
    pub dir: PathBuf,
    /// Lead time of a new signing key between publication and first use, in seconds; by default twice `[federation]
    /// chain_age_seconds` plus 30.
    pub lead_seconds: Option<u32>,
    /// How long a retired signing key stays published, in seconds.
    pub overlap_seconds: u32,
    /// Days after which a signing key is rotated automatically; 0 is never.
    pub(crate) rotate_days: RotateDays,
}

/// Days after which signing keys are rotated automatically, by what they sign; 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotateDays {
    /// Entity statements. Default 0, because others may have pinned the key in a file.
    pub federation: u16,
    /// Consent tokens, status lists.
    pub token: u16,
    /// Receipts and events.
    pub receipt: u16,
    /// Client assertions.
    pub client: u16,
    /// DPoP proofs.
    pub dpop: u16,
    /// Keys for the login provider. Default 0: providers of the Finnish Trust Network have them in their configuration.
    /// their configuration.
    pub login: u16,
}

/// Default time that a retired key stays published, in seconds.
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;

/// Added to the default lead time for clock differences and requests in progress, in seconds.
const LEAD_MARGIN_SECONDS: u32 = 30;

/// Default rotation interval of a key that is not pinned, in days.
const DEFAULT_DAYS: u16 = 90;

impl Keys {
    /// Sets the default lead time from the maximum chain age, if the file sets none.
    pub(super) fn fill_lead(&mut self, chain_age_seconds: u32) {
        let derived = chain_age_seconds.saturating_mul(2).saturating_add(LEAD_MARGIN_SECONDS);
        self.lead_seconds.get_or_insert(derived);
    }
}

/// Reads `[keys]`; without it the keys are below the data directory and have the default policy.
pub(super) fn read(section: Option<Section<'_, '_>>, data_dir: &Path) -> Keys {
    const LEAD: &str = "write a number of seconds from 1 to 604800, or take the line out";
    const OVERLAP: &str = "write a number of seconds from 5 to 31536000, or take the line out for 86400";
    let mut keys = Keys {
        dir: data_dir.join("keys"),
        lead_seconds: None,
        overlap_seconds: DEFAULT_OVERLAP_SECONDS,
        rotate_days: RotateDays {
            federation: 0,
            token: DEFAULT_DAYS,
            receipt: DEFAULT_DAYS,
            client: DEFAULT_DAYS,
            dpop: DEFAULT_DAYS,
            login: 0,
        },
    };
    let Some(mut section) = section else { return keys };
    let document = section.document();
    if let Some(dir) =
        section.optional::<String>("dir", "write the folder for the key files, or take the line out")
    {
        keys.dir = data_dir.join(dir.value);
    }
    if let Some(lead) = section.optional::<u32>("lead_seconds", LEAD) {
        if !(1..=604_800).contains(&lead.value) {
            document.problem(&lead.at, "out of range", LEAD);
        }
        keys.lead_seconds = Some(lead.value);
    }
    if let Some(overlap) = section.optional::<u32>("overlap_seconds", OVERLAP) {
        if !(5..=31_536_000).contains(&overlap.value) {
            document.problem(&overlap.at, "out of range", OVERLAP);
        }
        keys.overlap_seconds = overlap.value;
    }
    let days = &mut keys.rotate_days;
    for (name, days) in [
        ("rotate_federation_days", &mut days.federation),
        ("rotate_token_days", &mut days.token),
        ("rotate_receipt_days", &mut days.receipt),
        ("rotate_client_days", &mut days.client),
        ("rotate_dpop_days", &mut days.dpop),
        ("rotate_login_days", &mut days.login),
    ] {
        read_days(&mut section, name, days);
    }
    section.close();
    keys
}

fn read_days(section: &mut Section<'_, '_>, name: &'static str, days: &mut u16) {
    const DAYS: &str = "write a number of days from 1 to 3650, or 0 for never";
    let document = section.document();
    if let Some(found) = section.optional::<u16>(name, DAYS) {
        if found.value > 3650 {
            document.problem(&found.at, "out of range", DAYS);
        }
        *days = found.value;
    }
}
