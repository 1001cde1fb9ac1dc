//! A resident's consent: request, decision, life cycle, and evidence.
//!
//! * [`terms`]: what one consent covers, and the check of a request against the declared use and the dataset.
//! * [`persons`]: whose records it covers.
//! * [`state`]: the life cycle as an enum with transitions that can refuse.
//! * [`denial`]: standing denials of a resident.
//! * [`shown_use`]: whether the declared use still covers what the resident was shown.
//! * [`document`]: exactly what the resident saw, in canonical JSON, and the commitment to it.
//! * [`deletion`]: deadlines for fetched data.
//! * [`evidence`]: the login provider's signature over that commitment.
//! * [`passkey`]: a passkey's signature on it, if a dataset requires one too.
//! * [`receipt`]: the holder's signature over the decision and over every change since, for the resident to keep.

pub(crate) mod deletion;
pub(crate) mod denial;
pub mod document;
pub mod evidence;
pub mod held;
pub mod passkey;
pub mod persons;
pub mod receipt;
pub mod request;
pub(crate) mod shown_use;
pub mod state;
pub mod status;
pub(crate) mod terms;

pub(crate) use deletion::DeletionState;
pub(crate) use denial::{DenialKind, StandingDenial};
pub use document::{Commitment, ConsentDocument, Salt};
pub use evidence::{Chains, Committed, Evidence, EvidenceError, VerifiedEvidence};
pub use held::{
    HeldCause, HeldConsent, HeldGrant, HeldLife, HeldReason, HeldState, HeldStatus, HeldTokens, HolderChange,
    IllegalTransition, PendingAuthorization, ReasonWord,
};
pub use passkey::{PasskeyError, PasskeyEvidence};
pub use persons::{About, CoveredPerson, Persons, ReleasedPerson};
pub use receipt::{ConsentChange, ConsentReceipt, Issuer, ReceiptChange};
pub use request::{ConsentRequest, GrantAction, MAX_REQUEST_BYTES, Origin, PendingDecision, RequestState};
pub(crate) use shown_use::ShownUse;
pub(crate) use state::REMINDER_SECS;
pub use state::{Actor, Consent, ConsentState, ConsentStatus, End, Reason, Transition, TransitionError};
pub(crate) use terms::{AuthorizationDetail, Frequency, Period, Terms};
