//! The addresses that this node may connect to, and the resolver that returns no other.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::refusal::{AddressRefused, Refusals};
use super::special::{is_localhost, is_public};

/// The addresses that this node may connect to. Set by its own configuration only: nothing that a peer publishes
/// extends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Production: https to public addresses.
    Public,
    /// Production with private networks, as in a staging environment: https to public addresses and to those of the
    /// listed networks.
    Allowed(Arc<[IpNet]>),
    /// The demo profile: `localhost`, `*.localhost` and loopback addresses, http or https.
    Demo,
}

impl AddressPolicy {
    /// The policy of the production profile: public addresses and the listed networks.
    #[must_use]
    pub(crate) fn production(private_networks: &[IpNet]) -> Self {
        if private_networks.is_empty() { Self::Public } else { Self::Allowed(private_networks.into()) }
    }

    /// Whether a connection to this address may be opened.
    fn permits(&self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Allowed(networks) => {
                is_public(address) || networks.iter().any(|network| network.contains(&address))
            }
            Self::Demo => address.is_loopback(),
        }
    }

    /// The rule that a refused address breaks, as error messages name it.
    const fn rule(&self) -> &'static str {
        match self {
            Self::Public => "not a public address",
            Self::Allowed(_) => "neither a public address nor in private_networks",
            Self::Demo => "not loopback",
        }
    }
}

/// Resolves names for the client, which connects to the returned addresses: the addresses that were checked are those
/// that are used (no DNS rebinding).
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
    /// The host of the configured proxy; the operator is responsible for its address.
    pub(crate) proxy_host: Option<String>,
    pub(crate) refusals: Refusals,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        if self.proxy_host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(name.as_str())) {
            return Box::pin(async move {
                let find = move || of_the_system(name.as_str());
                Ok(boxed(tokio::task::spawn_blocking(find).await??))
            });
        }
        match &self.policy {
            AddressPolicy::Demo if is_localhost(name.as_str()) => {
                Box::pin(async { Ok(boxed(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])) })
            }
            policy => Box::pin(look_up(name, of_the_system, policy.clone(), self.refusals.clone())),
        }
    }
}

/// The addresses of a name, all of them allowed. One refused address among several refuses the name, since it is an
/// attack or a misconfiguration.
async fn look_up(
    name: Name,
    find: impl FnOnce(&str) -> std::io::Result<Vec<SocketAddr>> + Send + 'static,
    policy: AddressPolicy,
    refusals: Refusals,
) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    let host = name.as_str().to_owned();
    let found = tokio::task::spawn_blocking(move || find(name.as_str())).await??;
    let inward = found.iter().map(SocketAddr::ip).find(|address| !policy.permits(*address));
    if found.is_empty() || inward.is_some() {
        let refused = AddressRefused { host, address: inward, rule: policy.rule() };
        refusals.record(&refused);
        return Err(refused.into());
    }
    refusals.forget(&host);
    Ok(boxed(found))
}

/// A blocking call: the system's resolver, with its own timeout.
fn of_the_system(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    (name, 0_u16).to_socket_addrs().map(Iterator::collect)
}

fn boxed(addresses: Vec<SocketAddr>) -> Addrs {
    Box::new(addresses.into_iter())
}

#[cfg(test)]
pub(crate) mod testing {
    //! The guarded resolver with names whose addresses change.

    use std::sync::{Arc, Mutex};

    use super::*;

    /// The tests list this network; the rest of loopback counts as private.
    fn policy() -> AddressPolicy {
        AddressPolicy::production(&["127.8.8.0/24".parse().unwrap()])
    }

    /// The addresses that a name resolves to at each lookup, in order; the last one repeats.
    #[derive(Clone)]
    pub(crate) struct Fickle {
        pub(crate) answers: Vec<Vec<IpAddr>>,
        pub(crate) looks: Arc<Mutex<usize>>,
    }

    impl Resolve for Fickle {
        fn resolve(&self, name: Name) -> Resolving {
            let fickle = self.clone();
            let find = move |_: &str| {
                let mut looks = fickle.looks.lock().unwrap();
                let answer = fickle.answers.get(*looks).or(fickle.answers.last()).unwrap();
                *looks += 1;
                Ok(answer.iter().map(|ip| SocketAddr::new(*ip, 0)).collect())
            };
            Box::pin(look_up(name, find, policy(), Refusals::default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_networks_are_permitted_and_nothing_else_inward() {
        let policy =
            AddressPolicy::production(&["10.20.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        for text in ["10.20.3.4", "fd00:1::5", "8.8.8.8"] {
            assert!(policy.permits(text.parse().unwrap()), "{text}");
        }
        for text in
            ["10.21.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.20.3.4", "fd00:2::1", "192.168.1.1"]
        {
            assert!(!policy.permits(text.parse().unwrap()), "{text}");
        }
        assert_eq!(AddressPolicy::production(&[]), AddressPolicy::Public);
    }
}
