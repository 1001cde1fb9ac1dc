//! `[[data_trackers]]`: services that answer which uses were made of a person's data (Andmejälgija).

use std::path::Path;

use super::checks;
use super::http_registers;
use super::profile::Profile;
use super::reader::Section;
use super::registers;
use crate::domain::catalogue::Text;
use crate::domain::catalogue::register::{DataTracker, Register};
use crate::domain::catalogue::service::{SUBJECT, XRoad};
use crate::domain::ids::RegisterId;

const ID: &str = "write a short name of a-z, 0-9 and hyphens that no register has";
const XROAD: &str = "write xroad = { client = \"FI/GOV/1234567-8/SUBSYSTEM\", service = \
                     \"FI/GOV/8765432-1/SUBSYSTEM/findUsage\", user = \"FI{subject}\" }";
const MAX_USES: &str = "write a number of uses from 1 to 100000";

/// Default of `max_uses`.
const DEFAULT_MAX_USES: u32 = 10_000;

/// The service code of every data tracker (protocol 1.6 §6).
const SERVICE_CODE: &str = "findUsage";

pub(super) fn read(
    sections: Vec<Section<'_, '_>>,
    registers: &[Register],
    data_dir: &Path,
    profile: Profile,
) -> Vec<DataTracker> {
    let mut trackers: Vec<DataTracker> = Vec::new();
    for section in sections {
        let taken = |id: &RegisterId| {
            registers.iter().any(|register| register.id == *id)
                || trackers.iter().any(|tracker| tracker.id == *id)
        };
        let Some(tracker) = read_one(section, taken, data_dir, profile) else { continue };
        trackers.push(tracker);
    }
    trackers
}

fn read_one(
    mut section: Section<'_, '_>,
    is_taken: impl Fn(&RegisterId) -> bool,
    data_dir: &Path,
    profile: Profile,
) -> Option<DataTracker> {
    let document = section.document();
    let id = section.required::<RegisterId>("id", ID);
    if let Some(id) = &id {
        section.call(id.value.as_str());
        if is_taken(&id.value) {
            document.problem(&id.at, "another register or data tracker has this id", ID);
        }
    }
    let title = section.required::<Text>("title", checks::TEXT);
    if let Some(title) = &title
        && let Some(complaint) = checks::text(&title.value)
    {
        document.problem(&title.at, complaint, checks::TEXT);
    }
    let timeout = registers::timeout(&mut section);
    let has_xroad = section.has("xroad");
    let service = http_registers::read(&mut section, data_dir, profile);
    let complaint = match service.as_ref().and_then(|service| service.xroad.as_ref()) {
        Some(xroad) => misfit(xroad),
        None if has_xroad => None, // what is wrong with it has been told
        None => Some("a data tracker is reached through X-Road"),
    };
    if let Some(complaint) = complaint {
        section.problem(complaint, XROAD);
    }
    let max_uses = section.optional::<u32>("max_uses", MAX_USES);
    if let Some(max) = &max_uses
        && !(1..=100_000).contains(&max.value)
    {
        document.problem(&max.at, "out of range", MAX_USES);
    }
    section.close();
    Some(DataTracker {
        id: id?.value,
        title: title?.value,
        service: service?,
        timeout,
        max_uses: max_uses.map_or(DEFAULT_MAX_USES, |found| found.value),
    })
}

/// What the protocol demands of a call beyond X-Road itself (§6 and §6.1.3).
fn misfit(xroad: &XRoad) -> Option<&'static str> {
    if xroad.service.rsplit('/').next() != Some(SERVICE_CODE) {
        return Some("the service code of a data tracker is findUsage");
    }
    let names_person = xroad.user.as_ref().is_some_and(|user| user.contains(SUBJECT));
    (!names_person).then_some("a data tracker is told the person: xroad has no user with {subject}")
}
