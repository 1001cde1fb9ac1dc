//! `[hidden_uses]`: who may withhold a reported use from its person for a time, for how long and by which law.

use std::collections::BTreeMap;

use super::checks;
use super::processing::is_web_address;
use super::reader::{Found, Section};
use super::services::Service;
use crate::domain::catalogue::LegalReference;
use crate::domain::ids::{HidingReason, ServiceId};
use crate::domain::uses::hiding::HidingRules;

const DAYS: &str = "write how many days after its report a use is shown at the latest, from 1 to 3650";
const SERVICES: &str = "write a list with ids of [[services]]";
const REASONS: &str = "write { investigation = { name = { fi = \"…\", sv = \"…\", en = \"…\" }, address = \"https://…\" } } with the \
                       laws that allow it";

pub(super) fn read(mut section: Section<'_, '_>, services: &[Service]) -> Option<HidingRules> {
    let document = section.document();
    let max_days = section.required::<u16>("max_days", DAYS);
    if let Some(days) = max_days.as_ref().filter(|days| !(1..=3650).contains(&days.value)) {
        document.problem(&days.at, "out of range", DAYS);
    }
    let proposers = section.required::<Vec<ServiceId>>("propose", SERVICES);
    let confirmers = section.required::<Vec<ServiceId>>("confirm", SERVICES);
    for list in [&proposers, &confirmers].into_iter().flatten() {
        check_services(&section, list, services);
    }
    if let (Some(proposers), Some(confirmers)) = (&proposers, &confirmers)
        && let Some(both) = confirmers.value.iter().find(|id| proposers.value.contains(id))
    {
        let complaint = format!("{both} would confirm its own proposals");
        document.problem(
            &confirmers.at,
            complaint,
            "write services that others use, with secrets of their own",
        );
    }
    let reasons = section.required::<BTreeMap<HidingReason, LegalReference>>("reasons", REASONS);
    if let Some(reasons) = &reasons {
        if reasons.value.is_empty() {
            document.problem(&reasons.at, "there is none", REASONS);
        }
        if let Some(complaint) = reasons.value.values().find_map(|law| checks::text(&law.name)) {
            document.problem(&reasons.at, complaint, REASONS);
        }
        if reasons.value.values().any(|law| !is_web_address(&law.address)) {
            document.problem(&reasons.at, "an address is not one of the web", REASONS);
        }
    }
    section.close();
    Some(HidingRules {
        max_days: max_days?.value,
        proposers: proposers?.value,
        confirmers: confirmers?.value,
        reasons: reasons?.value,
    })
}

fn check_services(section: &Section<'_, '_>, list: &Found<Vec<ServiceId>>, services: &[Service]) {
    if list.value.is_empty() {
        section.document().problem(&list.at, "the list is empty", SERVICES);
    }
    for id in &list.value {
        if !services.iter().any(|service| service.id == *id) {
            section.document().problem(&list.at, format!("no service has the id {id}"), SERVICES);
        }
    }
}
