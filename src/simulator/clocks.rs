//! The wall clocks of the accounts' machines, which differ from the server's.
//!
//! Each account has a machine of its own here, with a clock that is off by seconds, some by minutes,
//! a few by as much as an hour. Deadlines are monotonic and not touched; what a wrong clock spoils
//! is UserSigs: one that was minted "in the past" ends too early for the server, and counts as void
//! when the server has made void what is older than an hour that is yet to come.

/// How the clocks of the accounts' machines differ from the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clocks {
    /// All show the server's time.
    #[default]
    Exact,
    /// Nine in ten are off by up to five seconds, most others by up to ten minutes, one in fifty by
    /// up to an hour; forward or backward.
    Skewed,
}

impl Clocks {
    /// Draws the offset of one clock in milliseconds, positive when it is fast.
    pub(super) fn draw(self, rng: &mut fastrand::Rng) -> i64 {
        let Self::Skewed = self else {
            return 0;
        };
        let most = match rng.u32(0..100) {
            0..90 => 5_000,
            90..98 => 600_000,
            _ => 3_600_000,
        };
        rng.i64(-most..=most)
    }
}
