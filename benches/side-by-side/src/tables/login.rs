//! How long a fleet takes to come online.

use super::{B, C, OURS, Scale, Series, cell, ratio};
use crate::case::{Bench, Case};
use crate::error::Result;
use crate::spread::Table;
use crate::told::Login;

const ABOUT: &str = "\
From the first connection until the last account has asked for what it missed and for its groups. Nobody is held back \
by a pace, and client and server may use every core.";

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let accounts = scale.of(10_000, 500);
    let mut text = format!("## Login\n\n{ABOUT}\n");
    for tls in [false, true] {
        let mut series: Series<Login> = Series::new();
        for _ in 0..scale.runs {
            for client in [OURS, B, C] {
                let case = Case::idle(client, accounts).over_tls(tls);
                let login = bench.start(case)?.online()?;
                series.entry(client).or_default().push(login);
            }
        }
        let mut table = Table::new(&[
            "client",
            "seconds",
            "× b",
            "× c",
            "CPU a login, µs",
            "CPU of the server a login, µs",
        ]);
        let each = |seconds: f64| seconds / accounts as f64 * 1e6;
        for client in [OURS, B, C] {
            table.row(&[
                client.to_string(),
                cell(&series, client, 2, |login| login.seconds),
                ratio(&series, client, B, |login| login.seconds),
                ratio(&series, client, C, |login| login.seconds),
                cell(&series, client, 0, |login| each(login.client_cpu)),
                cell(&series, client, 0, |login| each(login.server_cpu)),
            ]);
        }
        let over = if tls { ", TLS" } else { "" };
        text += &format!("\n### {accounts} accounts{over}\n\n{}\n", table.finish());
    }
    Ok(text)
}
