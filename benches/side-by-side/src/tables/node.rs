//! The official SDK beside ours.

use super::{OURS, SETTLE, Scale, Series, cell};
use crate::case::{Bench, Case, Client};
use crate::error::Result;
use crate::server::Plan;
use crate::spread::Table;
use crate::told::Load;
use std::process::Command;

const ABOUT: &str = "\
One account that echoes, on the same server. The SDK is unmodified and runs in Node.js; of one SDKAppID it gives out \
one instance, so further accounts in a process load its module anew.";
const MISSING: &str = "\
Not measured in this run: Node.js or the official SDK is not there. `cargo test --test it interop` installs the SDK \
below `target/tmp`; `--sdk` names another folder.";

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let title = "## Official SDK in Node.js";
    let has_node = Command::new("node").arg("--version").output();
    let Some(version) = has_node.ok().filter(|_| bench.sdk.is_some()) else {
        return Ok(format!("{title}\n\n{MISSING}\n"));
    };
    let clients = [Client::Sdk, OURS];
    let mut text = format!("{title}\n\n{ABOUT}\n");
    let rate = 200.0;
    for (plan, name) in [
        (Plan::Closed, "one message after the other".to_owned()),
        (Plan::Open(rate), format!("{rate} messages a second")),
    ] {
        let mut series: Series<(Load, f64)> = Series::new();
        for _ in 0..scale.runs {
            for client in clients {
                let mut running = bench.start(Case {
                    plan,
                    seconds: scale.of(4.0, 1.0),
                    pinned: true,
                    ..Case::idle(client, 1)
                })?;
                let load = running.load()?;
                let memory = running.memory().resident;
                series.entry(client).or_default().push((load, memory));
            }
        }
        let mut table = Table::new(&[
            "client",
            "CPU a message, µs",
            "messages a second",
            "p50, ms",
            "p99, ms",
            "resident, MiB",
        ]);
        for client in clients {
            let each = |(load, _): &(Load, f64)| load.messages.max(1) as f64;
            table.row(&[
                client.to_string(),
                cell(&series, client, 0, |run| run.0.client_cpu / each(run) * 1e6),
                cell(&series, client, 0, |run| each(run) / run.0.seconds),
                cell(&series, client, 2, |run| run.0.p50 / 1e3),
                cell(&series, client, 2, |run| run.0.p99 / 1e3),
                cell(&series, client, 1, |run| run.1 / 1_048_576.0),
            ]);
        }
        text += &format!("\n### {name}\n\n{}\n", table.finish());
    }
    let more = scale.of(20, 3);
    let mut table = Table::new(&["client", "one account, MiB", "a further account, KiB"]);
    for client in clients {
        let mut weights = Vec::new();
        for accounts in [1, more] {
            let mut running = bench.start(Case::idle(client, accounts))?;
            running.online()?;
            running.rest(SETTLE)?;
            weights.push(running.memory().resident);
        }
        if let [one, many] = *weights {
            table.row(&[
                client.to_string(),
                format!("{:.1}", one / 1_048_576.0),
                format!("{:.0}", (many - one) / (more - 1) as f64 / 1024.0),
            ]);
        }
    }
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    text += &format!(
        "\n### Memory, {more} accounts in a process\n\n{}\n",
        table.finish()
    );
    Ok(format!("{text}\nNode.js {version}.\n"))
}
