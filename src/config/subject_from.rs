//! `subject_from` of a dataset: by which identifier its register knows a person.

use super::reader::Section;
use crate::domain::catalogue::register::{HeldDataset, SubjectFrom};
use crate::domain::catalogue::{Field, FieldType};

const SUBJECT_FROM: &str = "write { dataset = \"profiles\", field = \"profileId\" }: a dataset above this one, and its field with the \
                            identifier by which this dataset's register knows the person";

/// Reads it; `before` are the datasets above, so that no chain of identifiers can lead back to itself.
pub(super) fn read(section: &mut Section<'_, '_>, before: &[HeldDataset]) -> Option<SubjectFrom> {
    let found = section.optional::<SubjectFrom>("subject_from", SUBJECT_FROM)?;
    if let Some(complaint) = complaint(&found.value, before) {
        section.document().problem(&found.at, complaint, SUBJECT_FROM);
    }
    Some(found.value)
}

fn complaint(from: &SubjectFrom, before: &[HeldDataset]) -> Option<String> {
    let SubjectFrom { dataset, field: name } = from;
    let Some(held) = before.iter().find(|held| held.dataset.id == *dataset) else {
        return Some(format!("no dataset {dataset} stands above this one"));
    };
    if held.source.subject_from.is_some() {
        return Some(format!("{dataset} has a subject_from of its own"));
    }
    let identifies =
        |field: &&Field| field.name == *name && matches!(field.kind, FieldType::String | FieldType::Integer);
    if !held.dataset.fields.iter().any(|field| identifies(&field)) {
        return Some(format!("{name} is no field of {dataset} of type string or integer"));
    }
    let protected = held.dataset.protected_fields.iter().any(|path| path.as_str() == name.as_str());
    protected.then(|| format!("{name} is one of the protected_fields of {dataset}"))
}
