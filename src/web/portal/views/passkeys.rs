//! `/me/passkeys`, `/me/passkeys/new` and `/consent/{request}/passkey`: passkeys, a new one, one that signs a decision.

use super::parts::Party;
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PasskeyId, RequestId};

/// One passkey.
#[derive(Debug, Clone)]
pub struct PasskeyItem {
    /// Which one.
    pub id: PasskeyId,
    /// What the resident calls it.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last confirmed something.
    pub last_used_at: Option<Timestamp>,
}

/// The resident's passkeys.
#[derive(Debug, Clone)]
pub struct PasskeysView {
    /// Oldest first.
    pub passkeys: Vec<PasskeyItem>,
}

/// The page that asks the browser for a new passkey.
#[derive(Debug, Clone)]
pub struct NewPasskeyView {
    /// What the browser is asked, JSON.
    pub options: String,
    /// Where to go afterwards; empty for the list.
    pub return_to: String,
}

/// The page that asks for a passkey's confirmation of a decision.
#[derive(Debug, Clone)]
pub struct ConfirmPasskeyView {
    /// The request that was decided.
    pub request: RequestId,
    /// Who asks.
    pub asker: Party,
    /// What people call the data.
    pub dataset: Text,
    /// What the browser is asked, JSON.
    pub options: String,
}

page!(PasskeysView, "passkeys.html", Some(Section::Overview));
page!(NewPasskeyView, "passkey_new.html", Some(Section::Overview));
page!(ConfirmPasskeyView, "passkey_confirm.html", None);
