//! A request that is meant for someone else than the one who logged in. Says nothing about whom.

use super::parts::Party;

/// The page for someone for whom the request is not meant.
#[derive(Debug, Clone)]
pub struct WrongPersonView {
    /// Who asks.
    pub asker: Party,
    /// The way back to the service that asked, when there is one.
    pub back: Option<String>,
}

page!(WrongPersonView, "wrong_person.html", None);
