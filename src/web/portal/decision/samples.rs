//! Made-up pages of this section.

use std::collections::BTreeMap;

use serde_json::json;

use super::decided::{DecidedView, Decision};
use super::form::{DecisionInput, FieldError};
use super::open::WrongPersonView;
use super::persons::PersonsChoice;
use super::view::{
    ConsentLimits, ConsentRecord, ConsentView, Instead, OptionalField, OptionalGroup, PasskeyNeed,
    RequiredField,
};
use crate::domain::catalogue::field::Sensitivity;
use crate::domain::catalogue::{Field, FieldTree, FieldType, Text};
use crate::domain::consent::document::ShownPerson;
use crate::domain::ids::{ConsentId, FieldName, FieldPath, RequestId};
use crate::web::portal::reach::HistoryReach;
use crate::web::portal::samples::{
    Sample, asker, at, controller, names, officer, otherwise, placement, purpose, register, sample, text,
};

fn codes() -> BTreeMap<String, Text> {
    BTreeMap::from([(
        "DAYCARE_PART_TIME".to_owned(),
        text("Osapäiväinen päiväkotipaikka", "Daghemsplats på deltid", "Part-time daycare"),
    )])
}

fn field(name: &str, label: &Text, sensitivity: Sensitivity) -> Field {
    let plain = Field::new(FieldName::new(name).unwrap(), FieldType::String, label.clone());
    Field { sensitivity, codes: codes(), ..plain }
}

/// An object and a list of objects, whose parts are asked for one by one.
fn structured() -> [Field; 2] {
    let owner = text("Järjestäjä", "Anordnare", "Provider");
    let fee = text("Maksu", "Avgift", "Fee");
    let unit = Field {
        fields: vec![
            field("name", &text("Nimi", "Namn", "Name"), Sensitivity::Normal),
            field("owner", &owner, Sensitivity::Sensitive),
        ],
        ..Field::new(
            FieldName::new("decisionUnit").unwrap(),
            FieldType::Object,
            text("Päätöksen yksikkö", "Beslutets enhet", "Unit of the decision"),
        )
    };
    let fees = Field {
        fields: vec![Field::new(FieldName::new("fee").unwrap(), FieldType::Money, fee)],
        ..Field::new(
            FieldName::new("fees").unwrap(),
            FieldType::Array,
            text("Maksut lapsittain", "Avgifter per barn", "Fees for each child"),
        )
    };
    [unit, fees]
}

fn required(field: Field, paths: &[&str]) -> RequiredField {
    let paths: Vec<FieldPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
    RequiredField { within: FieldTree::of(&paths).get(field.name.as_str()).unwrap().clone(), field }
}

fn optional(field: Field, path: &str) -> OptionalField {
    OptionalField {
        path: path.parse().unwrap(),
        label: field.label.clone(),
        sensitive: field.is_sensitive(),
        field,
    }
}

