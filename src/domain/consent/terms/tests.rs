//! Narrowing and merging, over random requests and choices.

use proptest::prelude::*;

use super::*;
use crate::domain::consent::persons::CoveredPerson;
use crate::domain::ids::{PairwisePerson, PairwiseRecord};

const FIELDS: [&str; 4] = ["unit", "startDate", "endDate", "type"];

fn names(chosen: &[bool]) -> Vec<FieldPath> {
    let chosen = FIELDS.iter().zip(chosen).filter(|(_, chosen)| **chosen);
    chosen.map(|(name, _)| FieldPath::new(*name).unwrap()).collect()
}

fn day(number: u8) -> Day {
    format!("2026-06-{:02}", 1 + number % 28).parse().unwrap()
}

fn period() -> impl Strategy<Value = Option<Period>> {
    proptest::option::of((0_u8..28, 0_u8..28).prop_map(|(from, to)| Period { from: day(from), to: day(to) }))
}

fn frequency() -> impl Strategy<Value = Frequency> {
    (1_u32..6, proptest::option::of(1_u32..9)).prop_map(|(max, days)| Frequency {
        max,
        per: days.map(|days| format!("P{days}D").try_into().unwrap()),
    })
}

fn retention() -> impl Strategy<Value = RetentionPeriod> {
    prop_oneof![Just("P1D"), Just("P7D"), Just("P1M"), Just("P1Y")].prop_map(|text| text.parse().unwrap())
}

/// Of three persons with three records each.
fn persons() -> impl Strategy<Value = Option<Persons>> {
    let records = |person: u8| {
        proptest::option::of(proptest::collection::btree_set(0_u8..3, 1..3)).prop_map(move |records| {
            let id = |record| PairwiseRecord::from_bytes([10 * person + record; 16]);
            CoveredPerson {
                id: PairwisePerson::from_bytes([person; 16]),
                records: records.map(|records| records.into_iter().map(id).collect()),
            }
        })
    };
    let persons = proptest::collection::btree_set(0_u8..3, 1..3)
        .prop_flat_map(move |persons| persons.into_iter().map(records).collect::<Vec<_>>().prop_map(Persons));
    proptest::option::of(persons)
}

prop_compose! {
    fn detail()(
        fields in proptest::collection::vec(any::<bool>(), 3),
        period in period(),
        frequency in frequency(),
        retention in retention(),
        until in 0_u8..28,
        persons in persons(),
    ) -> AuthorizationDetail {
        AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            locations: vec!["https://espoo.example".to_owned()],
            identifier: DatasetId::new("placements").unwrap(),
            actions: vec!["read".to_owned()],
            datatypes: names(&[&[true][..], &fields].concat()),
            persons,
            declared_use: UseId::new("https://helsinki.example/catalogue/uses/daycare").unwrap(),
            purpose: "https://w3id.org/dpv#ServiceProvision".to_owned(),
            // What a request may ask; the other order is refused before.
            period: period.filter(|period| period.from <= period.to),
            frequency,
            retention,
            until: day(until),
        }
    }
}

fn terms(detail: &AuthorizationDetail) -> Terms {
    Terms {
        holder: EntityId::new("https://espoo.example").unwrap(),
        recipient: EntityId::new("https://helsinki.example").unwrap(),
        declared_use: detail.declared_use.clone(),
        dataset: detail.identifier.clone(),
        fields: detail.datatypes.clone(),
        persons: detail.persons.clone(),
        purpose: detail.purpose.clone(),
        period: detail.period,
        max_exchanges: detail.frequency.max,
        per: detail.frequency.per.clone(),
        retention: detail.retention.clone(),
        until: detail.until,
    }
}

/// Whether one covers everything that another does.
fn covers(wider: &AuthorizationDetail, narrower: &AuthorizationDetail) -> bool {
    narrower.datatypes.iter().all(|field| wider.datatypes.contains(field))
        && Persons::narrows(narrower.persons.as_ref(), wider.persons.as_ref())
        && narrower.until <= wider.until
        && narrower.retention.is_within(&wider.retention)
        && match (narrower.period, wider.period) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(one), Some(other)) => one.is_within(&other),
        }
}

