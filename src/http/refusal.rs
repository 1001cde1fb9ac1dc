//! Why a host name was refused, so that its operator and this node's can see who has to act.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::special::kind_of;
use crate::domain::outside_text::clean;
use crate::domain::sync::lock;

/// A host name without an allowed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressRefused {
    pub(crate) host: String,
    /// The first address that may not be used; `None` when the name has no address at all.
    pub(crate) address: Option<IpAddr>,
    /// The rule that the address breaks.
    pub(crate) rule: &'static str,
}

impl std::fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = &self.host;
        match self.address {
            None => write!(f, "{host} resolves to no address: its operator must add a DNS record"),
            Some(address) => write!(
                f,
                "{host} resolves to {address}, which is {}: its operator must correct the DNS record, or this node must \
                 list the network in private_networks if that is where the host is meant to be: in [federation] \
                 private_networks, or for a register in its own",
                kind_of(address)
            ),
        }
    }
}

impl std::error::Error for AddressRefused {}

/// Maximum number of hosts whose last refusal is kept; the list is cleared when it is full.
const MAX_REFUSALS: usize = 256;

/// The last refusal of each host: for diagnosis, and to log each only once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<String, AddressRefused>>>);

impl Refusals {
    pub(crate) fn record(&self, refused: &AddressRefused) {
        let mut last = lock(&self.0);
        if last.get(&refused.host) == Some(refused) {
            return;
        }
        if last.len() >= MAX_REFUSALS {
            last.clear();
        }
        last.insert(refused.host.clone(), refused.clone());
        drop(last);
        tracing::warn!(event = "address_refused", host = refused.host, "a request was not sent: {refused}");
    }

    pub(crate) fn forget(&self, host: &str) {
        lock(&self.0).remove(host);
    }

    pub(crate) fn of(&self, host: &str) -> Option<AddressRefused> {
        lock(&self.0).get(host).cloned()
    }
}

/// Why each host was not reached when it was last tried: for diagnosis, and so that each cause is logged once and not at
/// every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<BTreeMap<String, String>>>);

impl Failures {
    /// Remembers and logs why no connection came about; `proxy` is the one that the request went through. What happened on
    /// a connection is not its matter.
    pub(crate) fn record(&self, host: &str, proxy: Option<&str>, error: &reqwest::Error) {
        if !error.is_connect() {
            return;
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let way = proxy.map_or_else(
            || "could not be reached".to_owned(),
            |proxy| format!("could not be reached through the proxy {proxy} of [outbound]"),
        );
        let told = clean(&format!("{host} {way}: {cause}"));
        let mut last = lock(&self.0);
        if last.get(host) == Some(&told) {
            return;
        }
        if last.len() >= MAX_REFUSALS {
            last.clear();
        }
        last.insert(host.to_owned(), told.clone());
        drop(last);
        tracing::warn!(event = "connection_failed", host, "{told}");
    }

    pub(crate) fn forget(&self, host: &str) {
        lock(&self.0).remove(host);
    }

    pub(crate) fn of(&self, host: &str) -> Option<String> {
        lock(&self.0).get(host).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_name_resolves_to_and_whose_side_it_is() {
        let refused = |address: &str| AddressRefused {
            host: "espoo.example".into(),
            address: Some(address.parse().unwrap()),
            rule: "not a public address",
        };
        let text = refused("127.0.0.1").to_string();
        assert!(
            text.starts_with(
                "espoo.example resolves to 127.0.0.1, which is a loopback address: its operator"
            ),
            "{text}"
        );
        assert!(text.contains("[federation] private_networks"), "{text}");
        for (address, kind) in [
            ("10.0.0.1", "a private address"),
            ("100.64.0.1", "a shared address"),
            ("169.254.169.254", "a link-local address"),
            ("fd00::1", "a unique local address"),
            ("fe80::1", "a link-local address"),
            ("192.0.2.1", "a reserved address"),
            ("::ffff:127.0.0.1", "a reserved address"),
        ] {
            assert!(refused(address).to_string().contains(kind), "{address}");
        }
    }
}
