//! What a message says while its text comes, and when it is edited. Pure.

use crate::proto::message::{MAX_HEALING, heal_markdown, split_off, text_cost};
use std::collections::VecDeque;
use std::time::Duration;

/// How long the first words are collected: a message of half a word tells nobody anything.
const GATHER: Duration = Duration::from_millis(500);
/// Messages that a reply fills at most.
const MAX_PARTS: u64 = 16;
/// Bytes that a message keeps free for a mark.
const MARK: usize = 400;
/// Bytes that have to come after a message is full: a line that closes a block of code belongs to it.
const SLACK: usize = 80;
/// After so many failures in a row edits are given up.
const MAX_FAILURES: u32 = 6;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The message is to say this.
    Show(String),
    /// Nothing, until this time at the latest or until more comes.
    Wait(Option<Duration>),
    /// Nothing any more.
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Growth {
    /// Bytes that the text of a message may take, as JSON.
    room: usize,
    /// What comes at the end.
    ending: String,
    pace: Duration,
    /// Everything that has come, after what it begins with, which takes so many bytes.
    whole: String,
    begins: usize,
    /// What the message that grows says, with what opens a block of code again.
    open: String,
    /// Messages that are full, or the last, and are not shown yet; and up to where of everything they go.
    full: VecDeque<(String, usize)>,
    has_ended: bool,
    /// There is no room for more.
    is_cut: bool,
    /// What the message says now; `None` before it is sent.
    shown: Option<String>,
    /// Up to where everything was shown.
    shown_to: usize,
    /// The number of the message, from 0.
    part: u64,
    due: Option<Duration>,
    failures: u32,
    given_up: bool,
}

impl Growth {
    /// A reply whose messages have this `room`, which begins with a text.
    pub(super) fn new(begins: String, ending: String, room: usize, pace: Duration) -> Self {
        Self {
            room,
            ending,
            pace,
            begins: begins.len(),
            whole: begins.clone(),
            open: begins,
            full: VecDeque::new(),
            has_ended: false,
            is_cut: false,
            shown: None,
            shown_to: 0,
            part: 0,
            due: None,
            failures: 0,
            given_up: false,
        }
    }

    /// Bytes that a message is filled with.
    fn filling(&self) -> usize {
        let ending = text_cost(&self.ending).min(self.room / 2);
        let kept = MAX_HEALING + MARK + SLACK + ending;
        self.room.saturating_sub(kept).max(self.room / 4)
    }

    // ── questions ────────────────────────────────────────────────────────────────────────────

    /// The number of the message, from 0.
    pub(super) const fn part(&self) -> u64 {
        self.part
    }

    /// Whether nothing but spaces has come.
    pub(super) fn is_blank(&self) -> bool {
        let came = self.whole.get(self.begins..).unwrap_or_default();
        came.trim().is_empty()
    }

    /// Whether no message was shown.
    pub(super) const fn is_unseen(&self) -> bool {
        self.part == 0 && self.shown.is_none()
    }

    /// Whether something was left out because there is no room for more.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The number of messages that are begun or full.
    fn parts(&self) -> u64 {
        let waiting = u64::try_from(self.full.len()).unwrap_or(u64::MAX);
        self.part.saturating_add(waiting).saturating_add(1)
    }

    /// What was not shown because edits were given up, after the end.
    pub(super) fn rest(&self) -> Option<String> {
        let rest = self.whole.get(self.shown_to..)?.trim_start();
        (self.given_up && self.has_ended && !rest.is_empty()).then(|| rest.to_owned())
    }

    /// Everything, after the end.
    pub(super) fn into_whole(mut self) -> String {
        match (self.full.pop_front(), self.full.is_empty()) {
            // Of one message the marks are closed.
            (Some((text, _)), true) => text,
            _ => self.whole,
        }
    }

    /// What is to be done.
    pub(super) fn next(&mut self, now: Duration) -> Step {
        if self.given_up {
            return match self.has_ended {
                true => Step::Over,
                false => Step::Wait(None),
            };
        }
        while let Some((text, _)) = self.full.front()
            && self.shown.as_ref() == Some(text)
        {
            self.filled();
        }
        let text = match self.full.front() {
            Some((text, _)) => text.clone(),
            None if self.has_ended => return Step::Over,
            None if self.is_blank() => return Step::Wait(None),
            None => {
                let healed = heal_markdown(&self.open);
                if healed.trim().is_empty() {
                    return Step::Wait(None);
                }
                self.with_ending(healed.trim_end())
            }
        };
        if self.shown.as_ref() == Some(&text) {
            return Step::Wait(None);
        }
        let is_early = self.is_unseen() && self.has_ended;
        match self.due {
            Some(due) if now < due && !is_early => Step::Wait(Some(due)),
            _ => Step::Show(text),
        }
    }

