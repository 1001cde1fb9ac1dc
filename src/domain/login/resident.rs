//! A resident who has logged in.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::PersonId;

/// A resident who has logged in, as stored in the session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// The person at this node, independent of the login used.
    pub person: PersonId,
    /// `iss` of the login.
    pub issuer: String,
    /// `sub` of the login.
    pub subject: String,
    /// Name to greet with.
    pub display_name: Option<String>,
    /// `acr` of the login.
    pub acr: Option<String>,
    /// When the person logged in at the provider, if it states that.
    pub auth_time: Option<Timestamp>,
    /// The ID token, as a logout hint.
    pub id_token: String,
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resident").field("person", &self.person).finish_non_exhaustive()
    }
}
