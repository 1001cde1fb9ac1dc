//! `[keys]`: where the root keys are, and how long signing keys live.

use std::path::{Path, PathBuf};

use super::reader::Section;
use super::store::Store;
use crate::domain::ids::EntityId;

/// What says where a node or anchor keeps its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The entity identifier of the node or anchor.
    pub id: EntityId,
    /// `[store]`: where the signing keys are.
    pub store: Store,
    /// `[keys]`: where the root keys are, and the rules for signing keys.
    pub keys: Keys,
}

/// `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Folder of `sealing.key`, `lookup.key` and `session.key`: 32 bytes each, made at first start with mode 0600.
    /// Whoever has them and the database can read it: back them up apart from each other.
    pub dir: PathBuf,
    /// How long a new signing key is published before it signs, in seconds; when the file does not say, twice the time in
    /// which peers ask again (`[federation] chain_age_seconds`) and half a minute more.
    pub lead_seconds: Option<u32>,
    /// How long a retired signing key stays published, in seconds.
    pub overlap_seconds: u32,
    /// Days after which a signing key is replaced by itself; 0 is never.
    pub rotate_days: RotateDays,
}

/// Days after which signing keys are replaced by themselves, by what they sign; 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotateDays {
    /// Entity statements. Never by default: whoever has them in a file should know.
    pub federation: u16,
    /// Consent tokens, status lists.
    pub token: u16,
    /// Receipts and events.
    pub receipt: u16,
    /// Client assertions.
    pub client: u16,
    /// DPoP proofs.
    pub dpop: u16,
    /// Keys that only the login provider meets. Never by default: providers of the Finnish Trust Network have them in
    /// their configuration.
    pub login: u16,
}

/// Overlap when the file does not say, in seconds.
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;

/// What is added to the default lead for clocks and requests under way, in seconds.
const LEAD_MARGIN_SECONDS: u32 = 30;

/// Life of a key that nobody pins, in days, when the file does not say.
const DEFAULT_DAYS: u16 = 90;

impl Keys {
    /// Fills in the lead that follows from how long what is known of a member is used, where the file names none.
    pub(super) fn fill_lead(&mut self, chain_age_seconds: u32) {
        let derived = chain_age_seconds.saturating_mul(2).saturating_add(LEAD_MARGIN_SECONDS);
        self.lead_seconds.get_or_insert(derived);
    }
}

/// Reads `[keys]`; without it the keys are under the data folder and live by the defaults.
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
