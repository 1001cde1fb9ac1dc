//! A consent request as its resident finds it: read once, with the proof that it is theirs.

use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentRequest;
use crate::domain::ids::{PairwiseSubject, PersonId, RequestId};
use crate::node::resident::acting::{Acting, NotOwn};
use crate::node::{Node, Problem, ProblemKind};
use crate::store::holder::consent_requests;
use crate::store::resident::persons;
use crate::store::{Reader, StoreError};

/// Why a decision is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecisionError {
    /// Unknown and another person's look alike.
    #[error("no such request of this person's")]
    NotOwn,
    /// Decided, lapsed or changed since it was shown.
    #[error("the request is not open any more")]
    NotOpen,
    /// The store is away.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotOwn,
            // Somebody else, or the same resident elsewhere, was faster.
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

/// A request that the person on whose behalf a resident acts has opened, or that expects them. Only [`OwnedRequest::find`] and
/// [`OwnedRequest::read`] make one.
#[derive(Debug, Clone)]
pub(crate) struct OwnedRequest {
    request: ConsentRequest,
    subject: PairwiseSubject,
    acting: Acting,
}

impl OwnedRequest {
    /// Reads it in a transaction of the caller's.
    ///
    /// # Errors
    /// [`DecisionError::NotOwn`]: unknown and another person's look alike.
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

    /// Reads it by itself.
    ///
    /// # Errors
    /// [`Problem`]: unknown and another person's look alike.
    pub(crate) async fn read(node: &Node, acting: Acting, id: RequestId) -> Result<Self, Problem> {
        Ok(node.store.read("find_own_request", move |store| Self::find(store, acting, id)).await?)
    }

    /// The same, as long as it waits for the decision.
    ///
    /// # Errors
    /// [`DecisionError::NotOpen`] when it was decided, or nobody decided in time.
    pub(crate) fn demand_open(self, now: Timestamp) -> Result<Self, DecisionError> {
        if self.request.is_open(now) { Ok(self) } else { Err(DecisionError::NotOpen) }
    }

    /// The request.
    pub(crate) const fn request(&self) -> &ConsentRequest {
        &self.request
    }

    /// The request itself.
    pub(crate) fn into_request(self) -> ConsentRequest {
        self.request
    }

    /// Who the person is towards the one who asks.
    pub(crate) const fn subject(&self) -> &PairwiseSubject {
        &self.subject
    }

    /// Whose decision it is.
    pub(crate) const fn person(&self) -> PersonId {
        self.acting.person()
    }
}
