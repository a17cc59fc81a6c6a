//! What people have ordered, one after the other, each entry bound to those before it.
//!
//! An entry has a hash over its content and over the hash of the entry before. Whoever changes, removes or inserts one in
//! the file would have to make all later hashes anew, and the last hash is known elsewhere: it is printed by
//! `botroupe audit verify`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// Something that was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When, in Unix seconds.
    pub at: u64,
    /// Who: the name of a token, or the owner of the control socket.
    pub who: String,
    /// From where: an address, or `control socket`.
    pub origin: String,
    /// What, as JSON.
    pub what: String,
}

/// The hash of an entry.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

impl fmt::Display for AuditHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl AuditHash {
    /// From 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// From 64 hexadecimal digits.
    fn read(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1 without a gap.
    pub number: u64,
    /// What was ordered.
    pub deed: Deed,
    /// Over all of this and the hash before.
    pub hash: AuditHash,
}

impl AuditEntry {
    /// The entry after the one with this number and hash; the first one comes after number 0.
    #[must_use]
    pub fn after(number: u64, before: &AuditHash, deed: Deed) -> Self {
        let number = number + 1;
        Self {
            number,
            hash: hash(before, number, &deed),
            deed,
        }
    }
}

fn hash(before: &AuditHash, number: u64, deed: &Deed) -> AuditHash {
    let mut hash = Sha256::new();
    hash.update(before.0);
    hash.update(number.to_be_bytes());
    hash.update(deed.at.to_be_bytes());
    for text in [&deed.who, &deed.origin, &deed.what] {
        // With its length: what is moved from one text to the next changes the hash, too.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    AuditHash(hash.finalize().into())
}

/// Entries that are looked at for a page: those who look for something rare go on from there.
pub const LOOKED_AT: usize = 20_000;

/// A page of the entries that fit, the newest first.
pub(super) struct Page<F> {
    fits: F,
    most: usize,
    entries: Vec<AuditEntry>,
    looked_at: usize,
    next: Option<u64>,
}

impl<F: Fn(&AuditEntry) -> bool> Page<F> {
    pub(super) const fn new(most: usize, fits: F) -> Self {
        Self {
            fits,
            most,
            entries: Vec::new(),
            looked_at: 0,
            next: None,
        }
    }

    /// Takes the next older entry; `false` when that was enough.
    pub(super) fn take(&mut self, entry: AuditEntry) -> bool {
        let is_full = self.entries.len() >= self.most || self.looked_at >= LOOKED_AT;
        if is_full {
            // There is this one, at least.
            self.next = Some(entry.number + 1);
            return false;
        }
        self.looked_at += 1;
        if (self.fits)(&entry) {
            self.entries.push(entry);
        }
        true
    }

    /// The entries, and the number before which it goes on.
    pub(super) fn done(self) -> (Vec<AuditEntry>, Option<u64>) {
        (self.entries, self.next)
    }
}

/// Who prunes, and from where, in the entry about it.
const PRUNER: (&str, &str) = ("the system", "[store] keep_audit");

/// The oldest entries were pruned up to this one: what is left goes on from it. It is an entry of the audit itself, so
/// that nobody can move the beginning without making all later hashes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditAnchor {
    /// The number of the last entry that was pruned.
    pub number: u64,
    /// Its hash.
    pub hash: AuditHash,
}

impl AuditAnchor {
    /// The entry about it.
    pub(super) fn deed(self, at: u64) -> Deed {
        let Self { number, hash } = self;
        let what = json!({ "pruned": { "until": number, "hash": hash.to_string() } });
        Deed {
            at,
            who: PRUNER.0.to_owned(),
            origin: PRUNER.1.to_owned(),
            what: what.to_string(),
        }
    }

