//! A case of the demo's city service.

use serde_json::Value;

use super::calls::{Call, Problem};
use crate::domain::clock::Timestamp;

/// One customer's matter, for which the service needs data from another city.
#[derive(Clone)]
pub(super) struct Case {
    /// The service's own number for it.
    pub(super) reference: String,
    /// The asking city.
    pub(super) city: String,
    /// Whose matter it is, as far as the service says.
    pub(super) customer: Option<String>,
    /// What it is about, in a few words.
    pub(super) subject: String,
    /// The permission at the asking city's node, once that has answered.
    pub(super) consent: Option<String>,
    /// Where to send the resident.
    pub(super) start_url: Option<String>,
    /// How the permission stands.
    pub(super) state: Option<String>,
    /// Why it stands so, in the node's word.
    pub(super) reason: Option<String>,
    /// What was fetched last.
    pub(super) fetched: Option<Value>,
    /// What went wrong last.
    pub(super) problem: Option<Problem>,
    pub(super) calls: Vec<Call>,
    pub(super) created_at: Timestamp,
}

impl Case {
    /// Takes over how the permission stands.
    pub(super) fn take(&mut self, answer: &Value) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        self.state = text("state");
        self.reason = text("reason");
        // Shown as a link, so nothing but a web address may pass.
        self.start_url =
            text("startUrl").filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    }

    /// Adds calls; a call for the same purpose takes the place of the earlier one.
    pub(super) fn record(&mut self, calls: Vec<Call>) {
        for call in calls {
            self.calls.retain(|earlier| earlier.title != call.title);
            self.calls.push(call);
        }
        self.calls.sort_by_key(|call| call.rank);
    }
}
