//! The life cycle of a permission after the decision: every change, its receipt, and the export of its evidence.

pub(crate) mod export_consent;
pub(crate) mod record_change;
pub(crate) mod record_deletion;
pub mod revoke_consent;
pub(crate) mod suspend_consent;
pub(crate) mod write_receipt;
