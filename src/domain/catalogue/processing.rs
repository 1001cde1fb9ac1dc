//! The city's own uses of its data by contract and law: its record of processing activities (GDPR article 30).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Contact, Text};
use crate::domain::clock::RetentionPeriod;
use crate::domain::ids::{DatasetId, ProcessingId, RoleId, ServiceId};

/// A legal act or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalReference {
    /// What people call it, with the section (`Varhaiskasvatuslaki 540/2018, 5 §`).
    pub(crate) name: Text,
    /// Its address in Finlex or EUR-Lex.
    pub(crate) address: String,
}

/// One processing activity: a service of the city uses datasets of the city for one purpose on one legal basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Processing {
    /// Its name in the record, in reports and in the catalogue.
    pub id: ProcessingId,
    /// The service or system that uses the data.
    pub service: ServiceId,
    pub(crate) service_name: Text,
    pub(crate) title: Text,
    /// The purpose in one sentence, as residents read it.
    pub(crate) purpose_text: Text,
    /// The purpose as a term of DPV.
    pub(crate) purpose: String,
    /// The legal basis as a DPV term, never a consent: what rests on consent is a declared use.
    pub(crate) legal_basis: String,
    /// The act behind the basis; for a contract, its terms.
    pub(crate) law: LegalReference,
    /// The datasets of this city that are used.
    pub(crate) datasets: Vec<DatasetId>,
    /// How long the service keeps what it uses, and how long its uses are shown.
    pub(crate) retention: RetentionPeriod,
    /// Who is given the data, by name or category; empty for nobody.
    pub(crate) recipients: Vec<Text>,
    /// Whether a resident may object (GDPR article 21).
    pub(crate) may_object: bool,
    /// Where to ask.
    pub(crate) controller: Contact,
    /// Where to have the data corrected, if not at the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correction: Option<String>,
    /// The roles that a report may name as the user of the data.
    #[serde(skip)]
    pub(crate) roles: BTreeMap<RoleId, Text>,
    /// Whether its single uses reach the resident's log.
    #[serde(rename = "reportsUses")]
    pub(crate) reports: bool,
}

/// What a resident can decide about a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ground {
    /// The resident's own permission.
    Choice,
    /// A contract with the resident (GDPR article 6(1)(b)).
    Contract,
    /// Everything else.
    Law,
}

impl Ground {
    /// The ground of a legal basis, a DPV term.
    #[must_use]
    pub(crate) fn of(basis: &str) -> Self {
        match basis {
            "A6-1-a" | "A9-2-a" => Self::Choice,
            "A6-1-b" => Self::Contract,
            _ => Self::Law,
        }
    }
}

/// Whether a basis gives the right to object (GDPR article 21(1)).
#[must_use]
pub(crate) fn gives_objection(basis: &str) -> bool {
    matches!(basis, "A6-1-e" | "A6-1-f")
}

