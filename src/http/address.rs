//! Which addresses this node may connect to, and the resolver that lets no other through.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::refusal::{AddressRefused, Refusals};
use super::special::{is_localhost, is_public};

/// Where this node may connect to. Set by its own configuration alone: nothing that a peer publishes widens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Production: https to public addresses.
    Public,
    /// Production, as in a staging environment: https to public addresses and to those of the listed networks.
    Allowed(Arc<[IpNet]>),
    /// The demo profile: `localhost`, `*.localhost` and loopback addresses, http or https.
    Demo,
}

impl AddressPolicy {
    /// The policy of the production profile: public addresses and the listed networks.
    #[must_use]
    pub fn production(private_networks: &[IpNet]) -> Self {
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

    /// The rule that a refused address breaks, as errors name it.
    const fn rule(&self) -> &'static str {
        match self {
            Self::Public => "not a public address",
            Self::Allowed(_) => "neither a public address nor in private_networks",
            Self::Demo => "not loopback",
        }
    }
}

/// Resolves names for the client. What it returns is what is connected to, so the addresses that were checked are the
/// addresses that are used: a name cannot change its mind in between.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
    /// The host of the configured proxy, whose address the operator answers for.
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

/// The addresses of a name, all of which fit: one inward address among several is an attack or a mistake, and none is used
/// then.
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

/// A blocking call: the system's own resolver, with its own time-out.
fn of_the_system(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    (name, 0_u16).to_socket_addrs().map(Iterator::collect)
}

fn boxed(addresses: Vec<SocketAddr>) -> Addrs {
    Box::new(addresses.into_iter())
}

#[cfg(test)]
pub(crate) mod testing {
    //! The guarded resolver over names that change their minds.

    use std::sync::{Arc, Mutex};

    use super::*;

    /// In these tests this network is listed, and the rest of loopback is inward.
    fn policy() -> AddressPolicy {
        AddressPolicy::production(&["127.8.8.0/24".parse().unwrap()])
    }

    /// What a name leads to at each look, in order; the last for ever.
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
