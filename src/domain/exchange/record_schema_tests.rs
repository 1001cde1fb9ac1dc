//! What a recipient accepts of a holder, and what it refuses.

use serde_json::json;

use super::*;
use crate::domain::consent::{About, CoveredPerson};
use crate::domain::ids::{PairwisePerson, PairwiseRecord};

fn schema() -> RecordSchema {
    RecordSchema::parse(&json!({
        "type": "object",
        "x-dataset-type": "early-education-placement",
        "x-has-period": false,
        "properties": {
            "unit": {"type": ["string", "null"]},
            "begins": {"type": ["string", "null"], "format": "date"},
            "hours": {"type": ["integer", "null"]},
            "fee": {"type": "number"},
            "anything": {},
        }
    }))
    .unwrap()
}

fn field(name: &str) -> FieldPath {
    name.parse().unwrap()
}

#[test]
fn a_record_without_a_permitted_field_or_with_a_wrong_type_is_refused() {
    let permitted = ["unit", "begins", "hours", "fee", "anything"].map(field);
    let check = |record: Value| {
        let body =
            ExchangeBody { dataset: "placements".parse().unwrap(), records: vec![record], about: Vec::new() };
        body.check_records(&body.dataset, &permitted, Some(&schema()))
    };
    let good =
        json!({"unit": "Satakieli", "begins": "2026-08-01", "hours": 120, "fee": 28.8, "anything": []});
    let with = |name: &str, value: Value| {
        let mut record = good.clone();
        record[name] = value;
        record
    };
    assert_eq!(check(good.clone()), Ok(()));
    assert_eq!(check(with("hours", json!(120.0))), Ok(()));
    for name in ["unit", "begins", "hours", "fee", "anything"] {
        assert_eq!(check(with(name, Value::Null)), Ok(()), "{name}");
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(check(without), Err(RecordFault::Missing(field(name))));
    }
    for (name, value) in [
        ("unit", json!(7)),
        ("begins", json!("first of August")),
        ("begins", json!(20_260_801)),
        ("hours", json!("120")),
        ("hours", json!(1.5)),
        ("fee", json!("28.80")),
        ("fee", json!(true)),
    ] {
        assert_eq!(check(with(name, value.clone())), Err(RecordFault::Type(field(name))), "{name} {value}");
    }
    assert_eq!(check(json!(["Satakieli"])), Err(RecordFault::NotObject));
}

#[test]
fn without_the_holders_schema_missing_fields_are_still_noticed() {
    let body = ExchangeBody {
        dataset: "placements".parse().unwrap(),
        records: vec![json!({"unit": 7})],
        about: Vec::new(),
    };
    assert_eq!(body.check_records(&body.dataset, &[field("unit")], None), Ok(()));
    let missing = body.check_records(&body.dataset, &[field("unit"), field("begins")], None);
    assert_eq!(missing, Err(RecordFault::Missing(field("begins"))));
}

/// The schema that a city publishes for its decisions.
fn nested() -> RecordSchema {
    let label = json!({"fi": "a", "sv": "b", "en": "c"});
    let fields: Vec<crate::domain::catalogue::Field> = serde_json::from_value(json!([
        {"name": "number", "type": "integer", "label": label},
        {"name": "unit", "type": "object", "label": label, "fields": [
            {"name": "name", "type": "string", "label": label},
            {"name": "address", "type": "string", "label": label},
        ]},
        {"name": "children", "type": "array", "label": label, "fields": [
            {"name": "fee", "type": "money", "label": label},
            {"name": "during", "type": "period", "label": label},
        ]},
        {"name": "phones", "type": "array", "items": "string", "label": label},
    ]))
    .unwrap();
    let text = crate::domain::catalogue::Text::same("a");
    let dataset = crate::domain::catalogue::Dataset {
        id: "decisions".parse().unwrap(),
        kind: "decisions".parse().unwrap(),
        title: text.clone(),
        description: text.clone(),
        theme: "EDUC".to_owned(),
        fields,
        legal_bases: vec![],
        legislation: vec![],
        retention: "P1Y".parse().unwrap(),
        register: text,
        period: None,
        protected_fields: vec![],
        corrections: None,
        narrowing: Narrowing::default(),
        required_acr: None,
        required_max_age_seconds: None,
        required_passkey: false,
    };
    RecordSchema::parse(&crate::domain::catalogue::schema::record_schema(&dataset)).unwrap()
}

fn check_nested(record: Value) -> Result<(), RecordFault> {
    let permitted = ["number", "unit.name", "children.fee", "children.during", "phones"].map(field);
    let body =
        ExchangeBody { dataset: "decisions".parse().unwrap(), records: vec![record], about: Vec::new() };
    body.check_records(&body.dataset, &permitted, Some(&nested()))
}

fn decision() -> Value {
    json!({
        "number": 7,
        "unit": {"name": "Satakieli"},
        "children": [
            {"fee": {"amount": "288.30", "currency": "EUR"}, "during": {"start": "2026-08-01", "end": null}},
            {"fee": null, "during": null},
        ],
        "phones": ["+358 40 123", null],
    })
}

