use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::web::html::texts::texts;

fn codes() -> BTreeMap<String, Text> {
    let name = Text { fi: "Päiväkoti".into(), sv: "Daghem".into(), en: "Daycare".into() };
    BTreeMap::from([("DAYCARE".to_owned(), name)])
}

fn shown(value: &Value, language: Language) -> String {
    let field = Field { codes: codes(), ..plain(FieldType::String) };
    field_html(&field, &FieldTree::default(), value, &texts(language), language).to_string()
}

fn plain(kind: FieldType) -> Field {
    Field::new("it".parse().unwrap(), kind, Text::same("It"))
}

#[test]
fn objects_and_rows_are_shown_with_their_labels_and_only_what_was_asked() {
    let label = |text: &str| json!({"fi": text, "sv": text, "en": text});
    let field: Field = serde_json::from_value(json!({
        "name": "children", "type": "array", "label": label("Fees"), "fields": [
            {"name": "fee", "type": "money", "label": label("Fee")},
            {"name": "childName", "type": "string", "label": label("Child")},
            {"name": "unit", "type": "object", "label": label("Daycare"), "fields": [
                {"name": "during", "type": "period", "label": label("Valid"), "sensitivity": "sensitive"},
                {"name": "address", "type": "string", "label": label("Address")},
            ]},
        ],
    }))
    .unwrap();
    let paths = ["it.fee", "it.unit.during"].map(|path| path.parse().unwrap());
    let asked = FieldTree::of(&paths);
    let rows = json!([
        {"fee": {"amount": "1288.30", "currency": "EUR"}, "childName": "Aada",
         "unit": {"during": {"start": "2026-08-01", "end": null}, "address": "Tie 1"}},
        {"fee": null, "unit": null},
    ]);
    let html = |language| {
        field_html(&field, asked.get("it").unwrap(), &rows, &texts(language), language).to_string()
    };
    let fi = html(Language::Fi);
    assert!(fi.starts_with("<ol class=\"values rows\"><li><ul class=\"values\"><li><span class=\"values-name\">Fee:</span> 1288,30\u{a0}€</li>"), "{fi}");
    assert!(
        fi.contains("Valid:</span> <span class=\"chip chip-warn\">") && fi.contains("1.8.2026 –</li>"),
        "{fi}"
    );
    assert_eq!(fi.matches("<li><ul class=\"values\">").count(), 2, "both rows: {fi}");
    assert!(
        !fi.contains("Aada") && !fi.contains("Child") && !fi.contains("Tie 1") && !fi.contains("Address"),
        "{fi}"
    );
    assert!(html(Language::En).contains("1288.30\u{a0}€"));
    let names = names_html(&field, asked.get("it"), &texts(Language::Fi), Language::Fi).to_string();
    assert!(names.contains("Fee") && names.contains("Valid") && !names.contains("Address"), "{names}");
}

#[test]
fn money_and_periods_that_are_none_are_shown_as_they_are() {
    for kind in [FieldType::Money, FieldType::Period] {
        for value in [json!("x1"), json!({"amount": 1, "start": "x1"}), json!(["x1"])] {
            let html =
                field_html(&plain(kind), &FieldTree::default(), &value, &texts(Language::En), Language::En);
            assert!(html.to_string().contains("x1"), "{kind:?} {value}");
        }
    }
}

#[test]
fn every_json_type_reads_well() {
    assert_eq!(shown(&json!(true), Language::Fi), "kyllä");
    assert_eq!(shown(&json!(false), Language::Sv), "nej");
    assert_eq!(shown(&json!(12.5), Language::Fi), "12,5");
    assert_eq!(shown(&json!(12.5), Language::En), "12.5");
    assert_eq!(shown(&json!("2026-08-01"), Language::Sv), "1.8.2026");
    assert_eq!(shown(&json!("2026-08-01T06:30:00Z"), Language::En), "1 August 2026, 09:30");
    assert_eq!(shown(&json!("DAYCARE"), Language::Fi), "Päiväkoti");
    assert_eq!(shown(&json!("A1"), Language::En), "A1");
    assert!(shown(&json!(null), Language::En).contains('–'));
    assert!(shown(&json!([]), Language::En).contains('–'));
    assert_eq!(
        shown(&json!({"providerType": ["x"]}), Language::En),
        "<ul class=\"values\"><li><span class=\"values-name\">Provider type:</span> \
         <ul class=\"values\"><li>x</li></ul></li></ul>"
    );
}

#[test]
fn codes_keep_their_letters() {
    for code in ["LUMIA", "DAYCARE_PART_TIME", "_X", "OY", "LumiA"] {
        assert_eq!(shown(&json!(code), Language::En), code);
        let named = format!("<span class=\"values-name\">{code}:</span>");
        assert!(shown(&json!({code: 1}), Language::En).contains(&named), "{code}");
    }
}

#[test]
fn a_text_in_several_languages_is_shown_with_all_that_differ() {
    let html = shown(&json!({"fi": "Koko päivä", "sv": "Heldag", "en": "Full day"}), Language::Sv);
    assert!(
        html.starts_with("Heldag ") && html.contains("Koko päivä") && html.contains("Full day"),
        "{html}"
    );
    assert_eq!(shown(&json!({"fi": "Espoo", "sv": "Espoo"}), Language::Fi), "Espoo");
}

