//! Read-only connectors to the city's registers: SQL databases, files, services and plug-ins; and to data trackers, which
//! answer what a person's data was used for.
//!
//! A connector returns the records of one person with the dataset's own fields, typed at every level as the dataset says, within the
//! limits of size and time; or an error that names neither the person nor the register's content. An answer that cannot
//! be parsed is an error, never "no data". The cause is logged by register and dataset.

#[cfg(test)]
mod bad_input_tests;
mod csv;
mod envelope;
mod failure;
mod file;
mod index;
mod json;
mod lookup;
mod mapping;
mod marks;
mod names;
#[cfg(test)]
mod nested_tests;
#[cfg(feature = "odbc")]
mod odbc;
mod plugin;
pub(crate) mod sample;
mod service;
mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod trackers;
mod values;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use failure::Failure;
use mapping::Mapping;
use marks::MarkColumns;
use service::dataset::{Asked, ServiceDataset};
use service::gdpr::GdprDataset;

use crate::domain::catalogue::field::unknown_codes;
use crate::domain::catalogue::register::{
    Connection, HeldDataset, NameColumns, Register, Selection, SubjectFrom,
};
use crate::domain::catalogue::service::ServiceRequest;
use crate::domain::catalogue::{Dataset, Record};
use crate::domain::ids::{DatasetId, FieldPath, NationalIdentifier, RegisterId};
use crate::ports::{Clock, Question, RegisterError, Registers};

/// Limits of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum number of records of one person.
    pub max_records: usize,
    /// Maximum size of the records as JSON, in bytes.
    pub max_bytes: usize,
}

impl Bounds {
    /// Maximum size of an answer with the records in it and what is not released of it, in bytes.
    const fn answer_bytes(self) -> usize {
        self.max_bytes.saturating_mul(4)
    }
}

/// Why a connector cannot be created. An unavailable register is no such error: it may become available.
#[derive(Debug, thiserror::Error)]
pub enum RegisterConfigError {
    /// The password file cannot be read.
    #[error("register {register}: password_file: {source}")]
    Password {
        /// Its `id` in the configuration.
        register: RegisterId,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file that the register names cannot be read.
    #[error("register {register}: {file}: {source}")]
    File {
        /// Its `id` in the configuration.
        register: RegisterId,
        /// The key of the file.
        file: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The address cannot be used.
    #[error("register {register}: the address is not usable: {reason}")]
    Address {
        /// Its `id` in the configuration.
        register: RegisterId,
        /// What is wrong.
        reason: &'static str,
    },
    /// The program was built without the driver manager.
    #[error("register {register}: this program was built without ODBC (--features odbc)")]
    NoOdbc {
        /// Its `id` in the configuration.
        register: RegisterId,
    },
    /// A dataset names a register that does not exist, or asks for something of another kind.
    #[error("dataset {dataset}: its register is not there, or of another kind")]
    NoRegister {
        /// Its `id` in the configuration.
        dataset: DatasetId,
    },
}

/// Why a read failed, for the operator.
#[derive(Debug)]
pub(crate) struct ReadFailure {
    pub(crate) error: RegisterError,
    /// May quote data.
    pub(crate) cause: String,
    /// The cause without data.
    pub(crate) loggable: String,
}

/// Reads one dataset.
#[async_trait]
trait Reader: Send + Sync {
    /// The records of the question's person, with its fields only. Keeps the permit as long as it occupies the register,
    /// even when nobody waits for the answer any more.
    async fn read(&self, question: Question, slot: OwnedSemaphorePermit) -> Result<Vec<Record>, Failure>;
}

/// Reads one dataset and blocks its thread meanwhile.
trait BlockingReader: Send + Sync + 'static {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure>;
}

/// A reader on a thread of its own.
struct Blocking<R>(Arc<R>);

#[async_trait]
impl<R: BlockingReader> Reader for Blocking<R> {
    async fn read(&self, question: Question, slot: OwnedSemaphorePermit) -> Result<Vec<Record>, Failure> {
        let reader = Arc::clone(&self.0);
        // A read that exceeds its time keeps its permit until it ends, so that a hanging register cannot pile up threads.
        let work = tokio::task::spawn_blocking(move || {
            let answer = reader.read(&question);
            drop(slot);
            answer
        });
        work.await.map_err(|_| RegisterError::Unavailable)?
    }
}

fn blocking<R: BlockingReader>(reader: R) -> Box<dyn Reader> {
    Box::new(Blocking(Arc::new(reader)))
}

struct Source {
    register: RegisterId,
    reader: Box<dyn Reader>,
    dataset: Dataset,
    names: NameColumns,
    /// One permit for each connection: no more reads than that wait for one register.
    slots: Arc<Semaphore>,
    timeout: Duration,
    subject_from: Option<SubjectFrom>,
}

/// A register, not connected to yet.
struct Opened {
    access: Access,
    /// As in [`Source`].
    slots: Arc<Semaphore>,
}

/// What the datasets of one register share.
enum Access {
    Database(sql::Pool),
    #[cfg(feature = "odbc")]
    Odbc(odbc::Pool),
    Folder(PathBuf),
    Service(Arc<service::Client>),
    GdprApi(Arc<service::Client>),
    Plugin(Arc<plugin::Process>),
    PluginService(Arc<service::Client>),
}

impl Opened {
    fn new(register: &Register, bounds: Bounds) -> Result<Self, RegisterConfigError> {
        let client =
            |service| service::Client::new(&register.id, service, register.timeout, bounds).map(Arc::new);
        let (access, at_once) = match &register.connection {
            Connection::Sql { url, password_file, pool_size } => {
                let pool = sql::Pool::new(register, url, password_file.as_deref(), *pool_size)?;
                (Access::Database(pool), *pool_size)
            }
            #[cfg(feature = "odbc")]
            Connection::Odbc { connection, password_file, pool_size } => {
                let pool = odbc::Pool::new(register, connection, password_file.as_deref(), *pool_size)?;
                (Access::Odbc(pool), *pool_size)
            }
            #[cfg(not(feature = "odbc"))]
            Connection::Odbc { .. } => {
                return Err(RegisterConfigError::NoOdbc { register: register.id.clone() });
            }
            Connection::Files { folder } => (Access::Folder(folder.clone()), FILES_AT_ONCE),
            Connection::Http(service) => (Access::Service(client(service)?), service.at_once),
            Connection::GdprApi(service) => (Access::GdprApi(client(service)?), service.at_once),
            Connection::Plugin(program) => {
                let process =
                    plugin::Process::new((**program).clone(), register.timeout, bounds.answer_bytes());
                (Access::Plugin(Arc::new(process)), program.at_once)
            }
            Connection::PluginService(service) => (Access::PluginService(client(service)?), service.at_once),
        };
        Ok(Self { access, slots: Arc::new(Semaphore::new(usize::try_from(at_once).unwrap_or(1))) })
    }

