//! The addresses of this machine that links come from.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

/// `[io] bind`: links take the addresses in turn, those of the family of their target.
#[derive(Debug, Default)]
pub(super) struct Sources {
    four: Vec<IpAddr>,
    six: Vec<IpAddr>,
    next: AtomicUsize,
}

impl Sources {
    pub(super) fn new(addresses: &[IpAddr]) -> Self {
        let (four, six) = addresses.iter().partition(|address| address.is_ipv4());
        Self {
            four,
            six,
            next: AtomicUsize::new(0),
        }
    }

    /// Whether the system chooses.
    pub(super) const fn is_empty(&self) -> bool {
        self.four.is_empty() && self.six.is_empty()
    }

    const fn family(&self, to: &SocketAddr) -> &Vec<IpAddr> {
        match to {
            SocketAddr::V4(_) => &self.four,
            SocketAddr::V6(_) => &self.six,
        }
    }

    /// Whether a link can go there.
    pub(super) fn reach(&self, to: &SocketAddr) -> bool {
        self.is_empty() || !self.family(to).is_empty()
    }

    /// Every address from which a link may go there, the one whose turn it is first.
    pub(super) fn in_turn(&self, to: &SocketAddr) -> impl Iterator<Item = IpAddr> {
        let family = self.family(to);
        let first = match family.len() {
            0 | 1 => 0,
            many => self.next.fetch_add(1, Ordering::Relaxed) % many,
        };
        family
            .iter()
            .cycle()
            .skip(first)
            .take(family.len())
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_take_the_addresses_of_their_family_in_turn() {
        let of = |texts: &[&str]| {
            let addresses: Vec<IpAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
            Sources::new(&addresses)
        };
        let (four, six) = ("1.2.3.4:5", "[::1]:5");
        let turns = |sources: &Sources, to: &str| -> Vec<String> {
            let to = to.parse().unwrap();
            sources.in_turn(&to).map(|from| from.to_string()).collect()
        };
        let both = of(&["10.0.0.4", "fd00::1", "10.0.0.5"]);
        assert_eq!(turns(&both, four), ["10.0.0.4", "10.0.0.5"]);
        assert_eq!(turns(&both, six), ["fd00::1"]);
        assert_eq!(turns(&both, four), ["10.0.0.5", "10.0.0.4"]);
        assert_eq!(turns(&both, four), ["10.0.0.4", "10.0.0.5"]);
        let only_four = of(&["10.0.0.4"]);
        assert!(only_four.reach(&four.parse().unwrap()));
        assert!(!only_four.reach(&six.parse().unwrap()));
        assert!(of(&[]).reach(&six.parse().unwrap()) && of(&[]).is_empty());
    }
}
