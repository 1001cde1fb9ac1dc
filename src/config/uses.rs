//! `[[uses]]`: the declared uses of this city's services, as published at `/catalogue/uses`.

use super::checks;
use super::reader::{Found, Section};
use super::services::Service;
use crate::domain::catalogue::purposes::is_purpose;
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::{Contact, DeclaredUse, Text};
use crate::domain::clock::{RetentionPeriod, Window};
use crate::domain::ids::{DatasetType, EntityId, FieldPath, ServiceId, UseId};

/// What the uses are checked against.
pub(super) struct Surroundings<'a> {
    pub(super) base_url: &'a EntityId,
    pub(super) services: &'a [Service],
    pub(super) datasets: &'a [HeldDataset],
    pub(super) contact: &'a Contact,
    pub(super) data_protection_officer: &'a Contact,
}

const ID: &str = "write a short name of a-z, 0-9 and hyphens";
const PURPOSE: &str =
    "write a term of the Data Privacy Vocabulary, such as \"https://w3id.org/dpv#ServiceProvision\"";
const RETENTION: &str = "write an ISO 8601 duration, such as \"P1Y\"";
const INSIDE_CITY: &str = "write true where the service asks this city's own data, and leave it out else";
const FIELDS: &str = "write a list of field names, such as [\"startDate\", \"unit.name\"]";
const EXCHANGES: &str = "write how many exchanges one permission allows, from 1 to 10000";
const WINDOW: &str = "write an ISO 8601 duration of a day to a year, such as \"P7D\"";
const DAYS: &str = "write how many days one permission may last, from 1 to 365";

pub(super) fn read(sections: Vec<Section<'_, '_>>, around: &Surroundings<'_>) -> Vec<DeclaredUse> {
    let mut uses: Vec<DeclaredUse> = Vec::new();
    for section in sections {
        let Some(declared) = read_one(section, around, &uses) else { continue };
        uses.push(declared);
    }
    uses
}

fn read_one(
    mut section: Section<'_, '_>,
    around: &Surroundings<'_>,
    before: &[DeclaredUse],
) -> Option<DeclaredUse> {
    let document = section.document();
    let slug = section.required::<ServiceId>("id", ID);
    if let Some(slug) = &slug {
        section.call(slug.value.as_str());
        if before.iter().any(|other| other.id.slug() == slug.value.as_str()) {
            document.problem(&slug.at, "another use has this id", "write another id");
        }
    }
    let service_id = section.required::<ServiceId>("service", "write the id of one of [[services]]");
    let service = service_id.as_ref().and_then(|found| {
        let service = around.services.iter().find(|service| service.id == found.value);
        if service.is_none() {
            document.problem(&found.at, "no service has this id", "write the id of one of [[services]]");
        }
        service
    });
    let title = text(&mut section, "title");
    let purpose_text = text(&mut section, "purpose_text");
    let otherwise = text(&mut section, "otherwise");
    let purpose = checked(&mut section, "purpose", PURPOSE, |value| {
        (!is_purpose(value)).then_some("not a purpose of DPV")
    });
    let legal_basis = checked(&mut section, "legal_basis", checks::LEGAL_BASIS, checks::legal_basis);
    let retention = checked(&mut section, "retention", RETENTION, checks::duration)
        .and_then(|text| text.parse::<RetentionPeriod>().ok());
    let dataset_type =
        section.required::<DatasetType>("dataset_type", "write the kind of dataset that it asks for");
    let inside_city = section.optional::<bool>("inside_city", INSIDE_CITY);
    if let (Some(inside), Some(kind)) = (&inside_city, &dataset_type)
        && inside.value
        && !around.datasets.iter().any(|held| held.dataset.kind == kind.value)
    {
        document.problem(&inside.at, "this city holds no dataset of this type", INSIDE_CITY);
    }
    let required = section.required::<Vec<FieldPath>>("required_fields", FIELDS);
    let optional = section.optional::<Vec<FieldPath>>("optional_fields", FIELDS);
    check_fields(&section, dataset_type.as_ref(), required.as_ref(), optional.as_ref(), around.datasets);
    let max_exchanges = number(&mut section, "max_exchanges", EXCHANGES, 10_000);
    let per = section.optional::<String>("max_exchanges_per", WINDOW).and_then(|found| {
        let per = Window::try_from(found.value).ok();
        if per.is_none() {
            section.document().problem(&found.at, "not a duration of a day to a year", WINDOW);
        }
        per
    });
    let max_days = number(&mut section, "max_days", DAYS, 365).and_then(|days| u16::try_from(days).ok());
    let controller = section.table("controller").map(super::contact::read);
    let officer = section.table("data_protection_officer").map(super::contact::read);
    section.close();
    let service = service?;
    Some(DeclaredUse {
        id: UseId::new(format!("{}/catalogue/uses/{}", around.base_url, slug?.value)).ok()?,
        service: service.id.clone(),
        service_name: service.name.clone(),
        title: title?,
        purpose_text: purpose_text?,
        purpose: purpose?,
        legal_basis: legal_basis?,
        dataset_type: dataset_type?.value,
        inside_city: inside_city.is_some_and(|found| found.value),
        required_fields: required?.value,
        optional_fields: optional.map_or_else(Vec::new, |found| found.value),
        max_exchanges: max_exchanges?,
        per,
        max_days: max_days?,
        retention: retention?,
        otherwise: otherwise?,
        controller: controller.unwrap_or_else(|| Some(around.contact.clone()))?,
        data_protection_officer: officer.unwrap_or_else(|| Some(around.data_protection_officer.clone()))?,
    })
}

