//! `[[datasets]]`: the datasets in this city's catalogue, and where their records are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::fields::{check_columns, find, read_fields};
use super::plugins;
use super::reader::{Found, Section};
use super::{checks, contact, queries, requests, subject_from};
use crate::domain::catalogue::register::{
    Connection, CsvDialect, DatasetSource, HeldDataset, NameColumns, ProtectedColumn, Register, Selection,
};
use crate::domain::catalogue::{Corrections, Dataset, Field, FieldType, Narrowing, PeriodFields, Text};
use crate::domain::ids::{DatasetId, DatasetType, FieldName, FieldPath, RegisterId};

/// Themes of the EU vocabulary `data-theme`.
const THEMES: [&str; 14] = [
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "OP_DATPRO",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
];
const SUBJECT: &str = "write the column that says whose record it is";
const FILE: &str = "write the name of a .json or .csv file in the register's folder";
const CSV: &str = "write { delimiter = \";\", encoding = \"windows-1252\", notation = \"fi\" }: the delimiter is a comma, semicolon, \
                   bar or tab, the encoding utf-8, windows-1252 or iso-8859-15, the notation iso or fi";
const COLUMNS: &str = "write { unit = \"Yksikön nimi\", \"decision.unit.name\" = \"unit_name\" }: fields of the dataset with the \
                       columns of the source";
const MARK: &str = "write the column or member that the register has for it";
const NAMES: &str = "write the column with the identifier of the person whom a record is about, with their name, and with \
                     the record's key, or take it out";
const LEGISLATION: &str = "write the https address of the act, such as its ELI";
const MAX_AGE: &str = "write how many seconds old a login may be, such as 600";
const RETENTION: &str = "write an ISO 8601 duration, such as \"P1Y\"";

pub(super) fn read(
    sections: Vec<Section<'_, '_>>,
    registers: &[Register],
    acr_values: &[String],
) -> Vec<HeldDataset> {
    let mut datasets: Vec<HeldDataset> = Vec::new();
    for section in sections {
        let Some(dataset) = read_one(section, registers, acr_values, &datasets) else { continue };
        datasets.push(dataset);
    }
    datasets
}

fn read_one(
    mut section: Section<'_, '_>,
    registers: &[Register],
    acr_values: &[String],
    before: &[HeldDataset],
) -> Option<HeldDataset> {
    let document = section.document();
    let id = section.required::<DatasetId>("id", "write a short name of a-z, 0-9 and hyphens");
    if let Some(id) = &id {
        section.call(id.value.as_str());
        if before.iter().any(|other| other.dataset.id == id.value) {
            document.problem(&id.at, "another dataset has this id", "write another id");
        }
    }
    let kind = section.required::<DatasetType>("type", "write the kind's name, the same as in other cities");
    let title = section.required::<Text>("title", checks::TEXT);
    let description = section.required::<Text>("description", checks::TEXT);
    for found in [&title, &description].into_iter().flatten() {
        if let Some(complaint) = checks::text(&found.value) {
            document.problem(&found.at, complaint, checks::TEXT);
        }
    }
    let theme = section.required::<String>("theme", "write a theme of the EU vocabulary, such as \"EDUC\"");
    if let Some(theme) = &theme
        && !THEMES.contains(&theme.value.as_str())
    {
        document.problem(
            &theme.at,
            "not a theme of the EU vocabulary",
            format!("write one of {}", THEMES.join(", ")),
        );
    }
    let fields = read_fields(&mut section);
    let legal_bases = section.required::<Vec<String>>("legal_bases", checks::LEGAL_BASIS);
    each(&section, legal_bases.as_ref(), checks::LEGAL_BASIS, checks::legal_basis);
    let legislation = section.required::<Vec<String>>("legislation", LEGISLATION);
    each(&section, legislation.as_ref(), LEGISLATION, |address| {
        let good =
            url::Url::parse(address).is_ok_and(|url| url.scheme() == "https" || url.scheme() == "http");
        (!good).then_some("not an address")
    });
    let retention = section.required::<String>("retention", RETENTION);
    if let Some(retention) = &retention
        && let Some(complaint) = checks::duration(&retention.value)
    {
        document.problem(&retention.at, complaint, RETENTION);
    }
    let corrections = read_corrections(&mut section);
    let assurance = read_assurance(&mut section, acr_values);
    let period = read_period(&mut section, fields.as_deref());
    let source = read_source(&mut section, registers, fields.as_deref());
    let subject_from = subject_from::read(&mut section, before);
    let protected_fields = read_protected(&mut section, fields.as_deref(), period.as_ref(), source.as_ref());
    section.close();
    let (register, source) = source?;
    let source = DatasetSource { subject_from, ..source };
    Some(HeldDataset {
        dataset: Dataset {
            id: id?.value,
            kind: kind?.value,
            title: title?.value,
            description: description?.value,
            theme: theme?.value,
            fields: fields?,
            legal_bases: legal_bases?.value,
            legislation: legislation?.value,
            retention: retention?.value.parse().ok()?,
            register: register.name.clone(),
            period,
            protected_fields,
            corrections,
            narrowing: narrowing(&source.names),
            required_acr: assurance.acr,
            required_max_age_seconds: assurance.max_age_seconds,
            required_passkey: assurance.passkey,
        },
        source,
    })
}

