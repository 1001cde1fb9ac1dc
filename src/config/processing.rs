//! `[[processing]]` and the file of `[record_of_processing]`: the city's uses of its own data by contract and law (GDPR
//! article 30), as published in the catalogue and shown to residents.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::checks;
use super::reader::{Found, Section};
use super::services::Service;
use crate::domain::catalogue::processing::{Ground, gives_objection};
use crate::domain::catalogue::purposes::is_purpose;
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::{Contact, LegalReference, Processing, Text};
use crate::domain::ids::{DatasetId, ProcessingId, RoleId, ServiceId};

/// What the activities are checked against.
pub(super) struct Surroundings<'a> {
    pub(super) services: &'a [Service],
    pub(super) datasets: &'a [HeldDataset],
    pub(super) contact: &'a Contact,
}

const ID: &str = "write a short name of a-z, 0-9 and hyphens";
const SERVICE: &str = "write the id of one of [[services]], or another short name with service_name";
const PURPOSE: &str =
    "write a term of the Data Privacy Vocabulary, such as \"https://w3id.org/dpv#ServiceProvision\"";
const BASIS: &str = "write the article as DPV does, A6-1-b to A6-1-f or A9-2-b to A9-2-j";
const LAW: &str = "write { name = { fi = \"…\", sv = \"…\", en = \"…\" }, address = \"https://…\" } with the address of the act \
                   in Finlex or EUR-Lex";
const DATASETS: &str = "write a list with ids of [[datasets]], such as [\"placements\"]";
const RETENTION: &str = "write an ISO 8601 duration, such as \"P1Y\"";
const RECIPIENTS: &str = "write a list of texts in three languages, by name or category; [] for nobody";
const OBJECT: &str = "write true or false; only A6-1-e and A6-1-f give the right to object";
const CORRECTION: &str = "write the https address where residents have the data corrected";
const ROLES: &str = "write { clerk = { fi = \"…\", sv = \"…\", en = \"…\" } }: roles, never people's names";
const FLAG: &str = "write true or false";

/// The path of the file with further activities.
pub(super) fn read_file(
    section: Option<Section<'_, '_>>,
    data_dir: &std::path::Path,
) -> Option<Found<PathBuf>> {
    const FILE: &str = "write the path of a CSV file with the record of processing";
    let mut section = section?;
    let found = section.required::<String>("file", FILE);
    section.close();
    found.map(|found| Found { value: checks::path(data_dir, &found.value), at: found.at })
}

/// Reads activities behind those that were read before.
pub(super) fn read(
    sections: Vec<Section<'_, '_>>,
    around: &Surroundings<'_>,
    mut activities: Vec<Processing>,
) -> Vec<Processing> {
    for section in sections {
        let Some(one) = read_one(section, around, &activities) else { continue };
        activities.push(one);
    }
    activities
}

fn read_one(
    mut section: Section<'_, '_>,
    around: &Surroundings<'_>,
    before: &[Processing],
) -> Option<Processing> {
    let document = section.document();
    let id = section.required::<ProcessingId>("id", ID);
    if let Some(id) = &id {
        section.call(id.value.as_str());
        if before.iter().any(|other| other.id == id.value) {
            document.problem(&id.at, "another activity has this id", "write another id");
        }
    }
    let (service, service_name) = read_service(&mut section, around.services);
    let title = text(&mut section, "title");
    let purpose_text = text(&mut section, "purpose_text");
    let purpose = section.required::<String>("purpose", PURPOSE);
    if let Some(purpose) = purpose.as_ref().filter(|purpose| !is_purpose(&purpose.value)) {
        document.problem(&purpose.at, "not a purpose of DPV", PURPOSE);
    }
    let legal_basis = read_basis(&mut section);
    let law = read_law(&mut section);
    let datasets = read_datasets(&mut section, around.datasets);
    let retention = section.required::<String>("retention", RETENTION);
    if let Some(found) = &retention
        && let Some(complaint) = checks::duration(&found.value)
    {
        document.problem(&found.at, complaint, RETENTION);
    }
    let recipients = section.required::<Vec<Text>>("recipients", RECIPIENTS);
    each_text(&section, recipients.as_ref().map(|found| (&found.at, found.value.iter())), RECIPIENTS);
    let may_object = read_objection(&mut section, legal_basis.as_deref());
    let controller = section.table("controller").map(super::contact::read);
    let correction = section.optional::<String>("correction", CORRECTION);
    if let Some(found) = correction.as_ref().filter(|found| !is_web_address(&found.value)) {
        document.problem(&found.at, "not an address", CORRECTION);
    }
    let roles = section.optional::<BTreeMap<RoleId, Text>>("roles", ROLES);
    each_text(&section, roles.as_ref().map(|found| (&found.at, found.value.values())), ROLES);
    let reports = section.optional::<bool>("reports", FLAG);
    section.close();
    Some(Processing {
        id: id?.value,
        service: service?,
        service_name: service_name?,
        title: title?,
        purpose_text: purpose_text?,
        purpose: purpose?.value,
        legal_basis: legal_basis?,
        law: law?,
        datasets: datasets?,
        retention: retention?.value.parse().ok()?,
        recipients: recipients?.value,
        may_object,
        controller: controller.unwrap_or_else(|| Some(around.contact.clone()))?,
        correction: correction.map(|found| found.value),
        roles: roles.map(|found| found.value).unwrap_or_default(),
        reports: reports.is_some_and(|found| found.value),
    })
}