fn text(section: &mut Section<'_, '_>, key: &'static str) -> Option<Text> {
    let found = section.required::<Text>(key, checks::TEXT)?;
    if let Some(complaint) = checks::text(&found.value) {
        section.document().problem(&found.at, complaint, checks::TEXT);
    }
    Some(found.value)
}

fn checked(
    section: &mut Section<'_, '_>,
    key: &'static str,
    remedy: &str,
    check: impl Fn(&str) -> Option<&'static str>,
) -> Option<String> {
    let found = section.required::<String>(key, remedy)?;
    if let Some(complaint) = check(&found.value) {
        section.document().problem(&found.at, complaint, remedy);
    }
    Some(found.value)
}

fn number(section: &mut Section<'_, '_>, key: &'static str, remedy: &str, most: u32) -> Option<u32> {
    let found = section.required::<u32>(key, remedy)?;
    if !(1..=most).contains(&found.value) {
        section.document().problem(&found.at, "out of range", remedy);
    }
    Some(found.value)
}

/// A field may be named once, and must exist if this city holds the same kind of dataset itself.
fn check_fields(
    section: &Section<'_, '_>,
    kind: Option<&Found<DatasetType>>,
    required: Option<&Found<Vec<FieldPath>>>,
    optional: Option<&Found<Vec<FieldPath>>>,
    datasets: &[HeldDataset],
) {
    let document = section.document();
    if let Some(required) = required
        && required.value.is_empty()
    {
        document.problem(&required.at, "the list is empty", FIELDS);
    }
    let held = kind.and_then(|kind| datasets.iter().find(|held| held.dataset.kind == kind.value));
    let mut named: Vec<&FieldPath> = Vec::new();
    for list in [required, optional].into_iter().flatten() {
        for field in &list.value {
            if named.contains(&field) {
                document.problem(
                    &list.at,
                    format!("the field {field} is named twice"),
                    "name it once, in one list",
                );
            }
            let is_part =
                |other: &&&FieldPath| **other != field && (field.is_within(other) || other.is_within(field));
            if let Some(wider) = named.iter().find(is_part) {
                let complaint = format!("{field} and {wider} are named, and one is a part of the other");
                document.problem(&list.at, complaint, "name the parts alone");
            }
            named.push(field);
            if held.is_some_and(|held| held.dataset.is_too_wide(field)) {
                let complaint = format!("{field} is an object or list with fields of its own");
                document.problem(
                    &list.at,
                    complaint,
                    format!("name those that are needed, such as {field}.…"),
                );
            } else if held.is_some_and(|held| held.dataset.leaf(field).is_none()) {
                let complaint = format!("datasets of this type have no field {field}");
                document.problem(&list.at, complaint, "write a field of the [[datasets]] of this type");
            }
        }
    }
}
