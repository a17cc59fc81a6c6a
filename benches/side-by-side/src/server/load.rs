//! When messages are due, and when what is measured begins and ends.

use super::tally::Tally;
use crate::figures;
use crate::told::Load;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// From the last login to the first message.
const SETTLE: Duration = Duration::from_millis(1500);
/// From the first message to the first that is measured.
const WARM_UP: Duration = Duration::from_millis(1500);
/// A prime, so that messages go to all places in an order that no client can guess.
const STEP: usize = 7919;

/// Which messages there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plan {
    /// None.
    Idle,
    /// One for each account that has answered the last.
    Closed,
    /// So many a second, whatever becomes of them.
    Open(f64),
}

impl FromStr for Plan {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "idle" => Self::Idle,
            "closed" => Self::Closed,
            rate => Self::Open(rate.parse()?),
        })
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Closed => f.write_str("closed"),
            Self::Open(rate) => rate.fmt(f),
        }
    }
}

/// What a turn of the loop has to do.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Everyone gets the first message.
    pub(super) everyone: bool,
    /// Messages that are due by the rate.
    pub(super) messages: u64,
    /// More are due within a millisecond.
    pub(super) is_soon: bool,
    pub(super) finished: Option<Load>,
}

/// The counts at the beginning of what is measured.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    messages: u64,
    acknowledged: u64,
    client_cpu: f64,
    server_cpu: f64,
    switches: u64,
}

/// The course of the load.
#[derive(Debug)]
pub(super) struct Phases {
    plan: Plan,
    seconds: f64,
    client: u32,
    online: Option<Instant>,
    started: Option<Instant>,
    mark: Option<Mark>,
    pushed: u64,
    place: usize,
}

impl Phases {
    pub(super) const fn new(plan: Plan, seconds: f64, client: u32) -> Self {
        Self {
            plan,
            seconds,
            client,
            online: None,
            started: None,
            mark: None,
            pushed: 0,
            place: 0,
        }
    }

    /// Every account is online.
    pub(super) fn online(&mut self) {
        self.online = Some(Instant::now());
    }

    /// The next of `places`, in turns.
    pub(super) const fn next_of(&mut self, places: usize) -> usize {
        self.place = (self.place + STEP) % places;
        self.place
    }

    pub(super) fn turn(&mut self, tally: &mut Tally) -> Due {
        let mut due = Due::default();
        let Some(online) = self.online else {
            return due;
        };
        if self.plan == Plan::Idle || online.elapsed() < SETTLE {
            return due;
        }
        if self.started.is_none() && self.plan == Plan::Closed {
            tally.is_closed_loop = true;
            due.everyone = true;
        }
        let started = *self.started.get_or_insert_with(Instant::now);
        if let Plan::Open(rate) = self.plan {
            let target = (started.elapsed().as_secs_f64() * rate) as u64;
            due.messages = target.saturating_sub(self.pushed);
            due.is_soon = true;
            self.pushed = target;
        }
        match self.mark {
            None if started.elapsed() >= WARM_UP => {
                tally.is_measuring = true;
                self.mark = Some(self.mark(tally));
            }
            Some(before) if before.at.elapsed().as_secs_f64() >= self.seconds => {
                let after = self.mark(tally);
                due.finished = Some(Load {
                    seconds: (after.at - before.at).as_secs_f64(),
                    messages: after.messages - before.messages,
                    acknowledged: after.acknowledged - before.acknowledged,
                    strays: tally.strays,
                    p50: tally.latency(0.5),
                    p99: tally.latency(0.99),
                    client_cpu: after.client_cpu - before.client_cpu,
                    server_cpu: after.server_cpu - before.server_cpu,
                    switches: after.switches.saturating_sub(before.switches),
                });
            }
            _ => {}
        }
        due
    }

    fn mark(&self, tally: &Tally) -> Mark {
        Mark {
            client_cpu: figures::cpu_seconds(self.client, ""),
            server_cpu: figures::cpu_seconds(std::process::id(), ""),
            switches: figures::switches(self.client),
            messages: tally.messages,
            acknowledged: tally.acknowledged,
            at: Instant::now(),
        }
    }
}