pub(crate) fn consent() -> ConsentView {
    let all = names();
    let record = |title: &str| ConsentRecord {
        title: Some(title.into()),
        values: all
            .iter()
            .map(|(name, _, _, _, value)| (*name, value.clone()))
            .chain([
                ("decisionUnit", json!({"name": "Satakieli", "owner": "MUNICIPAL"})),
                ("fees", json!([{"fee": {"amount": "288.30", "currency": "EUR"}}, {"fee": null}])),
            ])
            .map(|(name, value)| (FieldName::new(name).unwrap(), value))
            .collect(),
    };
    let fields = |range: std::ops::Range<usize>| {
        all[range].iter().map(|(name, label, _, care, _)| field(name, label, *care)).collect::<Vec<_>>()
    };
    let [unit, fees] = structured();
    let mut all_required: Vec<RequiredField> =
        fields(0..3).into_iter().map(|field| RequiredField { field, within: FieldTree::default() }).collect();
    all_required.push(required(unit.clone(), &["decisionUnit.name"]));
    let mut all_optional: Vec<OptionalGroup> = fields(3..6)
        .into_iter()
        .map(|field| {
            let path = field.name.to_string();
            OptionalGroup { label: None, fields: vec![optional(field, &path)] }
        })
        .collect();
    all_optional.extend([
        OptionalGroup {
            label: Some(unit.label.clone()),
            fields: vec![optional(unit.fields[1].clone(), "decisionUnit.owner")],
        },
        OptionalGroup {
            label: Some(fees.label.clone()),
            fields: vec![optional(fees.fields[0].clone(), "fees.fee")],
        },
    ]);
    ConsentView {
        request: RequestId::from_bytes([7; 16]),
        asker: asker(),
        asker_address: "https://omat.helsinki.example".into(),
        holder: text("Espoo", "Esbo", "Espoo"),
        dataset: placement(),
        register: register(),
        purpose: purpose(),
        required: all_required,
        optional: all_optional,
        not_asked: vec![text("Maksupäätös", "Avgiftsbeslut", "Fee decision")],
        records: vec![record("Elmeri"), record("Venla")],
        withheld: Vec::new(),
        available_from: None,
        narrows: false,
        persons: PersonsChoice::default(),
        shown_persons: None,
        limits: ConsentLimits {
            once_until: "2026-12-23".parse().unwrap(),
            earliest_until: "2026-11-23".parse().unwrap(),
            latest_until: "2027-11-23".parse().unwrap(),
            max_times: 10,
        },
        instead: None,
        per: None,
        reach_choice: true,
        shorter_retentions: vec!["P1Y".into(), "P1M".into()],
        can_refuse_for_good: true,
        reach: HistoryReach::Period {
            from: "2025-08-01".parse().unwrap(),
            to: "2026-12-31".parse().unwrap(),
        },
        retention: "P1Y6M".into(),
        onward: Vec::new(),
        legal_basis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a".into(),
        controller: controller(),
        data_protection_officer: officer(),
        otherwise: otherwise(),
        on_behalf_of: vec!["Elmeri".into(), "Venla".into()],
        expires_at: at("2026-12-07T10:00:00Z"),
        offer_hash: "hash-of-the-offer".into(),
        passkey: PasskeyNeed::None,
        input: DecisionInput {
            duration: Some("once".into()),
            until: Some("2027-06-30".into()),
            times: Some("10".into()),
            reach_from: Some("2025-08-01".into()),
            reach_to: Some("2026-12-31".into()),
            ..DecisionInput::default()
        },
        errors: Vec::new(),
    }
}

/// The smallest decision: one fetch, no optional field, no record.
fn small_consent() -> ConsentView {
    let mut view = consent();
    view.optional.clear();
    view.not_asked.clear();
    view.records.clear();
    view.on_behalf_of.clear();
    view.limits.max_times = 1;
    view.reach = HistoryReach::Current;
    view.per = Some("P7D".into());
    view.shorter_retentions.clear();
    view.can_refuse_for_good = false;
    view.legal_basis = "A6-1-e".into();
    view.onward = vec![text("Kela", "FPA", "Kela")];
    view
}

/// The register needs time for the values.
fn later() -> ConsentView {
    ConsentView { records: Vec::new(), available_from: Some(at("2026-12-03T12:00:00Z")), ..consent() }
}

/// A non-disclosure order keeps one field back.
fn protected() -> ConsentView {
    let mut view = consent();
    view.withheld = view.required.iter().take(1).map(|required| required.field.label.clone()).collect();
    view
}

fn with_passkey(passkey: PasskeyNeed) -> ConsentView {
    ConsentView { passkey, ..consent() }
}

/// One person whole and one record of another.
pub(crate) fn chosen_persons() -> Vec<ShownPerson> {
    serde_json::from_value(serde_json::json!([
        {"id": "AQEBAQEBAQEBAQEBAQEBAQ", "name": "Elmeri"},
        {"id": "AgICAgICAgICAgICAgICAg", "name": "Venla",
         "records": [{"id": "FRUVFRUVFRUVFRUVFRUVFQ", "label": "Päiväkoti Satukallio, 1.8.2025 – 31.7.2027"}]}
    ]))
    .unwrap()
}

