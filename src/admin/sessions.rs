//! Logins of the console, and the links that lead to one.
//!
//! A session is a random text that the page keeps for itself and sends as a token. It is no cookie: browsers send those
//! to every port of a host, and with requests that other sites make.

use std::collections::HashMap;
use std::time::Duration;

/// How long a link can be used.
pub(super) const LINK_LIFE: Duration = Duration::from_secs(60);
/// How long a session lasts.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Links and sessions that are known at a time.
const MOST: usize = 256;

/// The hash of a secret text.
pub(super) type Hash = [u8; 32];

/// With what a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// With a link that the owner has made.
    Link,
    /// With the token of this hash.
    Token(Hash),
}

/// See the module. Only hashes are kept. Times are those of one monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    links: HashMap<Hash, Duration>,
    sessions: HashMap<Hash, (Origin, Duration)>,
}

impl Sessions {
    /// A link was made.
    pub(super) fn add_link(&mut self, now: Duration, link: Hash) {
        self.tidy(now);
        make_room(&mut self.links, |ends| *ends);
        self.links.insert(link, now + LINK_LIFE);
    }

    /// Somebody comes over a link. It leads in once.
    pub(super) fn use_link(&mut self, now: Duration, link: &Hash) -> bool {
        self.links.remove(link).is_some_and(|ends| now < ends)
    }

    /// Somebody has logged in.
    pub(super) fn begin(&mut self, now: Duration, session: Hash, origin: Origin) {
        self.tidy(now);
        make_room(&mut self.sessions, |(_, ends)| *ends);
        self.sessions.insert(session, (origin, now + SESSION_LIFE));
    }

    /// With what the session began.
    pub(super) fn find(&self, now: Duration, session: &Hash) -> Option<Origin> {
        let (origin, ends) = self.sessions.get(session)?;
        (now < *ends).then_some(*origin)
    }

    /// Somebody has logged out.
    pub(super) fn end(&mut self, session: &Hash) {
        self.sessions.remove(session);
    }

    fn tidy(&mut self, now: Duration) {
        self.links.retain(|_, ends| now < *ends);
        self.sessions.retain(|_, (_, ends)| now < *ends);
    }
}

/// Removes what ends first when there are too many.
fn make_room<T>(all: &mut HashMap<Hash, T>, ends: fn(&T) -> Duration) {
    while all.len() >= MOST {
        let first = all.iter().min_by_key(|(_, item)| ends(item));
        match first.map(|(hash, _)| *hash) {
            Some(hash) => all.remove(&hash),
            None => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Hash = [1; 32];

    #[test]
    fn a_link_leads_in_once_and_for_a_minute() {
        let mut sessions = Sessions::default();
        let start = Duration::from_secs(5);
        assert!(!sessions.use_link(start, &A));
        sessions.add_link(start, A);
        assert!(sessions.use_link(start, &A));
        assert!(!sessions.use_link(start, &A));
        sessions.add_link(start, A);
        assert!(!sessions.use_link(start + LINK_LIFE, &A));
    }

    #[test]
    fn a_session_ends_with_its_time_or_when_it_is_ended() {
        let mut sessions = Sessions::default();
        let start = Duration::from_secs(5);
        sessions.begin(start, A, Origin::Link);
        assert_eq!(sessions.find(start, &A), Some(Origin::Link));
        assert_eq!(sessions.find(start + SESSION_LIFE, &A), None);
        sessions.end(&A);
        assert_eq!(sessions.find(start, &A), None);
    }

    #[test]
    fn there_are_never_more_than_allowed_and_the_newest_stay() {
        let mut sessions = Sessions::default();
        for number in 0..=MOST {
            let mut hash = A;
            hash[..8].copy_from_slice(&number.to_le_bytes());
            sessions.begin(Duration::from_secs(number as u64), hash, Origin::Link);
        }
        assert_eq!(sessions.sessions.len(), MOST);
        let mut oldest = A;
        oldest[..8].copy_from_slice(&0_usize.to_le_bytes());
        assert_eq!(sessions.find(Duration::ZERO, &oldest), None);
    }
}
