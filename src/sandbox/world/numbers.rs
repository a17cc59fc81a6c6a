//! Pseudo-random numbers for tickets, keys and names. Without the key, they can be neither
//! predicted nor traced back. Equal keys give equal sequences.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// HMAC-SHA256 of a counter.
#[derive(Clone)]
pub(crate) struct Numbers {
    key: [u8; 32],
    counter: u64,
    /// Unused numbers of the last block.
    rest: Vec<u64>,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Numbers").finish_non_exhaustive()
    }
}

fn hash(key: &[u8; 32], number: u64) -> [u8; 32] {
    // HMAC pads a key shorter than the hash block with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&number.to_be_bytes());
    mac.finalize().into_bytes().into()
}

impl Numbers {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            counter: 0,
            rest: Vec::new(),
        }
    }

    fn block(&mut self) -> [u8; 32] {
        self.counter += 1;
        hash(&self.key, self.counter)
    }

    pub(crate) fn next(&mut self) -> u64 {
        if let Some(number) = self.rest.pop() {
            return number;
        }
        let block = self.block();
        let (words, _) = block.as_chunks::<8>();
        self.rest
            .extend(words.iter().map(|word| u64::from_be_bytes(*word)));
        self.rest.pop().unwrap_or_default()
    }

    /// Derives an independent source: its numbers reveal nothing about those of `self`.
    pub(crate) fn split(&mut self, label: u64) -> Self {
        Self::new(hash(&self.block(), label))
    }

    /// Returns 96 hex digits, the format of a login ticket.
    pub(crate) fn ticket(&mut self) -> String {
        (0..6).map(|_| format!("{:016x}", self.next())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn e3_numbers_are_not_those_of_a_generator_that_can_be_turned_back() {
        let mut numbers = Numbers::new([7; 32]);
        let ticket = numbers.ticket();
        let first = u64::from_str_radix(&ticket[..16], 16).unwrap();
        // With SplitMix64, one output would reveal all earlier and later ones.
        let mut state = first;
        state ^= state >> 31 ^ state >> 62;
        state = state.wrapping_mul(0x3196_42b2_d24d_8ec3);
        state ^= state >> 27 ^ state >> 54;
        state = state.wrapping_mul(0x96de_1b17_3f11_9089);
        state ^= state >> 30 ^ state >> 60;
        let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let foretold = format!("{:016x}", z ^ (z >> 31));
        assert_ne!(&ticket[16..32], foretold);
    }

    #[test]
    fn equal_keys_give_equal_numbers_and_a_part_has_its_own() {
        let draw = |numbers: &mut Numbers| (0..100).map(|_| numbers.next()).collect::<Vec<_>>();
        let (mut one, mut other) = (Numbers::new([1; 32]), Numbers::new([1; 32]));
        assert_eq!(draw(&mut one), draw(&mut other));
        let mut part = one.split(1);
        let all: HashSet<u64> = draw(&mut one).into_iter().chain(draw(&mut part)).collect();
        assert_eq!(all.len(), 200);
        assert!(!format!("{one:?}").contains('1'));
    }
}
