//! On whose behalf a resident acts. Reading or changing a person's requests, permissions or receipts requires an
//! [`Acting`], and only this file creates one.

use crate::domain::ids::PersonId;
use crate::domain::login::Resident;
use crate::node::{Problem, ProblemKind};

/// A resident's authority over one person's affairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acting {
    person: PersonId,
}

/// It belongs to another person. The caller gets the same answer as for something unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another person's")]
pub(crate) struct NotOwn;

impl Acting {
    /// A resident acting for themselves.
    #[must_use]
    pub(crate) const fn for_self(resident: &Resident) -> Self {
        Self { person: resident.person }
    }

    /// The person whose affairs they are.
    #[must_use]
    pub(crate) const fn person(&self) -> PersonId {
        self.person
    }

    /// Checks that something belongs to that person.
    ///
    /// # Errors
    /// [`NotOwn`] when it is another person's.
    pub(crate) fn demand(&self, owner: PersonId) -> Result<(), NotOwn> {
        if owner == self.person { Ok(()) } else { Err(NotOwn) }
    }
}

impl From<NotOwn> for Problem {
    fn from(_: NotOwn) -> Self {
        Self::new(ProblemKind::NotFound)
    }
}