    /// The reader of a dataset; `None` when it asks for something that a register of another kind has.
    fn reader(&self, held: &HeldDataset, bounds: Bounds, clock: &Arc<dyn Clock>) -> Option<Box<dyn Reader>> {
        let asked = |client: &Arc<service::Client>, request: &ServiceRequest| Asked {
            client: Arc::clone(client),
            request: request.clone(),
            mapping: Mapping::of(held),
            marks: MarkColumns::of(&held.source),
            names: held.source.names.clone(),
            clock: Arc::clone(clock),
        };
        Some(match (&self.access, &held.source.selection) {
            (Access::Database(pool), Selection::Query(query)) => {
                blocking(sql::Query::new(pool.clone(), query, held, bounds))
            }
            #[cfg(feature = "odbc")]
            (Access::Odbc(pool), Selection::Query(query)) => {
                blocking(odbc::Query::new(pool.clone(), query, held, bounds))
            }
            (Access::Folder(folder), Selection::Json(name)) => {
                blocking(file::JsonFile::new(folder, name, held, bounds))
            }
            (Access::Folder(folder), Selection::Csv(name, dialect)) => {
                blocking(file::CsvFile::new(folder, name, *dialect, held, bounds))
            }
            (Access::Service(client), Selection::Request(request)) => {
                Box::new(ServiceDataset::new(asked(client, request), bounds))
            }
            (Access::GdprApi(client), Selection::Request(request)) => {
                Box::new(GdprDataset::new(asked(client, request), bounds))
            }
            (Access::Plugin(process), Selection::Plugin) => {
                blocking(plugin::ProcessDataset::new(Arc::clone(process), held, bounds, clock))
            }
            (Access::PluginService(client), Selection::Plugin) => {
                Box::new(plugin::ServiceDataset::new(Arc::clone(client), held, bounds, clock))
            }
            _ => return None,
        })
    }
}

/// All registers of a node.
pub struct CityRegisters {
    by_dataset: HashMap<DatasetId, Source>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for CityRegisters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_dataset.keys()).finish()
    }
}

/// Maximum number of files of one register read at a time.
const FILES_AT_ONCE: u32 = 4;

