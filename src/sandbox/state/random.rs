//! A small deterministic source of numbers: equal seeds give equal runs. Not for secrets.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 96 hex digits, the shape of a login ticket.
    pub(super) fn ticket(&mut self) -> String {
        (0..6).map(|_| format!("{:016x}", self.next())).collect()
    }
}
