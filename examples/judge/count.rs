//! What was said, and what became of it.

use std::{
    collections::VecDeque,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use botroupe::sandbox::LedgerEntry;

use crate::outcome::Outcome;

/// The text with this number.
pub(crate) fn text(number: usize) -> String {
    format!("m{number}")
}

/// The reply to it.
pub(crate) fn reply(number: usize) -> String {
    format!("re: m{number}")
}

/// The number of a text.
pub(crate) fn number(text: &str) -> Option<usize> {
    text.strip_prefix('m')?.parse().ok()
}

/// A text that was said.
#[derive(Debug, Default)]
struct Said {
    /// The one-to-one conversation or group, once the service has it.
    place: Option<String>,
    replies: u32,
    handled: u32,
    is_open: bool,
}

/// Counts replies and runs of handlers for each text.
#[derive(Debug, Default)]
pub(crate) struct Count {
    said: Vec<Said>,
    /// Texts that wait for a reply, oldest first, until they are old.
    open: VecDeque<(Instant, usize)>,
    waiting: usize,
    answered: usize,
    /// Replies in another conversation than the text.
    astray: u64,
    repeats: u64,
}

/// Who waits longer for a reply does not hold up the others.
const OLD: Duration = Duration::from_secs(10);

impl Count {
    /// The number of the next text.
    pub(crate) fn next(&self) -> usize {
        self.said.len()
    }

    /// The next text was said.
    pub(crate) fn say(&mut self, now: Instant) {
        self.open.push_back((now, self.said.len()));
        self.waiting += 1;
        self.said.push(Said {
            is_open: true,
            ..Said::default()
        });
    }

    /// How many texts wait for a reply and are not old.
    pub(crate) fn waiting(&mut self, now: Instant) -> usize {
        while let Some((at, number)) = self.open.front()
            && (!self.said[*number].is_open || now.duration_since(*at) > OLD)
        {
            self.close(*number);
            self.open.pop_front();
        }
        self.waiting
    }

    fn close(&mut self, number: usize) {
        if let Some(said) = self.said.get_mut(number)
            && std::mem::take(&mut said.is_open)
        {
            self.waiting -= 1;
        }
    }

    /// Takes in an entry of the ledger. Returns true if it is a reply.
    pub(crate) fn take(&mut self, entry: &LedgerEntry) -> bool {
        if let Some(said) = number(&entry.text).and_then(|number| self.said.get_mut(number)) {
            said.place = Some(place(entry));
            return false;
        }
        let number = entry.text.strip_prefix("re: ").and_then(number);
        let Some(said) = number.and_then(|number| self.said.get_mut(number)) else {
            return false;
        };
        if said.place.as_ref() != Some(&place(entry)) {
            self.astray += 1;
        }
        said.replies += 1;
        if said.replies == 1 {
            self.answered += 1;
        }
        self.close(number.unwrap_or_default());
        true
    }

    /// How many texts have a reply.
    pub(crate) const fn answered(&self) -> usize {
        self.answered
    }

    /// Counts the repeats of the whole ledger.
    pub(crate) fn count_repeats(&mut self, entries: &[LedgerEntry]) {
        self.repeats = entries.iter().map(|entry| entry.repeats).sum();
    }

    /// Reads the lines that handlers wrote.
    pub(crate) fn read_runs(&mut self, log: &Path) -> io::Result<()> {
        for line in fs::read_to_string(log)?.lines() {
            let number: Option<usize> = line.parse().ok();
            if let Some(said) = number.and_then(|number| self.said.get_mut(number)) {
                said.handled += 1;
            }
        }
        Ok(())
    }

    /// The first texts that were said and have no reply, or more than one, with their conversation, for those who look
    /// into it.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = String> {
        let said = self.said.iter().enumerate();
        let said = said.filter_map(|(number, said)| Some((number, said, said.place.as_ref()?)));
        said.filter(|(_, said, _)| said.replies != 1)
            .take(10)
            .map(|(number, said, place)| {
                format!(
                    "{} in {place}: handled {} times, {} replies",
                    text(number),
                    said.handled,
                    said.replies
                )
            })
    }

    /// The sums. What the service did not accept was not said.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut outcome = Outcome {
            astray: self.astray,
            repeats: self.repeats,
            ..Outcome::default()
        };
        for said in self.said.iter().filter(|said| said.place.is_some()) {
            outcome.said += 1;
            match said.replies {
                0 => outcome.unanswered += 1,
                1 => outcome.once += 1,
                _ => outcome.doubled += 1,
            }
            outcome.handled[said.handled.min(2) as usize] += 1;
        }
        outcome
    }
}

/// The same for a text and its reply.
fn place(entry: &LedgerEntry) -> String {
    match (&entry.group, &entry.to) {
        (Some(group), _) => group.clone(),
        (None, Some(to)) if entry.from < *to => format!("{}, {to}", entry.from),
        (None, Some(to)) => format!("{to}, {}", entry.from),
        (None, None) => String::new(),
    }
}