#[test]
fn a_moment_with_seconds_is_shown_as_it_is() {
    for text in ["2026-08-01T06:30:01Z", "2026-08-01T06:30:00.5Z"] {
        assert_eq!(shown(&json!(text), Language::Fi), text);
    }
}

#[test]
fn nothing_that_a_register_holds_becomes_markup() {
    let html = shown(&json!({"<b>": "\"><script>'&\u{202e}\u{7}"}), Language::En);
    assert!(html.contains("&lt;b&gt;") && html.contains("&quot;&gt;&lt;script&gt;&#39;&amp;<span"), "{html}");
}

#[test]
fn direction_marks_are_named_not_obeyed() {
    let html = Html::of_text("Aino\u{202e}onnI\u{0}").to_string();
    assert_eq!(
        html,
        "Aino<span class=\"character\">U+202E</span>onnI<span class=\"character\">U+0000</span>"
    );
}

#[test]
fn nesting_is_followed_to_its_end() {
    let mut value = json!("deep");
    for _ in 0..100 {
        value = json!([value]);
    }
    assert!(shown(&value, Language::En).contains("<li>deep</li>"));
}

/// The value shown on a page, parsed from its HTML.
#[derive(Debug, PartialEq)]
enum Shown {
    Text(String),
    Nothing,
    List(Vec<(Option<String>, Shown)>),
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self, start: &str) -> bool {
        let rest = self.0.strip_prefix(start);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        loop {
            if self.skip("<br>") {
                text.push('\n');
            } else if self.skip("<span class=\"character\">U+") {
                let (digits, rest) = self.0.split_once("</span>").unwrap();
                text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
                self.0 = rest;
            } else if self.0.is_empty()
                || self.0.starts_with('<')
                || self.0.starts_with(" <span class=\"values-other")
            {
                return text;
            } else if let Some((from, to)) =
                [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\'')]
                    .into_iter()
                    .find(|(from, _)| self.0.starts_with(from))
            {
                text.push(to);
                self.0 = &self.0[from.len()..];
            } else {
                let c = self.0.chars().next().unwrap();
                text.push(c);
                self.0 = &self.0[c.len_utf8()..];
            }
        }
    }

    fn value(&mut self) -> Shown {
        if self.skip("<span aria-hidden=\"true\">–</span>") {
            self.0 = self.0.split_once("</span>").unwrap().1;
            return Shown::Nothing;
        }
        if !self.skip("<ul class=\"values\">") {
            return Shown::Text(self.text());
        }
        let mut items = Vec::new();
        while self.skip("<li>") {
            let name = self.skip("<span class=\"values-name\">").then(|| {
                let name = self.text();
                assert!(self.skip("</span> "));
                name.strip_suffix(':').unwrap().to_owned()
            });
            items.push((name, self.value()));
            assert!(self.skip("</li>"), "{}", self.0);
        }
        assert!(self.skip("</ul>"));
        Shown::List(items)
    }
}

/// Whether the whole value is shown.
fn shows(shown: &Shown, value: &Value, language: Language) -> bool {
    match (shown, value) {
        (Shown::Nothing, Value::Null) => true,
        (Shown::Nothing, Value::String(text)) => text.is_empty(),
        (Shown::Nothing, Value::Array(items)) => items.is_empty(),
        (Shown::Nothing, Value::Object(members)) => members.is_empty(),
        (Shown::Text(shown), Value::Bool(yes)) => {
            let texts = texts(language);
            **shown == *if *yes { texts.value_yes() } else { texts.value_no() }
        }
        (Shown::Text(shown), Value::Number(number)) => shown.replace(',', ".") == number.to_string(),
        (Shown::Text(shown), Value::String(text)) => {
            let as_day = text.parse::<Day>().map(|day| date::day(day, language));
            let named = codes().get(text).map(|name| name.get(language).to_owned());
            shown == text || as_day.as_ref() == Ok(shown) || named.as_ref() == Some(shown)
        }
        (Shown::List(items), Value::Array(values)) => {
            items.len() == values.len()
                && items
                    .iter()
                    .zip(values)
                    .all(|((name, item), value)| name.is_none() && shows(item, value, language))
        }
        (Shown::List(items), Value::Object(members)) => {
            items.len() == members.len()
                && items.iter().zip(members).all(|((name, item), (key, value))| {
                    let name = name.as_deref().unwrap();
                    let joined = name.to_lowercase().replace(' ', "");
                    (name == key || joined == key.to_lowercase()) && shows(item, value, language)
                })
        }
        _ => false,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("DAYCARE".to_owned()),
        Just("LUMIA".to_owned()),
        "[A-Z_]{0,12}",
        "[a-z]{1,5}[A-Z][a-z]{1,5}",
        "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        "[ \\t\\n\u{202a}-\u{202e}\u{2066}-\u{2069}<>&\"']{0,8}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(16, 64, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            // Members that are languages are read separately: see the test of texts in several languages.
            proptest::collection::btree_map("[a-zA-Z_<]{3,9}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// The page is the basis of the resident's decision: what is shown is what is released, whatever a register holds.
    #[test]
    fn all_that_is_released_is_shown(value in value()) {
        for language in Language::ALL {
            let html = shown(&value, language);
            let mut reader = Reader(&html);
            let read = reader.value();
            prop_assert_eq!(reader.0, "");
            prop_assert!(shows(&read, &value, language), "{:?} of {}", read, value);
        }
    }
}
