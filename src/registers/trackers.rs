//! Data trackers (Andmejälgija, protocol 1.6), asked through X-Road.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::failure::Failure;
use super::service::{Client, Outgoing, refused_with};
use super::{Bounds, RegisterConfigError};
use crate::domain::catalogue::register::DataTracker;
use crate::domain::catalogue::service::{Method, SUBJECT, percent_encoded};
use crate::domain::ids::{NationalIdentifier, RegisterId};
use crate::domain::uses::tracker::{
    KeptPeriod, Part, TrackedUses, add_part, read_heartbeat, read_period, read_uses,
};
use crate::ports::{Clock, DataTrackers, RegisterError};

/// Maximum number of uses in one answer: the number that a tracker answers by default (§6.1.3).
const MAX_PART: u32 = 1_000;

/// Limits of one answer: 2 MiB.
const BOUNDS: Bounds = Bounds { max_records: 1_000, max_bytes: 512 * 1024 };

/// Maximum number of requests for all uses of a person.
const MAX_PARTS: u32 = 100;

/// How long all uses of a person may take.
const ALL_WAIT: Duration = Duration::from_secs(60);

/// How long a tracker may take to say how far back its record goes, beside the uses.
const PERIOD_WAIT: Duration = Duration::from_secs(3);

struct Source {
    client: Client,
    /// One permit for each question: a silent tracker holds up nobody but those who ask it.
    slots: Semaphore,
    timeout: Duration,
    /// The person's code, with [`SUBJECT`].
    user: String,
    max_uses: u32,
}

/// All data trackers of a node.
pub(crate) struct CityTrackers {
    by_id: HashMap<RegisterId, Source>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for CityTrackers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_id.keys()).finish()
    }
}

impl CityTrackers {
    /// Creates the clients without connecting.
    ///
    /// # Errors
    /// [`RegisterConfigError`] when a file that a tracker names cannot be read or used.
    pub(crate) fn new(trackers: &[DataTracker], clock: Arc<dyn Clock>) -> Result<Self, RegisterConfigError> {
        let mut by_id = HashMap::new();
        for tracker in trackers {
            let user = tracker.service.xroad.as_ref().and_then(|xroad| xroad.user.clone());
            let user = user.ok_or_else(|| RegisterConfigError::Address {
                register: tracker.id.clone(),
                reason: "xroad names no user",
            })?;
            let source = Source {
                client: Client::new(&tracker.id, &tracker.service, tracker.timeout, BOUNDS)?,
                slots: Semaphore::new(usize::try_from(tracker.service.at_once).unwrap_or(1)),
                timeout: tracker.timeout,
                user,
                max_uses: tracker.max_uses,
            };
            by_id.insert(tracker.id.clone(), source);
        }
        Ok(Self { by_id, clock })
    }

    /// Asks every tracker once whether it works, and logs the failures.
    pub(crate) async fn probe_all(&self) {
        let mut ids: Vec<&RegisterId> = self.by_id.keys().collect();
        ids.sort();
        for id in ids {
            if let Err(failure) = self.probe(id).await {
                log(id, &failure);
            }
        }
    }

    /// Asks a tracker whether it works, and about nobody.
    ///
    /// # Errors
    /// The cause, for the operator.
    pub(crate) async fn check(&self, id: &RegisterId) -> Result<(), String> {
        self.probe(id).await.map_err(|failure| failure.cause)
    }

    async fn probe(&self, id: &RegisterId) -> Result<(), Failure> {
        let source = self.source(id)?;
        let body = source.in_time(source.get("/v2/heartbeat", None)).await?;
        read_heartbeat(&body).map_err(misread)?;
        let body = source.in_time(source.get("/v2/usagePeriod", None)).await?;
        read_period(&body, self.clock.now()).map(drop).map_err(misread)
    }

    fn source(&self, id: &RegisterId) -> Result<&Source, Failure> {
        self.by_id.get(id).ok_or_else(|| RegisterError::Unfit("no such data tracker").into())
    }

    async fn ask(
        &self,
        source: &Source,
        subject: &NationalIdentifier,
        part: Part,
    ) -> Result<TrackedUses, Failure> {
        let user = percent_encoded(&source.user.replace(SUBJECT, subject.reveal()));
        let path = format!("/v2/findUsage?userCode={user}&offset={}&limit={}", part.offset, part.limit);
        let body = source.in_time(source.get(&path, Some(subject))).await?;
        read_uses(&body, part, self.clock.now()).map_err(misread)
    }

