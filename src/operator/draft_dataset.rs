//! Drafts a `[[datasets]]` section from what a register holds, for the operator to complete.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::domain::catalogue::FieldType;
use crate::domain::catalogue::register::{CsvDialect, Register};
use crate::domain::ids::RegisterId;
use crate::registers::sample::{Sample, SampleColumn, SampleSource, sample};

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DraftError {
    /// The configuration has no such register.
    #[error("no register {0}: `[[registers]] id` of the configuration names them")]
    NoRegister(RegisterId),
    /// It cannot be read.
    #[error("{what} of register {register} cannot be read: {cause}")]
    Unreadable {
        /// The table or file.
        what: String,
        /// Its register.
        register: RegisterId,
        /// The cause.
        cause: String,
    },
    /// The column of the operator is not there, or none has been recognised.
    #[error("whose record is it? Name the column with --subject-column: {0}")]
    Subject(String),
    /// The look did not end.
    #[error("the register was not read to the end")]
    Unfinished,
}

/// Looks at a table, view or file, and writes the section.
///
/// # Errors
/// [`DraftError`].
pub(crate) async fn draft(
    config: &Config,
    register: &RegisterId,
    what: &str,
    subject_column: Option<String>,
) -> Result<String, DraftError> {
    let found = config.registers.iter().find(|known| known.id == *register);
    let register: Register = found.ok_or_else(|| DraftError::NoRegister(register.clone()))?.clone();
    let (asked, id) = (what.to_owned(), register.id.clone());
    let look = tokio::task::spawn_blocking(move || sample(&register, &asked)).await;
    let sample = look.map_err(|_| DraftError::Unfinished)?.map_err(|cause| DraftError::Unreadable {
        what: what.to_owned(),
        register: id.clone(),
        cause,
    })?;
    let subject = subject(&sample.columns, subject_column.as_deref())?;
    Ok(section(&id, what, &sample, &subject))
}

/// What the column with a person's identifier is often called.
const SUBJECT_NAMES: [&str; 12] = [
    "guardian",
    "huoltaja",
    "resident",
    "asukas",
    "hetu",
    "henkilotunnus",
    "henkilötunnus",
    "personbeteckning",
    "ssn",
    "subject",
    "national_id",
    "personal_identity_code",
];

fn subject(columns: &[SampleColumn], written: Option<&str>) -> Result<String, DraftError> {
    let called = |name: &str| SUBJECT_NAMES.iter().any(|known| name.to_lowercase() == *known);
    let found = match written {
        Some(name) => columns.iter().find(|column| column.name == name),
        None => {
            let mut identifiers = columns.iter().filter(|column| column.is_identifier);
            match (identifiers.next(), identifiers.next()) {
                (Some(only), None) => Some(only),
                // Of several, such as guardian and child, the name decides.
                _ => columns.iter().find(|column| called(&column.name)),
            }
        }
    };
    let names = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    found.map(|column| column.name.clone()).ok_or_else(|| DraftError::Subject(names()))
}

/// A field of the draft.
struct Draft<'a> {
    name: String,
    column: &'a SampleColumn,
}

fn section(register: &RegisterId, what: &str, sample: &Sample, subject: &str) -> String {
    let mut taken = BTreeSet::new();
    let others = sample.columns.iter().filter(|column| column.name != subject && is_plain(&column.name));
    let fields: Vec<Draft<'_>> =
        others.take(50).map(|column| Draft { name: field_name(&column.name, &mut taken), column }).collect();
    let stem = what.rsplit('/').next().unwrap_or(what);
    let stem = stem.strip_suffix(".csv").or_else(|| stem.strip_suffix(".json")).unwrap_or(stem);
    let id = slug(stem.rsplit('.').next().unwrap_or(stem));
    let title = readable(&id);
    let mut text = format!(
        "# Drafted from {what} of register {register}. Read every line: what residents see is in fi, sv and en.\n\
         [[datasets]]\nid = {}\n# The kind's name, the same in other cities.\ntype = {}\n",
        quoted(&id),
        quoted(&id)
    );
    text += &format!("title = {}\ndescription = {}\n", three(&title), three(&title));
    text += "# A theme of the EU vocabulary data-theme: EDUC, SOCI, TRAN, HEAL …\ntheme = \"GOVE\"\n\
             # Why the city holds it: articles of the GDPR and the act (Finlex, EUR-Lex).\n\
             legal_bases = [\"A6-1-e\"]\nlegislation = [\"https://www.finlex.fi/\"]\nretention = \"P1Y\"\nfields = [\n";
    for field in &fields {
        let kind = quoted(field.column.kind.as_str());
        let label = three(&readable(&field.column.name));
        text += &format!("  {{ name = {}, type = {kind}, label = {label} }},\n", quoted(&field.name));
    }
    text += &format!("]\nregister = {}\nsubject_column = {}\n", quoted(register.as_str()), quoted(subject));
    if let Some(first) = fields.iter().find(|field| field.column.kind == FieldType::Date) {
        text += &format!(
            "# So that a permission may be limited to a period:\n# period = {{ start = {} }}\n",
            quoted(&first.name)
        );
    }
    text + &match sample.source {
        SampleSource::Table(quote) => query(what, subject, &fields, quote),
        SampleSource::Json => file(what, None, &fields),
        SampleSource::Csv(dialect) => file(what, Some(dialect), &fields),
    }
}

