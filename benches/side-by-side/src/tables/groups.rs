//! What it costs that accounts are in groups.

use super::{OURS, SETTLE, Scale, Series, cell};
use crate::case::{Bench, Case};
use crate::error::Result;
use crate::spread::Table;

const ABOUT: &str = "\
Every account is in the same groups, in which it has missed nothing. A membership is what resident memory grows by, \
over the fleet without groups in the same run.";

const MIB: f64 = 1_048_576.0;

pub(super) fn measure(bench: &mut Bench, scale: Scale) -> Result<String> {
    let (accounts, groups) = (scale.of(2_000, 300), 100);
    let mut series: Series<[f64; 3]> = Series::new();
    for _ in 0..scale.runs {
        let mut weights = Vec::new();
        for groups in [0, groups] {
            let mut running = bench.start(Case {
                groups,
                ..Case::idle(OURS, accounts)
            })?;
            running.online()?;
            running.rest(SETTLE)?;
            weights.push(running.memory().resident);
        }
        if let [without, with] = *weights {
            let memberships = accounts as f64 * f64::from(groups);
            let each = (with - without) / memberships;
            series.entry(OURS).or_default().push([without, with, each]);
        }
    }
    let mut table = Table::new(&[
        "accounts",
        "groups each",
        "resident without, MiB",
        "resident with, MiB",
        "bytes a membership",
    ]);
    table.row(&[
        accounts.to_string(),
        groups.to_string(),
        cell(&series, OURS, 1, |[without, _, _]| *without / MIB),
        cell(&series, OURS, 1, |[_, with, _]| *with / MIB),
        cell(&series, OURS, 0, |[_, _, each]| *each),
    ]);
    Ok(format!("## Groups\n\n{ABOUT}\n\n{}\n", table.finish()))
}
