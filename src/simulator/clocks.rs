//! The wall clocks of the accounts' machines, which differ from the server's clock.
//!
//! Each account has its own machine. Most clocks are wrong by seconds, some by minutes, and a few
//! by up to an hour. Deadlines use the monotonic clock and are not affected. A wrong clock affects
//! UserSigs: one minted "in the past" expires too early on the server. It also counts as revoked if
//! the server has revoked all UserSigs issued before a time that the slow clock has not reached
//! yet.

/// The clock skew of the accounts' machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clocks {
    /// All clocks show the server time.
    #[default]
    Exact,
    /// 90 % of the clocks are wrong by up to five seconds, 8 % by up to ten minutes, and 2 % by up
    /// to an hour, in either direction.
    Skewed,
}

impl Clocks {
    /// Draws the offset of one clock in milliseconds. It is positive for a fast clock.
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
