//! A consent request of a resident, read once, with the proof of ownership.

use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentRequest;
use crate::domain::ids::{PairwiseSubject, PersonId, RequestId};
use crate::node::resident::acting::{Acting, NotOwn};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::holder::consent_requests;
use crate::store::resident::persons;
use crate::store::{Reader, StoreError};

/// Why a decision is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecisionError {
    /// Unknown, or another person's: not distinguished.
    #[error("no such request of this person's")]
    NotOwn,
    /// Decided, expired or changed since it was shown.
    #[error("the request is not open any more")]
    NotOpen,
    /// The store is unavailable.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotOwn,
            // Another process, or another window of the same resident, was first.
            StoreError::Conflict => Self::NotOpen,
            other => Self::Store(other),
        }
    }
}

impl From<NotOwn> for DecisionError {
    fn from(_: NotOwn) -> Self {
        Self::NotOwn
    }
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::NotOwn => Self::new(ProblemKind::NotFound),
            DecisionError::NotOpen => Self::new(ProblemKind::Changed),
            DecisionError::Store(error) => error.into(),
        }
    }
}

/// A request that the person on whose behalf a resident acts has opened, or that expects them. Only
/// [`OwnedRequest::find`] and [`OwnedRequest::read`] create one.
#[derive(Debug, Clone)]
pub(crate) struct OwnedRequest {
    request: ConsentRequest,
    subject: PairwiseSubject,
    acting: Acting,
}

impl OwnedRequest {
    /// Reads it in the caller's transaction.
    ///
    /// # Errors
    /// [`DecisionError::NotOwn`] when it is unknown or another person's.
    pub(crate) fn find(store: &mut Reader<'_>, acting: Acting, id: RequestId) -> Result<Self, DecisionError> {
        let person = acting.person();
        let request = consent_requests::find(store, id)?;
        let hash = persons::find(store, person)?.identifier_hash;
        if !request.is_of(person, hash.as_bytes()) {
            return Err(DecisionError::NotOwn);
        }
        let subject = store.lookup().pairwise(&person, &request.terms.recipient)?;
        Ok(Self { request, subject, acting })
    }

    /// Reads it in a transaction of its own.
    ///
    /// # Errors
    /// [`Problem`] when it is unknown or another person's.
    pub(crate) async fn read(node: &Node, acting: Acting, id: RequestId) -> Result<Self, Problem> {
        Ok(node.store.read("find_own_request", move |store| Self::find(store, acting, id)).await?)
    }

    /// As [`Self::find`], if it waits for the decision.
    ///
    /// # Errors
    /// [`DecisionError::NotOpen`] when it was decided, or has expired.
    pub(crate) fn demand_open(self, now: Timestamp) -> Result<Self, DecisionError> {
        if self.request.is_open(now) { Ok(self) } else { Err(DecisionError::NotOpen) }
    }

    pub(crate) const fn request(&self) -> &ConsentRequest {
        &self.request
    }

    pub(crate) fn into_request(self) -> ConsentRequest {
        self.request
    }

    /// The person's subject for the recipient.
    pub(crate) const fn subject(&self) -> &PairwiseSubject {
        &self.subject
    }

    /// The person whose decision it is.
    pub(crate) const fn person(&self) -> PersonId {
        self.acting.person()
    }
}
