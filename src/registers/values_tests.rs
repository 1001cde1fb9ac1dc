//! What a register writes is the same value on the wire, or refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A field's value of a plain type.
fn value(kind: FieldType, found: Json) -> Result<Value, &'static str> {
    typed(&field(kind), &FieldTree::default(), found).map_err(|broken| broken.rule)
}

fn field(kind: FieldType) -> Field {
    Field::new("it".parse().unwrap(), kind, crate::domain::catalogue::Text::same("it"))
}

fn number_of(text: &str) -> Json {
    Json::Number(text.to_owned())
}

#[test]
fn what_a_json_number_would_change_is_refused_and_kept_as_decimal() {
    for text in ["12345678901234.56789012", "0.1000000000000000000001", "9007199254740993", "1e400"] {
        assert_eq!(value(FieldType::Number, number_of(text)), Err(NOT_EXACT), "{text}");
    }
    assert_eq!(value(FieldType::Integer, number_of("9007199254740993")), Err(NOT_EXACT));
    assert_eq!(value(FieldType::Integer, number_of("7.0")), Err("not a whole number"));
    for (text, kept) in [
        ("12345678901234.56789012", "12345678901234.56789012"),
        ("288.30", "288.30"),
        ("-0.10", "-0.10"),
        ("1.5e3", "1500"),
        ("25e-1", "2.5"),
    ] {
        assert_eq!(value(FieldType::Decimal, number_of(text)), Ok(kept.into()), "{text}");
    }
    assert_eq!(value(FieldType::Number, number_of("288.30")), Ok(serde_json::json!(288.3)));
    assert_eq!(value(FieldType::Number, number_of("7")), Ok(serde_json::json!(7)));
    for text in ["NaN", "1,5", "", "1e9999999", "01.5", ".5"] {
        assert!(value(FieldType::Decimal, Json::String(text.to_owned())).is_err(), "{text}");
    }
}

#[test]
fn a_date_and_time_has_its_offset() {
    for text in ["2026-08-01T09:30:00+03:00", "2026-08-01T06:30:00.25Z"] {
        assert_eq!(value(FieldType::DateTime, Json::String(text.to_owned())), Ok(text.into()));
    }
    for text in ["2026-08-01T09:30:00", "2026-08-01 09:30:00", "2026-08-01", "2026-13-01T00:00:00Z"] {
        assert!(value(FieldType::DateTime, Json::String(text.to_owned())).is_err(), "{text}");
    }
}

#[test]
fn finnish_notation_is_the_same_value_or_refused() {
    let read = |kind, text| value(kind, from_text(kind, CsvNotation::Finnish, text));
    for (kind, text, value) in [
        (FieldType::Date, "1.8.2026", json!("2026-08-01")),
        (FieldType::Date, "31.12.1999", json!("1999-12-31")),
        (FieldType::Date, "2026-08-01", json!("2026-08-01")),
        (FieldType::Decimal, "288,30", json!("288.30")),
        (FieldType::Decimal, "1 234 567,5", json!("1234567.5")),
        (FieldType::Decimal, "-1\u{a0}234,50", json!("-1234.50")),
        (FieldType::Decimal, "\u{2212}5", json!("-5")),
        (FieldType::Number, "12,5", json!(12.5)),
        (FieldType::Integer, "12\u{202f}000", json!(12000)),
        (FieldType::Boolean, "Kyllä", json!(true)),
        (FieldType::Boolean, "nej", json!(false)),
        (FieldType::Boolean, "1", json!(true)),
        (FieldType::Boolean, "", Value::Null),
        (FieldType::String, "1.8.2026", json!("1.8.2026")),
    ] {
        assert_eq!(read(kind, text), Ok(value), "{kind:?} {text}");
    }
    for (kind, text) in [
        (FieldType::Date, "31.2.2026"),
        (FieldType::Date, "1.8.26"),
        (FieldType::Date, "1.8.2026."),
        (FieldType::Date, "8/1/2026"),
        (FieldType::Decimal, "1.234,50"),
        (FieldType::Decimal, "288.30"),
        (FieldType::Decimal, "12 34,5"),
        (FieldType::Decimal, "1234 567"),
        (FieldType::Decimal, "1,2,3"),
        (FieldType::Decimal, ",5"),
        (FieldType::Integer, "1,0"),
        (FieldType::Boolean, "joo"),
    ] {
        assert!(read(kind, text).is_err(), "{kind:?} {text}");
    }
    // Without the notation the same texts are what they were.
    assert!(value(FieldType::Decimal, from_text(FieldType::Decimal, CsvNotation::Iso, "288,30")).is_err());
}

