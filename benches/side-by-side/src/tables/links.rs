//! More accounts than a machine allows open files.

use super::{B, C, OURS, SETTLE, Scale, Tenth};
use crate::case::{Bench, Case, DEFAULT, Pace};
use crate::error::Result;
use crate::plug::THREAD;
use crate::spread::Table;
use std::time::{Duration, Instant};

const ABOUT: &str = "\
Where the limit of open files does not allow so many sockets, links lie in memory and share one Unix socket to the \
server, which is another process. Everything above the byte stream is the same as over TCP: TLS handshakes, the \
upgrade, frames. \"Idle CPU\" is that of the client with its heartbeats, less that of the two threads that carry the \
bytes in place of the kernel; they are shown beside it. b and c send no heartbeats. An account's end of such a link \
takes about 150 bytes, and is in all figures. \"Bytes an account\" is reckoned as above. \
One run.";

const PACES: &str = "\
How exactly the governor keeps its pace when a fleet starts from cold: the time from the first connection to the last \
account online, against accounts ÷ pace.";

/// A pace that a cold start of a large fleet can be waited for with.
const FAST: Pace = Pace {
    rate: 1_500,
    burst: 20,
};

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let accounts = scale.of(100_000, 5_000);
    let mut table = Table::new(&[
        "client",
        "TLS",
        "resident, MiB",
        "bytes an account",
        "idle CPU, % of a core",
        "threads of the links, %",
        "heartbeats a second",
        "online after, s",
    ]);
    let mut paces = Table::new(&[
        "accounts",
        "TLS",
        "pace, a second",
        "accounts ÷ pace, s",
        "took, s",
        "deviation, %",
    ]);
    for tls in [false, true] {
        for client in [OURS, B, C] {
            let case = Case {
                links: true,
                pace: FAST,
                ..Case::idle(client, accounts).over_tls(tls)
            };
            let base = Tenth::measure(bench, &case)?;
            let mut running = bench.start(case)?;
            let login = running.online()?;
            running.rest(SETTLE)?;
            let resident = running.memory().resident;
            let idle = scale.of(Duration::from_secs(20), Duration::from_secs(11));
            let (all, ours) = (running.cpu(""), running.cpu(THREAD));
            let (begin, beats) = (Instant::now(), running.alive().heartbeats);
            running.rest(idle)?;
            let seconds = begin.elapsed().as_secs_f64();
            let (all, ours) = (running.cpu("") - all, running.cpu(THREAD) - ours);
            table.row(&[
                client.to_string(),
                yes_or_no(tls),
                format!("{:.0}", resident / 1_048_576.0),
                format!("{:.0}", base.each(resident)),
                format!("{:.2}", ours / seconds * 100.0),
                format!("{:.2}", (all - ours) / seconds * 100.0),
                format!(
                    "{:.0}",
                    (running.alive().heartbeats - beats) as f64 / seconds
                ),
                format!("{:.1}", login.seconds),
            ]);
            if client == OURS {
                pace_row(&mut paces, accounts, tls, FAST, login.seconds);
            }
        }
    }
    let few = scale.of(12_000, 1_000);
    for tls in [false, true] {
        let case = Case {
            links: true,
            pace: DEFAULT,
            ..Case::idle(OURS, few).over_tls(tls)
        };
        let login = bench.start(case)?.online()?;
        pace_row(&mut paces, few, tls, DEFAULT, login.seconds);
    }
    Ok(format!(
        "## {accounts} accounts in one process\n\n{ABOUT}\n\n{}\n\n{PACES}\n\n{}\n",
        table.finish(),
        paces.finish()
    ))
}

fn pace_row(table: &mut Table, accounts: usize, tls: bool, pace: Pace, took: f64) {
    let expected = accounts as f64 / f64::from(pace.rate);
    table.row(&[
        accounts.to_string(),
        yes_or_no(tls),
        pace.rate.to_string(),
        format!("{expected:.1}"),
        format!("{took:.1}"),
        format!("{:+.1}", (took / expected - 1.0) * 100.0),
    ]);
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
