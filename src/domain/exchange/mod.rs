//! The exchange: the release decision, field by field, and the receipts that prove it to both sides.

pub mod event;
pub mod receipt;
pub mod reconciliation;
pub mod record_schema;
pub mod release;

pub use event::{Event, EventClaims};
pub use receipt::{Receipt, ReceiptExpectation, VerifiedReceipt};
pub use record_schema::{RecordFault, RecordSchema};
pub use release::{Release, ReleaseScope};
