//! Operator's commands on uses: objections and their answers, and the import of another system's log.

use std::io::BufRead;

use crate::app::{StartError, SystemClock, SystemEntropy, open_checked_store};
use crate::config::Config;
use crate::domain::catalogue::Processing;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{NationalIdentifier, ObjectionId, ReportedUseId};
use crate::domain::uses::logbook::{self, LeftOut, Operation};
use crate::domain::uses::objection::{Objection, ObjectionAnswer};
use crate::domain::uses::report::describe;
use crate::ports::{Clock, random};
use crate::store::engine::sealed::KeyedHash;
use crate::store::resident::reported_uses::{self, NewUse, Recorded};
use crate::store::resident::{persons, use_objections};
use crate::store::{Store, StoreError};

/// Maximum number of objections in a list.
const MOST: u32 = 1000;

/// Uses of a log that are recorded at once.
const BATCH: usize = 500;

/// Why a command on uses failed.
#[derive(Debug, thiserror::Error)]
pub enum UsesError {
    /// The store cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such objection, or it was answered.
    #[error("no objection of this identifier waits for an answer")]
    Unknown,
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// A line of the log is refused; nothing was recorded.
    #[error("line {line}: {fault}; nothing was recorded")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong; quotes nothing.
        fault: &'static str,
    },
}

impl From<StoreError> for UsesError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::Unknown,
            error => Self::Start(StartError::from(error)),
        }
    }
}

async fn store(config: &Config) -> Result<Store, UsesError> {
    let store = open_checked_store(&config.store, &config.keys, Some(&config.node.base_url)).await?.store;
    store.check_owner().await.map_err(StartError::from)?;
    Ok(store)
}

/// Objections, oldest first: those without an answer, or all.
///
/// # Errors
/// [`UsesError`] when the store cannot be used.
pub async fn objections(config: &Config, all: bool) -> Result<Vec<Objection>, UsesError> {
    let store = store(config).await?;
    store.read("list_objections", move |reader| Ok(use_objections::list(reader, !all, MOST)?)).await
}

/// One objection, with the identifier of whoever made it.
///
/// # Errors
/// [`UsesError`] when there is none.
pub async fn objection(
    config: &Config,
    id: ObjectionId,
) -> Result<(Objection, NationalIdentifier), UsesError> {
    let store = store(config).await?;
    store
        .read("show_objection", move |reader| {
            let (objection, person) = use_objections::find(reader, id)?;
            Ok((objection, persons::find(reader, person)?.identifier))
        })
        .await
}

/// Answers an objection; its resident reads it.
///
/// # Errors
/// [`UsesError`] when none waits.
pub async fn answer(config: &Config, id: ObjectionId, answer: ObjectionAnswer) -> Result<(), UsesError> {
    let (store, now) = (store(config).await?, SystemClock.now());
    let answered =
        store.write("answer_objection", move |tx| use_objections::answer(tx, id, answer, now)).await?;
    answered.then_some(()).ok_or(UsesError::Unknown)
}

/// What came of an import.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Uses that are new.
    pub recorded: usize,
    /// Imported before.
    pub known: usize,
    /// Imported before with another person, activity or period: not recorded.
    pub contradicting: usize,
    /// Operations that failed, and those that name nobody by this node's identifiers.
    pub left_out: usize,
    /// Older than their use's retention.
    pub expired: usize,
}

/// Imports a *Logboek dataverwerkingen*, one JSON document a line. The file is read to its end before anything is
/// recorded; repeating an import records nothing twice.
///
/// # Errors
/// [`UsesError`] with the line that is refused.
pub async fn import_log(
    config: &Config,
    log: impl BufRead,
    subject_type: &str,
) -> Result<Imported, UsesError> {
    let now = SystemClock.now();
    let mut done = Imported::default();
    let mut uses = Vec::new();
    for (number, line) in log.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let number = number.saturating_add(1);
        let refused = |fault| UsesError::Line { line: number, fault };
        for operation in logbook::read_line(&line, subject_type).map_err(refused)? {
            match operation {
                Err(LeftOut::Failed | LeftOut::NoPerson | LeftOut::OtherIdentifier) => {
                    done.left_out = done.left_out.saturating_add(1);
                }
                Ok(operation) => match check(config, operation, now).map_err(refused)? {
                    Some(checked) => uses.push(checked),
                    None => done.expired = done.expired.saturating_add(1),
                },
            }
        }
    }
    let store = store(config).await?;
    let mut waiting = uses.into_iter().peekable();
    while waiting.peek().is_some() {
        let batch: Vec<_> = waiting.by_ref().take(BATCH).collect();
        let (recorded, known, contradicting) = store
            .write("import_uses", move |tx| {
                let (mut recorded, mut known, mut contradicting) = (0_usize, 0_usize, 0_usize);
                for one in &batch {
                    let new = one.of_person(tx.lookup().identifier(&one.operation.person));
                    match reported_uses::record(tx, &new, now)? {
                        Recorded::New => recorded = recorded.saturating_add(1),
                        Recorded::Known => known = known.saturating_add(1),
                        Recorded::OtherBefore => contradicting = contradicting.saturating_add(1),
                    }
                    reported_uses::reported(tx, &new.source, now)?;
                }
                Ok::<_, StoreError>((recorded, known, contradicting))
            })
            .await?;
        done.recorded = done.recorded.saturating_add(recorded);
        done.known = done.known.saturating_add(known);
        done.contradicting = done.contradicting.saturating_add(contradicting);
    }
    Ok(done)
}

/// A use of a log that may be recorded.
struct Checked {
    activity: Processing,
    operation: Operation,
    id: ReportedUseId,
    expires_at: Timestamp,
}

impl Checked {
    /// The row of the person with that hash.
    fn of_person(&self, person: KeyedHash) -> NewUse {
        NewUse {
            id: self.id,
            person,
            source: self.activity.service.to_string(),
            event: self.operation.event.clone(),
            reported: String::new(),
            activity: self.activity.id.to_string(),
            description: describe(&self.activity, None, Vec::new(), None),
            period: self.operation.period,
            hidden: None,
            expires_at: self.expires_at,
        }
    }
}

/// Finds the activity of an operation; `None` when its uses are no longer kept.
fn check(config: &Config, operation: Operation, now: Timestamp) -> Result<Option<Checked>, &'static str> {
    let prefix = format!("{}/catalogue/uses#", config.node.base_url);
    let id = operation.activity.strip_prefix(&prefix).unwrap_or_default();
    let activity = config.processing.iter().find(|one| one.id.as_str() == id).cloned().ok_or(
        "the activity is not in the record of processing (its address is BASE_URL/catalogue/uses#ID)",
    )?;
    if config.hiding.as_ref().is_some_and(|rules| rules.proposers.contains(&activity.service)) {
        // What it withholds there would be shown by its log.
        return Err(
            "its service may withhold uses ([hidden_uses]) and reports them by POST /api/v1/uses alone",
        );
    }
    operation.period.check(now)?;
    let kept = i64::from(activity.retention.days()).saturating_mul(86_400);
    let expires_at = operation.period.to.plus_secs(kept);
    if expires_at <= now {
        return Ok(None);
    }
    Ok(Some(Checked {
        activity,
        operation,
        id: ReportedUseId::from_bytes(random(&SystemEntropy)),
        expires_at,
    }))
}
