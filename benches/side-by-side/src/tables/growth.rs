//! What becomes more expensive with the number of accounts.

use super::{OURS, Scale};
use crate::case::{Bench, Case};
use crate::error::{Error, Result};
use crate::spread::Table;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const ABOUT: &str = "\
Our fleet only, idle. Its heartbeats are what it does; \"status\" is the time of the whole command, and \"stop\" that \
from SIGINT to the end of the process. One run.";

/// The longest that anything goes on after the logins.
const CALM: Duration = Duration::from_secs(12);

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let idle = scale.of(Duration::from_secs(20), Duration::from_secs(11));
    let calm = scale.of(CALM, Duration::from_secs(2));
    let mut table = Table::new(&[
        "accounts",
        "resident, MiB",
        "idle CPU, % of a core",
        "heartbeats a second",
        "CPU a heartbeat, µs",
        "status, s",
        "status --json, s",
        "status of one, s",
        "stop, s",
        "exit code",
    ]);
    for accounts in scale.of(&[1_000, 10_000, 19_000][..], &[200, 1_000]) {
        let mut running = bench.start(Case::idle(OURS, *accounts))?;
        running.online()?;
        running.rest(calm)?;
        let (cpu, beats) = (running.cpu(""), running.alive().heartbeats);
        let resident = running.memory().resident;
        let begin = Instant::now();
        running.rest(idle)?;
        let seconds = begin.elapsed().as_secs_f64();
        let taken = running.cpu("") - cpu;
        let beats = (running.alive().heartbeats - beats) as f64;
        let status = |words: &[&str]| status(bench.botroupe(), running.config(), words);
        let (all, json, one) = (status(&[])?, status(&["--json"])?, status(&["a-000001"])?);
        let (stop, code) = running.stop()?;
        table.row(&[
            accounts.to_string(),
            format!("{:.0}", resident / 1_048_576.0),
            format!("{:.2}", taken / seconds * 100.0),
            format!("{:.0}", beats / seconds),
            format!("{:.1}", taken / beats.max(1.0) * 1e6),
            format!("{:.2}", all.as_secs_f64()),
            format!("{:.2}", json.as_secs_f64()),
            format!("{:.2}", one.as_secs_f64()),
            format!("{:.2}", stop.as_secs_f64()),
            code.code()
                .map_or_else(|| code.to_string(), |code| code.to_string()),
        ]);
    }
    Ok(format!("## Growth\n\n{ABOUT}\n\n{}\n", table.finish()))
}

/// How long `botroupe status` takes.
fn status(botroupe: &Path, config: &Path, words: &[&str]) -> Result<Duration> {
    let begin = Instant::now();
    let mut command = Command::new(botroupe);
    command.args(["status", "--config"]).arg(config).args(words);
    let output = command.output()?;
    if output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::new(format!("status: {said}")));
    }
    Ok(begin.elapsed())
}
