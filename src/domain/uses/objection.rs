//! A resident's objection to a use (GDPR article 21).

use crate::domain::clock::Timestamp;
use crate::domain::ids::{ObjectionId, ProcessingId};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// What the city decided.
    pub enum ObjectionAnswer {
        /// The city no longer uses the resident's data in this way.
        Upheld = "upheld",
        /// The city has compelling grounds to go on.
        Rejected = "rejected",
    }
}

/// Maximum length of what a resident writes, in characters.
pub(crate) const MAX_STATEMENT_CHARS: usize = 2000;

/// An objection as its resident reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Its identifier, as the operator's list shows it.
    pub id: ObjectionId,
    pub(crate) activity: ProcessingId,
    /// Grounds relating to the resident's situation.
    pub(crate) statement: Option<String>,
    pub(crate) made_at: Timestamp,
    /// The answer and when it was given.
    pub(crate) answer: Option<(ObjectionAnswer, Timestamp)>,
}
