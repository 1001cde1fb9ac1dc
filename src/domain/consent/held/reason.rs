//! Why a consent is in its state at the recipient: the recipient's own words, and those that holders use.

use serde::{Deserialize, Serialize};

use crate::domain::consent::state::Reason;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// What the recipient itself knows or found out.
    pub enum HeldCause {
        /// All exchanges that it allows were made.
        UsedUp = "used_up",
        /// Its last day passed.
        LastDay = "last_day",
        /// Another consent took its place.
        Replaced = "replaced",
        /// The service gave it back.
        GivenBack = "given_back",
        /// The holder takes its tokens no more.
        RefusedByHolder = "refused_by_holder",
        /// The holder wants the resident to confirm again (RFC 9470).
        ConfirmationNeeded = "confirmation_needed",
        /// The holder's login provider cannot know a resident as well as was asked for.
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        /// The holder does not offer what was asked for (RFC 9396 §5).
        InvalidAuthorizationDetails = "invalid_authorization_details",
        /// The holder does not know the grant that was to be replaced or extended, or no longer.
        InvalidGrantId = "invalid_grant_id",
        /// What the holder issued does not hold against its own signature or what was asked: the holder's fault.
        HolderAnswerNotTrusted = "holder_answer_not_trusted",
    }
}

/// A reason as another node words it: lower-case letters and underscores, 40 at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReasonWord(String);

impl ReasonWord {
    /// The word.
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

/// Why a consent is in its state at the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldReason {
    /// A word that this program decides by.
    Cause(HeldCause),
    /// A word of the holder's that it only passes on to the service.
    Holder(ReasonWord),
}

impl HeldReason {
    /// The word, as stored and in the service API.
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
        // A holder has no say over the words that this node decides by, but `last_day` means the same on both sides.
        word.as_str().parse().map_or(Self::Holder(word), Self::Cause)
    }
}

impl TryFrom<String> for HeldReason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        ReasonWord::try_from(text).map(Self::from)
    }
}