fn read_corrections(section: &mut Section<'_, '_>) -> Option<Corrections> {
    const CORRECTIONS: &str =
        "write { name = { fi, sv, en }, address = \"https://…\" } with the page, or an e-mail address";
    let found = section.optional::<Corrections>("corrections", CORRECTIONS)?;
    let address = &found.value.address;
    let is_page = url::Url::parse(address).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    let complaint = match checks::text(&found.value.name) {
        Some(complaint) => Some(complaint),
        None if is_page || contact::is_email(address) => None,
        None => Some("the address is neither an https address nor an e-mail address"),
    };
    if let Some(complaint) = complaint {
        section.document().problem(&found.at, complaint, CORRECTIONS);
    }
    Some(found.value)
}

/// The login that a dataset requires.
struct Assurance {
    acr: Option<String>,
    max_age_seconds: Option<u32>,
    passkey: bool,
}

fn read_assurance(section: &mut Section<'_, '_>, acr_values: &[String]) -> Assurance {
    let document = section.document();
    let required_acr = section.optional::<String>("required_acr", "write a value of [login] acr_values");
    if let Some(acr) = &required_acr
        && !acr_values.contains(&acr.value)
    {
        document.problem(&acr.at, "not among [login] acr_values", "write one of them, or add it there");
    }
    let max_age = section.optional::<u32>("required_max_age_seconds", MAX_AGE);
    if let Some(max_age) = &max_age
        && !(60..=86_400).contains(&max_age.value)
    {
        document.problem(&max_age.at, "not between 60 seconds and a day", MAX_AGE);
    }
    let passkey = section.optional::<bool>("required_passkey", "write true or false");
    Assurance {
        acr: required_acr.map(|found| found.value),
        max_age_seconds: max_age.map(|found| found.value),
        passkey: passkey.is_some_and(|found| found.value),
    }
}

/// Checks every item of a list that must not be empty.
fn each(
    section: &Section<'_, '_>,
    list: Option<&Found<Vec<String>>>,
    remedy: &str,
    check: impl Fn(&str) -> Option<&'static str>,
) {
    let Some(list) = list else { return };
    let complaint = match list.value.as_slice() {
        [] => Some("the list is empty"),
        items => items.iter().find_map(|item| check(item)),
    };
    if let Some(complaint) = complaint {
        section.document().problem(&list.at, complaint, remedy);
    }
}

/// The fields that date a record; both must be dates of the same dataset.
fn read_period(section: &mut Section<'_, '_>, fields: Option<&[Field]>) -> Option<PeriodFields> {
    const PERIOD: &str =
        "write { start = \"startDate\", end = \"endDate\" } with fields of type date, or take it out";
    let period = section.optional::<PeriodFields>("period", PERIOD)?;
    for name in std::iter::once(&period.value.start).chain(&period.value.end) {
        let dated = |field: &Field| &field.name == name && field.kind == FieldType::Date;
        if fields.is_some_and(|fields| !fields.iter().any(dated)) {
            section.document().problem(&period.at, format!("{name} is no field of type date"), PERIOD);
        }
    }
    Some(period.value)
}

/// The fields that a non-disclosure order keeps back.
fn read_protected(
    section: &mut Section<'_, '_>,
    fields: Option<&[Field]>,
    period: Option<&PeriodFields>,
    source: Option<&(&Register, DatasetSource)>,
) -> Vec<FieldPath> {
    const PROTECTED: &str =
        "write the fields that tell where a person lives, such as [\"address\"], beside protected_column";
    let found = section.optional::<Vec<FieldPath>>("protected_fields", PROTECTED);
    let column = source.is_some_and(|(_, source)| source.protected.is_some());
    let Some(found) = found else {
        if column {
            section.problem("protected_column without protected_fields keeps nothing back", PROTECTED);
        }
        return Vec::new();
    };
    let document = section.document();
    if found.value.is_empty() || (source.is_some() && !column) {
        let complaint = "protected_fields without protected_column, or empty";
        document.problem(
            &found.at,
            complaint,
            "write protected_column, where the register tells of an order",
        );
    }
    for name in &found.value {
        let person_name = source.and_then(|(_, source)| source.names.person_name.as_deref());
        if person_name.is_some() && person_name == source.map(|(_, source)| source.column_of(name)) {
            let complaint = format!("person_name_column shows {name} to the resident all the same");
            document.problem(&found.at, complaint, "take it out here, or name another column there");
        }
        if fields.is_some_and(|fields| find(fields, name).is_none()) {
            document.problem(&found.at, format!("{name} is no field of this dataset"), PROTECTED);
        }
        let is_it = |date: &FieldName| date.as_str() == name.as_str();
        let dates = |period: &PeriodFields| is_it(&period.start) || period.end.as_ref().is_some_and(is_it);
        if period.is_some_and(dates) {
            let complaint = format!("{name} dates the record: which records are given would tell it");
            document.problem(&found.at, complaint, "take it out here, or from period");
        }
    }
    found.value
}

