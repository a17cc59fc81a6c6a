//! What an idle account weighs.

use super::{B, C, OURS, SETTLE, Scale, Series, Tenth, cell, ratio};
use crate::case::{Bench, Case, DEFAULT, Pace};
use crate::error::Result;
use crate::figures::Memory;
use crate::spread::Table;
use std::collections::BTreeMap;

const ABOUT: &str = "\
Resident memory of the client, some seconds after the last login, less that of the same client with a tenth of the \
accounts, for each of the others. What the kernel keeps for sockets is in none of these. All clients have the same allocator (mimalloc). \
b and c let 200 accounts log in at a time; \"at once\" our governor holds nobody back, \"paced\" it has its defaults. \
Peak is the most that was resident, reckoned in the same way.";

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let mut text = format!("## Memory\n\n{ABOUT}\n");
    for (tls, sizes) in [
        (false, scale.of(&[2_000, 10_000][..], &[2_000])),
        (true, scale.of(&[2_000, 10_000], &[2_000])),
    ] {
        for accounts in sizes {
            let title = if tls { ", TLS" } else { "" };
            text += &format!("\n### {accounts} accounts{title}\n\n");
            text += &format!("{}\n", table(bench, scale, *accounts, tls)?);
        }
    }
    let accounts = scale.of(10_000, 2_000);
    let paced = one_series(bench, scale, accounts, DEFAULT)?;
    text += &format!("\n{accounts} accounts at the default pace: {paced} bytes an account.\n");
    Ok(text)
}

fn table(bench: &mut Bench, scale: Scale, accounts: usize, tls: bool) -> Result<String> {
    let clients = [OURS, B, C];
    let case = |client| Case::idle(client, accounts).over_tls(tls);
    let mut bases = BTreeMap::new();
    for client in clients {
        bases.insert(client, Tenth::measure(bench, &case(client))?);
    }
    let mut series: Series<Memory> = Series::new();
    for _ in 0..scale.runs {
        for client in clients {
            let memory = settled(bench, case(client))?;
            if let Some(base) = bases.get(&client) {
                series.entry(client).or_default().push(Memory {
                    resident: base.each(memory.resident),
                    peak: base.each(memory.peak),
                });
            }
        }
    }
    let mut table = Table::new(&[
        "client",
        "bytes an account",
        "× b",
        "× c",
        "at the peak",
        "a tenth of them, MiB",
    ]);
    for client in clients {
        let base = bases.get(&client).map_or(0.0, |base| base.resident);
        table.row(&[
            client.to_string(),
            cell(&series, client, 0, |memory| memory.resident),
            ratio(&series, client, B, |memory| memory.resident),
            ratio(&series, client, C, |memory| memory.resident),
            cell(&series, client, 0, |memory| memory.peak),
            format!("{:.1}", base / 1_048_576.0),
        ]);
    }
    Ok(table.finish().to_owned())
}

/// Bytes an account of ours at another pace.
fn one_series(bench: &mut Bench, scale: Scale, accounts: usize, pace: Pace) -> Result<String> {
    let case = Case {
        pace,
        ..Case::idle(OURS, accounts)
    };
    let base = Tenth::measure(bench, &case)?;
    let mut series: Series<f64> = Series::new();
    for _ in 0..scale.runs {
        let memory = settled(bench, case.clone())?;
        series
            .entry(OURS)
            .or_default()
            .push(base.each(memory.resident));
    }
    Ok(cell(&series, OURS, 0, |each| *each))
}

fn settled(bench: &mut Bench, case: Case) -> Result<Memory> {
    let mut running = bench.start(case)?;
    running.online()?;
    running.rest(SETTLE)?;
    Ok(running.memory())
}
