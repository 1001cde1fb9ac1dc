//! The exchange: the release decision, field by field, and the receipts that prove it to both sides.

pub mod deferral;
pub mod event;
pub mod receipt;
pub(crate) mod reconciliation;
pub(crate) mod record_schema;
pub(crate) mod release;

pub use event::{Event, EventClaims};
pub(crate) use receipt::{Receipt, ReceiptExpectation, VerifiedReceipt};
pub(crate) use record_schema::RecordSchema;
pub(crate) use release::{Release, ReleaseScope};
