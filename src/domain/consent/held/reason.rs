//! Reasons of a consent's state at the recipient: its own codes, and those of holders.

use serde::{Deserialize, Serialize};

use crate::domain::consent::state::Reason;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// The recipient's own codes.
    pub enum HeldCause {
        /// All allowed exchanges were made.
        UsedUp = "used_up",
        /// Its last day passed.
        LastDay = "last_day",
        /// Another consent replaced it.
        Replaced = "replaced",
        /// The service gave it back.
        GivenBack = "given_back",
        /// The holder refuses its tokens.
        RefusedByHolder = "refused_by_holder",
        /// The holder requires the resident to confirm again (RFC 9470).
        ConfirmationNeeded = "confirmation_needed",
        /// The holder's login provider cannot reach the requested assurance.
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        /// The holder does not offer what was requested (RFC 9396 §5).
        InvalidAuthorizationDetails = "invalid_authorization_details",
        /// The holder does not know the grant that was to be replaced or extended.
        InvalidGrantId = "invalid_grant_id",
        /// The holder's response does not match its own signature or the request: the holder's fault.
        HolderAnswerNotTrusted = "holder_answer_not_trusted",
    }
}

/// A reason of another node: lower-case letters and underscores, at most 40.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReasonWord(String);

impl ReasonWord {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Reason> for ReasonWord {
    fn from(reason: Reason) -> Self {
        Self(reason.as_str().to_owned())
    }
}

impl From<ReasonWord> for String {
    fn from(word: ReasonWord) -> Self {
        word.0
    }
}

impl TryFrom<String> for ReasonWord {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=40).contains(&text.len())
            && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        if fits { Ok(Self(text)) } else { Err("a reason is lower-case letters and underscores") }
    }
}

/// The reason of a consent's state at the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldReason {
    /// A code that this program uses.
    Cause(HeldCause),
    /// A code of the holder that is passed on to the service.
    Holder(ReasonWord),
}

impl HeldReason {
    /// The code, as stored and in the service API.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cause(cause) => cause.as_str(),
            Self::Holder(word) => word.as_str(),
        }
    }
}

impl From<HeldCause> for HeldReason {
    fn from(cause: HeldCause) -> Self {
        Self::Cause(cause)
    }
}

impl From<ReasonWord> for HeldReason {
    fn from(word: ReasonWord) -> Self {
        // A holder cannot set the codes that this node uses, except `last_day`, which means the same on both sides.
        word.as_str().parse().map_or(Self::Holder(word), Self::Cause)
    }
}

impl TryFrom<String> for HeldReason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        ReasonWord::try_from(text).map(Self::from)
    }
}