/// Where the register tells of a non-disclosure order.
fn read_protected_column(section: &mut Section<'_, '_>) -> Option<Found<ProtectedColumn>> {
    const MARKER: &str = "write the text that stands in protected_column for an order, or take it out";
    let column = section.optional::<String>("protected_column", MARK);
    let marker = section.optional::<String>("protected_marker", MARKER);
    let document = section.document();
    if let Some(marker) = &marker {
        if column.is_none() {
            document.problem(&marker.at, "protected_marker without protected_column", MARKER);
        }
        if !is_heading(&marker.value) {
            document.problem(&marker.at, "not a plain text", MARKER);
        }
    }
    column.map(|column| Found {
        at: column.at,
        value: ProtectedColumn { column: column.value, marker: marker.map(|marker| marker.value) },
    })
}

fn read_source<'r>(
    section: &mut Section<'_, '_>,
    registers: &'r [Register],
    fields: Option<&[Field]>,
) -> Option<(&'r Register, DatasetSource)> {
    let document = section.document();
    let register = section.required::<RegisterId>("register", "write the id of one of [[registers]]");
    let asked = section.optional::<bool>("subject_is_asked", requests::SUBJECT_REMEDY);
    let of_plugin = register.as_ref().is_some_and(|id| plugins::is_one(registers, &id.value));
    let subject = match &asked {
        None if !of_plugin => section.required::<String>("subject_column", SUBJECT),
        Some(Found { value: false, .. }) => section.required::<String>("subject_column", SUBJECT),
        _ => section.optional::<String>("subject_column", SUBJECT),
    };
    let request = section.table("request");
    let query = section.optional::<String>("query", queries::REMEDY);
    let file = section.optional::<String>("file", FILE);
    let protected = read_protected_column(section);
    let available_from = section.optional::<String>("available_from_column", MARK);
    let csv = section.optional::<CsvDialect>("csv", CSV);
    let columns = section.optional::<BTreeMap<FieldPath, String>>("columns", COLUMNS);
    let names = ["person_column", "person_name_column", "record_column"]
        .map(|key| section.optional::<String>(key, NAMES));
    if let [None, Some(name), _] = &names {
        document.problem(&name.at, "names a person that person_column does not identify", NAMES);
    }
    let id = register?;
    let Some(register) = registers.iter().find(|register| register.id == id.value) else {
        document.problem(&id.at, "no register has this id", "write the id of one of [[registers]]");
        return None;
    };
    if let Connection::Http(_) | Connection::GdprApi(_) = &register.connection {
        for at in [query.map(|found| found.at), file.map(|found| found.at), csv.map(|found| found.at)]
            .iter()
            .flatten()
        {
            document.problem(at, "a dataset of a service has [datasets.request] instead", requests::REQUEST);
        }
        let Some(request) = request else {
            section.problem("a dataset of a service has a request", requests::REQUEST);
            return None;
        };
        let subject_column = subject.as_ref().map(|found| found.value.clone()).unwrap_or_default();
        let marks = [
            protected.as_ref().map(|found| (&found.at, &found.value.column)),
            available_from.as_ref().map(|found| (&found.at, &found.value)),
        ];
        let named = names.iter().flatten().map(|found| (&found.at, &found.value));
        let marks = marks.into_iter().flatten().chain(named).collect();
        if let Some(columns) = &columns {
            check_columns(document, columns, fields.unwrap_or_default(), requests::is_place);
        }
        let mapping = requests::Mapping { subject, asked, marks };
        let tree = matches!(register.connection, Connection::GdprApi(_));
        let selection = Selection::Request(Box::new(requests::read(request, mapping, tree)?));
        let source = DatasetSource {
            register: id.value,
            selection,
            subject_column,
            names: columns_of(names),
            protected: protected.map(|found| found.value),
            available_from_column: available_from.map(|found| found.value),
            columns: columns.map(|found| found.value).unwrap_or_default(),
            subject_from: None,
        };
        return Some((register, source));
    }
    if of_plugin {
        let text = [subject, query, file].into_iter().flatten().map(|found| found.at);
        let others = [asked.map(|found| found.at), csv.map(|found| found.at), columns.map(|found| found.at)];
        let marks = protected.iter().map(|found| (&found.at, &found.value.column));
        let texts = available_from.iter().chain(names.iter().flatten());
        let marks = marks.chain(texts.map(|found| (&found.at, &found.value)));
        plugins::check_dataset(document, text.chain(others.into_iter().flatten()), request, marks);
        let source = DatasetSource {
            register: id.value,
            selection: Selection::Plugin,
            subject_column: String::new(),
            names: columns_of(names),
            protected: protected.map(|found| found.value),
            available_from_column: available_from.map(|found| found.value),
            columns: BTreeMap::new(),
            subject_from: None,
        };
        return Some((register, source));
    }
    if let Some(asked) = &asked {
        document.problem(&asked.at, "every record of this register names its person", SUBJECT);
    }
    if let Some(request) = request {
        request.problem("only a service is sent a request", "take it out");
    }
    let selection = match (&register.connection, query, file) {
        (Connection::Sql { .. } | Connection::Odbc { .. }, Some(query), None) => {
            match queries::complaint(&query.value) {
                None => Some(Selection::Query(query.value.trim().to_owned())),
                Some(complaint) => {
                    document.problem(&query.at, complaint, queries::REMEDY);
                    None
                }
            }
        }
        (Connection::Files { .. }, None, Some(file)) => {
            let selection = file_selection(&file.value, csv.as_ref().map(|csv| csv.value));
            if selection.is_none() {
                document.problem(&file.at, "not a JSON or CSV file inside the register's folder", FILE);
            }
            selection
        }
        (Connection::Sql { .. } | Connection::Odbc { .. }, ..) => {
            section.problem("a dataset of a database has query, and no file", queries::REMEDY);
            None
        }
        (Connection::Files { .. }, ..) => {
            section.problem("a dataset of a file register has file, and no query", FILE);
            None
        }
        (
            Connection::Http(_)
            | Connection::GdprApi(_)
            | Connection::Plugin(_)
            | Connection::PluginService(_),
            ..,
        ) => None,
    };
    if let Some(csv) = &csv
        && !matches!(selection, None | Some(Selection::Csv(..)))
    {
        document.problem(&csv.at, "describes a CSV file, and the dataset has none", "take it out");
    }
    if let Some(columns) = &columns {
        let is_good: fn(&str) -> bool = match selection {
            Some(Selection::Query(_)) => is_column,
            _ => is_heading,
        };
        check_columns(document, columns, fields.unwrap_or_default(), is_good);
    }
    let named = [
        subject.as_ref().map(|found| (&found.at, &found.value)),
        protected.as_ref().map(|found| (&found.at, &found.value.column)),
        available_from.as_ref().map(|found| (&found.at, &found.value)),
    ];
    let names_of_record = names.iter().flatten().map(|found| (&found.at, &found.value));
    for (at, name) in named.into_iter().flatten().chain(names_of_record) {
        let good = match selection {
            Some(Selection::Query(_)) => is_column(name),
            _ => is_heading(name),
        };
        if !good {
            let remedy = "write the column's name; in a query, letters, digits and underscores";
            document.problem(at, "not a plain column name", remedy);
        }
    }
    let source = DatasetSource {
        register: id.value,
        selection: selection?,
        subject_column: subject?.value,
        protected: protected.map(|found| found.value),
        available_from_column: available_from.map(|found| found.value),
        names: columns_of(names),
        columns: columns.map(|found| found.value).unwrap_or_default(),
        subject_from: None,
    };
    Some((register, source))
}

fn columns_of(names: [Option<Found<String>>; 3]) -> NameColumns {
    let [person, person_name, record] = names.map(|found| found.map(|found| found.value));
    NameColumns { person, person_name, record }
}

/// What a permission can be narrowed to, by what the source names.
const fn narrowing(names: &NameColumns) -> Narrowing {
    Narrowing { persons: names.person.is_some(), records: names.record.is_some() }
}

/// Whether a text may be the heading of a file's column, or a member's name.
fn is_heading(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && text.trim() == text && !text.contains(char::is_control)
}

fn is_column(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn file_selection(written: &str, csv: Option<CsvDialect>) -> Option<Selection> {
    let path = PathBuf::from(written);
    if !checks::stays_inside(&path) {
        return None;
    }
    match path.extension()?.to_str()? {
        "json" => Some(Selection::Json(path)),
        "csv" => Some(Selection::Csv(path, csv.unwrap_or_default())),
        _ => None,
    }
}
