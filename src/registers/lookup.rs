//! A register that knows people by keys of its own, which a dataset of another register tells.

use serde_json::Value;
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::domain::catalogue::Record;
use crate::domain::catalogue::register::SubjectFrom;
use crate::domain::clock::Timestamp;
use crate::domain::exchange::deferral;
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::ports::{Question, RegisterError};

/// The question for the key alone.
pub(super) fn question(from: &SubjectFrom, subject: &NationalIdentifier) -> Question {
    Question::new(from.dataset.clone(), subject.clone(), vec![FieldPath::from(&from.field)])
}

/// The person's key; `None` where they have none, so that the register holds nothing about them.
pub(super) fn key(
    from: &SubjectFrom,
    subject: &NationalIdentifier,
    records: &[Record],
    now: Timestamp,
) -> Result<Option<NationalIdentifier>, Failure> {
    let unfit = |reason, cause: &str| {
        let cause = format!("subject_from, dataset {}: {cause}", from.dataset);
        Err(Failure::new(RegisterError::Unfit(reason), cause))
    };
    if records.iter().any(|record| record.subject != *subject) {
        return unfit("an identifier of somebody else", "a record is another person's");
    }
    if let Some(later) = deferral::available_from(records, now) {
        return Err(RegisterError::AvailableFrom(later).into());
    }
    let mut known: Option<NationalIdentifier> = None;
    for record in records {
        let text = match record.values.get(&from.field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => Zeroizing::new(text.clone()),
            Some(value) => Zeroizing::new(value.to_string()),
        };
        let Ok(key) = NationalIdentifier::exact(&text) else {
            return unfit(
                "an identifier that is none",
                "the value is not of 1 to 64 printable ASCII characters",
            );
        };
        if known.as_ref().is_some_and(|known| *known != key) {
            return unfit("two identifiers of one person", "its records tell two identifiers");
        }
        known = Some(key);
    }
    Ok(known)
}

/// The records with the person as they were asked for. A record of anybody else keeps its own, which the release refuses.
pub(super) fn as_asked(
    records: Vec<Record>,
    key: &NationalIdentifier,
    subject: &NationalIdentifier,
) -> Result<Vec<Record>, Failure> {
    let is_other =
        |record: &Record| !is_same(key, &record.subject) && record.subject.folded() == key.folded();
    if records.iter().any(is_other) {
        return Err(other_letters());
    }
    let rename = |record: Record| match is_same(key, &record.subject) {
        true => Record { subject: subject.clone(), ..record },
        false => Record { subject: record.subject.folded(), ..record },
    };
    Ok(records.into_iter().map(rename).collect())
}

/// Whether two spellings are one key. Letters of another case are others, but in a UUID (RFC 9562 §4).
pub(super) fn is_same(key: &NationalIdentifier, other: &NationalIdentifier) -> bool {
    key == other || (is_uuid(key.reveal()) && key.folded() == other.folded())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The register has the key in letters of another case: the same person's, or somebody else's.
pub(super) fn other_letters() -> Failure {
    Failure::new(
        RegisterError::Unfit("the register writes the key in other letters"),
        "it has the key in letters of another case alone: let the dataset that subject_from names tell it as this register writes it",
    )
}
