//! Which addresses this node may connect to, and the resolver that lets no other through.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Where this node may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Production: https to public addresses.
    Public,
    /// The demo profile: `localhost`, `*.localhost` and loopback addresses, http or https.
    Demo,
}

/// A name led to no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that may not be used")]
pub(crate) struct AddressRefused;

/// Resolves names for the client. What it returns is what is connected to, so the addresses that were checked are the
/// addresses that are used: a name cannot change its mind in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuardedResolver(pub(crate) AddressPolicy);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        match self.0 {
            AddressPolicy::Demo if is_localhost(name.as_str()) => {
                Box::pin(async { Ok(boxed(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])) })
            }
            AddressPolicy::Demo => Box::pin(async { Err(AddressRefused.into()) }),
            AddressPolicy::Public => Box::pin(look_up(name, of_the_system, is_public)),
        }
    }
}

/// The addresses of a name, all of which fit: one inward address among several is an attack or a mistake, and none is used
/// then.
async fn look_up(
    name: Name,
    find: impl FnOnce(&str) -> std::io::Result<Vec<SocketAddr>> + Send + 'static,
    fits: fn(IpAddr) -> bool,
) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    let found = tokio::task::spawn_blocking(move || find(name.as_str())).await??;
    if found.is_empty() || !found.iter().all(|address| fits(address.ip())) {
        return Err(AddressRefused.into());
    }
    Ok(boxed(found))
}

/// A blocking call: the system's own resolver, with its own time-out.
fn of_the_system(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    (name, 0_u16).to_socket_addrs().map(Iterator::collect)
}

fn boxed(addresses: Vec<SocketAddr>) -> Addrs {
    Box::new(addresses.into_iter())
}

/// `localhost` and everything under it (RFC 6761 §6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name
            .len()
            .checked_sub(".localhost".len())
            .and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(".localhost"))
}

/// Whether an address is one of the public internet (IANA special-purpose address registries).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3. This leaves out loopback, mapped and translated IPv4, link-local, unique-local and
    // multicast; within it the protocol assignments (with Teredo), documentation and 6to4 are left out one by one.
    (0x2000..=0x3fff).contains(&first)
        && !(first == 0x2001 && second < 0x0200)
        && !(first == 0x2001 && second == 0x0db8)
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
pub(crate) mod testing {
    //! The guarded resolver over names that change their minds.

    use std::sync::{Arc, Mutex};

    use super::*;

    /// In these tests this network is the public one, and the rest of loopback is inward.
    fn is_outside(address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(address) if address.octets().starts_with(&[127, 8, 8]))
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
            Box::pin(look_up(name, find, is_outside))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inward_addresses_are_told_from_public_ones() {
        for text in ["8.8.8.8", "193.166.3.1", "2001:708:10:6004::1", "2a00:1450:400f::1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn localhost_is_a_whole_label() {
        for name in ["localhost", "espoo.localhost", "ESPOO.LOCALHOST", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["notlocalhost", "localhost.example", "", "älocalhost"] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
