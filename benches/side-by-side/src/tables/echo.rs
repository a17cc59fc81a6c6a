//! What an echoed message costs, and how long it takes.

use super::{B, C, Scale, Series, cell, ratio};
use crate::case::{AT_ONCE, Bench, Case, Client};
use crate::error::Result;
use crate::server::Plan;
use crate::spread::Table;
use crate::told::Load;

const CLIENTS: [Client; 7] = [
    Client::Ours("inline"),
    Client::Ours("auto"),
    Client::Ours("pool"),
    Client::B { in_place: true },
    B,
    C,
    Client::C { in_place: false },
];

const ABOUT: &str = "\
A message is pushed to an account, which acknowledges it and sends its text back; the answer to that ends the \
exchange. \"CPU\" is that of all threads of the client, system calls included. \"In place\" and `inline` handle a \
message where it was read; \"over a channel\" and `pool` hand it to a bot elsewhere. In the closed loop every account \
has one message under way, so the client is saturated and its latency follows from its rate; only the ratio of p99 to \
p50 tells something there, which is how fair accounts are to each other. In the open loop messages come at a fixed \
rate, whatever becomes of them. \"Client\" and \"server\" are \
the loads of their cores: in a closed loop both far below 1 say that others had the machine, and a server near 1 was \
the bottleneck.";

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let (few, many) = (scale.of(200, 50), scale.of(5_000, 500));
    let rate = scale.of(6_000.0, 1_000.0);
    let mut text = format!("## Echo\n\n{ABOUT}\n");
    for (accounts, plan, title) in [
        (few, Plan::Closed, format!("{few} accounts, closed loop")),
        (many, Plan::Closed, format!("{many} accounts, closed loop")),
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
            ..Case::idle(B, accounts)
        };
        text += &format!("\n### {title}\n\n{}\n", table(bench, scale, &case)?);
    }
    Ok(text)
}

fn table(bench: &mut Bench, scale: Scale, case: &Case) -> Result<String> {
    let mut series: Series<Load> = Series::new();
    for _ in 0..scale.runs {
        for client in CLIENTS {
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
        "× b over a channel",
        "× c in place",
        "messages a second",
        "p50, ms",
        "p99, ms",
        "p99 ÷ p50",
        "switches a message",
        "client",
        "server",
        "strays",
    ]);
    let each = |load: &Load| load.messages.max(1) as f64;
    let cpu = |load: &Load| load.client_cpu / each(load) * 1e6;
    for client in CLIENTS {
        let row = [
            client.to_string(),
            cell(&series, client, 1, cpu),
            ratio(&series, client, B, cpu),
            ratio(&series, client, C, cpu),
            cell(&series, client, 0, |load| each(load) / load.seconds),
            cell(&series, client, 2, |load| load.p50 / 1e3),
            cell(&series, client, 2, |load| load.p99 / 1e3),
            cell(&series, client, 1, |load| load.p99 / load.p50),
            cell(&series, client, 2, |load| load.switches as f64 / each(load)),
            cell(&series, client, 2, |load| load.client_cpu / load.seconds),
            cell(&series, client, 2, |load| load.server_cpu / load.seconds),
            cell(&series, client, 0, |load| load.strays as f64),
        ];
        table.row(&row);
    }
    Ok(table.finish().to_owned())
}