/// The service and its name: that of `[[services]]` when it is one of them.
fn read_service(section: &mut Section<'_, '_>, services: &[Service]) -> (Option<ServiceId>, Option<Text>) {
    let id = section.required::<ServiceId>("service", SERVICE);
    let known = id.as_ref().and_then(|id| services.iter().find(|service| service.id == id.value));
    let name = match known {
        Some(known) => {
            let written = section.optional::<Text>("service_name", checks::TEXT);
            if let Some(written) = &written {
                let document = section.document();
                document.problem(&written.at, "the service has a name in [[services]]", "take the line out");
            }
            Some(known.name.clone())
        }
        None if id.is_some() => text(section, "service_name"),
        None => section.optional::<Text>("service_name", checks::TEXT).map(|found| found.value),
    };
    (id.map(|id| id.value), name)
}

fn read_basis(section: &mut Section<'_, '_>) -> Option<String> {
    let found = section.required::<String>("legal_basis", BASIS)?;
    let complaint = match checks::legal_basis(&found.value) {
        None if Ground::of(&found.value) == Ground::Choice => {
            Some("what rests on consent is a declared use ([[uses]])")
        }
        complaint => complaint,
    };
    if let Some(complaint) = complaint {
        section.document().problem(&found.at, complaint, BASIS);
    }
    Some(found.value)
}

fn read_law(section: &mut Section<'_, '_>) -> Option<LegalReference> {
    let found = section.required::<LegalReference>("law", LAW)?;
    let complaint = match checks::text(&found.value.name) {
        None if !is_web_address(&found.value.address) => Some("not an address"),
        complaint => complaint,
    };
    if let Some(complaint) = complaint {
        section.document().problem(&found.at, complaint, LAW);
    }
    Some(found.value)
}

fn read_datasets(section: &mut Section<'_, '_>, held: &[HeldDataset]) -> Option<Vec<DatasetId>> {
    let found = section.required::<Vec<DatasetId>>("datasets", DATASETS)?;
    let document = section.document();
    if found.value.is_empty() {
        document.problem(&found.at, "the list is empty", DATASETS);
    }
    for id in &found.value {
        if !held.iter().any(|held| held.dataset.id == *id) {
            document.problem(&found.at, format!("no dataset has the id {id}"), DATASETS);
        }
    }
    Some(found.value)
}

/// The right to object: what the basis gives, unless the law behind the activity takes it away.
fn read_objection(section: &mut Section<'_, '_>, basis: Option<&str>) -> bool {
    let given = basis.is_some_and(gives_objection);
    let Some(written) = section.optional::<bool>("may_object", OBJECT) else { return given };
    if written.value && !given && basis.is_some() {
        let complaint = "this legal basis gives no right to object (GDPR article 21)";
        section.document().problem(&written.at, complaint, OBJECT);
    }
    written.value
}

fn text(section: &mut Section<'_, '_>, key: &'static str) -> Option<Text> {
    let found = section.required::<Text>(key, checks::TEXT)?;
    if let Some(complaint) = checks::text(&found.value) {
        section.document().problem(&found.at, complaint, checks::TEXT);
    }
    Some(found.value)
}

fn each_text<'a>(
    section: &Section<'_, '_>,
    texts: Option<(&super::reader::Location, impl Iterator<Item = &'a Text>)>,
    remedy: &str,
) {
    let Some((at, mut texts)) = texts else { return };
    if let Some(complaint) = texts.find_map(checks::text) {
        section.document().problem(at, complaint, remedy);
    }
}

/// Whether it is an address that can stand in a link and, as an IRI (RFC 3987), in the RDF catalogue.
pub(super) fn is_web_address(text: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    text.chars().all(fits)
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}
