//! Who a request comes from where addresses are counted: the peer, or behind the operator's own proxies what these say.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The reverse proxies whose word on a request's origin counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The proxies of these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The address for which a request counts.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        request.peer_addr().as_ref().map(SocketAddr::ip).map(|peer| self.origin(peer, request.headers()))
    }

    /// The last hop that is no trusted proxy. What stands before it anybody may have written; where what a proxy says
    /// cannot be read, the proxy itself counts.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer.to_canonical();
        if self.trusts(known) {
            for hop in hops(headers) {
                known = hop;
                if !self.trusts(known) {
                    break;
                }
            }
        }
        counted(known)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Whom an address counts for: an IPv6 user usually has a whole /64 (RFC 6177).
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// The hops that a request's headers name, the last one first, up to the first that is no address.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> {
    let named = match (headers.contains_key(header::FORWARDED), headers.contains_key(&X_FORWARDED_FOR)) {
        (true, false) => read(headers, &header::FORWARDED, forwarded_hops),
        (false, true) => read(headers, &X_FORWARDED_FOR, listed_hops),
        // A proxy writes one of the two and passes the other on as the client sent it.
        _ => Vec::new(),
    };
    named.into_iter().rev().map_while(|hop| hop)
}

/// Lines of one header are one list (RFC 9110 §5.3).
fn read(
    headers: &HeaderMap,
    name: &HeaderName,
    of_line: fn(&str) -> Vec<Option<IpAddr>>,
) -> Vec<Option<IpAddr>> {
    headers.get_all(name).flat_map(|line| line.to_str().map_or_else(|_| vec![None], of_line)).collect()
}

fn listed_hops(line: &str) -> Vec<Option<IpAddr>> {
    line.split(',').map(|hop| node_address(hop.trim())).collect()
}

/// `Forwarded` (RFC 7239 §4). A line whose quotes do not match says nothing: a quote that a client leaves open must not
/// swallow what the proxy wrote behind it.
fn forwarded_hops(line: &str) -> Vec<Option<IpAddr>> {
    let Some(elements) = split_unquoted(line, ',') else { return vec![None] };
    elements.into_iter().map(forwarded_for).collect()
}

/// The one `for` of an element.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split_unquoted(element, ';')? {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    match value.strip_prefix('"') {
        Some(rest) => node_address(rest.strip_suffix('"')?),
        // A token holds no colon and no bracket (RFC 9110 §5.6.2), so no IPv6 address and no port.
        None => value.parse().ok().filter(IpAddr::is_ipv4),
    }
}

/// Parts between separators outside quoted strings; none when a quoted string does not end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text
        .split(|character: char| {
            let is_separator = !quoted && character == separator;
            match character {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            is_separator
        })
        .collect();
    (!quoted).then_some(parts)
}