/// The query, with names as the database has them.
fn query(table: &str, subject: &str, fields: &[Draft<'_>], quote: char) -> String {
    let name = |name: &str| format!("{quote}{name}{quote}");
    let mut columns = vec![name(subject)];
    for field in fields {
        let column = name(&field.column.name);
        let renamed = field.column.name != field.name;
        columns.push(if renamed { format!("{column} AS {}", name(&field.name)) } else { column });
    }
    let table: Vec<String> = table.split('.').map(name).collect();
    let is_plain = |field: &&Draft<'_>| {
        !matches!(
            field.column.kind,
            FieldType::Object | FieldType::Array | FieldType::Period | FieldType::Money
        )
    };
    let dated = fields.iter().find(|field| field.column.kind == FieldType::Date);
    let first = fields.iter().find(is_plain);
    let mut order: Vec<String> =
        dated.iter().map(|field| format!("{} DESC", name(&field.column.name))).collect();
    order.extend(first.iter().map(|field| name(&field.column.name)));
    if order.is_empty() {
        order.push(name(subject));
    }
    format!(
        "# $1 is the person's identifier. The order is what residents read, and the same every time.\n\
         query = '''\nSELECT {}\nFROM {}\nWHERE {} = $1\nORDER BY {}'''\n",
        columns.join(", "),
        table.join("."),
        name(subject),
        order.join(", ")
    )
}

fn file(name: &str, dialect: Option<CsvDialect>, fields: &[Draft<'_>]) -> String {
    let mut text = format!("file = {}\n", quoted(name));
    if let Some(CsvDialect { delimiter, encoding, notation }) = dialect {
        text += &format!(
            "csv = {{ delimiter = {}, encoding = {}, notation = {} }}\n",
            quoted(delimiter.as_str()),
            quoted(encoding.as_str()),
            quoted(notation.as_str())
        );
    }
    let renamed = fields.iter().filter(|field| field.column.name != field.name);
    let renamed: Vec<String> =
        renamed.map(|field| format!("{} = {}", field.name, quoted(&field.column.name))).collect();
    if !renamed.is_empty() {
        text += &format!("columns = {{ {} }}\n", renamed.join(", "));
    }
    text
}

/// Whether a column can be named in a query and a heading.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= 200
        && name.trim() == name
        && !name.contains(|c: char| c.is_control() || ";?$\"'`\\".contains(c))
}

/// The words of a name in snake, kebab or camel case or with spaces, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut open, mut was_lower) = (false, false);
    for character in name.chars() {
        if !character.is_alphanumeric() {
            (open, was_lower) = (false, false);
            continue;
        }
        if !open || (was_lower && character.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
        (open, was_lower) = (true, character.is_lowercase());
    }
    words
}

/// The same in ASCII.
fn ascii_words(name: &str) -> Vec<String> {
    let plain = |character| match character {
        'ä' | 'å' => Some('a'),
        'ö' => Some('o'),
        other => Some(other).filter(char::is_ascii),
    };
    let words = words(name).into_iter().map(|word| word.chars().filter_map(plain).collect::<String>());
    words.filter(|word| !word.is_empty()).collect()
}

fn field_name(column: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for (at, word) in ascii_words(column).iter().enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if at > 0 => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.push_str(letters.as_str());
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "field");
    }
    name.truncate(60);
    let mut free = name.clone();
    for number in 2_u32.. {
        if taken.insert(free.clone()) {
            break;
        }
        free = format!("{name}{number}");
    }
    free
}

fn slug(name: &str) -> String {
    let mut slug = ascii_words(name).join("-");
    slug.truncate(60);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "dataset".to_owned() } else { slug.to_owned() }
}

/// A name as people read it.
fn readable(name: &str) -> String {
    let text = words(name).join(" ");
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(|| name.to_owned(), |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

fn three(text: &str) -> String {
    let text = quoted(text);
    format!("{{ fi = {text}, sv = {text}, en = {text} }}")
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_become_field_names_and_labels() {
        let mut taken = BTreeSet::new();
        for (column, field, label) in [
            ("start_date", "startDate", "Start date"),
            ("startDate", "startDate2", "Start date"),
            ("Päiväkodin nimi", "paivakodinNimi", "Päiväkodin nimi"),
            ("UNIT", "unit", "Unit"),
            ("2026", "field2026", "2026"),
            ("€", "field", "€"),
        ] {
            let name = field_name(column, &mut taken);
            assert_eq!((name.as_str(), readable(column).as_str()), (field, label));
        }
        assert_eq!(slug("Maksu_päätökset 2026"), "maksu-paatokset-2026");
    }

    #[test]
    fn a_subject_is_recognised_by_form_or_name_and_else_asked_for() {
        let column = |name: &str, is_identifier| SampleColumn {
            name: name.to_owned(),
            kind: FieldType::String,
            is_identifier,
        };
        let only = [column("unit", false), column("person", true)];
        assert_eq!(subject(&only, None).unwrap(), "person");
        let two = [column("child", true), column("Guardian", true)];
        assert_eq!(subject(&two, None).unwrap(), "Guardian");
        assert_eq!(subject(&two, Some("child")).unwrap(), "child");
        assert!(subject(&two, Some("nobody")).is_err());
        let told = subject(&[column("a", false), column("b", false)], None).unwrap_err().to_string();
        assert!(told.ends_with("a, b"), "{told}");
    }
}
