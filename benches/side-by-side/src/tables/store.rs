//! What it costs to keep everything on disk.

use super::{OURS, SETTLE, Scale, Series, Tenth, cell, ratio};
use crate::case::{AT_ONCE, Bench, Case, Client};
use crate::error::Result;
use crate::figures::Memory;
use crate::server::Plan;
use crate::spread::Table;
use crate::told::{Load, Login};

const KEPT: Client = Client::Kept("auto");
const BOTH: [Client; 2] = [OURS, KEPT];

const ABOUT: &str = "\
The same program without and with a store on disk, in turns. With it, each message that was handled and each answer \
is on disk (fsync) before the answer leaves, and the answer is struck out when the server has confirmed it. Changes of \
all accounts are written together, at most every 5 ms. Memory is that of an idle account, as above.";

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let (few, many) = (scale.of(200, 50), scale.of(5_000, 500));
    let rate = scale.of(6_000.0, 1_000.0);
    let mut text = format!("## Store\n\n{ABOUT}\n");
    for (accounts, plan, title) in [
        (few, Plan::Closed, format!("{few} accounts, closed loop")),
        (many, Plan::Closed, format!("{many} accounts, closed loop")),
        (
            few,
            Plan::Open(rate),
            format!("{few} accounts, {rate} messages a second"),
        ),
        (
            many,
            Plan::Open(rate),
            format!("{many} accounts, {rate} messages a second"),
        ),
    ] {
        let case = Case {
            plan,
            seconds: scale.of(4.0, 1.0),
            pinned: true,
            pace: AT_ONCE,
            ..Case::idle(OURS, accounts)
        };
        text += &format!("\n### {title}\n\n{}\n", echo(bench, scale, &case)?);
    }
    let accounts = scale.of(10_000, 1_000);
    text += &format!(
        "\n### {accounts} idle accounts\n\n{}\n",
        idle(bench, scale, accounts)?
    );
    Ok(text)
}

fn echo(bench: &mut Bench, scale: Scale, case: &Case) -> Result<String> {
    let mut series: Series<Load> = Series::new();
    for _ in 0..scale.runs {
        for client in BOTH {
            let case = Case {
                client,
                ..case.clone()
            };
            let load = bench.start(case)?.load()?;
            series.entry(client).or_default().push(load);
        }
    }
    let mut table = Table::new(&[
        "client",
        "CPU a message, µs",
        "× without",
        "messages a second",
        "p50, ms",
        "p99, ms",
        "switches a message",
    ]);
    let each = |load: &Load| load.messages.max(1) as f64;
    let cpu = |load: &Load| load.client_cpu / each(load) * 1e6;
    for client in BOTH {
        table.row(&[
            client.to_string(),
            cell(&series, client, 1, cpu),
            ratio(&series, client, OURS, cpu),
            cell(&series, client, 0, |load| each(load) / load.seconds),
            cell(&series, client, 2, |load| load.p50 / 1e3),
            cell(&series, client, 2, |load| load.p99 / 1e3),
            cell(&series, client, 2, |load| load.switches as f64 / each(load)),
        ]);
    }
    Ok(table.finish().to_owned())
}

fn idle(bench: &mut Bench, scale: Scale, accounts: usize) -> Result<String> {
    let (mut logins, mut memories): (Series<Login>, Series<Memory>) =
        (Series::new(), Series::new());
    for client in BOTH {
        let base = Tenth::measure(bench, &Case::idle(client, accounts))?;
        for _ in 0..scale.runs {
            let mut running = bench.start(Case::idle(client, accounts))?;
            logins.entry(client).or_default().push(running.online()?);
            running.rest(SETTLE)?;
            let memory = running.memory();
            memories.entry(client).or_default().push(Memory {
                resident: base.each(memory.resident),
                peak: base.each(memory.peak),
            });
        }
    }
    let mut table = Table::new(&["client", "login, seconds", "× without", "bytes an account"]);
    for client in BOTH {
        table.row(&[
            client.to_string(),
            cell(&logins, client, 2, |login| login.seconds),
            ratio(&logins, client, OURS, |login| login.seconds),
            cell(&memories, client, 0, |memory| memory.resident),
        ]);
    }
    Ok(table.finish().to_owned())
}
