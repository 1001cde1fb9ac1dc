//! A case of the demo's city service.

use serde_json::Value;

use super::calls::{Call, Problem};
use crate::domain::clock::Timestamp;

/// One customer's case, for which the service needs data from another city.
#[derive(Clone)]
pub(super) struct Case {
    /// The service's own identifier of it.
    pub(super) reference: String,
    pub(super) city: String,
    /// The customer, as far as the service says.
    pub(super) customer: Option<String>,
    /// The subject, in a few words.
    pub(super) subject: String,
    /// The consent at the requesting city's node, once it exists.
    pub(super) consent: Option<String>,
    /// The address for the resident.
    pub(super) start_url: Option<String>,
    pub(super) state: Option<String>,
    /// The reason of the state, the node's code.
    pub(super) reason: Option<String>,
    /// The last fetched data.
    pub(super) fetched: Option<Value>,
    pub(super) problem: Option<Problem>,
    pub(super) calls: Vec<Call>,
    pub(super) created_at: Timestamp,
}

impl Case {
    /// Takes over the consent's state.
    pub(super) fn take(&mut self, answer: &Value) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        self.state = text("state");
        self.reason = text("reason");
        // Shown as a link, so only a web address may pass.
        self.start_url =
            text("startUrl").filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    }

    /// Adds calls; a call for the same purpose replaces the earlier one.
    pub(super) fn record(&mut self, calls: Vec<Call>) {
        for call in calls {
            self.calls.retain(|earlier| earlier.title != call.title);
            self.calls.push(call);
        }
        self.calls.sort_by_key(|call| call.rank);
    }
}
