//! Display of a register's values of any JSON type.
//!
//! What is shown here is what a permission releases, so nothing is left out, shortened or changed: codes keep their
//! letters, nesting is followed to its end, and characters that would be invisible or reorder the text around them are
//! shown by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::date;
use crate::domain::catalogue::{Field, FieldTree, FieldType, Language, Text};
use crate::domain::clock::{Day, Timestamp};
use crate::web::html::texts::Texts;

/// HTML that is safe to write into a page: created only here, with every text in it escaped.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// An external text: escaped, with control characters and direction marks shown by name (Unicode TR 36 §3.1: they
    /// can make the text around them read as something else).
    #[must_use]
    pub(crate) fn of_text(text: &str) -> Self {
        let mut html = Self::default();
        html.text(text);
        html
    }

    /// An external text with the same characters shown by name, not escaped yet.
    #[must_use]
    pub(crate) fn named_marks(text: &str) -> Cow<'_, str> {
        if !text.chars().any(|c| c.is_control() || is_direction_mark(c)) {
            return Cow::Borrowed(text);
        }
        let mut plain = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_control() || is_direction_mark(c) {
                plain.push_str(&format!("[U+{:04X}]", u32::from(c)));
            } else {
                plain.push(c);
            }
        }
        Cow::Owned(plain)
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' => self.0.push_str("<br>"),
                c if c.is_control() || is_direction_mark(c) => self.named(c),
                c => self.0.push(c),
            }
        }
    }

    fn named(&mut self, c: char) {
        self.0.push_str("<span class=\"character\">U+");
        self.0.push_str(&format!("{:04X}", u32::from(c)));
        self.0.push_str("</span>");
    }

    fn markup(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }
}

/// Marks that change the direction of the text around them (UAX #9 §2).
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

/// Formats the value of a field as the dataset describes it: yes and no, local dates, amounts, lists as lists, null as "–";
/// of objects and lists the fields `within` alone, with their labels and in the dataset's order.
///
/// A code without a name is shown as it is.
#[must_use]
pub(crate) fn field_html(
    field: &Field,
    within: &FieldTree,
    value: &Value,
    texts: &Texts,
    language: Language,
) -> Html {
    let mut html = Html::default();
    Writer { codes: &field.codes, texts, language }.field(field, within, value, &mut html);
    html
}

/// Formats the names of fields `within` a field, without values; empty if it has no fields.
#[must_use]
pub(crate) fn names_html(
    field: &Field,
    within: Option<&FieldTree>,
    texts: &Texts,
    language: Language,
) -> Html {
    let mut html = Html::default();
    Writer { codes: &field.codes, texts, language }.names(field, within, &mut html);
    html
}

struct Writer<'a> {
    codes: &'a BTreeMap<String, Text>,
    texts: &'a Texts,
    language: Language,
}

