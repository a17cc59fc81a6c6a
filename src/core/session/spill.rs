//! What the server does not keep and the bots have no room for: it goes to the store, and comes back in its order
//! when there is room.
//!
//! Pure: it decides what is written down, what is read back when, and what is too much. Each line (a conversation,
//! or the updates of the account) has an order of its own; lines take turns. Only so much as has room soon is in
//! memory, the rest is in the store, of which this machine knows no more than how much it is.

use crate::ledger::{SpillLine, Spilled, SpilledLine};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

/// How much of one line is read at a time.
pub(crate) const PAGE: usize = 32;
/// Between a read that failed and the next.
const AGAIN: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Spill {
    lines: BTreeMap<SpillLine, Backlog>,
    /// Lines of which something was read and not handed out.
    ready: BTreeSet<SpillLine>,
    /// Lines of which nothing is in memory and something in the store.
    unread: BTreeSet<SpillLine>,
    /// The line that had the last turn.
    last: Option<SpillLine>,
    /// The line that is being read.
    reading: Option<SpillLine>,
    /// When a read that failed is tried again.
    again: Option<Duration>,
    /// What the bots have, by the identity of the message or the number of the update.
    out: HashMap<Name, Out>,
    /// How many updates are among that.
    updates_out: usize,
    bytes: u64,
}

/// What something is known by that the bots have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Message(u64),
    Update(u64),
}

/// One line.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
struct Backlog {
    /// What is on its way to the store, and its bytes: nothing of it can be read yet.
    announced: (u64, u64),
    /// How much of it is in the store.
    count: u64,
    /// How much of that was handed out.
    handed: u64,
    /// What was read last.
    after: u64,
    /// How much was there to read when it was asked for.
    asked: u64,
    ready: VecDeque<Spilled>,
}

impl Backlog {
    const fn is_empty(&self) -> bool {
        self.count == 0 && self.announced.0 == 0
    }

    /// How much is in the store and not read.
    fn unread(&self) -> u64 {
        self.count
            .saturating_sub(self.handed + self.ready.len() as u64)
    }
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Out {
    number: u64,
    line: SpillLine,
    bytes: u64,
}

impl Spill {
    /// With what an earlier process has left.
    pub(super) fn recovered(found: Vec<SpilledLine>) -> Self {
        let mut spill = Self::default();
        for SpilledLine { line, count, bytes } in found {
            spill.bytes += bytes;
            spill.unread.insert(line.clone());
            let backlog = Backlog {
                count,
                ..Backlog::default()
            };
            spill.lines.insert(line, backlog);
        }
        spill
    }

    /// Nothing of it is in the store.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The bytes of everything that is in the store.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many updates the bots have.
    pub(super) const fn updates_out(&self) -> usize {
        self.updates_out
    }

    /// Whether something of the line is still to be handed out, so that what is newer has to queue behind it.
    pub(super) fn has(&self, line: &SpillLine) -> bool {
        let backlog = self.lines.get(line);
        backlog.is_some_and(|backlog| backlog.announced.0 > 0)
            || self.ready.contains(line)
            || self.unread.contains(line)
            || self.reading.as_ref() == Some(line)
    }

    /// Something is going to be written to the store: [`written`](Self::written) says when it can be read.
    pub(super) fn announce(&mut self, line: SpillLine, bytes: u64) {
        self.bytes += bytes;
        let backlog = self.lines.entry(line).or_default();
        backlog.announced = (backlog.announced.0 + 1, backlog.announced.1 + bytes);
    }

    /// What was announced first of what is not written is with the store.
    pub(super) fn written(&mut self, line: &SpillLine, bytes: u64) {
        let Some(backlog) = self.lines.get_mut(line) else {
            return;
        };
        let (count, of) = &mut backlog.announced;
        *count = count.saturating_sub(1);
        *of = of.saturating_sub(bytes);
        backlog.count += 1;
        if backlog.ready.is_empty() && self.reading.as_ref() != Some(line) {
            self.unread.insert(line.clone());
        }
    }

