//! One run: a service, processes of bots, and what happens to them.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use botroupe::{
    code::Code,
    id::SdkAppId,
    sandbox::{Dedupe, Sandbox, SandboxConfig},
};
use serde_json::json;

use crate::{
    Result,
    count::{self, Count},
    outcome::Outcome,
    process::{KEY, Process, unknown_in_store},
};

/// What is to happen in a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) messages: usize,
    pub(crate) kills: usize,
    pub(crate) seed: u64,
    /// The seconds that the clock of the service skips in an outage.
    pub(crate) outage: Option<u64>,
    pub(crate) dedupes: bool,
    pub(crate) stores: bool,
    /// How long the run goes on while nothing new is said.
    pub(crate) patience: Duration,
    /// How long nothing may be said in the end, when all is answered: for what is said twice.
    pub(crate) settled: Duration,
    /// The boundary at which the process dies; there is only one then.
    pub(crate) die_at: Option<String>,
}

/// Processes of bots.
const PROCESSES: usize = 2;
/// Users who talk to all bots.
const USERS: usize = 64;
/// Groups of each bot, with all users. More conversations keep each of them below the rate at which bots
/// look for a loop.
const GROUPS: usize = 4;
/// One in so many texts is said in a group.
const IN_GROUPS: usize = 3;
/// Texts per second, and the most that wait for a reply.
const RATE: f64 = 200.0;
const WAITING: usize = 300;
/// The longest time between the text that calls for a kill and the kill, in milliseconds.
const KILL_WITHIN: u64 = 400;
/// One restart of the service to so many kills.
const RESTART_EVERY: usize = 20;
/// Outages of a run.
const OUTAGES: usize = 4;
/// Texts just before an outage.
const BURST: usize = 20;
/// Processes that end by themselves so often will not do otherwise.
const MAX_DEATHS: u64 = 20;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Kill,
    Restart,
    Outage,
}

struct Trial<'a> {
    name: &'a str,
    plan: &'a Plan,
    sandbox: Sandbox,
    processes: Vec<Process>,
    bots: Vec<String>,
    rng: fastrand::Rng,
    count: Count,
    /// Entries of the ledger that were read.
    read: u64,
    /// What happens after how many texts, the first one at the end.
    deeds: Vec<(usize, Deed)>,
    /// Kills that are due at a time.
    kills: Vec<(Instant, usize)>,
    sums: Outcome,
    /// When something last happened.
    last: Instant,
}

/// Runs a plan.
pub(crate) fn run(name: &str, plan: &Plan) -> Result<Outcome> {
    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001)?, KEY);
    config.ledger = true;
    config.seed = Some(plan.seed);
    config.dedupe = if plan.dedupes {
        Dedupe::Documented
    } else {
        Dedupe::None
    };
    config.history_limit = usize::MAX;
    config.message_limit = usize::MAX;
    config.group_history_limit = usize::MAX;
    config.media_bytes = 1 << 32;
    config.media_files = usize::MAX;
    let sandbox = Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into())?;
    let processes = match plan.die_at {
        None => PROCESSES,
        Some(_) => 1,
    };
    let processes: Vec<Process> = (0..processes)
        .map(|number| Process::start(folder.path(), number, plan, &sandbox))
        .collect::<Result<_>>()?;
    let bots = processes.iter().flat_map(Process::bots).cloned().collect();
    let mut trial = Trial {
        name,
        plan,
        sandbox,
        processes,
        bots,
        rng: fastrand::Rng::with_seed(plan.seed),
        count: Count::default(),
        read: 0,
        deeds: Vec::new(),
        kills: Vec::new(),
        sums: Outcome::default(),
        last: Instant::now(),
    };
    trial.found_groups()?;
    trial.plan_deeds();
    let outcome = trial.go()?;
    trial.sandbox.shutdown();
    Ok(Outcome {
        took: started.elapsed(),
        ..outcome
    })
}

