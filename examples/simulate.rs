//! Simulates a fleet and its server on a virtual clock: days of faults in seconds, from one seed.
//!
//! Run with: `cargo run --release --example simulate -- --seed 7 --accounts 1000 --days 180`
//!
//! `--copies 2` runs the whole fleet twice against the same server. `--policy baseline` replaces
//! the take-back rules by "log in again after 3 s", and `--policy both` shows the two side by side
//! (try `--copies 2 --accounts 20 --days 0`, because the baseline needs many events). `--outage`
//! simulates a server outage of five minutes for 10,000 accounts. `--trace N` prints the events of
//! one account, and `--seeds N` runs N seeds one after the other. Without arguments, the example
//! runs a short day.
//!
//! `--store disk --store-faults` gives each process a disk, lets steps of replies meet crashes and faults of
//! the disk, and checks that each message is answered exactly once. `--store none --store-faults` shows the
//! same without a store.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use botroupe::account::{Policy, TakeBack};
use botroupe::policy::Backoff;
use botroupe::sandbox::Dedupe;
use botroupe::simulator::{
    Action, Clocks, Journal, Options, Shift, StoreModel, Summary, Work, World,
};
use clap::{Parser, ValueEnum};
use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

#[derive(Parser)]
struct Args {
    /// The seed of all random decisions
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The number of seeds to run, starting at `--seed`
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The number of runs per seed; their hashes must be equal
    #[arg(long, default_value_t = 1)]
    repeat: u64,
    /// The number of accounts; 100, or 10,000 with `--outage`
    #[arg(long)]
    accounts: Option<usize>,
    /// The number of days; every run lasts an hour longer
    #[arg(long, default_value_t = 2)]
    days: u64,
    /// The number of copies of the fleet; with more than one, accounts only receive messages and no
    /// other faults occur
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// The number of simultaneous logins of an account that the server allows
    #[arg(long, default_value_t = 1)]
    slots: usize,
    /// The reaction of an account to another login that replaces it
    #[arg(long, value_enum, default_value_t = Rules::Standard)]
    policy: Rules,
    /// Instead of days, simulate a server outage of five minutes for a fleet that is online
    #[arg(long)]
    outage: bool,
    /// The login rate of each copy, per second
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// The interval between hellos, in seconds; it bounds the time until an expired login is
    /// detected
    #[arg(long, default_value_t = HELLO)]
    hello: u64,
    /// Where the process keeps what it must not forget
    #[arg(long, value_enum, default_value_t = Store::None)]
    store: Store,
    /// Check that each message is answered exactly once, and let one in N steps of a reply meet a crash of the
    /// process or its machine, a broken link, an outage, or a fault of the disk; the default of N is 1,000
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000")]
    store_faults: Option<u32>,
    /// The service recognises no repeated message, and the accounts do not rely on it
    #[arg(long)]
    no_dedupe: bool,
    /// Print the events of this account
    #[arg(long)]
    trace: Option<usize>,
}

/// Hellos are most of the events of an undisturbed fleet, so the default interval is long.
const HELLO: u64 = 10_800;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    /// Nowhere
    None,
    /// On a disk
    Disk,
    /// On a disk, and what is written is acknowledged before the fsync
    Early,
    /// On a disk, and what is whole of a torn transaction counts
    Torn,
    /// On a disk, and an fsync that failed is repeated
    Resync,
}

