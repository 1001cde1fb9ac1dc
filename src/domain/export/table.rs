//! A dataset as CSV that every spreadsheet opens as it is: UTF-8 with a byte order mark, RFC 4180, and no cell that a
//! spreadsheet would run as a formula.

use serde_json::Value;

use crate::domain::catalogue::{Dataset, Language};

use super::RecordValues;

/// Writes a dataset's records, with the fields' labels as headings.
///
/// # Errors
/// [`csv::Error`], never for records in memory.
pub(crate) fn table(
    dataset: &Dataset,
    records: &[RecordValues],
    language: Language,
) -> Result<Vec<u8>, csv::Error> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
    writer.write_record(dataset.fields.iter().map(|field| harmless(field.label.get(language))))?;
    for record in records {
        writer.write_record(
            dataset.fields.iter().map(|field| cell(record.get(&field.name).unwrap_or(&Value::Null))),
        )?;
    }
    writer.flush()?;
    drop(writer);
    Ok(bytes)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        // Numbers and truth values are none; an object or array begins with its bracket.
        other => other.to_string(),
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, *CSV Injection*).
fn harmless(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') if !is_number => format!("'{text}"),
        _ if text.starts_with(['\t', '\r', '\n']) => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_number_is_changed() {
        for formula in
            ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "=cmd|' /C calc'!A0"]
        {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for plain in ["-12.50", "+358401234567", "288.30", "Kuusi; \"A\"", "", "2026-08-01"] {
            assert_eq!(harmless(plain), plain);
        }
        assert_eq!(cell(&serde_json::json!(-5)), "-5");
        assert_eq!(cell(&serde_json::json!({"city": "Espoo"})), "{\"city\":\"Espoo\"}");
    }
}
