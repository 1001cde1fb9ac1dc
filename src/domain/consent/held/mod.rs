//! A consent as its recipient knows it: asked for by a service, or given by a resident of their own accord.

pub mod life;
pub mod reason;
pub mod status;

pub use life::{FormerGrant, HeldGrant, HeldLife, HeldState, HeldTokens, HolderChange, IllegalTransition};
pub use reason::{HeldCause, HeldReason, ReasonWord};
pub use status::HeldStatus;

use super::request::{GrantAction, Origin};
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, HeldConsentId, KeyId, NationalIdentifier, ServiceId};

/// How long a service's request waits for the resident, in seconds.
pub const WAIT_SECS: i64 = 30 * 86_400;

/// How long a browser may be away at the holder before its answer is no longer taken, in seconds.
pub const AWAY_SECS: i64 = 2 * 3600;

/// A consent at its recipient: what does not change, and its life.
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
    /// The service's own name for its case.
    pub case_reference: Option<String>,
    /// Whom the service expects.
    pub expected_person: Option<NationalIdentifier>,
    /// How the service wants the resident to be known, beyond what the dataset demands.
    pub asked: AssuranceRequirement,
    /// Where the resident's browser goes when all is done.
    pub return_url: Option<String>,
    /// The consent of this service that this one asks to replace or extend.
    pub replaces: Option<(GrantAction, HeldConsentId)>,
    /// When it was asked for or given.
    pub created_at: Timestamp,
    /// What changes: its state and what belongs to that. Only the transitions of [`HeldLife`] change it.
    pub life: HeldLife,
}

impl HeldConsent {
    /// The word of its state.
    #[must_use]
    pub const fn status(&self) -> HeldStatus {
        self.life.state().status()
    }
}

impl std::fmt::Debug for HeldConsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldConsent")
            .field("id", &self.id)
            .field("status", &self.status())
            .finish_non_exhaustive()
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