fn json(text: &str) -> Json {
    Parser::new(text.as_bytes()).and_then(Parser::single).unwrap_or(Json::Null)
}

#[test]
fn money_keeps_its_digits_and_has_a_currency() {
    let euro = Field { currency: Some("EUR".parse().unwrap()), ..field(FieldType::Money) };
    let read =
        |field: &Field, found| typed(field, &FieldTree::default(), found).map_err(|broken| broken.rule);
    for (found, amount, currency) in [
        (json("288.30"), "288.30", "EUR"),
        (json("\"288.30\""), "288.30", "EUR"),
        (json("{\"amount\": 288.30}"), "288.30", "EUR"),
        (json("{\"amount\": \"-0.10\", \"currency\": \"SEK\"}"), "-0.10", "SEK"),
        (
            Json::String("{\"amount\": \"12345678901234567.89\", \"currency\": \"EUR\"}".to_owned()),
            "12345678901234567.89",
            "EUR",
        ),
        (from_text(FieldType::Money, CsvNotation::Finnish, "1 288,30"), "1288.30", "EUR"),
    ] {
        assert_eq!(read(&euro, found), Ok(json!({"amount": amount, "currency": currency})), "{amount}");
    }
    assert_eq!(read(&euro, Json::Null), Ok(Value::Null));
    for found in
        ["true", "[1]", "{}", "{\"currency\": \"EUR\"}", "{\"amount\": 1, \"currency\": \"euro\"}", "\"1,5\""]
    {
        assert!(read(&euro, json(found)).is_err(), "{found}");
    }
    let told = value(FieldType::Money, json("288.30"));
    assert_eq!(told, Err("not money: it has no currency, and the field none either"));
}

#[test]
fn a_period_has_a_start_and_does_not_end_before_it() {
    for (text, kept) in [
        (
            "{\"start\": \"2026-08-01\", \"end\": \"2026-08-01\"}",
            json!({"start": "2026-08-01", "end": "2026-08-01"}),
        ),
        ("{\"start\": \"2026-08-01\", \"end\": null}", json!({"start": "2026-08-01", "end": null})),
        ("{\"start\": \"2026-08-01\"}", json!({"start": "2026-08-01", "end": null})),
    ] {
        assert_eq!(value(FieldType::Period, json(text)), Ok(kept.clone()), "{text}");
        assert_eq!(value(FieldType::Period, Json::String(text.to_owned())), Ok(kept), "as a text");
    }
    for text in [
        "{\"start\": \"2026-08-01\", \"end\": \"2026-07-31\"}",
        "{\"start\": null, \"end\": \"2026-07-31\"}",
        "{\"start\": \"1.8.2026\"}",
        "{\"start\": \"2026-08-01\", \"till\": null}",
        "[\"2026-08-01\"]",
        "\"2026-08-01\"",
    ] {
        assert!(value(FieldType::Period, json(text)).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn every_decimal_comes_out_as_it_is_written(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?") {
        let from_number = value(FieldType::Decimal, number_of(&text));
        prop_assert_eq!(&from_number, &Ok(Value::String(text.clone())));
        prop_assert_eq!(value(FieldType::Decimal, from_text(FieldType::Decimal, CsvNotation::Iso, &text)), from_number);
    }

    #[test]
    fn every_double_is_the_same_number_at_the_other_side(double in any::<f64>().prop_filter("finite", |double| double.is_finite())) {
        let text = serde_json::to_string(&double).unwrap();
        let wire = value(FieldType::Number, number_of(&text)).unwrap().to_string();
        prop_assert_eq!(wire.parse::<f64>().unwrap().to_bits() & (u64::MAX >> 1), double.to_bits() & (u64::MAX >> 1));
    }

    #[test]
    fn a_number_is_the_same_on_the_wire_or_refused(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?") {
        if let Ok(value) = value(FieldType::Number, number_of(&text)) {
            prop_assert_eq!(digits(&value.to_string()), digits(&text));
        }
    }
}
