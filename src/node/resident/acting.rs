//! On whose behalf a resident acts. Whoever reads or changes a person's requests, permissions or receipts shows an [`Acting`],
//! and this file alone makes one: here stands who may act for whom.

use crate::domain::ids::PersonId;
use crate::domain::login::Resident;
use crate::node::{Problem, ProblemKind};

/// A resident's authority over one person's affairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acting {
    by: PersonId,
    person: PersonId,
}

/// The thing is another person's. The caller is told the same as for what there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another person's")]
pub struct NotOwn;

impl Acting {
    /// A resident in their own affairs.
    #[must_use]
    pub const fn for_self(resident: &Resident) -> Self {
        Self { by: resident.person, person: resident.person }
    }

    /// Who acts.
    #[must_use]
    pub const fn by(&self) -> PersonId {
        self.by
    }

    /// Whose affairs they are.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// Demands that something belongs to the person whose affairs these are.
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
