//! What a permission can name in records with structure.

use serde_json::json;

use super::*;
use crate::domain::catalogue::schema::record_schema;
use crate::domain::catalogue::{Dataset, FieldTree};

fn dataset(with_owner: bool) -> Dataset {
    let label = |text: &str| json!({"fi": text, "sv": format!("{text} sv"), "en": format!("{text} en")});
    let mut unit = vec![
        json!({"name": "name", "type": "string", "label": label("Nimi")}),
        json!({"name": "language", "type": "string", "label": label("Kieli"), "codes": {"fi": label("suomi")}}),
    ];
    if with_owner {
        unit.push(json!({"name": "owner", "type": "string", "label": label("Omistaja")}));
    }
    let fields = serde_json::from_value(json!([
        {"name": "number", "type": "integer", "label": label("Numero")},
        {"name": "unit", "type": "object", "label": label("Yksikkö"), "fields": unit},
        {"name": "children", "type": "array", "label": label("Lapset"), "sensitivity": "sensitive", "fields": [
            {"name": "fee", "type": "money", "label": label("Maksu")},
        ]},
        {"name": "startDate", "type": "date", "label": label("Alkaa")},
    ]))
    .unwrap();
    let text = Text::same("a");
    Dataset {
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
        period: Some(super::super::PeriodFields { start: "startDate".parse().unwrap(), end: None }),
        protected_fields: vec![],
        corrections: None,
        narrowing: crate::domain::catalogue::Narrowing::default(),
        required_acr: None,
        required_max_age_seconds: None,
        required_passkey: false,
    }
}

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn texts(paths: Vec<FieldPath>) -> Vec<String> {
    paths.into_iter().map(String::from).collect()
}

#[test]
fn a_permission_names_leaves_and_never_an_object_as_a_whole() {
    let dataset = dataset(false);
    assert_eq!(texts(dataset.paths()), ["number", "unit.name", "unit.language", "children.fee", "startDate"]);
    for wide in ["unit", "children"] {
        assert!(dataset.is_too_wide(&path(wide)) && dataset.leaf(&path(wide)).is_none(), "{wide}");
    }
    // Money is one value, and other names are none.
    for none in ["children.fee.amount", "unit.nam", "uni", "unit.owner"] {
        assert!(!dataset.is_too_wide(&path(none)) && dataset.leaf(&path(none)).is_none(), "{none}");
    }
}

#[test]
fn a_part_that_is_added_later_is_covered_by_no_earlier_permission() {
    let permitted = dataset(false).paths();
    let later = dataset(true);
    assert!(later.leaf(&path("unit.owner")).is_some());
    assert!(!permitted.contains(&path("unit.owner")));
    let value = json!({"name": "Satakieli", "language": "fi", "owner": "Espoo"});
    let unit = FieldTree::of(&permitted).get("unit").cloned().unwrap().reduce(value);
    assert_eq!(unit, Some(json!({"name": "Satakieli", "language": "fi"})));
    assert_eq!(
        texts(later.to_read(&[path("unit.name")])),
        ["unit.name", "startDate"],
        "and what dates the record"
    );
}

#[test]
fn a_leaf_is_labelled_with_what_is_around_it_and_as_sensitive_as_that() {
    let dataset = dataset(false);
    let name = dataset.leaf(&path("unit.name")).unwrap();
    assert_eq!(name.label().fi, "Yksikkö: Nimi");
    assert_eq!(name.label().sv, "Yksikkö sv: Nimi sv");
    assert_eq!(name.label_within_group().en, "Nimi en");
    assert!(!name.is_sensitive());
    assert!(dataset.leaf(&path("children.fee")).unwrap().is_sensitive());
}

#[test]
fn the_schema_describes_every_level() {
    let schema = record_schema(&dataset(false));
    let unit = &schema["properties"]["unit"];
    assert_eq!(unit["type"], json!(["object", "null"]));
    assert_eq!(unit["additionalProperties"], false);
    assert_eq!(unit["x-labels"]["sv"], "Yksikkö sv");
    let language = &unit["properties"]["language"];
    assert_eq!(language["anyOf"], json!([{"enum": ["fi"]}, {"type": ["string", "null"]}]));
    assert_eq!(language["x-codes"]["fi"]["sv"], "suomi sv");
    let children = &schema["properties"]["children"];
    assert_eq!(children["type"], json!(["array", "null"]));
    assert_eq!(children["x-sensitivity"], "sensitive");
    let fee = &children["items"]["properties"]["fee"];
    assert_eq!((&fee["x-type"], &fee["required"]), (&json!("money"), &json!(["amount", "currency"])));
    assert_eq!(children["items"]["additionalProperties"], false);
}

#[test]
fn a_path_is_of_field_names_and_not_too_deep() {
    for good in ["unit", "unit.name", "a.b.c.d.e"] {
        assert!(good.parse::<FieldPath>().is_ok(), "{good}");
    }
    let long = "a".repeat(65);
    for bad in [
        "",
        ".",
        "unit.",
        ".name",
        "unit..name",
        "a.b.c.d.e.f",
        "unit name",
        "unit[0]",
        "1.a",
        "a.1",
        long.as_str(),
    ] {
        assert!(bad.parse::<FieldPath>().is_err(), "{bad}");
    }
    assert!(path("unit.name").is_within(&path("unit")) && !path("units.name").is_within(&path("unit")));
}
