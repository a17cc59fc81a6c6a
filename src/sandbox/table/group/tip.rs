//! Tips to a whole group, and notices to single accounts.

use crate::policy::Now;

/// The subject of a tip.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tip {
    Joined = 1,
    Quit = 2,
    Kicked = 3,
    AdminGranted = 4,
    AdminRevoked = 5,
    Profile = 6,
    Member = 7,
    Banned = 10,
    Unbanned = 11,
    Pinned = 16,
    Unpinned = 17,
}

/// The subject of a notice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Notice {
    Application = 1,
    Accepted = 2,
    Refused = 3,
    Kicked = 4,
    Dismissed = 5,
    Created = 6,
    Invited = 7,
    Quit = 8,
    AdminGranted = 9,
    AdminRevoked = 10,
    InviteRequest = 12,
    TopicCreated = 17,
    TopicDeleted = 18,
    Banned = 21,
    Custom = 255,
}

/// Unix microseconds, which fit a JSON number.
pub(crate) fn micros(now: Now) -> u64 {
    u64::try_from(now.unix.as_micros()).unwrap_or(u64::MAX)
}
