//! `fields` and `columns` of `[[datasets]]`: the structure of the records, and where the source has its parts.

use std::collections::{BTreeMap, BTreeSet};

use super::checks;
use super::reader::{Document, Found, Section};
use crate::domain::catalogue::{Field, FieldType};
use crate::domain::ids::{FieldName, FieldPath};

/// Maximum number of fields of a dataset, at all levels together.
const MOST_FIELDS: usize = 50;

const FIELDS: &str = "write a list of { name = \"unit\", type = \"string\", label = { fi, sv, en } }, one a line; an object or a list of \
                      objects has fields of its own: fields = [ … ]";
const COLUMNS: &str = "write { unit = \"Yksikön nimi\", \"decision.unit.name\" = \"unit_name\" }: fields of the dataset with the \
                       columns of the source";

pub(super) fn read_fields(section: &mut Section<'_, '_>) -> Option<Vec<Field>> {
    let document = section.document();
    let fields = section.required::<Vec<Field>>("fields", FIELDS)?;
    let count = count(&fields.value);
    if count == 0 || count > MOST_FIELDS {
        document.problem(
            &fields.at,
            format!("not between 1 and {MOST_FIELDS} fields, at all levels together"),
            FIELDS,
        );
    }
    check_level(document, &fields, None, &fields.value);
    Some(fields.value)
}

fn count(fields: &[Field]) -> usize {
    fields.iter().map(|field| count(&field.fields).saturating_add(1)).fold(0, usize::saturating_add)
}

fn check_level(
    document: &Document<'_>,
    found: &Found<Vec<Field>>,
    outer: Option<&FieldPath>,
    fields: &[Field],
) {
    for (index, field) in fields.iter().enumerate() {
        let Some(path) = path_of(outer, &field.name) else {
            let outer = outer.map(FieldPath::as_str).unwrap_or_default();
            let complaint = format!("{outer}.{} is nested too deeply or too long a path", field.name);
            let remedy = format!("nest at most {} names, of 64 characters together", FieldPath::MAX_DEPTH);
            document.problem(&found.at, complaint, remedy);
            continue;
        };
        if fields.iter().take(index).any(|other| other.name == field.name) {
            document.problem(
                &found.at,
                format!("the field {path} is named twice"),
                "take one of the two out",
            );
        }
        if let Some(complaint) = checks::text(&field.label) {
            document.problem(&found.at, format!("label of {path}: {complaint}"), checks::TEXT);
        }
        for code in field.codes.values() {
            if let Some(complaint) = checks::text(code) {
                document.problem(&found.at, format!("codes of {path}: {complaint}"), checks::TEXT);
            }
        }
        if let Some((complaint, remedy)) = structure_fault(field) {
            document.problem(&found.at, format!("{path}: {complaint}"), remedy);
        }
        check_level(document, found, Some(&path), &field.fields);
    }
}

fn path_of(outer: Option<&FieldPath>, name: &FieldName) -> Option<FieldPath> {
    outer.map_or_else(|| Some(FieldPath::from(name)), |outer| outer.child(name))
}

/// What does not fit together in one field, with the remedy.
fn structure_fault(field: &Field) -> Option<(&'static str, &'static str)> {
    let holds_fields = matches!(field.kind, FieldType::Object | FieldType::Array);
    let is_money = field.kind == FieldType::Money || field.items == Some(FieldType::Money);
    if field.is_structured() && !holds_fields {
        return Some(("only an object or array has fields", "write type = \"object\" or \"array\""));
    }
    if field.items.is_some() && (field.kind != FieldType::Array || field.is_structured()) {
        return Some(("items belongs to an array without fields", "take items out, or fields"));
    }
    if matches!(field.items, Some(FieldType::Object | FieldType::Array)) {
        return Some(("items is a plain type", "for a list of objects, write fields instead"));
    }
    if field.is_structured() && !field.codes.is_empty() {
        return Some(("has fields and codes", "write the codes and labels into its fields"));
    }
    if field.currency.is_some() && !is_money {
        return Some(("only money has a currency", "take it out, or write type = \"money\""));
    }
    None
}

/// The columns of fields: each field is the dataset's, no column serves two, and where one field of an object has a column
/// of its own, all of them have.
pub(super) fn check_columns(
    document: &Document<'_>,
    columns: &Found<BTreeMap<FieldPath, String>>,
    fields: &[Field],
    is_column: fn(&str) -> bool,
) {
    let mut names = BTreeSet::new();
    for (path, name) in &columns.value {
        if !is_column(name) || !names.insert(name) {
            document.problem(&columns.at, format!("the column of {path} is not usable, or taken"), COLUMNS);
        }
        if fields.is_empty() {
            continue;
        }
        match find(fields, path) {
            None => document.problem(&columns.at, format!("{path} is no field of this dataset"), COLUMNS),
            Some(outer) if outer.iter().any(|field| field.kind == FieldType::Array) => {
                let complaint = format!("{path} is in a list, which one column holds as a whole");
                document.problem(&columns.at, complaint, "name the column of the list; it holds JSON");
            }
            Some(_) => {}
        }
        if columns.value.keys().any(|other| other != path && other.is_within(path)) {
            let complaint = format!("{path} has a column, and a part of it one too");
            document.problem(&columns.at, complaint, "name either the one or its parts");
        }
    }
    for field in fields {
        check_split(document, columns, &FieldPath::from(&field.name), field);
    }
}

/// The fields around a field; `None` if there is no such field.
pub(super) fn find<'a>(fields: &'a [Field], path: &FieldPath) -> Option<Vec<&'a Field>> {
    let (mut level, mut outer) = (fields, Vec::new());
    let mut names = path.names().peekable();
    while let Some(name) = names.next() {
        let field = level.iter().find(|field| field.name.as_str() == name)?;
        if names.peek().is_some() {
            outer.push(field);
            level = &field.fields;
        }
    }
    Some(outer)
}

fn check_split(
    document: &Document<'_>,
    columns: &Found<BTreeMap<FieldPath, String>>,
    path: &FieldPath,
    field: &Field,
) {
    let has = |path: &FieldPath| columns.value.keys().any(|other| other.is_within(path));
    if columns.value.contains_key(path) || !has(path) {
        return;
    }
    for inner in &field.fields {
        let Some(within) = path.child(&inner.name) else { continue };
        if has(&within) {
            check_split(document, columns, &within, inner);
        } else {
            let complaint = format!("{within} has no column, and other fields of {path} have");
            document.problem(&columns.at, complaint, "name the column of each, or of the object alone");
        }
    }
}
