//! On whose behalf a resident acts. Reading or changing a person's requests, permissions or receipts requires an
//! [`Acting`], and only this file creates one.

use crate::domain::ids::PersonId;
use crate::domain::login::Resident;
use crate::node::{Problem, ProblemKind};

/// A resident's authority over one person's affairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acting {
    by: PersonId,
    person: PersonId,
}

/// It belongs to another person. The caller gets the same answer as for something unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another person's")]
pub struct NotOwn;

impl Acting {
    /// A resident acting for themselves.
    #[must_use]
    pub const fn for_self(resident: &Resident) -> Self {
        Self { by: resident.person, person: resident.person }
    }

    /// The acting resident.
    #[must_use]
    pub const fn by(&self) -> PersonId {
        self.by
    }

    /// The person whose affairs they are.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// Checks that something belongs to that person.
    ///
    /// # Errors
    /// [`NotOwn`] when it is another person's.
    pub fn demand(&self, owner: PersonId) -> Result<(), NotOwn> {
        if owner == self.person { Ok(()) } else { Err(NotOwn) }
    }
}

impl From<NotOwn> for Problem {
    fn from(_: NotOwn) -> Self {
        Self::new(ProblemKind::NotFound)
    }
}
