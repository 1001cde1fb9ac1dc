//! A register's values, whatever their JSON type, as people can read them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::date;
use crate::domain::catalogue::{Language, Text};
use crate::domain::clock::{Day, Timestamp};
use crate::web::html::texts::Texts;

/// How deep a value is followed; deeper parts are shown as "…".
const MAX_DEPTH: u8 = 6;

/// HTML that is safe to write into a page as it is: made here alone, with every text in it escaped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // A line break is content; other control characters could only deceive.
                '\n' => self.0.push(' '),
                c if c.is_control() || is_direction_mark(c) => {}
                c => self.0.push(c),
            }
        }
    }

    fn markup(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }
}

/// Marks that turn the direction of the text around them, and so can make it read as something else.
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Html([redacted])")
    }
}

impl askama::filters::HtmlSafe for Html {}

/// Writes a value for people: yes and no, dates as people write them, lists as lists, nothing as "–".
///
/// `codes` names the codes that a field uses (`DAYCARE` → "Daycare"); a code without a name is shown in plain letters.
#[must_use]
pub fn value_html(value: &Value, codes: &BTreeMap<String, Text>, texts: &Texts, language: Language) -> Html {
    let mut html = Html::default();
    Writer { codes, texts, language }.value(value, MAX_DEPTH, &mut html);
    html
}

struct Writer<'a> {
    codes: &'a BTreeMap<String, Text>,
    texts: &'a Texts,
    language: Language,
}

impl Writer<'_> {
    fn value(&self, value: &Value, depth: u8, html: &mut Html) {
        if depth == 0 {
            return html.text("…");
        }
        match value {
            Value::Null => self.nothing(html),
            Value::Bool(true) => html.text(&self.texts.value_yes()),
            Value::Bool(false) => html.text(&self.texts.value_no()),
            Value::Number(number) => html.text(&self.number(&number.to_string())),
            Value::String(text) if text.trim().is_empty() => self.nothing(html),
            Value::String(text) => html.text(&self.string(text)),
            Value::Array(items) if items.is_empty() => self.nothing(html),
            Value::Array(items) => self.list(items, depth, html),
            Value::Object(members) => self.object(members, depth, html),
        }
    }

    fn nothing(&self, html: &mut Html) {
        html.markup("<span aria-hidden=\"true\">–</span><span class=\"visually-hidden\">");
        html.text(&self.texts.value_none());
        html.markup("</span>");
    }

    fn list(&self, items: &[Value], depth: u8, html: &mut Html) {
        html.markup("<ul class=\"values\">");
        for item in items {
            html.markup("<li>");
            self.value(item, depth.saturating_sub(1), html);
            html.markup("</li>");
        }
        html.markup("</ul>");
    }

    fn object(&self, members: &Map<String, Value>, depth: u8, html: &mut Html) {
        if members.is_empty() {
            return self.nothing(html);
        }
        // A text in several languages is one text.
        let is_text =
            members.iter().all(|(key, value)| Language::from_tag(key).is_some() && !value.is_object());
        if let (true, Some(text)) = (is_text, members.get(self.language.tag())) {
            return self.value(text, depth.saturating_sub(1), html);
        }
        html.markup("<ul class=\"values\">");
        for (key, value) in members {
            html.markup("<li><span class=\"values-name\">");
            html.text(&self.name(key));
            html.markup(":</span> ");
            self.value(value, depth.saturating_sub(1), html);
            html.markup("</li>");
        }
        html.markup("</ul>");
    }

    /// A decimal comma in Finnish and Swedish; large exponents stay as they are.
    fn number(&self, digits: &str) -> String {
        match self.language {
            Language::En => digits.to_owned(),
            Language::Fi | Language::Sv => digits.replace('.', ","),
        }
    }

    fn string(&self, text: &str) -> String {
        if let Some(name) = self.codes.get(text) {
            return name.get(self.language).to_owned();
        }
        if let Ok(day) = text.parse::<Day>() {
            return date::day(day, self.language);
        }
        if let Some(at) = rfc3339(text) {
            return date::moment(at, self.language);
        }
        if is_code(text) { from_code(text) } else { text.to_owned() }
    }

    /// The name of an object's member.
    fn name(&self, key: &str) -> String {
        if let Some(name) = self.codes.get(key) {
            return name.get(self.language).to_owned();
        }
        if is_code(key) { from_code(key) } else { from_camel_case(key) }
    }
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    if !(20..=40).contains(&text.len()) {
        return None;
    }
    let form = time::format_description::well_known::Rfc3339;
    let moment = time::OffsetDateTime::parse(text, &form).ok()?;
    Some(Timestamp::from_secs(moment.unix_timestamp()))
}

/// `DAYCARE_PART_TIME`, but neither `A1` nor `OY`: words of capitals joined by underscores, or one long word.
fn is_code(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        && (text.contains('_') || text.len() > 4)
        && !text.starts_with('_')
}

/// `DAYCARE_PART_TIME` as `Daycare part time`.
fn from_code(code: &str) -> String {
    capitalised(&code.to_lowercase().replace('_', " "))
}

/// `providerType` as `Provider type`.
fn from_camel_case(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    capitalised(words.trim())
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::html::texts::texts;

    fn shown(value: &Value, language: Language) -> String {
        let codes = BTreeMap::from([(
            "DAYCARE".to_owned(),
            Text { fi: "Päiväkoti".into(), sv: "Daghem".into(), en: "Daycare".into() },
        )]);
        value_html(value, &codes, &texts(language), language).to_string()
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
        assert_eq!(shown(&json!("DAYCARE_PART_TIME"), Language::En), "Daycare part time");
        assert_eq!(shown(&json!("A1"), Language::En), "A1");
        assert_eq!(
            shown(&json!({"fi": "Koko päivä", "sv": "Heldag", "en": "Full day"}), Language::Sv),
            "Heldag"
        );
        assert!(shown(&json!(null), Language::En).contains('–'));
        assert!(shown(&json!([]), Language::En).contains('–'));
        assert!(shown(&json!("  "), Language::En).contains('–'));
        assert_eq!(
            shown(&json!({"providerType": ["x"]}), Language::En),
            "<ul class=\"values\"><li><span class=\"values-name\">Provider type:</span> \
             <ul class=\"values\"><li>x</li></ul></li></ul>"
        );
    }

    #[test]
    fn nothing_that_a_register_holds_becomes_markup() {
        let html = shown(&json!({"<b>": "\"><script>'&\u{202e}\u{7}"}), Language::En);
        assert!(
            html.contains("&lt;b&gt;") && html.contains("&quot;&gt;&lt;script&gt;&#39;&amp;</li>"),
            "{html}"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = json!("deep");
        for _ in 0..100 {
            value = json!([value]);
        }
        assert!(shown(&value, Language::En).contains('…'));
    }
}