    async fn kept(&self, id: &RegisterId, source: &Source) -> Option<KeptPeriod> {
        // The uses do not wait long for it.
        let asked = async {
            let late = || Failure::new(RegisterError::Unavailable, "usagePeriod: no answer within 3 seconds");
            let asked = tokio::time::timeout(PERIOD_WAIT, source.get("/v2/usagePeriod", None));
            asked.await.unwrap_or_else(|_| Err(late()))
        };
        let asked = source.in_time(asked).await;
        let period = asked.and_then(|body| read_period(&body, self.clock.now()).map_err(misread));
        period.inspect_err(|failure| log(id, failure)).ok()
    }

    async fn gather(
        &self,
        id: &RegisterId,
        source: &Source,
        subject: &NationalIdentifier,
    ) -> Result<TrackedUses, Failure> {
        let deadline = Instant::now().checked_add(ALL_WAIT);
        let part = |offset: u32| Part { offset, limit: source.max_uses.saturating_sub(offset).min(MAX_PART) };
        let mut all = self.ask(source, subject, part(0)).await?;
        for _ in 1..MAX_PARTS {
            let Some(offset) = all.next.filter(|offset| *offset < source.max_uses) else { break };
            let asked = self.ask(source, subject, part(offset));
            let more = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, asked).await,
                None => Ok(asked.await),
            };
            match more {
                Ok(Ok(more)) => {
                    add_part(&mut all.uses, more.uses);
                    all.next = more.next;
                }
                Ok(Err(failure)) => {
                    log(id, &failure);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(all)
    }
}

impl Source {
    /// The body of an answer.
    async fn get(&self, path: &str, subject: Option<&NationalIdentifier>) -> Result<Vec<u8>, Failure> {
        let outgoing =
            Outgoing { method: Method::Get, url: self.client.url(path)?, headers: Vec::new(), body: None };
        let reply = match subject {
            Some(subject) => self.client.send(&outgoing, subject.reveal()).await?,
            None => self.client.send_about_nobody(&outgoing).await?,
        };
        if reply.status == StatusCode::OK { Ok(reply.body) } else { Err(refused_with(reply.status)) }
    }

    async fn in_time(
        &self,
        work: impl Future<Output = Result<Vec<u8>, Failure>>,
    ) -> Result<Vec<u8>, Failure> {
        let work = async {
            let _slot = self.slots.acquire().await.map_err(|_| RegisterError::Unavailable)?;
            work.await
        };
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or_else(|_| Err(Failure::new(RegisterError::Unavailable, "no answer within timeout_ms")))
    }
}

#[async_trait]
impl DataTrackers for CityTrackers {
    async fn part(
        &self,
        tracker: &RegisterId,
        subject: &NationalIdentifier,
        part: Part,
    ) -> Result<TrackedUses, RegisterError> {
        let answer = async {
            let source = self.source(tracker)?;
            let (uses, kept) = tokio::join!(self.ask(source, subject, part), self.kept(tracker, source));
            uses.map(|uses| TrackedUses { kept, ..uses })
        };
        answer.await.map_err(|failure| told(tracker, failure))
    }

    async fn all(
        &self,
        tracker: &RegisterId,
        subject: &NationalIdentifier,
    ) -> Result<TrackedUses, RegisterError> {
        let answer = async {
            let source = self.source(tracker)?;
            let (uses, kept) =
                tokio::join!(self.gather(tracker, source, subject), self.kept(tracker, source));
            uses.map(|uses| TrackedUses { kept, ..uses })
        };
        answer.await.map_err(|failure| told(tracker, failure))
    }
}

fn misread(fault: &'static str) -> Failure {
    Failure::new(RegisterError::Unfit("the answer does not fit the data tracker's protocol"), fault)
}

fn told(tracker: &RegisterId, failure: Failure) -> RegisterError {
    log(tracker, &failure);
    failure.error
}

fn log(tracker: &RegisterId, failure: &Failure) {
    let (cause, error) = (failure.loggable_cause(), &failure.error);
    tracing::warn!(event = "data_tracker_failed", %tracker, cause, "a data tracker gave no uses: {error}");
}