fn with_persons(persons: PersonsChoice) -> ConsentView {
    ConsentView { narrows: true, shown_persons: persons.digest().unwrap(), persons, ..consent() }
}

/// Every fault of the form at once, with the choices kept.
pub(crate) fn with_errors() -> ConsentView {
    let mut view = consent();
    view.input = DecisionInput {
        fields: ["type", "support"].into_iter().map(|name| FieldPath::new(name).unwrap()).collect(),
        duration: Some("until".into()),
        until: Some("\"><b>".into()),
        times: Some("0".into()),
        reach_from: Some("1.8.2025".into()),
        reach_to: Some("1.8.2024".into()),
        retention: Some("P1M".into()),
        never: Some("partner".into()),
        ..DecisionInput::default()
    };
    (view.narrows, view.persons) = (true, PersonsChoice::sample());
    view.errors = vec![
        FieldError::PersonsNone,
        FieldError::PersonsTooMany,
        FieldError::PersonsBoth,
        FieldError::UntilNotADay,
        FieldError::UntilOutside,
        FieldError::Times,
        FieldError::ReachFromNotADay,
        FieldError::ReachFromOutside,
        FieldError::ReachToNotADay,
        FieldError::ReachToOutside,
        FieldError::ReachReversed,
    ];
    view
}

fn decided(allowed: bool, before: bool) -> DecidedView {
    let given = Decision::Allowed {
        permission: ConsentId::from_bytes([1; 16]),
        at: at("2026-05-04T09:12:00Z"),
        until: "2027-06-30".parse().unwrap(),
        times: 10,
        per: Some("P7D".into()),
    };
    DecidedView {
        decision: if allowed { given } else { Decision::Declined },
        before,
        asker: asker(),
        dataset: placement(),
        otherwise: otherwise(),
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    let mut instead = consent();
    instead.instead = Some(Instead {
        permission: ConsentId::from_bytes([1; 16]),
        extends: true,
        persons: chosen_persons(),
        new_fields: vec![names().remove(0).1],
        dropped_fields: vec![names().remove(1).1],
        until: "2027-01-31".parse().unwrap(),
        new_until: "2027-06-30".parse().unwrap(),
        times: (1, None),
        new_times: (2, Some("P7D".into())),
    });
    let mut open_ended = with_errors();
    open_ended.reach = HistoryReach::Current;
    vec![
        sample("consent", "/consent/1", true, consent()),
        sample("consent-small", "/consent/1", true, small_consent()),
        sample("consent-later", "/consent/1", true, later()),
        sample("consent-protected", "/consent/1", true, protected()),
        sample("consent-instead", "/consent/1", true, instead),
        sample("consent-one-person", "/consent/1", true, with_persons(PersonsChoice::sample_of_one())),
        sample("consent-some-records", "/consent/1", true, with_persons(PersonsChoice::sample_of_records())),
        sample("consent-everybody", "/consent/1", true, ConsentView { narrows: true, ..later() }),
        sample("consent-not-held", "/consent/1", true, with_persons(PersonsChoice::sample_not_held())),
        sample("consent-errors", "/consent/1", true, with_errors()),
        sample("consent-errors-current", "/consent/1", true, open_ended),
        sample("consent-passkey", "/consent/1", true, with_passkey(PasskeyNeed::Ready)),
        sample("consent-passkey-missing", "/consent/1", true, with_passkey(PasskeyNeed::Missing)),
        sample("decided-allowed", "/me", true, decided(true, false)),
        sample("decided-declined", "/me", true, decided(false, false)),
        sample("decided-allowed-before", "/me", true, decided(true, true)),
        sample("decided-declined-before", "/me", true, decided(false, true)),
        sample("wrong-person", "/me", true, WrongPersonView { asker: asker() }),
    ]
}