proptest! {
    /// Whatever a resident chooses, the result never exceeds the offer.
    #[test]
    fn a_decision_only_narrows(
        offered in detail(),
        fields in proptest::collection::vec(any::<bool>(), 4),
        frequency in frequency(),
        period in period(),
        retention in retention(),
        until in 0_u8..28,
        persons in persons(),
    ) {
        let offer = terms(&offered);
        let required = names(&[true]);
        let choice = Choice {
            fields: names(&fields).into_iter().collect(),
            persons,
            frequency,
            period,
            retention,
            until: day(until),
        };
        let before: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        if let Ok(decided) = offer.decided(&choice, &required, before) {
            let decided = decided.to_detail();
            prop_assert!(covers(&offered, &decided), "{offered:?} became {decided:?}");
            prop_assert!(decided.frequency.is_within(&offered.frequency));
            prop_assert!(required.iter().all(|field| decided.datatypes.contains(field)));
            prop_assert!(decided.period.is_none_or(|period| period.from <= period.to));
        }
        // The unchanged offer is always a valid choice.
        let whole = Choice {
            fields: offer.fields.iter().cloned().collect(),
            persons: offer.persons.clone(),
            frequency: offer.frequency(),
            period: offer.period,
            retention: offer.retention.clone(),
            until: offer.until,
        };
        prop_assert_eq!(offer.decided(&whole, &required, before), Ok(offer));
    }

    /// A merged request covers both of its parts, and merging it again changes nothing.
    #[test]
    fn a_merged_request_covers_both(asked in detail(), allowed in detail()) {
        let merged = asked.merged_with(&allowed);
        prop_assert!(covers(&merged, &asked), "{asked:?} in {merged:?}");
        prop_assert!(covers(&merged, &allowed), "{allowed:?} in {merged:?}");
        prop_assert!(asked.frequency.is_within(&merged.frequency));
        if allowed.frequency.is_within(&asked.frequency) || asked.frequency.is_within(&allowed.frequency) {
            prop_assert!(allowed.frequency.is_within(&merged.frequency));
        }
        prop_assert_eq!(merged.merged_with(&allowed), merged.clone());
    }
}

#[test]
fn an_object_as_a_whole_is_refused_as_too_wide() {
    let text = |text: &str| serde_json::json!({"fi": text, "sv": text, "en": text});
    let contact = serde_json::json!({"name": text("Office"), "email": "office@city.example"});
    let declared_use: DeclaredUse = serde_json::from_value(serde_json::json!({
        "id": "https://helsinki.example/catalogue/uses/daycare", "service": "daycare",
        "serviceName": text("Daycare"), "title": text("Daycare place"), "purposeText": text("To give a place"),
        "purpose": "https://w3id.org/dpv#ServiceProvision", "legalBasis": "A6-1-a", "datasetType": "placements",
        "requiredFields": ["unit.name"], "optionalFields": ["unit", "unit.address"], "maxExchanges": 3, "maxDays": 90,
        "retention": "P1Y", "otherwise": text("Send it yourself"), "controller": contact,
        "dataProtectionOfficer": contact,
    }))
    .unwrap();
    let dataset: Dataset = serde_json::from_value(serde_json::json!({
        "id": "placements", "type": "placements", "title": text("Places"), "description": text("Places"),
        "theme": "EDUC", "legalBases": [], "legislation": [], "retention": "P1Y", "register": text("Register"),
        "fields": [{"name": "unit", "type": "object", "label": text("Unit"), "fields": [
            {"name": "name", "type": "string", "label": text("Name")},
            {"name": "address", "type": "string", "label": text("Address")},
        ]}],
    }))
    .unwrap();
    let (holder, recipient) =
        (EntityId::new("https://espoo.example").unwrap(), EntityId::new("https://helsinki.example").unwrap());
    let bounds = Bounds {
        holder: &holder,
        recipient: &recipient,
        dataset: &dataset,
        declared_use: &declared_use,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let narrowed = |fields: &[&str]| {
        let detail = AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            locations: vec![holder.to_string()],
            identifier: dataset.id.clone(),
            actions: vec!["read".to_owned()],
            datatypes: fields.iter().map(|field| field.parse().unwrap()).collect(),
            persons: None,
            declared_use: declared_use.id.clone(),
            purpose: declared_use.purpose.clone(),
            period: None,
            frequency: Frequency::in_all(1),
            retention: "P1Y".parse().unwrap(),
            until: "2026-02-01".parse().unwrap(),
        };
        Terms::narrowed(&detail, &bounds)
            .map(|terms| terms.fields.into_iter().map(String::from).collect::<Vec<_>>())
    };
    assert_eq!(narrowed(&["unit.name"]), Ok(vec!["unit.name".to_owned()]));
    let both = Ok(vec!["unit.name".to_owned(), "unit.address".to_owned()]);
    assert_eq!(narrowed(&["unit.address", "unit.name"]), both, "in the dataset's order");
    assert_eq!(narrowed(&["unit.name", "unit"]), Err(DetailError::FieldsTooWide));
    assert_eq!(narrowed(&["unit.address"]), Err(DetailError::Fields), "a required one is missing");
}
