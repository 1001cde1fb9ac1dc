//! A consent as its recipient knows it: asked for by a service, or given by a resident of their own accord.

use super::document::Commitment;
use super::request::{GrantAction, Origin};
use super::terms::AuthorizationDetail;
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, GrantId, HeldConsentId, KeyId, NationalIdentifier, ServiceId};
use crate::domain::word_enum::word_enum;

/// How long a service's request waits for the resident, in seconds.
pub const WAIT_SECS: i64 = 30 * 86_400;

/// How long a browser may be away at the holder before its answer is no longer taken, in seconds.
pub const AWAY_SECS: i64 = 2 * 3600;

word_enum! {
    /// Where it stands.
    pub enum HeldState {
        /// The resident has not decided.
        Requested = "requested",
        /// Given in the holder's portal; the code waits to be redeemed.
        Given = "given",
        /// Data may be fetched.
        Active = "active",
        /// Held back by the resident or the holder; data may be fetched again when the holder says so.
        Suspended = "suspended",
        /// The resident said no.
        Declined = "declined",
        /// Nobody decided in time.
        Lapsed = "lapsed",
        /// Over: taken back, expired, used up, or refused by the holder.
        Ended = "ended",
    }
}

impl HeldState {
    /// Whether nothing leads out of it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Declined | Self::Lapsed | Self::Ended)
    }
}

/// A consent at its recipient.
#[derive(Clone)]
pub struct HeldConsent {
    /// Its identifier here, also in the service API.
    pub id: HeldConsentId,
    /// Who began it.
    pub origin: Origin,
    /// The service that it is for.
    pub service: ServiceId,
    /// Who holds the data.
    pub holder: EntityId,
    /// What is asked, and after the decision what was allowed.
    pub detail: AuthorizationDetail,
    /// The service's own name for its case.
    pub case_reference: Option<String>,
    /// Whom the service expects.
    pub expected_person: Option<NationalIdentifier>,
    /// How the service wants the resident to be known, beyond what the dataset demands.
    pub asked: AssuranceRequirement,
    /// Where the resident's browser goes when all is done.
    pub return_url: Option<String>,
    /// Where it stands.
    pub state: HeldState,
    /// Why, as a stable word, where that says more than the state.
    pub reason: Option<String>,
    /// The consent's identifier, once there is one.
    pub grant_id: Option<GrantId>,
    /// What fetches the data, while it is active or suspended.
    pub tokens: Option<HeldTokens>,
    /// The number of the last change that the holder told of; older news has no effect.
    pub sequence: u64,
    /// What the login provider signed, as the token says: tells the consents of one grant apart.
    pub commitment: Option<Commitment>,
    /// The consent of this service that this one asks to replace or extend.
    pub replaces: Option<(GrantAction, HeldConsentId)>,
    /// When it was asked for or given.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for HeldConsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldConsent")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The tokens of an active consent. Stored sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldTokens {
    /// The consent token.
    pub access_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What gets the next one, where the consent outlasts the token.
    pub refresh_token: Option<String>,
    /// The DPoP key that it is bound to.
    pub dpop_kid: KeyId,
}

impl std::fmt::Debug for HeldTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeldTokens([redacted])")
    }
}

/// A decision that is under way in a browser: what must fit when it comes back.
#[derive(Clone)]
pub struct PendingAuthorization {
    /// `state`, stored as a hash.
    pub state: String,
    /// PKCE verifier, stored sealed.
    pub code_verifier: String,
    /// The cookie of the browser that left, stored as a hash.
    pub browser_binding: String,
    /// The DPoP key that the code will be bound to; a rotation meanwhile must not spoil it.
    pub dpop_kid: Option<KeyId>,
}
