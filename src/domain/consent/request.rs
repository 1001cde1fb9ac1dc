//! A consent request at its holder, from the moment it is pushed (or started by the resident) until it is decided.

use serde::{Deserialize, Serialize};

use super::passkey::PasskeyEvidence;
use super::terms::Terms;
use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, PersonId, RequestId, Thumbprint};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// Who began it.
    pub enum Origin {
        /// Requested by a service; the browser returns to the recipient.
        Pushed = "pushed",
        /// Started by the resident in the holder's portal; the recipient is notified by an event.
        Portal = "portal",
    }
}

word_enum! {
    /// What a request does to an existing consent (`grant_management_action`).
    pub enum GrantAction {
        /// Replaces it.
        Replace = "replace",
        /// Extends it.
        Merge = "merge",
    }
}

/// State of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Undecided.
    Requested,
    /// Allowed.
    Allowed(ConsentId),
    /// Declined.
    Declined,
    /// Expired undecided.
    Lapsed,
}

/// How the response returns to the client (RFC 6749, RFC 7636, RFC 9449).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReturnPath {
    /// `redirect_uri`, one of the client's registered ones.
    pub(crate) redirect_uri: String,
    /// `state`, returned unchanged.
    pub(crate) state: Option<String>,
    /// `code_challenge`, S256.
    pub(crate) code_challenge: String,
    /// `dpop_jkt`, if the client bound the code to a key.
    pub(crate) dpop_jkt: Option<Thumbprint>,
}

/// The longest that the texts of a request may be together, in bytes of JSON: what another member may make a holder keep with
/// one request.
pub const MAX_REQUEST_BYTES: usize = 32 * 1024;

/// A request that waits for a resident's decision.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// Its identifier; unguessable, the last segment of the consent page's URL.
    pub id: RequestId,
    /// Who began it.
    pub origin: Origin,
    /// The request, checked against the declared use.
    pub terms: Terms,
    /// The declared use as of the request: what the resident sees.
    pub declared_use: DeclaredUse,
    /// Display name of the recipient.
    pub(crate) recipient_name: Text,
    /// The redirect parameters of a pushed request.
    pub(crate) return_path: Option<ReturnPath>,
    /// Keyed hash of the expected person's identifier, if the service named one.
    pub(crate) expected_person: Option<Vec<u8>>,
    /// The recipient's assurance requirement, in addition to the dataset's.
    pub asked: AssuranceRequirement,
    /// The consent that it replaces or extends: only its person can decide.
    pub replaces: Option<(GrantAction, ConsentId)>,
    /// The person who opened it, or whose consent it replaces. Nobody else can decide.
    pub person: Option<PersonId>,
    /// Where it stands.
    pub state: RequestState,
    /// When it came.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl ConsentRequest {
    /// Whether its terms, declared use, names and way back are longer together than [`MAX_REQUEST_BYTES`].
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        let parts = [
            length(&self.terms),
            length(&self.declared_use),
            length(&self.recipient_name),
            length(&self.return_path),
            self.asked.acr.as_ref().map_or(0, String::len),
        ];
        parts.into_iter().fold(0, usize::saturating_add) > MAX_REQUEST_BYTES
    }

    /// Whether it still waits for a decision now.
    #[must_use]
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.state == RequestState::Requested && now < self.expires_at
    }

    /// Whether the service expects no other person than the one with this keyed hash.
    #[must_use]
    pub(crate) fn may_be_of(&self, identifier_hash: &[u8]) -> bool {
        self.expected_person.as_ref().is_none_or(|expected| expected == identifier_hash)
    }

    /// Whether it waits for this person: they have opened it, or nobody has and they are the expected person.
    #[must_use]
    pub(crate) fn is_of(&self, person: PersonId, identifier_hash: &[u8]) -> bool {
        match self.person {
            Some(owner) => owner == person,
            None => self.expected_person.is_some() && self.may_be_of(identifier_hash),
        }
    }
}

/// How long a part is where it is kept, in bytes.
fn length(part: &impl Serialize) -> usize {
    serde_json::to_string(part).map_or(usize::MAX, |text| text.len())
}

/// A decision that the resident has made and the login provider has yet to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingDecision {
    /// The identifier of the resulting consent.
    pub consent: ConsentId,
    /// The terms as decided.
    pub terms: Terms,
    /// The document in canonical JSON.
    pub document: String,
    /// The salt of the commitment, base64url.
    pub salt: String,
    /// The passkey's signature, once it exists, if the dataset requires one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyEvidence>,
}
