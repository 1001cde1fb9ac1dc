//! Registers behind plug-ins: what only the city knows how to read, asked in JSON lines over a child process's standard
//! input and output, or in the same messages over HTTP. `docs/plugins.md` is the contract.

mod messages;
mod process;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;

use super::failure::Failure;
use super::service::{Client, Outgoing, refused_with};
use super::{BlockingReader, Bounds, Reader};
use crate::domain::catalogue::Record;
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::service::Method;
use crate::ports::{Clock, Question};

use messages::Answers;

pub(crate) use process::Process;

/// A dataset that a child process reads.
pub(crate) struct ProcessDataset {
    process: Arc<Process>,
    answers: Answers,
}

impl ProcessDataset {
    pub(crate) fn new(
        process: Arc<Process>,
        held: &HeldDataset,
        bounds: Bounds,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self { process, answers: Answers::of(held, bounds, clock) }
    }
}

impl BlockingReader for ProcessDataset {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure> {
        let (id, line) = self.process.ask(|id| messages::request(id, question))?;
        self.answers.read(&line, &id, question)
    }
}

/// A dataset that is asked for in the same messages over HTTP.
pub(crate) struct ServiceDataset {
    client: Arc<Client>,
    answers: Answers,
    asked: AtomicU64,
}

impl ServiceDataset {
    pub(crate) fn new(
        client: Arc<Client>,
        held: &HeldDataset,
        bounds: Bounds,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self { client, answers: Answers::of(held, bounds, clock), asked: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Reader for ServiceDataset {
    async fn read(&self, question: Question, _slot: OwnedSemaphorePermit) -> Result<Vec<Record>, Failure> {
        let id = self.asked.fetch_add(1, Ordering::Relaxed).saturating_add(1).to_string();
        let outgoing = Outgoing {
            method: Method::Post,
            url: self.client.address().clone(),
            headers: Vec::new(),
            body: Some(messages::request(&id, &question)),
        };
        let reply = self.client.send(&outgoing, question.subject.reveal()).await?;
        match reply.status {
            StatusCode::OK => self.answers.read(&reply.body, &id, &question),
            status => Err(refused_with(status)),
        }
    }
}