impl CityRegisters {
    /// Creates the connectors without connecting.
    ///
    /// # Errors
    /// [`RegisterConfigError`] when a file that a register names cannot be read, or register and dataset do not match.
    pub fn new(
        registers: &[Register],
        datasets: &[HeldDataset],
        bounds: Bounds,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, RegisterConfigError> {
        let mut opened = HashMap::new();
        for register in registers {
            opened.insert(&register.id, (register, Opened::new(register, bounds)?));
        }
        let mut by_dataset = HashMap::new();
        for held in datasets {
            let none = || RegisterConfigError::NoRegister { dataset: held.dataset.id.clone() };
            let (register, opened) = opened.get(&held.source.register).ok_or_else(none)?;
            let source = Source {
                register: register.id.clone(),
                reader: opened.reader(held, bounds, clock).ok_or_else(none)?,
                dataset: held.dataset.clone(),
                names: held.source.names.clone(),
                slots: Arc::clone(&opened.slots),
                timeout: register.timeout,
                subject_from: held.source.subject_from.clone(),
            };
            by_dataset.insert(held.dataset.id.clone(), source);
        }
        Ok(Self { by_dataset, clock: Arc::clone(clock) })
    }

    /// Queries a dataset's register for a person that does not exist, to see whether it answers.
    ///
    /// # Errors
    /// The cause, for the operator: it may quote the register.
    pub async fn probe(&self, dataset: &DatasetId) -> Result<(), String> {
        self.ask_for_nobody(dataset).await.map_err(|failure| failure.cause)
    }

    /// Reads a person's records as an exchange would, logs nothing, and says what failed.
    ///
    /// # Errors
    /// [`ReadFailure`], for the operator.
    pub(crate) async fn inspect(&self, question: Question) -> Result<Vec<Record>, ReadFailure> {
        self.ask(question).await.map_err(|failure| ReadFailure {
            loggable: failure.loggable_cause().to_owned(),
            cause: failure.cause,
            error: failure.error,
        })
    }

    async fn ask_for_nobody(&self, dataset: &DatasetId) -> Result<(), Failure> {
        let subject = NationalIdentifier::new("-")
            .map_err(|error| Failure::new(RegisterError::Unfit("no such identifier"), error))?;
        let fields = self.by_dataset.get(dataset).map(|source| source.dataset.paths()).unwrap_or_default();
        // A dataset that tells the identifier is asked for itself.
        match self.ask_by(Question::new(dataset.clone(), subject, fields)).await {
            Ok(_) | Err(Failure { error: RegisterError::AvailableFrom(_), .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Probes every register once and logs the failures.
    pub(crate) async fn probe_all(&self) {
        let mut datasets: Vec<&DatasetId> = self.by_dataset.keys().collect();
        datasets.sort();
        for dataset in datasets {
            if let Err(failure) = self.ask_for_nobody(dataset).await {
                self.log(dataset, &failure);
            }
        }
    }

    fn log(&self, dataset: &DatasetId, failure: &Failure) {
        let register =
            self.by_dataset.get(dataset).map(|source| source.register.as_str()).unwrap_or_default();
        let cause = failure.loggable_cause();
        let error = &failure.error;
        tracing::warn!(event = "register_failed", register, %dataset, cause, "a register gave no records: {error}");
    }

    /// Reports codes that the dataset does not describe, by the field's name. They are shown and released as they are.
    fn log_unknown_codes(&self, dataset: &DatasetId, records: &[Record]) {
        let Some(source) = self.by_dataset.get(dataset) else { return };
        let unknown = unknown_codes(&source.dataset.fields, records.iter().map(|record| &record.values));
        if unknown.is_empty() {
            return;
        }
        let fields = unknown.iter().map(FieldPath::as_str).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            event = "register_code_unknown", register = source.register.as_str(), %dataset, fields,
            "a register has codes that the dataset does not describe: residents see them as they are"
        );
    }

    /// Asks by the identifier by which the register knows the person.
    async fn ask(&self, question: Question) -> Result<Vec<Record>, Failure> {
        let source = self.by_dataset.get(&question.dataset);
        let Some(from) = source.and_then(|source| source.subject_from.as_ref()) else {
            return self.ask_by(question).await;
        };
        let subject = question.subject.clone();
        let within = |failure: Failure| failure.within(&format!("subject_from, dataset {}", from.dataset));
        let told = self.ask_by(lookup::question(from, &subject)).await.map_err(within)?;
        let Some(key) = lookup::key(from, &subject, &told, self.clock.now())? else { return Ok(Vec::new()) };
        let records = self.ask_by(question.by(key.clone())).await?;
        lookup::as_asked(records, &key, &subject)
    }

    /// Asks by the identifier that the question has.
    async fn ask_by(&self, question: Question) -> Result<Vec<Record>, Failure> {
        let source = self.by_dataset.get(&question.dataset).ok_or(RegisterError::Unfit("no such dataset"))?;
        let by_key = question.by_key;
        let work = async {
            let slot = Arc::clone(&source.slots).acquire_owned().await;
            source.reader.read(question, slot.map_err(|_| RegisterError::Unavailable)?).await
        };
        match tokio::time::timeout(source.timeout, work).await {
            Ok(answer) => answer.and_then(|mut records| {
                if !by_key {
                    // Of national identifiers, letters of either case are the same.
                    records.iter_mut().for_each(|record| record.subject = record.subject.folded());
                }
                names::check(&source.names, &records).map(|()| records)
            }),
            Err(_) => Err(Failure::new(RegisterError::Unavailable, "no answer within timeout_ms")),
        }
    }
}

#[async_trait]
impl Registers for CityRegisters {
    async fn read(&self, question: Question) -> Result<Vec<Record>, RegisterError> {
        let dataset = question.dataset.clone();
        let records = self.ask(question).await.map_err(|failure| {
            // A time is an answer, not a failure.
            if !matches!(failure.error, RegisterError::AvailableFrom(_)) {
                self.log(&dataset, &failure);
            }
            failure.error
        })?;
        self.log_unknown_codes(&dataset, &records);
        Ok(records)
    }
}
