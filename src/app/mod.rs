//! Assembles everything: from a checked configuration to a running node or anchor.

mod anchor;
mod anchor_files;
mod error;
mod member_requests;
mod node;
mod residents;
mod running;
mod settings;
mod system;
mod tasks;
#[cfg(test)]
mod tests;

pub use anchor::{membership, start_anchor};
pub(crate) use error::StartError;
pub use node::{assemble, lock_for_serving, open_store, start_node};
pub(crate) use node::{open_checked_store, registers, trackers};
pub use residents::CopyError;
pub(crate) use residents::answer_article_15;
pub use running::Running;
pub(crate) use settings::{anchor_key_expiries, anchor_source, key_policy, node_client};
pub use system::{SystemClock, SystemEntropy};
