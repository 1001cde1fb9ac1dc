//! Special-purpose addresses and names (IANA special-purpose address registries, RFC 6761).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    // Global unicast is 2000::/3. This excludes loopback, mapped and translated IPv4, link-local, unique-local and
    // multicast; within it the protocol assignments (with Teredo), documentation and 6to4 are excluded one by one.
    (0x2000..=0x3fff).contains(&first)
        && !(first == 0x2001 && second < 0x0200)
        && !(first == 0x2001 && second == 0x0db8)
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}

/// The kind of address, for error messages.
pub(crate) fn kind_of(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [127, ..] => "a loopback address",
            [169, 254, ..] => "a link-local address",
            [100, second, ..] if (64..128).contains(&second) => "a shared address (RFC 6598)",
            [224..=239, ..] => "a multicast address",
            _ if address.is_private() => "a private address (RFC 1918)",
            _ if is_public_v4(address) => "a public address",
            _ => "a reserved address",
        },
        IpAddr::V6(address) => match address.segments() {
            _ if address.is_loopback() => "a loopback address",
            [0xfc00..=0xfdff, ..] => "a unique local address (RFC 4193)",
            [0xfe80..=0xfebf, ..] => "a link-local address",
            [0xff00..=0xffff, ..] => "a multicast address",
            _ if is_public_v6(address) => "a public address",
            _ => "a reserved address",
        },
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
