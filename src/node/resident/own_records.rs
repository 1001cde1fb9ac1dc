//! A resident's own records, read live from a register, as they would be given to anyone.

use std::time::Duration;

use crate::domain::catalogue::{AssuranceRequirement, Dataset, Record};
use crate::domain::clock::Timestamp;
use crate::domain::exchange::{deferral, release};
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::domain::login::Resident;
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::{Question, RegisterError};
use crate::store::resident::persons;

/// How long a page waits for a register that only adds a note to it.
const NOTE_WAIT: Duration = Duration::from_secs(2);

/// What a register has.
pub(crate) enum OwnRecords {
    Records {
        records: Vec<Record>,
        /// The fields that a non-disclosure order keeps back; they are empty in the records.
        withheld: Vec<FieldPath>,
    },
    /// It needs time, and has them from then on.
    Later(Timestamp),
}

/// Reads a person's records of a dataset, those wanted. What a non-disclosure order keeps back is not shown here either: a record may be
/// about a child whose address the other guardian must not learn.
///
/// # Errors
/// [`Problem`] when the register does not answer, with other records than the person's, or without saying whether there
/// is an order.
pub(crate) async fn read(
    node: &Node,
    dataset: &Dataset,
    subject: NationalIdentifier,
    fields: Vec<FieldPath>,
    is_wanted: impl Fn(&Record) -> bool,
) -> Result<OwnRecords, Problem> {
    let question = Question::new(dataset.id.clone(), subject.clone(), fields.clone());
    let mut records = match node.registers.read(question).await {
        Ok(records) => records,
        Err(RegisterError::AvailableFrom(from)) => return Ok(OwnRecords::Later(from)),
        Err(error) => return Err(error.into()),
    };
    if records.iter().any(|record| record.subject != subject) {
        return Err(Problem::because(ProblemKind::RegisterUnavailable, "register answered for another"));
    }
    records.retain(is_wanted);
    if let Some(from) = deferral::available_from(&records, node.now()) {
        return Ok(OwnRecords::Later(from));
    }
    let mut withheld = Vec::new();
    for record in &mut records {
        let protected = release::withheld(record, dataset)
            .ok_or_else(|| Problem::because(ProblemKind::RegisterUnavailable, "mark missing"))?;
        withheld.extend(release::keep_back(record, &fields, protected));
    }
    withheld.sort();
    withheld.dedup();
    Ok(OwnRecords::Records { records, withheld })
}

/// Which of these fields a non-disclosure order keeps back, as far as the register tells in time: none otherwise.
pub(crate) async fn withheld(
    node: &Node,
    resident: &Resident,
    dataset: &Dataset,
    fields: &[FieldPath],
) -> Vec<FieldPath> {
    let is_protected = |path: &&FieldPath| release::is_withheld(path, &dataset.protected_fields);
    let fields: Vec<FieldPath> = fields.iter().filter(is_protected).cloned().collect();
    if fields.is_empty() || !may_see(node, resident, dataset) {
        return Vec::new();
    }
    let told = async {
        let subject = identifier(node, resident).await?;
        read(node, dataset, subject, fields, |_| true).await
    };
    match tokio::time::timeout(NOTE_WAIT, told).await {
        Ok(Ok(OwnRecords::Records { withheld, .. })) => withheld,
        _ => Vec::new(),
    }
}

/// Whether a login has the assurance that a dataset requires.
#[must_use]
pub(crate) fn may_see(node: &Node, resident: &Resident, dataset: &Dataset) -> bool {
    let demand = AssuranceRequirement::of(dataset);
    demand.is_met(&node.settings.levels, resident.acr.as_deref(), resident.auth_time, node.now())
}

/// The resident's national identifier, unsealed.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn identifier(node: &Node, resident: &Resident) -> Result<NationalIdentifier, Problem> {
    let person = resident.person;
    let found = node.store.read("find_person", move |store| persons::find(store, person)).await?;
    Ok(found.identifier)
}
