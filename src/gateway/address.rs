//! The addresses of a host: how they are resolved, in which order they are tried, and which of them a stranger
//! may name.

use crate::policy::Now;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// How long a resolved name is used before it is asked for again.
const NAME_LIFE: Duration = Duration::from_secs(60);
/// Names remembered per thread; a fleet knows a handful.
const MAX_NAMES: usize = 64;

/// Addresses of one name that are tried at most.
const MAX_ADDRESSES: usize = 16;

/// The addresses of a name, in the order in which they are tried.
#[derive(Debug)]
struct Known {
    until: Duration,
    addresses: Vec<IpAddr>,
}

thread_local! {
    static NAMES: RefCell<HashMap<Box<str>, Known>> = RefCell::new(HashMap::new());
}

/// The addresses of `host`, the one that is most likely to answer first. A name is resolved once a minute
/// and thread: `getaddrinfo` per login would cost a thread each.
///
/// # Errors
/// When the name has no address.
pub(super) async fn resolve(host: &str, port: u16, now: Now) -> io::Result<Vec<SocketAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let known = NAMES.with_borrow(|names| {
        let known = names.get(bare).filter(|known| known.until > now.mono)?;
        Some(known.addresses.clone())
    });
    let addresses = match known {
        Some(addresses) => addresses,
        None => {
            let found = tokio::net::lookup_host((bare, port)).await?;
            let addresses = in_order(found.map(|address| address.ip()).collect());
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "no address"));
            }
            NAMES.with_borrow_mut(|names| {
                if names.len() >= MAX_NAMES {
                    names.clear();
                }
                let known = Known {
                    until: now.mono + NAME_LIFE,
                    addresses: addresses.clone(),
                };
                names.insert(bare.into(), known);
            });
            addresses
        }
    };
    Ok(addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

/// An address of a name did not answer: the others come first from now on.
pub(super) fn failed(host: &str, address: IpAddr) {
    NAMES.with_borrow_mut(|names| {
        let Some(known) = names.get_mut(host) else {
            return;
        };
        if let Some(at) = known.addresses.iter().position(|known| *known == address) {
            let failed = known.addresses.remove(at);
            known.addresses.push(failed);
        }
    });
}

/// No address of a name answers: it is resolved again.
pub(super) fn forget(host: &str) {
    NAMES.with_borrow_mut(|names| names.remove(host));
}

/// IPv4 and IPv6 by turns, IPv4 first: a host without IPv6 connectivity is common, one without IPv4 is not.
fn in_order(found: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut four, mut six): (Vec<IpAddr>, Vec<IpAddr>) =
        found.into_iter().partition(IpAddr::is_ipv4);
    four.dedup();
    six.dedup();
    let (mut four, mut six) = (four.into_iter(), six.into_iter());
    let mut order = Vec::new();
    loop {
        let pair = (four.next(), six.next());
        if pair == (None, None) {
            return order;
        }
        order.extend(pair.0);
        order.extend(pair.1);
        order.truncate(MAX_ADDRESSES);
    }
}

/// Whether an address belongs to the public internet: not to this machine, its networks, or a range of
/// special use.
#[must_use]
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !(is_special
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match segments {
        // Unspecified, loopback, and IPv4 in the form of old.
        [0, 0, 0, 0, 0, 0, ..] => false,
        // NAT64 and 6to4 lead to the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, ..] => false,
        [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        // What is given out as global unicast; everything else is local, multicast or unused.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// Has a name these addresses.
#[cfg(test)]
pub(super) fn remember(host: &str, addresses: &[&str]) {
    let addresses = addresses.iter().filter_map(|text| text.parse().ok());
    let known = Known {
        until: Duration::MAX,
        addresses: addresses.collect(),
    };
    NAMES.with_borrow_mut(|names| names.insert(host.into(), known));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_addresses_of_this_machine_and_its_networks_are_not_public() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn both_families_take_turns_and_ipv4_is_first() {
        let found = ["::1", "::2", "127.0.0.1"].map(|address| address.parse().unwrap());
        let order: Vec<String> = in_order(found.to_vec())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(order, ["127.0.0.1", "::1", "::2"]);
    }

    #[test]
    fn an_address_that_failed_comes_last_and_a_name_that_failed_is_asked_for_again() {
        let addresses = ["127.0.0.2", "127.0.0.1"].map(|address| address.parse().unwrap());
        remember("two.example", &["127.0.0.2", "127.0.0.1"]);
        failed("two.example", addresses[0]);
        let first = NAMES.with_borrow(|names| names["two.example"].addresses[0]);
        assert_eq!(first, addresses[1]);
        forget("two.example");
        assert!(NAMES.with_borrow(|names| !names.contains_key("two.example")));
    }
}
