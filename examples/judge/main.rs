//! Judges whether each message is handled and each reply takes effect exactly once, whatever dies.
//!
//! Run with: `cargo run --release --example judge -- --messages 2000 --kills 20 --seed 1`
//!
//! This process embeds the sandbox, which keeps a ledger of everything that was said, and says unique texts
//! to bots. The bots run in processes of their own, with real sockets and a real disk, and answer each text.
//! They are killed (SIGKILL) at moments drawn from the seed and started again at once; now and then the
//! service restarts. In the end the ledger tells which replies were lost, and which were said twice. A
//! shorter run without the store is printed beside it. Without arguments, the example runs for some seconds.
//!
//! The last line on standard output is a contract: `judge: said N lost L doubled D unknown U`. The exit code
//! is 1 when the claim is broken: anything lost or doubled, and with `--no-dedupe` also more unknown than
//! kills. With `--no-store` it is 0 in any case.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
#![expect(clippy::print_stderr, reason = "an example talks to whoever runs it")]
#![expect(
    clippy::disallowed_methods,
    reason = "it has a clock, threads and processes of its own"
)]

mod bots;
mod boundary;
mod count;
mod outcome;
mod process;
mod trial;

use std::{error::Error, process::ExitCode, time::Duration};

use clap::Parser;
use outcome::Outcome;
use trial::Plan;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Args {
    /// How many texts are said
    #[arg(long, default_value_t = 200)]
    messages: usize,
    /// How often a process of bots is killed
    #[arg(long, default_value_t = KILLS)]
    kills: usize,
    /// The seed of all random decisions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also kill at every write boundary of an exchange
    #[arg(long)]
    boundaries: bool,
    /// Several times, refuse links for a moment while the clock of the service skips so many seconds
    #[arg(long)]
    outage: Option<u64>,
    /// The service recognises no repeated sends
    #[arg(long)]
    no_dedupe: bool,
    /// The bots keep nothing on disk
    #[arg(long)]
    no_store: bool,
}

/// Without a store, kills would break the claim, and with it the default run.
const KILLS: usize = if process::HAS_STORE { 4 } else { 0 };
/// The baseline is for comparison only, and is shorter.
const BASELINE: usize = 2000;
/// How long a run goes on while nothing new is said. The baseline loses messages, and would wait in vain.
const PATIENCE: Duration = Duration::from_secs(30);
const BASELINE_PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing may be said in the end, when all is answered.
const SETTLED: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let done = if words.next().as_deref() == Some(process::BOTS) {
        bots::run(words).map(|()| ExitCode::SUCCESS)
    } else {
        judge(&Args::parse())
    };
    done.unwrap_or_else(|error| {
        eprintln!("judge: {error}");
        ExitCode::from(2)
    })
}

fn judge(args: &Args) -> Result<ExitCode> {
    let plan = Plan {
        messages: args.messages,
        kills: args.kills,
        seed: args.seed,
        outage: args.outage,
        dedupes: !args.no_dedupe,
        stores: !args.no_store,
        patience: PATIENCE,
        settled: SETTLED,
        die_at: None,
    };
    let name = if args.no_store { "no store" } else { "store" };
    let mut outcome = trial::run(name, &plan)?;
    if args.boundaries {
        outcome.add(&boundary::run(&plan)?);
    }
    let mut columns = vec![(name, &outcome)];
    let baseline = match args.no_store {
        true => None,
        false => Some(trial::run("baseline", &baseline(&plan))?),
    };
    columns.extend(baseline.as_ref().map(|baseline| ("baseline", baseline)));
    println!("{}", outcome::table(&columns));
    let is_kept = args.no_store || holds(&outcome, args.no_dedupe);
    println!(
        "judge: said {} lost {} doubled {} unknown {}",
        outcome.said,
        outcome.lost(),
        outcome.doubled,
        outcome.unknown
    );
    Ok(if is_kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A run without the store, as many kills to a message.
fn baseline(plan: &Plan) -> Plan {
    let messages = plan.messages.min(BASELINE);
    Plan {
        messages,
        kills: (plan.kills * messages).div_ceil(plan.messages.max(1)),
        stores: false,
        patience: BASELINE_PATIENCE,
        ..plan.clone()
    }
}

/// Returns true if the claim is kept.
fn holds(outcome: &Outcome, no_dedupe: bool) -> bool {
    let is_exact = outcome.lost() == 0 && outcome.doubled == 0 && outcome.astray == 0;
    is_exact && (!no_dedupe || outcome.unknown <= outcome.kills)
}