    /// What an entry says about it, if it is such a one.
    pub(super) fn of(deed: &Deed) -> Option<Self> {
        if (&*deed.who, &*deed.origin) != PRUNER {
            return None;
        }
        let what: Value = serde_json::from_str(&deed.what).ok()?;
        let pruned = &what["pruned"];
        Some(Self {
            number: pruned["until"].as_u64()?,
            hash: AuditHash::read(pruned["hash"].as_str()?)?,
        })
    }
}

/// Goes through the entries in their order and finds the first that is not as it was written. What was pruned before the
/// first is told by a later entry, so that all of them have to be taken before [`finish`](Self::finish).
#[derive(Debug, Default)]
pub struct AuditCheck {
    number: u64,
    hash: AuditHash,
    /// The first entry, when there were others before it, until a later one tells their hash.
    first: Option<AuditEntry>,
    anchor: Option<AuditAnchor>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditBreak {
    /// Entries are missing before it.
    #[error("audit: entry {expected} is missing, the next one is {found}")]
    Missing {
        /// The number that should come.
        expected: u64,
        /// The number that comes.
        found: u64,
    },
    /// It, or the hash of the one before it, was changed.
    #[error("audit: entry {number} was changed, or the hash before it")]
    Changed {
        /// Its number.
        number: u64,
    },
}

impl AuditCheck {
    /// Takes the next entry.
    ///
    /// # Errors
    /// [`AuditBreak`].
    pub fn take(&mut self, entry: &AuditEntry) -> Result<(), AuditBreak> {
        if self.number == 0 && entry.number > 1 {
            // It is looked at when the hash before it is known.
            self.first = Some(entry.clone());
            (self.number, self.hash) = (entry.number, entry.hash);
            return self.anchored(entry);
        }
        let expected = self.number + 1;
        if entry.number != expected {
            return Err(AuditBreak::Missing {
                expected,
                found: entry.number,
            });
        }
        if hash(&self.hash, entry.number, &entry.deed) != entry.hash {
            return Err(AuditBreak::Changed {
                number: entry.number,
            });
        }
        self.number = entry.number;
        self.hash = entry.hash;
        self.anchored(entry)
    }

    /// Looks at the first entry if this one tells what was before it.
    fn anchored(&mut self, entry: &AuditEntry) -> Result<(), AuditBreak> {
        if let Some(first) = &self.first
            && let Some(anchor) = AuditAnchor::of(&entry.deed)
            && anchor.number + 1 == first.number
        {
            let number = first.number;
            if hash(&anchor.hash, number, &first.deed) != first.hash {
                return Err(AuditBreak::Changed { number });
            }
            self.anchor = Some(anchor);
            self.first = None;
        }
        Ok(())
    }

    /// There are no more entries. Returns from where on they hold: `None` for the very first.
    ///
    /// # Errors
    /// [`AuditBreak::Missing`] when no entry tells that those before the first were pruned.
    pub fn finish(&self) -> Result<Option<AuditAnchor>, AuditBreak> {
        match &self.first {
            Some(first) => Err(AuditBreak::Missing {
                expected: 1,
                found: first.number,
            }),
            None => Ok(self.anchor),
        }
    }

    /// All up to this entry is right.
    pub(super) fn at(entry: Option<&AuditEntry>) -> Self {
        entry.map_or_else(Self::default, |entry| Self {
            number: entry.number,
            hash: entry.hash,
            ..Self::default()
        })
    }

