//! Roles in the federation. Each has its own trust mark.

use crate::domain::ids::EntityId;

/// What a member may do in the federation. Each role has its own trust mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Offers decisions to residents, and issues consent tokens.
    ConsentIssuer,
    /// Releases data.
    DataHolder,
    /// Requests and fetches data.
    DataRecipient,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::ConsentIssuer, Self::DataHolder, Self::DataRecipient];

    /// Its name in configuration, on the command line and as the suffix of its mark's type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsentIssuer => "consent-issuer",
            Self::DataHolder => "data-holder",
            Self::DataRecipient => "data-recipient",
        }
    }

    /// The role with this name.
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The type of its trust mark in the federation of this anchor.
    #[must_use]
    pub fn mark_type(self, anchor: &EntityId) -> String {
        format!("{anchor}/trust-marks/{}", self.name())
    }

    /// The role of a trust mark type in the federation of this anchor.
    #[must_use]
    pub fn of_mark(mark_type: &str, anchor: &EntityId) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.mark_type(anchor) == mark_type)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
