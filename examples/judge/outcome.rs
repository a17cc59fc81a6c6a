//! The result of a run, and the table of results.

use std::{fmt::Write, time::Duration};

/// What came of the texts of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) said: u64,
    /// Texts without a reply.
    pub(crate) unanswered: u64,
    /// Texts with one reply, and with more.
    pub(crate) once: u64,
    pub(crate) doubled: u64,
    /// Replies of which the bots say themselves that nobody knows whether they were sent.
    pub(crate) unknown: u64,
    /// Replies in another conversation than their text.
    pub(crate) astray: u64,
    /// Texts that were handled not at all, once, and more often.
    pub(crate) handled: [u64; 3],
    /// Repeated sends that the service recognised.
    pub(crate) repeats: u64,
    pub(crate) kills: u64,
    /// Processes that ended though nobody killed them.
    pub(crate) deaths: u64,
    pub(crate) restarts: u64,
    pub(crate) outages: u64,
    pub(crate) took: Duration,
}

impl Outcome {
    /// Texts without a reply that are not accounted for as unknown.
    pub(crate) const fn lost(&self) -> u64 {
        self.unanswered.saturating_sub(self.unknown)
    }

    /// Adds another run.
    pub(crate) fn add(&mut self, other: &Self) {
        self.said += other.said;
        self.unanswered += other.unanswered;
        self.once += other.once;
        self.doubled += other.doubled;
        self.unknown += other.unknown;
        self.astray += other.astray;
        for (sum, more) in self.handled.iter_mut().zip(other.handled) {
            *sum += more;
        }
        self.repeats += other.repeats;
        self.kills += other.kills;
        self.deaths += other.deaths;
        self.restarts += other.restarts;
        self.outages += other.outages;
        self.took += other.took;
    }

    fn lines(&self) -> [(&'static str, String); 15] {
        let [never, once, more] = self.handled;
        [
            ("said", self.said.to_string()),
            ("handled not at all", never.to_string()),
            ("handled once", once.to_string()),
            ("handled more often", more.to_string()),
            ("replies lost", self.lost().to_string()),
            ("replies once", self.once.to_string()),
            ("replies doubled", self.doubled.to_string()),
            ("replies unknown", self.unknown.to_string()),
            ("replies astray", self.astray.to_string()),
            ("repeats not delivered", self.repeats.to_string()),
            ("kills", self.kills.to_string()),
            ("deaths", self.deaths.to_string()),
            ("restarts of the service", self.restarts.to_string()),
            ("outages", self.outages.to_string()),
            ("took", format!("{:.1} s", self.took.as_secs_f64())),
        ]
    }
}

/// The runs side by side.
pub(crate) fn table(columns: &[(&str, &Outcome)]) -> String {
    let mut text = format!("{:24}", "");
    for (name, _) in columns {
        // Writing to a text does not fail.
        let _ = write!(text, "{name:>10}");
    }
    let lines: Vec<_> = columns.iter().map(|(_, outcome)| outcome.lines()).collect();
    let first = lines.first().into_iter().flatten();
    for (at, (name, _)) in first.enumerate() {
        let _ = write!(text, "\n{name:24}");
        for column in &lines {
            let _ = write!(text, "{:>10}", column[at].1);
        }
    }
    text
}