    /// Whoever announced something is gone: what is not written will not be.
    pub(super) fn writer_died(&mut self) {
        for backlog in self.lines.values_mut() {
            let (_, bytes) = std::mem::take(&mut backlog.announced);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        self.lines.retain(|_, backlog| backlog.count > 0);
    }

    /// The next that is handed out, of a line that has room; if there `is_full`, only updates may have some. Give it a [`Name`] with [`out`](Self::out), or say that it
    /// is [`over`](Self::remove).
    pub(super) fn next(
        &mut self,
        is_full: bool,
        has_room: impl FnMut(&SpillLine) -> bool,
    ) -> Option<Spilled> {
        let line = turn_of(&self.ready, self.last.as_ref(), is_full, has_room)?;
        let backlog = self.lines.get_mut(&line)?;
        let spilled = backlog.ready.pop_front();
        backlog.handed += u64::from(spilled.is_some());
        if backlog.ready.is_empty() {
            self.ready.remove(&line);
            if backlog.unread() > 0 {
                self.unread.insert(line.clone());
            }
        }
        self.last = Some(line);
        spilled
    }

    /// The bots have it.
    pub(super) fn out(&mut self, name: Name, spilled: &Spilled) {
        self.updates_out += usize::from(matches!(name, Name::Update(_)));
        let out = Out {
            number: spilled.number,
            line: spilled.line.clone(),
            bytes: spilled.bytes(),
        };
        self.out.insert(name, out);
    }

    /// Whether the bots have a message of this identity that comes from here.
    pub(super) fn is_out(&self, name: Name) -> bool {
        self.out.contains_key(&name)
    }

    /// The bots are done with it (`done`), or one of them will not handle it: then it stays in the store, and comes
    /// again with the next host of the bots. Returns what is to be removed from the store.
    pub(super) fn finish(&mut self, name: Name, done: bool) -> Option<u64> {
        let Out {
            number,
            line,
            bytes,
        } = self.out.remove(&name)?;
        self.updates_out -= usize::from(matches!(name, Name::Update(_)));
        if !done {
            return None;
        }
        self.remove(&line, bytes);
        Some(number)
    }

    /// Something that was handed out is no longer in the store.
    pub(super) fn remove(&mut self, line: &SpillLine, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(backlog) = self.lines.get_mut(line) {
            backlog.count = backlog.count.saturating_sub(1);
            backlog.handed = backlog.handed.saturating_sub(1);
            if backlog.is_empty() {
                self.forget(line);
            }
        }
    }

    fn forget(&mut self, line: &SpillLine) {
        self.lines.remove(line);
        self.ready.remove(line);
        self.unread.remove(line);
        if self.lines.is_empty() {
            self.bytes = 0;
        }
    }

    /// What is to be read from the store: the line, and after which number. One read at a time.
    pub(super) fn poll_read(
        &mut self,
        now: Duration,
        is_full: bool,
        has_room: impl FnMut(&SpillLine) -> bool,
    ) -> Option<(SpillLine, u64)> {
        if self.reading.is_some() || self.again.is_some_and(|again| now < again) {
            return None;
        }
        self.again = None;
        let line = turn_of(&self.unread, self.last.as_ref(), is_full, has_room)?;
        self.unread.remove(&line);
        let backlog = self.lines.get_mut(&line)?;
        backlog.asked = backlog.unread();
        let after = backlog.after;
        self.reading = Some(line.clone());
        Some((line, after))
    }

    /// When [`poll_read`](Self::poll_read) may have something to say without another input.
    pub(super) const fn read_at(&self) -> Option<Duration> {
        self.again
    }

    /// What was asked for was read; `None` when it could not be.
    pub(super) fn read(&mut self, now: Duration, line: &SpillLine, found: Option<Vec<Spilled>>) {
        if self.reading.as_ref() != Some(line) {
            return; // Asked for by somebody who is gone.
        }
        self.reading = None;
        let Some(backlog) = self.lines.get_mut(line) else {
            return;
        };
        match found {
            None => {
                self.again = Some(now + AGAIN);
                self.unread.insert(line.clone());
            }
            Some(found) if found.is_empty() => {
                // It is not there: somebody has emptied the store. What came meanwhile is.
                backlog.count = backlog.count.saturating_sub(backlog.asked);
                if backlog.is_empty() {
                    self.forget(line);
                } else if backlog.unread() > 0 {
                    self.unread.insert(line.clone());
                }
            }
            Some(found) => {
                if let Some(last) = found.last() {
                    backlog.after = last.number;
                }
                backlog.ready.extend(found);
                self.ready.insert(line.clone());
            }
        }
    }

    /// The actor that was to read is gone.
    pub(super) fn reader_died(&mut self) {
        self.again = None;
        if let Some(line) = self.reading.take() {
            self.unread.insert(line);
        }
    }

    /// The bots died: everything that is in the store is handed out again, from the start.
    pub(super) fn bots_died(&mut self) {
        (self.out, self.updates_out, self.reading) = (HashMap::new(), 0, None);
        self.ready = BTreeSet::new();
        for (line, backlog) in &mut self.lines {
            (backlog.handed, backlog.after) = (0, 0);
            backlog.ready = VecDeque::new();
            if backlog.count > 0 {
                self.unread.insert(line.clone());
            }
        }
    }
}

/// The next line after the one that had the last turn, and then from the first on, that has room. Of many lines few have
/// none while there is some (a conversation that is full has an eighth of all the room), so none are looked at otherwise.
fn turn_of(
    lines: &BTreeSet<SpillLine>,
    last: Option<&SpillLine>,
    is_full: bool,
    mut has_room: impl FnMut(&SpillLine) -> bool,
) -> Option<SpillLine> {
    if is_full {
        return lines
            .get(&SpillLine::Updates)
            .filter(|line| has_room(line))
            .cloned();
    }
    let after = last.map_or(Bound::Unbounded, Bound::Excluded);
    let later = lines.range((after, Bound::Unbounded));
    let mut found = later.chain(lines.iter()).take(lines.len());
    found.find(|line| has_room(line)).cloned()
}

#[cfg(test)]
#[path = "tests/spill.rs"]
mod tests;
