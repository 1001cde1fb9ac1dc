//! The consent token, and the path from text to [`VerifiedConsent`].
//!
//! Each check returns a value that the next one requires: text → [`AuthenticToken`] → ([`VerifiedProof`], trusted
//! recipient, stored consent) → [`VerifiedConsent`]. A skipped check does not compile.

pub mod client_assertion;
pub mod consent_token;
pub mod management_token;
pub(crate) mod proof;
pub(crate) mod refusal;
pub(crate) mod refusal_reason;
pub(crate) mod service_token;
pub mod status_list;
pub(crate) mod verified;

pub use consent_token::{
    AuthenticToken, ConsentTokenClaims, IssueRecord, SuspectToken, TokenPolicy, UnverifiedToken,
};
pub use management_token::{ManagementScope, ManagementToken};
pub(crate) use proof::{ProofExpectation, VerifiedProof};
pub(crate) use refusal::{Refusal, RefusalCode};
pub(crate) use refusal_reason::RefusalReason;
pub(crate) use verified::VerifiedConsent;

/// `grant_type` of a pre-authorised code (OpenID for Verifiable Credential Issuance §6.1).
pub(crate) const PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// The revocation parameter with one consent of a grant, which may have passed to another.
pub(crate) const CONSENT_COMMITMENT: &str = "consent_commitment";
