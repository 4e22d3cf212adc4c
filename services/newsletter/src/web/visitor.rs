//! Where who acts on a page comes from: the network, when the settings keep it, and never the address.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, request::Parts},
};

use super::Pages;
use crate::settings::KeepIpAddresses;

/// What is kept of where people come from.
#[derive(Clone)]
pub struct Visitors {
    keep: KeepIpAddresses,
    header: Option<HeaderName>,
}

impl Visitors {
    /// The address is that of the connection, or what the proxy in front says in this header.
    pub const fn new(keep: KeepIpAddresses, header: Option<HeaderName>) -> Self {
        Self { keep, header }
    }

    fn network(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> String {
        match (self.keep, &self.header) {
            (KeepIpAddresses::No, _) => String::new(),
            (KeepIpAddresses::Truncated, None) => peer.map(network).unwrap_or_default(),
            // Without the proxy's word nothing is known: the connection is the proxy's own.
            (KeepIpAddresses::Truncated, Some(name)) => said(headers, name).map(network).unwrap_or_default(),
        }
    }
}

/// The network of who acts; empty when it is not kept, or not known.
pub struct Visitor(pub String);

impl FromRequestParts<Pages> for Visitor {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self(pages.visitors.network(&parts.headers, peer)))
    }
}

/// The last address in a header: what comes before it may be written by whoever calls.
fn said(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let bare = || last.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    last.parse().ok().or_else(|| last.parse().ok().map(|with_port: SocketAddr| with_port.ip())).or_else(bare)
}

/// The first 24 bits of an IPv4 address, 48 of an IPv6 address: what a provider gives to one line and more is cut off.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => of_four(address),
        IpAddr::V6(address) => match address.segments() {
            // 6to4 (RFC 3056) writes a whole IPv4 address into these 48 bits.
            [0x2002, high, low, ..] => of_four(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
            [one, two, three, ..] => format!("{}/48", Ipv6Addr::new(one, two, three, 0, 0, 0, 0, 0)),
        },
    }
}

fn of_four(address: Ipv4Addr) -> String {
    let [one, two, three, _] = address.octets();
    format!("{one}.{two}.{three}.0/24")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");

    fn of(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, value.parse().expect("a value"));
        }
        let peer = Some(IpAddr::from([192, 0, 2, 1]));
        Visitors::new(KeepIpAddresses::Truncated, Some(NAME)).network(&headers, peer)
    }

    #[test]
    fn an_address_of_either_form_becomes_its_network() {
        for (address, network) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("203.0.113.77:4711", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("[2001:db8:1:2::6]:443", "2001:db8:1::/48"),
            ("[2001:db8:1:2::6]", "2001:db8:1::/48"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2002:cb00:714d::1", "203.0.113.0/24"),
            ("::1", "::/48"),
        ] {
            assert_eq!(of(&[address]), network, "{address}");
        }
    }

    #[test]
    fn only_the_last_word_of_the_proxy_counts() {
        assert_eq!(of(&["198.51.100.1, 203.0.113.77"]), "203.0.113.0/24");
        assert_eq!(of(&["198.51.100.1", "198.51.100.2 ,203.0.113.77"]), "203.0.113.0/24");
        for nonsense in [&[][..], &[""], &["unknown"], &["203.0.113.77, unknown"], &["203.0.113.77,"], &["1.2.3"], &["fe80::1%eth0"]] {
            assert_eq!(of(nonsense), "", "{nonsense:?}");
        }
    }

    #[test]
    fn without_a_header_it_is_the_connection_and_nothing_is_kept_unless_it_is_to_be() {
        let mut headers = HeaderMap::new();
        headers.append(NAME, "203.0.113.77".parse().expect("a value"));
        let network = |keep, header| Visitors::new(keep, header).network(&headers, Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(network(KeepIpAddresses::Truncated, None), "192.0.2.0/24");
        assert_eq!([network(KeepIpAddresses::No, None), network(KeepIpAddresses::No, Some(NAME))], ["", ""]);
    }
}
