//! A fleet and its server on a virtual clock: days of misfortune in seconds, from one seed.
//!
//! Run with: `cargo run --release --example simulate -- --seed 7 --accounts 1000 --days 180`
//!
//! `--copies 2` runs the whole fleet twice against the same server, `--policy baseline` replaces
//! the take-back rules by "log in again after 3 s", `--trace N` tells one account's story, and
//! `--seeds N` runs that many seeds one after the other. Without arguments it runs a short day.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use botroupe::account::{Policy, TakeBack};
use botroupe::policy::Backoff;
use botroupe::simulator::{Options, Summary, World};
use clap::{Parser, ValueEnum};
use std::error::Error;
use std::time::Duration;

#[derive(Parser)]
struct Args {
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Runs this many seeds, from `--seed` on.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Runs each seed this often and compares the hashes.
    #[arg(long, default_value_t = 1)]
    repeat: u64,
    /// How many accounts.
    #[arg(long, default_value_t = 100)]
    accounts: usize,
    /// How many days.
    #[arg(long, default_value_t = 2)]
    days: u64,
    /// How many copies of the fleet. With more than one, nothing else goes wrong.
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// What an account does when another login takes its place.
    #[arg(long, value_enum, default_value_t = Rules::Standard)]
    policy: Rules,
    /// Tells the story of this account.
    #[arg(long)]
    trace: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rules {
    /// As shipped.
    Standard,
    /// Log in again after 3 s, whatever happened.
    Baseline,
}

impl Rules {
    fn policy(self) -> Result<Policy, Box<dyn Error>> {
        let standard = Policy::standard();
        let Self::Baseline = self else {
            return Ok(standard);
        };
        let three = Duration::from_secs(3);
        let again = TakeBack {
            cool_down: Backoff::new(three, three)?,
            max: u32::MAX,
            contest_after: u32::MAX,
            ..TakeBack::STANDARD
        };
        Ok(Policy {
            multiple_account: again,
            multiple_device: again,
            login_spacing: Duration::ZERO,
            ..standard
        })
    }
}

struct Outcome {
    summary: Summary,
    away: Duration,
    accounts: usize,
}

fn run(args: &Args, seed: u64) -> Result<Outcome, Box<dyn Error>> {
    let mut world = World::new(Options {
        policy: args.policy.policy()?,
        hello_interval: Duration::from_secs(6 * 3600),
        audit_every: Duration::from_secs(1800),
        copies: args.copies,
        ..Options::new(seed, args.accounts)
    })?;
    if let Some(account) = args.trace {
        world.trace(account);
    }
    let away = if args.copies == 1 {
        world.plan_days(args.days)
    } else {
        Duration::ZERO
    };
    // An hour more, so that the last misfortune can be over.
    world.run_until(Duration::from_secs(args.days * 86_400 + 3600));
    for line in world.story() {
        println!("{line}");
    }
    Ok(Outcome {
        summary: world.summary(),
        away,
        accounts: world.accounts(),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut violations = 0;
    for seed in args.seed..args.seed + args.seeds {
        let outcome = run(&args, seed)?;
        for _ in 1..args.repeat {
            let again = run(&args, seed)?.summary.hash;
            if again != outcome.summary.hash {
                return Err(format!("seed {seed}: two runs differ").into());
            }
        }
        if args.seeds == 1 {
            print(seed, &outcome);
        } else {
            let Summary {
                hash, violations, ..
            } = &outcome.summary;
            println!(
                "seed {seed:>5}  hash {hash:016x}  violations {}",
                violations.len()
            );
        }
        for violation in outcome.summary.violations.iter().take(5) {
            println!("  violation: {violation}");
        }
        violations += outcome.summary.violations.len();
    }
    if violations > 0 {
        return Err(format!("{violations} violations").into());
    }
    Ok(())
}

fn print(
    seed: u64,
    Outcome {
        summary,
        away,
        accounts,
    }: &Outcome,
) {
    let days = |time: Duration| time.as_secs_f64() / 86_400.0;
    let whole = summary.elapsed.as_secs_f64() * *accounts as f64;
    let outside = whole - away.as_secs_f64() * *accounts as f64;
    println!("seed                    {seed}");
    println!("accounts                {accounts}");
    println!(
        "simulated               {:.1} days, {} events",
        days(summary.elapsed),
        summary.events
    );
    println!(
        "online                  {:.4} % of the time",
        summary.online.as_secs_f64() / whole * 100.0
    );
    println!(
        "  outside outages       {:.4} %",
        summary.online.as_secs_f64() / outside * 100.0
    );
    println!(
        "exactly one copy online {:.4} % (the worst account)",
        summary.one_copy_online * 100.0
    );
    println!(
        "longest silence         {:.1} min",
        summary.longest_silence.as_secs_f64() / 60.0
    );
    println!(
        "logins and resumes      {}, at most {} within a second",
        summary.logins, summary.worst_login_rate
    );
    println!(
        "kicks of an account     at most {} within an hour",
        summary.worst_kicks_per_hour
    );
    println!("went offline            {:?}", summary.offline_by_cause);
    println!(
        "messages                {} said, {} handed to bots",
        summary.said, summary.handed
    );
    println!("violations              {}", summary.violations.len());
    println!("hash                    {:016x}", summary.hash);
}