impl Store {
    const fn model(self) -> StoreModel {
        StoreModel::Disk(match self {
            Self::None => return StoreModel::None,
            Self::Disk => Journal::Honest,
            Self::Early => Journal::AcknowledgesEarly,
            Self::Torn => Journal::KeepsTorn,
            Self::Resync => Journal::RepeatsSync,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rules {
    /// The default policy
    Standard,
    /// Log in again after 3 s, whatever happened
    Baseline,
    /// Both policies, one after the other, from the same seed
    Both,
}

impl Rules {
    /// Returns the policies to run, each with its name.
    fn policies(self) -> Result<Vec<(&'static str, Policy)>, Box<dyn Error>> {
        let standard = Policy::standard();
        let three = Duration::from_secs(3);
        let again = TakeBack {
            cool_down: Backoff::new(three, three)?,
            max: u32::MAX,
            contest_after: u32::MAX,
            ..TakeBack::STANDARD
        };
        let baseline = Policy {
            multiple_account: again,
            multiple_device: again,
            login_spacing: Duration::ZERO,
            ..standard.clone()
        };
        let all = vec![("standard", standard), ("baseline", baseline)];
        let wanted = |name: &str| match self {
            Self::Standard => name == "standard",
            Self::Baseline => name == "baseline",
            Self::Both => true,
        };
        Ok(all.into_iter().filter(|(name, _)| wanted(name)).collect())
    }
}

struct Outcome {
    summary: Summary,
    away: Duration,
    accounts: usize,
}

impl Args {
    fn accounts(&self) -> usize {
        self.accounts
            .unwrap_or(if self.outage { 10_000 } else { 100 })
    }

    fn watches_replies(&self) -> bool {
        self.store != Store::None || self.store_faults.is_some()
    }

    fn run(&self, seed: u64, policy: &Policy) -> Result<Outcome, Box<dyn Error>> {
        let days = Options {
            policy: policy.clone(),
            rate: self.rate,
            clocks: Clocks::Skewed,
            hello_interval: Duration::from_secs(self.hello),
            audit_every: Duration::from_secs(3600),
            copies: self.copies,
            slots: self.slots,
            ..Options::new(seed, self.accounts())
        };
        let days = if self.copies == 1 && !self.outage {
            Options {
                work: Work::Ordinary,
                echo: true,
                groups: self.accounts().div_ceil(10),
                store: self.store.model(),
                mishaps: self.store_faults.unwrap_or(0),
                exactly_once: self.watches_replies(),
                dedupe: if self.no_dedupe {
                    Dedupe::None
                } else {
                    Dedupe::Documented
                },
                policy: Policy {
                    trust_send_keys: !self.no_dedupe,
                    ..days.policy
                },
                ..days
            }
        } else {
            days
        };
        let mut world = World::new(if self.outage {
            // No burst, so that the result shows the rate alone.
            Options { burst: 1, ..days }
        } else {
            days
        })?;
        if let Some(account) = self.trace {
            world.trace(account);
        }
        let away = self.play(&mut world);
        for line in world.story() {
            println!("{line}");
        }
        Ok(Outcome {
            summary: world.summary(),
            away,
            accounts: world.accounts(),
        })
    }

    /// Runs the simulation to the end. Returns the total time of the outages.
    fn play(&self, world: &mut World) -> Duration {
        let fleet = world.accounts() as f64;
        if self.outage {
            let start = Duration::from_secs_f64(60.0 + fleet / self.rate);
            let away = Duration::from_secs(300);
            world.at(start, Action::Outage(away));
            world
                .run_until(start + away + Duration::from_secs_f64(120.0 + 2.0 * fleet / self.rate));
            return away;
        }
        // One more hour, so that the last fault can end.
        let end = Duration::from_secs(self.days * 86_400 + 3600);
        let away = if self.copies == 1 {
            world.plan_mishaps(Duration::from_secs(self.days * 86_400));
            world.plan_days(self.days)
        } else {
            let each = 3 + 6 * self.days;
            world.plan_messages(end, self.accounts() as u64 * each);
            Duration::ZERO
        };
        world.run_until(end);
        away
    }

    fn rows(&self, outcome: &Outcome, causes: &BTreeSet<String>) -> Vec<(String, String)> {
        let mut rows = outcome.rows(causes);
        if let Some(comeback) = &outcome.summary.comeback {
            let ideal = 1.2 * comeback.accounts as f64 / self.rate;
            let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
            let shift = |Shift { worst, mean }| {
                format!("mean {:.2} %, worst {:.2} %", mean * 100.0, worst * 100.0)
            };
            let more = [
                (
                    "largest comeback",
                    format!("{} accounts", comeback.accounts),
                ),
                ("  all back after", seconds(comeback.took)),
                ("  1.2 x accounts / rate", format!("{ideal:.1} s")),
                ("  last back-off over", seconds(comeback.last_asked)),
                ("  longest wait for a turn", seconds(comeback.longest_wait)),
                ("  out of turn", shift(comeback.from_asking)),
                ("  out of order of loss", shift(comeback.from_loss)),
            ];
            let at = rows.len().saturating_sub(2);
            let more = more.map(|(label, value)| (label.to_owned(), value));
            rows.splice(at..at, more);
        }
        if self.watches_replies() {
            let store = &outcome.summary.store;
            let summary = &outcome.summary;
            let more = [
                ("mishaps", summary.mishaps),
                ("  failures of power", store.power_losses),
                ("answered", summary.answered),
                ("  lost", summary.lost),
                ("  doubled", summary.doubled),
                ("  unknown", summary.unknown),
                ("  refused", summary.refused),
                ("known as handled", summary.known),
                ("transactions", store.committed),
                ("  torn by a crash", store.torn),
                ("  reordered by a crash", store.reordered),
                ("  dropped by a crash", store.dropped),
                ("  found, unacknowledged", store.surprises),
                ("writes to a full disk", store.full),
                ("failed fsyncs", store.failed_syncs),
                ("fsyncs of seconds", store.slow_syncs),
            ];
            let at = rows.len().saturating_sub(2);
            let more = more.map(|(label, value)| (label.to_owned(), value.to_string()));
            rows.splice(at..at, more);
        }
        rows
    }
}

impl Outcome {
    /// Returns the results as pairs of label and value.
    fn rows(&self, causes: &BTreeSet<String>) -> Vec<(String, String)> {
        let summary = &self.summary;
        let days = summary.elapsed.as_secs_f64() / 86_400.0;
        let whole = summary.elapsed.as_secs_f64() * self.accounts as f64;
        let outside = whole - self.away.as_secs_f64() * self.accounts as f64;
        let online = summary.online.as_secs_f64();
        let percent = |part: f64| format!("{:.4} %", part * 100.0);
        let silence = summary.longest_silence.as_secs_f64() / 60.0;
        let mut rows = vec![
            ("accounts".to_owned(), self.accounts.to_string()),
            ("simulated".to_owned(), format!("{days:.2} days")),
            ("events".to_owned(), summary.events.to_string()),
            ("online".to_owned(), percent(online / whole)),
            ("  outside outages".to_owned(), percent(online / outside)),
            (
                "exactly one copy online".to_owned(),
                format!("{} (the worst)", percent(summary.one_copy_online)),
            ),
            ("longest silence".to_owned(), format!("{silence:.1} min")),
            ("logins and resumes".to_owned(), summary.logins.to_string()),
            (
                "  turns in a second".to_owned(),
                format!("at most {}", summary.worst_turn_rate),
            ),
            (
                "  sent in a second".to_owned(),
                format!("at most {}", summary.worst_login_rate),
            ),
            (
                "restarts of processes".to_owned(),
                summary.restarts.to_string(),
            ),
            (
                "kicks within an hour".to_owned(),
                format!("at most {}", summary.worst_kicks_per_hour),
            ),
        ];
        for cause in causes {
            let count = summary.offline_by_cause.get(cause).copied().unwrap_or(0);
            rows.push((format!("offline: {cause}"), count.to_string()));
        }
        rows.extend(
            [
                ("messages said", summary.said.to_string()),
                ("  handed to bots", summary.handed.to_string()),
                ("  handled", summary.handled.to_string()),
                ("  again after a restart", summary.handled_again.to_string()),
                ("  again by a copy", summary.handed_again.to_string()),
                (
                    "    though read",
                    summary.handed_again_though_read.to_string(),
                ),
                ("violations", summary.violations.len().to_string()),
                ("hash", format!("{:016x}", summary.hash)),
            ]
            .map(|(label, value)| (label.to_owned(), value)),
        );
        rows
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let policies = args.policy.policies()?;
    let mut violations = 0;
    for seed in args.seed..args.seed + args.seeds {
        let mut outcomes = Vec::new();
        for (name, policy) in &policies {
            let outcome = args.run(seed, policy)?;
            for _ in 1..args.repeat {
                if args.run(seed, policy)?.summary.hash != outcome.summary.hash {
                    return Err(format!("seed {seed}: two runs differ").into());
                }
            }
            violations += outcome.summary.violations.len();
            outcomes.push((*name, outcome));
        }
        if args.seeds == 1 {
            print(&args, &outcomes);
        }
        for (name, Outcome { summary, .. }) in &outcomes {
            if args.seeds > 1 {
                println!(
                    "seed {seed:>5}  {name}  hash {:016x}  violations {}",
                    summary.hash,
                    summary.violations.len()
                );
                if args.watches_replies() {
                    println!("  {}", replies(summary));
                }
            }
            for violation in summary.violations.iter().take(5) {
                println!("  violation: {violation}");
            }
        }
    }
    if violations > 0 {
        return Err(format!("{violations} violations").into());
    }
    Ok(())
}

fn replies(summary: &Summary) -> String {
    let store = &summary.store;
    let disk = [store.full, store.failed_syncs, store.slow_syncs];
    let crash = [store.torn, store.reordered, store.dropped, store.surprises];
    format!(
        "said {} answered {} lost {} doubled {} unknown {} refused {} mishaps {} restarts {} power {} \
         committed {} full/failed/slow {disk:?} torn/reordered/dropped/found {crash:?}",
        summary.said,
        summary.answered,
        summary.lost,
        summary.doubled,
        summary.unknown,
        summary.refused,
        summary.mishaps,
        summary.restarts,
        store.power_losses,
        store.committed,
    )
}

/// Prints one column per outcome.
fn print(args: &Args, outcomes: &[(&str, Outcome)]) {
    let causes: BTreeSet<String> = outcomes
        .iter()
        .flat_map(|(_, outcome)| outcome.summary.offline_by_cause.keys().cloned())
        .collect();
    let columns: Vec<Vec<(String, String)>> = outcomes
        .iter()
        .map(|(_, outcome)| args.rows(outcome, &causes))
        .collect();
    let line = |label: &str, values: Vec<&str>| {
        let values: String = values
            .iter()
            .map(|value| format!("  {value:<24}"))
            .collect();
        println!("{}", format!("{label:<26}{values}").trim_end());
    };
    line("seed", vec![&args.seed.to_string()]);
    if outcomes.len() > 1 {
        line("", outcomes.iter().map(|(name, _)| *name).collect());
    }
    // Runs without an outage have fewer rows.
    let longest = columns.iter().max_by_key(|rows| rows.len());
    for (label, _) in longest.into_iter().flatten() {
        let value = |rows: &Vec<(String, String)>| {
            let row = rows.iter().find(|(name, _)| name == label);
            row.map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        line(label, values.iter().map(String::as_str).collect());
    }
}