impl Writer<'_> {
    /// As deep as the value is; external JSON is limited where it is parsed.
    fn value(&self, value: &Value, html: &mut Html) {
        match value {
            Value::Null => self.nothing(html),
            Value::Bool(true) => html.text(&self.texts.value_yes()),
            Value::Bool(false) => html.text(&self.texts.value_no()),
            Value::Number(number) => html.text(&self.number(&number.to_string())),
            Value::String(text) if text.is_empty() => self.nothing(html),
            Value::String(text) => html.text(&self.string(text)),
            Value::Array(items) if items.is_empty() => self.nothing(html),
            Value::Array(items) => self.list(items, html),
            Value::Object(members) if members.is_empty() => self.nothing(html),
            Value::Object(members) => self.object(members, html),
        }
    }

    fn field(&self, field: &Field, within: &FieldTree, value: &Value, html: &mut Html) {
        match value {
            Value::Array(items) if field.is_structured() && !items.is_empty() => {
                html.markup("<ol class=\"values rows\">");
                for item in items {
                    html.markup("<li>");
                    self.field(field, within, item, html);
                    html.markup("</li>");
                }
                html.markup("</ol>");
            }
            Value::Object(members) if field.is_structured() => {
                html.markup("<ul class=\"values\">");
                for inner in &field.fields {
                    let name = inner.name.as_str();
                    let Some(within) = within.get(name) else { continue };
                    html.markup("<li>");
                    self.label(inner, html);
                    let writer = Writer { codes: &inner.codes, ..*self };
                    writer.field(inner, within, members.get(name).unwrap_or(&Value::Null), html);
                    html.markup("</li>");
                }
                html.markup("</ul>");
            }
            value => self.typed(field.items.unwrap_or(field.kind), value, html),
        }
    }

    fn label(&self, field: &Field, html: &mut Html) {
        html.markup("<span class=\"values-name\">");
        html.text(field.label.get(self.language));
        html.markup(":</span> ");
        self.mark(field, html);
    }

    /// That a field is sensitive.
    fn mark(&self, field: &Field, html: &mut Html) {
        if field.is_sensitive() {
            html.markup("<span class=\"chip chip-warn\">");
            html.text(&self.texts.sensitive());
            html.markup("</span> ");
        }
    }

    fn names(&self, field: &Field, within: Option<&FieldTree>, html: &mut Html) {
        let shown = |inner: &&Field| within.is_none_or(|within| within.get(inner.name.as_str()).is_some());
        if !field.is_structured() {
            return;
        }
        html.markup("<ul class=\"values\">");
        for inner in field.fields.iter().filter(shown) {
            html.markup("<li>");
            html.text(inner.label.get(self.language));
            html.markup(" ");
            self.mark(inner, html);
            self.names(inner, within.and_then(|within| within.get(inner.name.as_str())), html);
            html.markup("</li>");
        }
        html.markup("</ul>");
    }

    /// A value of a type that its JSON alone does not tell. What is not of the type is shown as it is.
    fn typed(&self, kind: FieldType, value: &Value, html: &mut Html) {
        match (kind, value) {
            (_, Value::Array(items)) if !items.is_empty() => {
                html.markup("<ul class=\"values\">");
                for item in items {
                    html.markup("<li>");
                    self.typed(kind, item, html);
                    html.markup("</li>");
                }
                html.markup("</ul>");
            }
            (FieldType::Money, value) => match self.money(value) {
                Some(text) => html.text(&text),
                None => self.value(value, html),
            },
            (FieldType::Period, value) => match self.period(value) {
                Some(text) => html.text(&text),
                None => self.value(value, html),
            },
            // A decimal number is a text, and written like other numbers.
            (FieldType::Decimal, Value::String(text)) => html.text(&self.number(text)),
            (_, value) => self.value(value, html),
        }
    }

    fn money(&self, value: &Value) -> Option<String> {
        let (amount, currency) = (value.get("amount")?.as_str()?, value.get("currency")?.as_str()?);
        let unit = if currency == "EUR" { "€" } else { currency };
        Some(format!("{}\u{a0}{unit}", self.number(amount)))
    }

    fn period(&self, value: &Value) -> Option<String> {
        let day =
            |value: &Value| value.as_str()?.parse::<Day>().ok().map(|day| date::day(day, self.language));
        let (start, end) = (day(value.get("start")?)?, value.get("end")?);
        match end {
            Value::Null => Some(format!("{start} –")),
            end => Some(format!("{start} – {}", day(end)?)),
        }
    }

    fn nothing(&self, html: &mut Html) {
        html.markup("<span aria-hidden=\"true\">–</span><span class=\"visually-hidden\">");
        html.text(&self.texts.value_none());
        html.markup("</span>");
    }

    fn list(&self, items: &[Value], html: &mut Html) {
        html.markup("<ul class=\"values\">");
        for item in items {
            html.markup("<li>");
            self.value(item, html);
            html.markup("</li>");
        }
        html.markup("</ul>");
    }

    fn object(&self, members: &Map<String, Value>, html: &mut Html) {
        if let Some((own, others)) = self.translations(members) {
            return self.translated(own, &others, html);
        }
        html.markup("<ul class=\"values\">");
        for (key, value) in members {
            html.markup("<li><span class=\"values-name\">");
            html.text(&self.name(key));
            html.markup(":</span> ");
            self.value(value, html);
            html.markup("</li>");
        }
        html.markup("</ul>");
    }

    /// A text in several languages: the page's language, and those that differ from it.
    fn translations<'m>(
        &self,
        members: &'m Map<String, Value>,
    ) -> Option<(&'m str, Vec<(&'m str, &'m str)>)> {
        let mut all = Vec::new();
        for (tag, value) in members {
            Language::from_tag(tag).filter(|language| language.tag() == tag.as_str())?;
            all.push((tag.as_str(), value.as_str().filter(|text| !text.is_empty())?));
        }
        let (_, own) = *all.iter().find(|(tag, _)| *tag == self.language.tag())?;
        all.retain(|(_, text)| *text != own);
        Some((own, all))
    }

    fn translated(&self, own: &str, others: &[(&str, &str)], html: &mut Html) {
        html.text(&self.string(own));
        if others.is_empty() {
            return;
        }
        html.markup(" <span class=\"values-other\">");
        for (tag, text) in others {
            html.markup("<span class=\"values-name\">");
            html.text(tag);
            html.markup(":</span> ");
            html.text(&self.string(text));
            html.markup(" ");
        }
        html.markup("</span>");
    }

    /// A decimal comma in Finnish and Swedish; exponents stay as they are.
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
        if let Some(day) = text.parse::<Day>().ok().filter(|_| !text.starts_with('0')) {
            return date::day(day, self.language);
        }
        whole_minute(text).map_or_else(|| text.to_owned(), |at| date::moment(at, self.language))
    }

    /// The name of an object's member: separate words if it is written in camel case, else as it is.
    fn name(&self, key: &str) -> String {
        if let Some(name) = self.codes.get(key) {
            return name.get(self.language).to_owned();
        }
        words_of_camel_case(key).unwrap_or_else(|| key.to_owned())
    }
}

/// A moment without seconds (RFC 3339); others are shown as they are, because nothing of them may be lost.
fn whole_minute(text: &str) -> Option<Timestamp> {
    if !(20..=40).contains(&text.len()) || text.starts_with('0') {
        return None;
    }
    let form = time::format_description::well_known::Rfc3339;
    let moment = time::OffsetDateTime::parse(text, &form).ok()?;
    (moment.second() == 0 && moment.nanosecond() == 0).then(|| Timestamp::from_secs(moment.unix_timestamp()))
}

/// `providerType` as `Provider type`; `None` if the conversion could not be reversed.
fn words_of_camel_case(name: &str) -> Option<String> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let after_capital =
        |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase());
    if !starts_well
        || !name.bytes().all(|b| b.is_ascii_alphabetic())
        || name.as_bytes().windows(2).any(after_capital)
    {
        return None;
    }
    let mut words = String::new();
    for (place, c) in name.chars().enumerate() {
        if place == 0 {
            words.push(c.to_ascii_uppercase());
        } else if c.is_ascii_uppercase() {
            words.push(' ');
            words.push(c.to_ascii_lowercase());
        } else {
            words.push(c);
        }
    }
    Some(words)
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