/// An address with or without port, an IPv6 address in brackets or, as `X-Forwarded-For` has it, bare.
fn node_address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| bracketed?.parse::<Ipv6Addr>().ok().map(IpAddr::V6));
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    const PROXY: &str = "127.0.0.1";

    fn origin(peer: &str, lines: &[(&str, &[u8])]) -> String {
        let networks = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"];
        let proxies = TrustedProxies::new(networks.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_trusted_proxy_counts() {
        let table: &[(&str, &str, &str, &str)] = &[
            // Whoever is no trusted proxy speaks for itself alone.
            ("192.0.2.1", "x-forwarded-for", "203.0.113.9", "192.0.2.1"),
            ("192.0.2.1", "forwarded", "for=203.0.113.9", "192.0.2.1"),
            ("192.0.2.1", "x-forwarded-for", "127.0.0.1", "192.0.2.1"),
            // What a client wrote stands before what the proxy wrote.
            (PROXY, "x-forwarded-for", "203.0.113.9", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "junk, 127.0.0.1, 203.0.113.9", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "198.51.100.7, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("::ffff:127.0.0.1", "x-forwarded-for", "203.0.113.9", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "::ffff:203.0.113.9", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "203.0.113.9:4711", "203.0.113.9"),
            (PROXY, "x-forwarded-for", "2001:db8:1:2:3::4", "2001:db8:1:2::"),
            (PROXY, "x-forwarded-for", "[2001:db8:1:2:3::4]:443", "2001:db8:1:2::"),
            ("fd00::1", "x-forwarded-for", "[2001:db8:1:2:3::4]", "2001:db8:1:2::"),
            (PROXY, "forwarded", "for=203.0.113.9", "203.0.113.9"),
            (PROXY, "forwarded", "For=\"203.0.113.9:80\";proto=https;by=127.0.0.1", "203.0.113.9"),
            (PROXY, "forwarded", "proto=https; FOR=203.0.113.9", "203.0.113.9"),
            (PROXY, "forwarded", "for=198.51.100.7, for=\"[2001:db8:1:2:3::4]:4711\"", "2001:db8:1:2::"),
            (PROXY, "forwarded", "for=203.0.113.9;host=\"a,b;for=198.51.100.7\"", "203.0.113.9"),
            (PROXY, "forwarded", "for=203.0.113.9, for=10.0.0.1", "203.0.113.9"),
            // All are trusted: the first of them sent it.
            (PROXY, "x-forwarded-for", "10.0.0.2, 10.0.0.1", "10.0.0.2"),
        ];
        for (peer, name, value, expected) in table {
            assert_eq!(origin(peer, &[(name, value.as_bytes())]), *expected, "{peer} {name}: {value}");
        }
        let lines: &[(&str, &[u8])] =
            &[("x-forwarded-for", b"198.51.100.7"), ("x-forwarded-for", b"203.0.113.9")];
        assert_eq!(origin(PROXY, lines), "203.0.113.9", "lines of one header are one list");
        assert_eq!(origin("2001:db8:1:2:3::4", &[]), "2001:db8:1:2::", "a /64 counts as one address");
        assert_eq!(
            TrustedProxies::default().origin(PROXY.parse().unwrap(), &HeaderMap::new()).to_string(),
            PROXY
        );
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_address_and_the_proxy_counts() {
        let table: &[(&str, &[u8])] = &[
            ("x-forwarded-for", b""),
            ("x-forwarded-for", b"unknown"),
            ("x-forwarded-for", b"203.0.113.9,"),
            ("x-forwarded-for", b"203.0.113.9, _hidden"),
            ("x-forwarded-for", b"203.0.113.9, 198.51.100.7 203.0.113.9"),
            ("x-forwarded-for", b"203.0.113.999"),
            ("x-forwarded-for", b"0313.0.113.9"),
            ("x-forwarded-for", b"2001:db8::1%eth0"),
            ("x-forwarded-for", b"[203.0.113.9]"),
            ("x-forwarded-for", b"203.0.113.9:99999"),
            ("x-forwarded-for", b"203.0.113.9\xff"),
            ("x-forwarded-for", b"evil.example"),
            ("forwarded", b"for=unknown"),
            ("forwarded", b"for=_SEVKISEK"),
            ("forwarded", b"by=203.0.113.9"),
            ("forwarded", b"203.0.113.9"),
            ("forwarded", b"for=203.0.113.9;for=198.51.100.7"),
            ("forwarded", b"for=2001:db8::1"),
            ("forwarded", b"for=203.0.113.9:80"),
            ("forwarded", b"for=\"203.0.113.9"),
            ("forwarded", b"for=\"203.0.113.9\"x"),
            // A quote that the client left open, and one that it closed behind the proxy's.
            ("forwarded", b"for=\"198.51.100.7, for=203.0.113.9"),
            ("forwarded", b"for=\"198.51.100.7, for=\"[2001:db8::1]:80\""),
            ("forwarded", b"for=\"203.0.113.9\\\""),
        ];
        for (name, value) in table {
            let shown = String::from_utf8_lossy(value);
            assert_eq!(origin(PROXY, &[(name, value)]), PROXY, "{name}: {shown}");
        }
        let both: &[(&str, &[u8])] =
            &[("forwarded", b"for=198.51.100.7"), ("x-forwarded-for", b"203.0.113.9")];
        assert_eq!(origin(PROXY, both), PROXY, "a proxy writes one of the two");
        let long = "203.0.113.9,".repeat(1000);
        assert_eq!(origin(PROXY, &[("x-forwarded-for", long.as_bytes())]), PROXY);
    }
}
