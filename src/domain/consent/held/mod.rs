//! A consent at its recipient: requested by a service, or given by a resident in the holder's portal.

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
pub(crate) const WAIT_SECS: i64 = 30 * 86_400;

/// How long a browser may be away at the holder before its response is refused, in seconds.
pub(crate) const AWAY_SECS: i64 = 2 * 3600;

/// A consent at its recipient: its constant part, and its life cycle.
#[derive(Clone)]
pub struct HeldConsent {
    /// Its identifier here and in the service API.
    pub id: HeldConsentId,
    /// Who began it.
    pub origin: Origin,
    /// The service.
    pub service: ServiceId,
    /// Who holds the data.
    pub holder: EntityId,
    /// The service's reference for its case.
    pub(crate) case_reference: Option<String>,
    pub(crate) expected_person: Option<NationalIdentifier>,
    /// The service's assurance requirement, in addition to the dataset's.
    pub asked: AssuranceRequirement,
    /// The address that the resident's browser returns to.
    pub(crate) return_url: Option<String>,
    /// The consent of this service that this one replaces or extends.
    pub replaces: Option<(GrantAction, HeldConsentId)>,
    /// When it was requested or given.
    pub created_at: Timestamp,
    /// Its state and related data. Only the transitions of [`HeldLife`] change it.
    pub life: HeldLife,
}

impl HeldConsent {
    /// Its status.
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

/// A decision in progress in a browser: the values to check at its return.
#[derive(Clone)]
pub struct PendingAuthorization {
    /// `state`, stored as a hash.
    pub state: String,
    /// PKCE verifier, stored sealed.
    pub code_verifier: String,
    /// The cookie of the browser that left, stored as a hash.
    pub(crate) browser_binding: String,
    /// The DPoP key that the code will be bound to; a rotation meanwhile must not break it.
    pub dpop_kid: Option<KeyId>,
}
