//! A consent request at its holder, from the moment it is pushed (or begun by the resident) until it is decided.

use serde::{Deserialize, Serialize};

use super::denial::DenialKind;
use super::passkey::PasskeyEvidence;
use super::terms::Terms;
use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, PersonId, RequestId, Thumbprint};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// Who began it.
    pub enum Origin {
        /// A service asked; the browser goes back to the recipient.
        Pushed = "pushed",
        /// The resident started in the holder's portal; the recipient is told by an event.
        Portal = "portal",
    }
}

word_enum! {
    /// How a request goes about a consent that is there already (`grant_management_action`).
    pub enum GrantAction {
        /// What is asked comes in its place.
        Replace = "replace",
        /// What is asked is added to it.
        Merge = "merge",
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Waiting for the resident.
    Requested,
    /// Allowed.
    Allowed(ConsentId),
    /// Not allowed.
    Declined,
    /// Nobody decided in time.
    Lapsed,
}

/// How the answer goes back to the client (RFC 6749, RFC 7636, RFC 9449).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnPath {
    /// `redirect_uri`, one of the client's registered ones.
    pub redirect_uri: String,
    /// `state`, sent back as it came.
    pub state: Option<String>,
    /// `code_challenge`, S256.
    pub code_challenge: String,
    /// `dpop_jkt`, when the client bound the code to a key.
    pub dpop_jkt: Option<Thumbprint>,
}

/// The longest that the texts of a request may be together, in bytes of JSON: what another member may make a holder keep with
/// one request.
pub const MAX_REQUEST_BYTES: usize = 32 * 1024;

/// A request that waits for a resident's decision.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// Its identifier; unguessable, the last part of the consent page's address.
    pub id: RequestId,
    /// Who began it.
    pub origin: Origin,
    /// What is asked, already held against the declared use.
    pub terms: Terms,
    /// The declared use as it was when asked: what the resident sees.
    pub declared_use: DeclaredUse,
    /// What the recipient is called.
    pub recipient_name: Text,
    /// The way back, for a pushed request.
    pub return_path: Option<ReturnPath>,
    /// Keyed hash of the identifier of whom the service expects, when it said so.
    pub expected_person: Option<Vec<u8>>,
    /// How the one who asks wants the resident to be known, beyond what the dataset demands.
    pub asked: AssuranceRequirement,
    /// The consent that it is to replace or extend: only whose consent that is can decide.
    pub replaces: Option<(GrantAction, ConsentId)>,
    /// The standing denial that refused it, where one did.
    pub denied_by: Option<DenialKind>,
    /// Whose it is: who opened it, or whose consent it is to replace. Nobody else can.
    pub person: Option<PersonId>,
    /// Where it stands.
    pub state: RequestState,
    /// When it came.
    pub created_at: Timestamp,
    /// When it lapses.
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
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == RequestState::Requested && now < self.expires_at
    }

    /// Whether the service expects nobody else than the person with this keyed hash of the identifier.
    #[must_use]
    pub fn may_be_of(&self, identifier_hash: &[u8]) -> bool {
        self.expected_person.as_ref().is_none_or(|expected| expected == identifier_hash)
    }

    /// Whether it waits for this person: they have opened it, or nobody has and they are whom the service expects.
    #[must_use]
    pub fn is_of(&self, person: PersonId, identifier_hash: &[u8]) -> bool {
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
    /// The consent that will come of it.
    pub consent: ConsentId,
    /// The terms as decided.
    pub terms: Terms,
    /// The document in canonical JSON.
    pub document: String,
    /// The salt of the commitment, base64url.
    pub salt: String,
    /// The passkey's signature, once it is there, where the dataset demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyEvidence>,
}