    fn with_ending(&self, text: &str) -> String {
        match self.ending.as_str() {
            "" => text.to_owned(),
            ending => format!("{text}\n{ending}"),
        }
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// A piece came.
    pub(super) fn push(&mut self, now: Duration, piece: &str) {
        if self.due.is_none() && !piece.trim().is_empty() {
            self.due = Some(now + GATHER);
        }
        if self.is_cut {
            return;
        }
        self.whole.push_str(piece);
        self.open.push_str(piece);
        let filling = self.filling();
        while text_cost(&self.open) > filling + SLACK
            && let Some((part, rest)) = split_off(&self.open, filling)
        {
            let before = match self.whole.ends_with(&rest) {
                true => 0,
                // The line that opens a block of code again.
                false => rest.find('\n').map_or(0, |end| end + 1),
            };
            let end = (self.whole.len() + before).saturating_sub(rest.len());
            if self.parts() >= MAX_PARTS {
                self.is_cut = true;
                self.whole.truncate(end);
                self.open = part;
                return;
            }
            if !part.trim().is_empty() {
                self.full.push_back((part, end));
            }
            self.open = rest;
        }
    }

    /// Nothing more comes; a mark says why, if it has broken off.
    pub(super) fn end(&mut self, mark: Option<&str>) {
        let is_blank = self.is_blank();
        self.has_ended = true;
        if let Some(mark) = mark {
            let open = heal_markdown(&self.open);
            let open = format!("{}\n{mark}", open.trim_end());
            self.open = open;
            self.whole = format!("{}\n{mark}", self.whole.trim_end());
        }
        if !self.ending.is_empty() && !is_blank {
            self.whole = self.with_ending(self.whole.trim_end());
            self.open = self.with_ending(self.open.trim_end());
        }
        let mut open = std::mem::take(&mut self.open);
        while let Some((part, rest)) = split_off(&open, self.room) {
            self.full.push_back((part, self.whole.len()));
            open = rest;
        }
        let last = open.trim_end();
        if !last.trim().is_empty() && !is_blank {
            self.full.push_back((last.to_owned(), self.whole.len()));
        }
    }

    /// The message says this now.
    pub(super) fn shown(&mut self, now: Duration, text: String) {
        self.failures = 0;
        self.due = Some(now + self.pace);
        let is_last = self.full.front().is_some_and(|(full, _)| *full == text);
        self.shown = Some(text);
        if is_last {
            self.filled();
        } else {
            self.shown_to = self.whole.len();
        }
    }

    /// The message says all that it will.
    fn filled(&mut self) {
        if let Some((_, end)) = self.full.pop_front() {
            self.shown_to = end;
        }
        if !(self.has_ended && self.full.is_empty()) {
            self.part += 1;
            self.shown = None;
        }
    }

    /// The message could not be edited. Without a `hope` it is not tried again.
    pub(super) fn failed(&mut self, now: Duration, hope: bool) {
        self.failures += 1;
        let wait = self.pace * 2_u32.saturating_pow(self.failures - 1);
        self.due = Some(now + wait);
        self.given_up |= !hope || self.failures >= MAX_FAILURES;
    }

    /// Whether edits were given up.
    pub(super) const fn is_given_up(&self) -> bool {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    fn growth(room: usize) -> Growth {
        Growth::new(String::new(), String::new(), room, SECOND)
    }

    fn show(growth: &mut Growth, now: Duration) -> String {
        match growth.next(now) {
            Step::Show(text) => {
                growth.shown(now, text.clone());
                text
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_is_sent_with_the_first_words_and_edited_at_its_pace() {
        let mut growth = growth(12_000);
        assert_eq!(growth.next(ms(0)), Step::Wait(None));
        growth.push(ms(0), " ");
        assert_eq!(growth.next(ms(0)), Step::Wait(None), "nothing to see");
        growth.push(ms(100), "Hello");
        assert_eq!(growth.next(ms(100)), Step::Wait(Some(ms(600))));
        growth.push(ms(200), " **wor");
        assert_eq!(show(&mut growth, ms(600)), " Hello **wor**");
        assert_eq!(growth.next(ms(700)), Step::Wait(None), "nothing new");
        growth.push(ms(700), "ld**");
        assert_eq!(growth.next(ms(700)), Step::Wait(Some(ms(1600))));
        assert_eq!(show(&mut growth, ms(1600)), " Hello **world**");
        growth.push(ms(1700), "!\n");
        growth.end(None);
        assert_eq!(growth.next(ms(1700)), Step::Wait(Some(ms(2600))));
        assert_eq!(show(&mut growth, ms(2600)), " Hello **world**!");
        assert_eq!(growth.next(ms(2600)), Step::Over);
        assert_eq!((growth.part(), growth.rest()), (0, None));
    }

    #[test]
    fn the_end_needs_no_edit_when_it_is_shown() {
        let mut growth = growth(12_000);
        growth.push(ms(0), "all");
        show(&mut growth, ms(500));
        growth.end(None);
        assert_eq!(growth.next(ms(500)), Step::Over);
    }

    #[test]
    fn a_mark_closes_what_is_open_and_stands_before_the_ending() {
        let mut growth = Growth::new("@bob ".into(), "(AI)".into(), 12_000, SECOND);
        assert_eq!(growth.next(ms(500)), Step::Wait(None));
        growth.push(ms(0), "**no");
        assert_eq!(show(&mut growth, ms(500)), "@bob **no**\n(AI)");
        let mut growth = Growth::new(String::new(), "(AI)".into(), 12_000, SECOND);
        growth.push(ms(0), "```\nlet a");
        assert_eq!(show(&mut growth, ms(500)), "```\nlet a\n```\n(AI)");
        growth.end(Some("(broke off)"));
        let last = show(&mut growth, ms(1500));
        assert_eq!(last, "```\nlet a\n```\n(broke off)\n(AI)");
    }

    #[test]
    fn a_text_that_is_too_long_goes_on_in_the_next_message() {
        let mut growth = growth(2_000);
        let mut shown: Vec<(u64, String)> = Vec::new();
        let (mut now, mut all) = (ms(0), String::new());
        for number in 0..600 {
            let piece = format!("word{number} ");
            all.push_str(&piece);
            growth.push(now, &piece);
            now += ms(100);
            let part = growth.part();
            if let Step::Show(text) = growth.next(now) {
                growth.shown(now, text.clone());
                shown.push((part, text));
            }
        }
        growth.end(None);
        loop {
            let part = growth.part();
            match growth.next(now) {
                Step::Show(text) => {
                    growth.shown(now, text.clone());
                    shown.push((part, text));
                }
                Step::Wait(until) => now = until.unwrap(),
                Step::Over => break,
            }
        }
        let last = |part| shown.iter().rev().find(|(of, _)| *of == part);
        let parts: Vec<&str> = (0..)
            .map_while(last)
            .map(|(_, text)| text.as_str())
            .collect();
        assert!(parts.len() > 2 && parts.iter().all(|part| text_cost(part) <= 2_000));
        let words: Vec<&str> = parts
            .iter()
            .flat_map(|part| part.split_whitespace())
            .collect();
        assert_eq!(words, all.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn there_is_an_end_to_messages() {
        let mut growth = growth(2_000);
        growth.push(ms(0), &"word ".repeat(100_000));
        assert!(growth.is_cut());
        growth.push(ms(0), "more");
        growth.end(Some("(too long)"));
        let mut parts = 0;
        let mut now = ms(500);
        let last = loop {
            let text = show(&mut growth, now);
            now += SECOND;
            parts += 1;
            if growth.next(now) == Step::Over {
                break text;
            }
        };
        assert_eq!(parts, MAX_PARTS);
        assert!(last.ends_with("word\n(too long)"));
    }

    #[test]
    fn edits_are_tried_again_later_each_time_and_given_up_at_last() {
        let mut growth = growth(12_000);
        growth.push(ms(0), "one");
        show(&mut growth, ms(500));
        growth.push(ms(600), " two");
        growth.failed(ms(2000), true);
        assert_eq!(growth.next(ms(2000)), Step::Wait(Some(ms(3000))));
        growth.failed(ms(3000), true);
        assert_eq!(growth.next(ms(3000)), Step::Wait(Some(ms(5000))));
        assert_eq!(show(&mut growth, ms(5000)), "one two");
        growth.push(ms(5000), " three");
        for _ in 1..MAX_FAILURES {
            growth.failed(ms(6000), true);
            assert!(!growth.is_given_up());
        }
        growth.failed(ms(6000), true);
        assert_eq!(growth.next(ms(99_000)), Step::Wait(None));
        growth.push(ms(6000), " four");
        growth.end(None);
        assert_eq!(growth.next(ms(99_000)), Step::Over);
        assert_eq!(growth.rest().as_deref(), Some("three four"));
    }
}