    /// The number of the last entry that was right, and its hash.
    #[must_use]
    pub const fn head(&self) -> (u64, AuditHash) {
        (self.number, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(whats: &[String]) -> Vec<AuditEntry> {
        let mut all: Vec<AuditEntry> = Vec::new();
        for (at, what) in whats.iter().enumerate() {
            let (number, before) = all
                .last()
                .map_or((0, AuditHash::default()), |last| (last.number, last.hash));
            let deed = Deed {
                at: 1_795_000_000 + at as u64,
                who: "shop".to_owned(),
                origin: "127.0.0.1".to_owned(),
                what: what.clone(),
            };
            all.push(AuditEntry::after(number, &before, deed));
        }
        all
    }

    fn verify(all: &[AuditEntry]) -> Result<(u64, AuditHash), AuditBreak> {
        let mut check = AuditCheck::default();
        all.iter().try_for_each(|entry| check.take(entry))?;
        check.finish()?;
        Ok(check.head())
    }

    /// The audit after its first entries were pruned.
    fn pruned(mut all: Vec<AuditEntry>, count: usize) -> Vec<AuditEntry> {
        let kept = all.split_off(count);
        let gone = all.last().unwrap();
        let anchor = AuditAnchor {
            number: gone.number,
            hash: gone.hash,
        };
        let last = kept.last().unwrap_or(gone);
        let told = AuditEntry::after(last.number, &last.hash, anchor.deed(1_796_000_000));
        kept.into_iter().chain([told]).collect()
    }

    #[test]
    fn a_pruned_audit_holds_from_its_anchor_on_which_is_an_entry_itself() {
        let whats: Vec<String> = (1..=6).map(|n| n.to_string()).collect();
        let all = chain(&whats);
        let head = |all: &[AuditEntry]| all.last().map(|last| (last.number, last.hash)).unwrap();
        let once = pruned(all.clone(), 2);
        assert_eq!(verify(&once), Ok(head(&once)));
        let mut check = AuditCheck::default();
        once.iter().for_each(|entry| check.take(entry).unwrap());
        let anchor = check.finish().unwrap().unwrap();
        assert_eq!((anchor.number, anchor.hash), (2, all[1].hash));
        // Again, and everything.
        let twice = pruned(once.clone(), 3);
        assert_eq!(verify(&twice), Ok(head(&twice)));
        let whole = pruned(all.clone(), 6);
        assert_eq!((whole.len(), verify(&whole)), (1, Ok(head(&whole))));
        // Nothing tells that these are gone.
        let missing = |found| Err(AuditBreak::Missing { expected: 1, found });
        assert_eq!(verify(&all[2..]), missing(3));
        assert_eq!(verify(&once[1..]), missing(4));
        // One is changed, its own hash with it.
        let mut other = once.clone();
        other[0] = AuditEntry::after(2, &AuditHash::default(), other[0].deed.clone());
        other[1] = AuditEntry::after(3, &other[0].hash, other[1].deed.clone());
        assert!(verify(&other).is_err());
        // Somebody else says so.
        let mut told = anchor.deed(0);
        told.who = "shop".to_owned();
        assert_eq!(AuditAnchor::of(&told), None);
    }

    #[test]
    fn a_page_ends_when_it_is_full_or_has_looked_for_long_enough() {
        let whats: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        let all = chain(&whats);
        let page = |most, before: u64, fits: fn(&AuditEntry) -> bool| {
            let mut page = Page::new(most, fits);
            let mut older = all.iter().rev().filter(|it| it.number < before).cloned();
            let _ = older.all(|entry| page.take(entry));
            let (entries, next) = page.done();
            let numbers: Vec<u64> = entries.iter().map(|it| it.number).collect();
            (numbers, next)
        };
        assert_eq!(page(4, u64::MAX, |_| true), (vec![9, 8, 7, 6], Some(6)));
        assert_eq!(page(5, 6, |_| true), (vec![5, 4, 3, 2, 1], None));
        assert_eq!(page(4, 5, |it| it.number == 3), (vec![3], None));
        let mut long = Page::new(1, |_: &AuditEntry| false);
        let taken = (0..LOOKED_AT).filter(|_| long.take(all[8].clone())).count();
        assert_eq!((taken, long.take(all[7].clone())), (LOOKED_AT, false));
        assert_eq!(long.done(), (vec![], Some(9)));
    }

    proptest! {
        #[test]
        fn whatever_is_changed_removed_or_swapped_is_found(
            whats in prop::collection::vec("[a-z]{0,8}", 2..12),
            at in any::<prop::sample::Index>(),
            how in 0_u8..6,
        ) {
            let all = chain(&whats);
            let last = all.last().unwrap();
            prop_assert_eq!(verify(&all), Ok((last.number, last.hash)));
            let mut other = all.clone();
            let at = at.index(all.len());
            match how {
                0 => other[at].deed.what.push('x'),
                1 => other[at].deed.at += 1,
                2 => other[at].deed.who = "shopx".to_owned(),
                3 => {
                    // A letter moves from one text to the next.
                    other[at].deed.who = "sho".to_owned();
                    other[at].deed.origin = "p127.0.0.1".to_owned();
                }
                4 => drop(other.remove(at)),
                _ => other[at].hash.0[7] ^= 1,
            }
            // Of the last entry nobody can tell that it is gone but by the head.
            if how == 4 && at == all.len() - 1 {
                prop_assert_ne!(verify(&other).unwrap(), (last.number, last.hash));
            } else {
                prop_assert!(verify(&other).is_err());
            }
        }
    }
}