#[test]
fn what_a_permission_does_not_cover_is_refused_at_every_level() {
    assert_eq!(check_nested(decision()), Ok(()));
    type Edit = fn(&mut Value);
    let surplus = |edit: Edit| {
        let mut record = decision();
        edit(&mut record);
        check_nested(record)
    };
    let cases: [(Edit, &[&str]); 6] = [
        (|it| it["income"] = json!(1), &["income"]),
        (|it| it["unit"]["address"] = json!("Tie 1"), &["unit.address"]),
        (|it| it["unit"]["address"] = json!(null), &["unit.address"]),
        (|it| it["children"][1]["childName"] = json!("Aada"), &["children.childName"]),
        (|it| it["unit"]["Tie 1, Espoo"] = json!(1), &["unit.(no field name)"]),
        (
            |it| {
                it["children"][0]["a"] = json!(1);
                it["unit"] = json!({"b": 1});
            },
            &["children.a", "unit.b"],
        ),
    ];
    for (edit, named) in cases {
        let names = named.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(surplus(edit), Err(RecordFault::Surplus(names)));
    }
}

#[test]
fn what_is_missing_or_of_another_type_is_named_by_its_path() {
    let check = |path: &[&str], value: Option<Value>| {
        let mut record = decision();
        let (last, before) = path.split_last().unwrap();
        let place = before.iter().fold(&mut record, |at, name| match name.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[*name],
        });
        match value {
            Some(value) => place[*last] = value,
            None => drop(place.as_object_mut().unwrap().remove(*last)),
        }
        check_nested(record)
    };
    assert_eq!(check(&["unit", "name"], None), Err(RecordFault::Missing(field("unit.name"))));
    assert_eq!(check(&["unit"], None), Err(RecordFault::Missing(field("unit"))));
    assert_eq!(check(&["unit"], Some(Value::Null)), Ok(()), "an object without values is null");
    assert_eq!(check(&["children", "1", "fee"], None), Err(RecordFault::Missing(field("children.fee"))));
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    for (path, value, named) in [
        (&["unit"][..], json!("Satakieli"), "unit"),
        (&["unit"], json!([{"name": "Satakieli"}]), "unit"),
        (&["unit", "name"], json!(7), "unit.name"),
        (&["children"], json!({"fee": null}), "children"),
        (&["children"], json!([7]), "children"),
        (&["children", "0", "fee"], json!("288.30"), "children.fee"),
        (&["children", "0", "fee"], money("288,30", "EUR"), "children.fee"),
        (&["children", "0", "fee"], money("288.30", "euro"), "children.fee"),
        (&["children", "0", "fee"], json!({"amount": "1"}), "children.fee"),
        (&["children", "0", "fee"], json!({"amount": "1", "currency": "EUR", "vat": 1}), "children.fee"),
        (&["children", "0", "during"], json!({"start": "soon", "end": null}), "children.during"),
        (&["phones"], json!([7]), "phones"),
    ] {
        assert_eq!(
            check(path, Some(value.clone())),
            Err(RecordFault::Type(field(named))),
            "{path:?} {value}"
        );
    }
}

#[test]
fn fields_can_be_asked_one_by_one_and_money_as_a_whole() {
    let schema = nested();
    for (path, offered) in [
        ("unit", Offered::TooWide),
        ("unit.name", Offered::Field),
        ("unit.owner", Offered::Nothing),
        ("unit.name.first", Offered::Nothing),
        ("children", Offered::TooWide),
        ("children.fee", Offered::Field),
        ("children.fee.amount", Offered::Nothing),
        ("phones", Offered::Field),
    ] {
        assert_eq!(schema.offered(&field(path)), offered, "{path}");
    }
}

#[test]
fn a_schema_tells_what_a_dataset_offers() {
    let schema = schema();
    assert_eq!(schema.offered(&field("unit")), Offered::Field);
    assert_eq!(schema.offered(&field("income")), Offered::Nothing);
    assert!(schema.is_of_type(&"early-education-placement".parse().unwrap()));
    assert!(!schema.is_of_type(&"parking-permit".parse().unwrap()));
    assert!(!schema.can_limit_period());
    let silent = RecordSchema::parse(&json!({"properties": {}})).unwrap();
    assert!(silent.is_of_type(&"parking-permit".parse().unwrap()) && silent.can_limit_period());
    assert_eq!(RecordSchema::parse(&json!([])), None);
}

#[test]
fn a_record_that_the_resident_left_out_is_refused_whatever_the_holder_signs() {
    let person = |number| PairwisePerson::from_bytes([number; 16]);
    let record = |number| PairwiseRecord::from_bytes([number; 16]);
    let about = |number, key| About { person: person(number), record: Some(record(key)) };
    let permitted = Persons(vec![
        CoveredPerson { id: person(1), records: None },
        CoveredPerson { id: person(2), records: Some(vec![record(21)]) },
    ]);
    let body = |about: Vec<About>| ExchangeBody {
        dataset: "placements".parse().unwrap(),
        records: vec![json!({}); 2],
        about,
    };
    let check = |body: &ExchangeBody| body.check_persons(Some(&permitted), &permitted.released(&body.about));
    let good = body(vec![about(1, 11), about(2, 21)]);
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&body(vec![about(1, 11), about(2, 22)])), Err(RecordFault::NotCovered));
    assert_eq!(check(&body(vec![about(1, 11), about(3, 31)])), Err(RecordFault::NotCovered));
    assert_eq!(check(&body(vec![about(1, 11)])), Err(RecordFault::Unnamed));
    assert_eq!(check(&body(Vec::new())), Err(RecordFault::Unnamed));
    assert_eq!(
        check(&body(vec![about(2, 21), about(2, 21)])),
        Err(RecordFault::Miscounted),
        "one record twice"
    );
    assert_eq!(good.check_persons(Some(&permitted), &[]), Err(RecordFault::Miscounted));
    assert_eq!(good.check_persons(None, &[]), Ok(()));
    assert_eq!(body(vec![about(1, 11)]).check_persons(None, &[]), Err(RecordFault::Unnamed));
}
