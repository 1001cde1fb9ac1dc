//! A register that knows a person by an identifier of its own, which a dataset of another register tells.

use serde_json::Value;
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::domain::catalogue::Record;
use crate::domain::catalogue::register::SubjectFrom;
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::ports::{Question, RegisterError};

/// An identifier with the letters as its register writes them: services may compare them exactly.
pub(super) struct Known {
    pub(super) subject: NationalIdentifier,
    pub(super) spelling: Zeroizing<String>,
}

/// The question for the identifier alone.
pub(super) fn question(from: &SubjectFrom, subject: &NationalIdentifier) -> Question {
    Question::new(from.dataset.clone(), subject.clone(), vec![FieldPath::from(&from.field)])
}

/// The identifier; `None` where the person has none, so that the register holds nothing about them.
pub(super) fn identifier(
    from: &SubjectFrom,
    subject: &NationalIdentifier,
    records: &[Record],
) -> Result<Option<Known>, Failure> {
    let unfit = |reason, cause: &str| {
        Err(Failure::new(
            RegisterError::Unfit(reason),
            format!("subject_from, dataset {}: {cause}", from.dataset),
        ))
    };
    let mut known: Option<Known> = None;
    for record in records {
        if record.subject != *subject {
            return unfit("an identifier of somebody else", "a record is another person's");
        }
        let spelling = match record.values.get(&from.field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => Zeroizing::new(text.clone()),
            Some(value) => Zeroizing::new(value.to_string()),
        };
        let Ok(subject) = NationalIdentifier::new(&spelling) else {
            return unfit(
                "an identifier that is none",
                "the value is not of 1 to 64 printable ASCII characters",
            );
        };
        match &known {
            Some(before) if before.subject != subject => {
                return unfit("two identifiers of one person", "its records tell two identifiers");
            }
            _ => known = Some(Known { subject, spelling: Zeroizing::new(spelling.trim().to_owned()) }),
        }
    }
    Ok(known)
}

/// The records with the person as they were asked for. A record of anybody else keeps its own, which the release refuses.
pub(super) fn as_asked(
    records: Vec<Record>,
    known: &NationalIdentifier,
    subject: &NationalIdentifier,
) -> Vec<Record> {
    let rename = |record: Record| match record.subject == *known {
        true => Record { subject: subject.clone(), ..record },
        false => record,
    };
    records.into_iter().map(rename).collect()
}
