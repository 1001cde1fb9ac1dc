//! A resident who has logged in.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::PersonId;

/// A resident who has logged in: what the session remembers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// The person as this node knows them, whichever login they used.
    pub person: PersonId,
    /// `iss` of the login.
    pub issuer: String,
    /// `sub` of the login.
    pub subject: String,
    /// Name to greet with.
    pub display_name: Option<String>,
    /// `acr` of the login.
    pub acr: Option<String>,
    /// When the person logged in at the provider, where it tells that.
    pub auth_time: Option<Timestamp>,
    /// The ID token, as a hint when logging out.
    pub id_token: String,
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resident").field("person", &self.person).finish_non_exhaustive()
    }
}