impl Trial<'_> {
    fn found_groups(&self) -> Result<()> {
        let users: Vec<String> = (0..USERS).map(user).collect();
        for user in users.iter().chain(&self.bots) {
            self.sandbox.import(user)?;
        }
        let members: Vec<_> = users
            .iter()
            .map(|user| json!({"Member_Account": user}))
            .collect();
        for bot in &self.bots {
            for at in 0..GROUPS {
                let command = "group_open_http_svc/create_group";
                let body = json!({
                    "Owner_Account": bot, "Type": "Public", "Name": "Court",
                    "GroupId": group(bot, at), "MemberList": members,
                });
                let answer = self.sandbox.administer(command, &body);
                if answer["ErrorCode"] != 0 {
                    return Err(format!("no group: {answer}").into());
                }
            }
        }
        Ok(())
    }

    /// Draws after which texts something happens.
    fn plan_deeds(&mut self) {
        let Plan {
            messages,
            kills,
            outage,
            ..
        } = *self.plan;
        let restarts = kills.div_ceil(RESTART_EVERY);
        let outages = if outage.is_some() { OUTAGES } else { 0 };
        let all = [
            (kills, Deed::Kill),
            (restarts, Deed::Restart),
            (outages, Deed::Outage),
        ];
        for (times, deed) in all {
            for _ in 0..times {
                self.deeds.push((self.rng.usize(0..messages.max(1)), deed));
            }
        }
        self.deeds
            .sort_by_key(|(after, _)| std::cmp::Reverse(*after));
    }

    fn go(&mut self) -> Result<Outcome> {
        let started = Instant::now();
        let mut due = 0.0_f64;
        let (mut before, mut told) = (started, started);
        self.last = started;
        while !self.is_over() {
            sleep(Duration::from_millis(5));
            let now = Instant::now();
            due = (due + now.duration_since(before).as_secs_f64() * RATE).min(RATE / 10.0);
            before = now;
            while due >= 1.0
                && self.count.next() < self.plan.messages
                && self.count.waiting(now) < WAITING
            {
                due -= 1.0;
                self.say(now);
                self.do_deeds(now)?;
            }
            self.kill_due(now)?;
            self.look_after()?;
            self.listen(now);
            if now.duration_since(told) >= Duration::from_secs(5) {
                told = now;
                self.tell();
            }
        }
        self.tell();
        self.settle()
    }

    /// Returns true if nothing more is expected.
    fn is_over(&self) -> bool {
        if self.count.next() < self.plan.messages || !self.kills.is_empty() {
            return false;
        }
        let quiet = self.last.elapsed();
        let is_answered = self.count.answered() == self.count.next();
        quiet >= self.plan.patience || is_answered && quiet >= self.plan.settled
    }

    fn say(&mut self, now: Instant) {
        let number = self.count.next();
        let text = count::text(number);
        let bot = &self.bots[self.rng.usize(0..self.bots.len())];
        let user = user(self.rng.usize(0..USERS));
        let is_said = if number.is_multiple_of(IN_GROUPS) {
            let group = group(bot, self.rng.usize(0..GROUPS));
            self.sandbox.say_to_group(&user, &group, &text).is_ok()
        } else {
            self.sandbox.say(&user, bot, &text).is_ok()
        };
        // What is refused is said again, in another place.
        if is_said {
            self.count.say(now);
            self.last = now;
        }
    }

    fn do_deeds(&mut self, now: Instant) -> Result<()> {
        while self
            .deeds
            .last()
            .is_some_and(|(after, _)| *after < self.count.next())
        {
            let Some((_, deed)) = self.deeds.pop() else {
                break;
            };
            self.last = now;
            match deed {
                Deed::Kill => {
                    let wait = Duration::from_millis(self.rng.u64(0..KILL_WITHIN));
                    self.kills
                        .push((now + wait, self.rng.usize(0..self.processes.len())));
                }
                Deed::Restart => {
                    self.sums.restarts += 1;
                    self.sandbox.restart(self.rng.bool());
                }
                Deed::Outage => self.outage(now)?,
            }
        }
        Ok(())
    }

    /// Answers to a burst of texts are held back until the links are cut, so that replies have been sent of
    /// which the bots have not heard. Then the clock skips, and the bots may come back.
    fn outage(&mut self, now: Instant) -> Result<()> {
        self.sums.outages += 1;
        let left = self.plan.messages - self.count.next();
        for _ in 0..left.min(BURST) {
            self.say(now);
        }
        for bot in &self.bots {
            self.sandbox.delay(bot, 60_000)?;
        }
        sleep(Duration::from_millis(30));
        for bot in &self.bots {
            self.sandbox.refuse_login(bot, Code(70500), None)?;
            self.sandbox.drop_link(bot)?;
            self.sandbox.delay(bot, 0)?;
        }
        self.sandbox
            .skip_clock(self.plan.outage.unwrap_or_default())?;
        sleep(Duration::from_millis(300));
        for bot in &self.bots {
            self.sandbox.refuse_login(bot, Code(0), None)?;
        }
        Ok(())
    }

    fn kill_due(&mut self, now: Instant) -> Result<()> {
        let mut at = 0;
        while let Some((due, victim)) = self.kills.get(at).copied() {
            if due > now {
                at += 1;
                continue;
            }
            self.kills.swap_remove(at);
            self.processes[victim].restart()?;
            self.sums.kills += 1;
            self.last = now;
        }
        Ok(())
    }

    /// Starts processes again that ended by themselves.
    fn look_after(&mut self) -> Result<()> {
        for process in &mut self.processes {
            if process.revive()? {
                self.sums.deaths += 1;
                self.last = Instant::now();
                if self.sums.deaths > MAX_DEATHS {
                    let complaints = process.complaints();
                    return Err(format!("the bots do not stay: {complaints}").into());
                }
            }
        }
        Ok(())
    }

    /// Reads what is new in the ledger.
    fn listen(&mut self, now: Instant) {
        let entries = self.sandbox.ledger(self.read);
        self.read += entries.len() as u64;
        for entry in &entries {
            if self.count.take(entry) {
                self.last = now;
            }
        }
    }

    fn tell(&self) {
        eprintln!(
            "{}: said {} of {}, answered {}, kills {}",
            self.name,
            self.count.next(),
            self.plan.messages,
            self.count.answered(),
            self.sums.kills
        );
    }

    fn settle(&mut self) -> Result<Outcome> {
        for process in &mut self.processes {
            process.kill()?;
        }
        self.listen(Instant::now());
        self.count.count_repeats(&self.sandbox.ledger(0));
        for process in &self.processes {
            self.count.read_runs(process.log())?;
            self.sums.unknown += unknown_in_store(process.store())?;
        }
        if self.plan.stores {
            for suspect in self.count.suspects() {
                eprintln!("{}: {suspect}", self.name);
            }
        }
        let mut outcome = self.count.outcome();
        outcome.add(&self.sums);
        Ok(outcome)
    }
}

fn user(at: usize) -> String {
    format!("user-{at:02}")
}

fn group(bot: &str, at: usize) -> String {
    format!("court-{bot}-{at}")
}