/// The JSON Schema (draft 2020-12) of the document at `/catalogue/uses`.
#[must_use]
pub(crate) fn uses_schema() -> Value {
    let text = json!({"$ref": "#/$defs/text"});
    let contact = json!({"$ref": "#/$defs/contact"});
    let id = json!({"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"});
    let word = json!({"type": "string"});
    let address = json!({"type": "string", "format": "uri"});
    let list = |of: &Value| json!({"type": "array", "items": of});
    let basis = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let declared = object(
        &[
            ("id", address.clone()),
            ("service", id.clone()),
            ("serviceName", text.clone()),
            ("title", text.clone()),
            ("purposeText", text.clone()),
            ("purpose", address.clone()),
            ("legalBasis", basis("^A[69]-")),
            ("datasetType", id.clone()),
            ("requiredFields", list(&word)),
            ("optionalFields", list(&word)),
            ("maxExchanges", json!({"type": "integer", "minimum": 1})),
            ("maxDays", json!({"type": "integer", "minimum": 1, "maximum": 365})),
            ("retention", json!({"type": "string", "format": "duration"})),
            ("otherwise", text.clone()),
            ("controller", contact.clone()),
            ("dataProtectionOfficer", contact.clone()),
        ],
        &[
            ("per", json!({"type": "string", "format": "duration"})),
            ("insideCity", json!({"type": "boolean"})),
        ],
    );
    let law = object(&[("name", text.clone()), ("address", address.clone())], &[]);
    let processing = object(
        &[
            ("id", id.clone()),
            ("service", id.clone()),
            ("serviceName", text.clone()),
            ("title", text.clone()),
            ("purposeText", text.clone()),
            ("purpose", address.clone()),
            ("legalBasis", basis("^A(6-1-[b-f]|9-2-[b-j])$")),
            ("law", law),
            ("datasets", list(&id)),
            ("retention", json!({"type": "string", "format": "duration"})),
            ("recipients", list(&text)),
            ("mayObject", json!({"type": "boolean"})),
            ("controller", contact),
            ("reportsUses", json!({"type": "boolean"})),
        ],
        &[("correction", address.clone())],
    );
    let mut schema = object(
        &[
            ("recipient", address),
            ("name", text),
            ("uses", list(&declared)),
            ("processing", list(&processing)),
        ],
        &[],
    );
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("title".to_owned(), json!("Declared uses and record of processing of a city"));
        let text = object(&[("fi", word.clone()), ("sv", word.clone()), ("en", word.clone())], &[]);
        let contact = object(&[("name", json!({"$ref": "#/$defs/text"})), ("email", word)], &[]);
        members.insert("$defs".to_owned(), json!({"text": text, "contact": contact}));
    }
    schema
}

/// An object with required and optional members and no other.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let properties: serde_json::Map<String, Value> =
        required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An activity of the tests.
    pub(crate) fn fees() -> Processing {
        let text = |word: &str| Text {
            fi: format!("{word} fi"),
            sv: format!("{word} sv"),
            en: format!("{word} en"),
        };
        Processing {
            id: ProcessingId::new("early-education-fees").unwrap(),
            service: ServiceId::new("fee-system").unwrap(),
            service_name: text("fee system"),
            title: text("fees"),
            purpose_text: text("fees are set"),
            purpose: "https://w3id.org/dpv#ServiceProvision".to_owned(),
            legal_basis: "A6-1-c".to_owned(),
            law: LegalReference {
                name: text("Act 1503/2016"),
                address: "http://data.finlex.fi/eli/sd/2016/1503/alkup".to_owned(),
            },
            datasets: vec![DatasetId::new("placements").unwrap()],
            retention: "P6Y".parse().unwrap(),
            recipients: vec![text("Social Insurance Institution")],
            may_object: false,
            controller: Contact { name: text("Office"), email: "fees@city.example".to_owned() },
            correction: Some("https://city.example/fees".to_owned()),
            roles: BTreeMap::from([(RoleId::new("fee-secretary").unwrap(), text("fee secretary"))]),
            reports: true,
        }
    }

    #[test]
    fn only_public_tasks_and_legitimate_interests_give_the_right_to_object() {
        let objectionable: Vec<&str> = ["A6-1-b", "A6-1-c", "A6-1-d", "A6-1-e", "A6-1-f", "A9-2-g"]
            .into_iter()
            .filter(|basis| gives_objection(basis))
            .collect();
        assert_eq!(objectionable, ["A6-1-e", "A6-1-f"]);
        assert_eq!(Ground::of("A6-1-b"), Ground::Contract);
        assert_eq!(Ground::of("A9-2-g"), Ground::Law);
        assert_eq!(Ground::of("A6-1-a"), Ground::Choice);
    }

    #[test]
    fn the_schema_names_every_published_member_of_an_activity_and_no_internal_one() {
        let schema = uses_schema();
        let properties = &schema["properties"]["processing"]["items"]["properties"];
        let published = serde_json::to_value(fees()).unwrap();
        let names = |value: &Value| -> std::collections::BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(&published), names(properties));
    }
}
