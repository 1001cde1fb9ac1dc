//! `/me/receipts` and `/me/sharing/{id}/receipt…`: what the holder signed about a decision and its changes.

use super::permission::Change;
use crate::domain::catalogue::Language;
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::{ConsentReceipt, ReceiptChange};
use crate::domain::ids::ConsentId;

/// One receipt in a list.
#[derive(Debug, Clone)]
pub struct ReceiptLine {
    /// The permission, or the request that was declined.
    pub consent: ConsentId,
    /// Its number within that permission.
    pub version: u32,
    /// What happened.
    pub change: ReceiptChange,
    /// When.
    pub at: Timestamp,
    /// What it is about: the data and who asked, as shown then.
    pub about: String,
}

/// All of a resident's receipts.
#[derive(Debug, Clone)]
pub struct ReceiptsView {
    /// Newest first.
    pub receipts: Vec<ReceiptLine>,
}

/// One receipt.
#[derive(Debug, Clone)]
pub struct ReceiptView {
    /// What the holder signed.
    pub receipt: ConsentReceipt,
    /// When.
    pub at: Timestamp,
    /// Every receipt of this permission, oldest first.
    pub all: Vec<ReceiptLine>,
}

impl ReceiptView {
    /// The last day, where something was allowed.
    #[must_use]
    pub fn until(&self) -> Option<Day> {
        self.receipt.purpose()?.limits.as_ref().map(|limits| limits.until)
    }

    /// Its address without an ending.
    #[must_use]
    pub fn href(&self) -> String {
        format!("/me/sharing/{}/receipt/{}", self.receipt.record_id, self.receipt.version)
    }

    /// Whether nothing was allowed.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.receipt.event.event_type == ReceiptChange::Declined
    }
}

impl crate::web::portal::Frame<'_> {
    /// What a receipt is about, in words.
    pub(in crate::web::portal) fn receipt_change(&self, change: &ReceiptChange) -> String {
        let known = match change {
            ReceiptChange::Given => Change::Given,
            ReceiptChange::Declined => Change::Declined,
            ReceiptChange::Suspended => Change::Suspended,
            ReceiptChange::Resumed => Change::Resumed,
            ReceiptChange::Revoked => Change::Stopped,
            ReceiptChange::Returned => Change::GivenBack,
            ReceiptChange::Expired => Change::Expired,
            ReceiptChange::Exhausted => Change::UsedUp,
            ReceiptChange::Replaced => Change::Replaced,
            ReceiptChange::Withdrawn => return self.t.receipt_change_withdrawn().to_string(),
        };
        self.change(&known)
    }

    /// How a change was made, in words.
    pub(in crate::web::portal) fn receipt_method(&self, method: &str) -> String {
        let t = &self.t;
        match method {
            "portal_with_login_signature" => t.receipt_method_signed(),
            "portal" => t.receipt_method_portal(),
            "recipient" => t.receipt_method_asker(),
            _ => t.receipt_method_rule(),
        }
        .to_string()
    }

    /// A language's name in the page's language.
    pub(in crate::web::portal) fn in_language(&self, language: &Language) -> String {
        match language {
            Language::Fi => self.t.receipt_in_finnish(),
            Language::Sv => self.t.receipt_in_swedish(),
            Language::En => self.t.receipt_in_english(),
        }
        .to_string()
    }
}

page!(ReceiptsView, "receipts.html", Some(Section::Sharing));
page!(ReceiptView, "receipt.html", Some(Section::Sharing));
