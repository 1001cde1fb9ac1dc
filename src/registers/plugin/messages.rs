//! The messages of the plug-in contract, one JSON object each.

use std::sync::Arc;

use serde_json::json;

use super::super::Bounds;
use super::super::envelope::{Found, find};
use super::super::failure::Failure;
use super::super::json::{Json, Member, Parser};
use super::super::mapping::Mapping;
use super::super::marks::MarkColumns;
use super::super::names::{self, NameColumn};
use super::super::service::deferred;
use super::super::values::Collected;
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::register::{HeldDataset, NameColumns};
use crate::domain::catalogue::{FieldTree, Record};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::ports::{Clock, Question, RegisterError};

/// A question in one line.
pub(super) fn request(id: &str, question: &Question) -> Vec<u8> {
    let message = json!({
        "id": id,
        "dataset": question.dataset,
        "subject": question.subject.reveal(),
        "fields": question.fields,
    });
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

fn unfit(cause: impl ToString) -> Failure {
    Failure::new(RegisterError::Unfit("the plug-in's answer breaks the contract"), cause)
}

/// The `id` of an answer; an error for a line that is none.
pub(super) fn id(line: &[u8]) -> Result<String, Failure> {
    let envelope = Parser::new(line)?.envelope(&Pointer::member("records"), |_, _| Ok::<(), Failure>(()))?;
    match find(&envelope.rest, &Pointer::member("id")) {
        Found::Value(Json::String(id)) => Ok(id.clone()),
        _ => Err(unfit("an answer has no id")),
    }
}

/// Reads the answers about one dataset.
pub(super) struct Answers {
    mapping: Mapping,
    marks: MarkColumns,
    names: NameColumns,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
}

impl Answers {
    pub(super) fn of(held: &HeldDataset, bounds: Bounds, clock: &Arc<dyn Clock>) -> Self {
        Self {
            mapping: Mapping::of(held),
            marks: MarkColumns::of(&held.source),
            names: held.source.names.clone(),
            bounds,
            clock: Arc::clone(clock),
        }
    }

    /// The records of an answer to a question.
    pub(super) fn read(&self, line: &[u8], id: &str, question: &Question) -> Result<Vec<Record>, Failure> {
        let mut collected = Collected::new(self.bounds);
        let mut number = 0_usize;
        let envelope = Parser::new(line)?.envelope(&Pointer::member("records"), |_, found| {
            number = number.saturating_add(1);
            let taken = self.record(found, question).and_then(|record| Ok(collected.push(record)?));
            taken.map_err(|failure| failure.within(&format!("record {number}")))
        })?;
        let Json::Object(members) = &envelope.rest else { return Err(unfit("an answer is not an object")) };
        const KNOWN: [&str; 4] = ["id", "records", "available_from", "error"];
        if let Some(other) = members.iter().find(|member| !KNOWN.contains(&member.name.as_str())) {
            let place = other.at;
            return Err(unfit(format!("{place}: an answer has a member that the contract does not have")));
        }
        let member = |name| members.iter().find(|member| member.name == name).map(|member| &member.value);
        if !matches!(member("id"), Some(Json::String(other)) if other == id) {
            return Err(unfit("the answer has another id than the question"));
        }
        match (envelope.found, member("available_from"), member("error")) {
            (true, None, None) => Ok(collected.into_records()),
            (false, Some(from), None) => Err(self.later(from)),
            (false, None, Some(word)) => Err(refusal(word)),
            _ => Err(unfit("an answer has not one of records, available_from and error")),
        }
    }

    fn later(&self, from: &Json) -> Failure {
        let time = match from {
            Json::String(text) => text.parse::<Timestamp>().ok(),
            _ => None,
        };
        match time.and_then(|time| deferred::believed(time, self.clock.now())) {
            Some(from) => RegisterError::AvailableFrom(from).into(),
            None => unfit("available_from is no RFC 3339 time within a year"),
        }
    }

    /// A record: whose it is, its marks, and exactly the fields that were asked for.
    fn record(&self, found: &Json, question: &Question) -> Result<Record, Failure> {
        let Json::Object(members) = found else { return Err(unfit("it is not an object")) };
        let (mut subject, mut values) = (None, None);
        let beside = |name: &str| {
            self.marks.names().any(|mark| mark == name)
                || NameColumn::of(&self.names).any(|(_, column)| column == name)
        };
        for Member { name, at, value } in members {
            match (name.as_str(), value) {
                ("subject", Json::String(text)) => subject = NationalIdentifier::exact(text).ok(),
                ("values", Json::Object(members)) => values = Some(members),
                ("subject" | "values", _) => return Err(unfit(format!("{name} is of another type"))),
                (name, _) if beside(name) => {}
                _ => {
                    return Err(unfit(format!("{at}: it has a member that the contract does not have")));
                }
            }
        }
        let subject = subject.ok_or_else(|| {
            Failure::new(
                RegisterError::Unfit("a record does not say whose it is"),
                "subject is missing or no identifier",
            )
        })?;
        let values = values.ok_or_else(|| unfit("values is missing"))?;
        let wanted = FieldTree::of(&question.fields);
        if let Some(other) = not_asked(values, &wanted) {
            let place = other.at;
            return Err(unfit(format!("{place}: values has a field that was not asked for")));
        }
        let value = |name: &str| values.iter().find(|member| member.name == name);
        if let Some((missing, _)) = wanted.iter().find(|(name, _)| value(name).is_none()) {
            return Err(unfit(format!("field {missing} is missing; write null where it is empty")));
        }
        let told = |name: &str| members.iter().find(|member| member.name == name).map(|member| &member.value);
        let marks = self.marks.read(|mark| told(mark).cloned())?;
        let names = names::read(&self.names, |_, name| told(name).and_then(names::text))?;
        let record = self.mapping.record(&question.fields, (subject, marks), |column| {
            value(column.name).map_or((None, Json::Null), |member| (Some(member.at), member.value.clone()))
        })?;
        Ok(Record { names, ..record })
    }
}

/// The first member, at any level, that no asked path leads to.
fn not_asked<'a>(members: &'a [Member], wanted: &FieldTree) -> Option<&'a Member> {
    members.iter().find_map(|member| match wanted.get(&member.name) {
        None => Some(member),
        Some(within) if within.is_leaf() => None,
        Some(within) => not_asked_within(&member.value, within),
    })
}

fn not_asked_within<'a>(value: &'a Json, wanted: &FieldTree) -> Option<&'a Member> {
    match value {
        Json::Object(members) => not_asked(members, wanted),
        Json::Array(items) => items.iter().find_map(|item| not_asked_within(item, wanted)),
        _ => None,
    }
}

fn refusal(word: &Json) -> Failure {
    let Json::String(word) = word else { return unfit("error is not a text") };
    let error = match word.as_str() {
        "unavailable" => RegisterError::Unavailable,
        "too_large" => RegisterError::TooLarge,
        "unfit" => RegisterError::Unfit("the plug-in cannot read the register"),
        _ => return unfit("error is none of unavailable, too_large and unfit"),
    };
    Failure::new(error, format!("the plug-in says: {word}"))
}
