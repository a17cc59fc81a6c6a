//! Kills at every write boundary of an exchange, one after the other.

use std::time::Duration;

use crate::{
    Result,
    outcome::Outcome,
    trial::{self, Plan},
};

/// The names of the boundaries: each is a point in the program, which a process passes again and again.
/// `NAME:3` is the third time.
const BOUNDARIES: [&str; 0] = [];
/// The messages of an exchange: one-to-one and into a group, with and without a file.
const MESSAGES: usize = 12;
/// There are many exchanges, and little is to come at the end of each.
const SETTLED: Duration = Duration::from_secs(2);
/// More passes of one boundary than an exchange can have.
const MOST: usize = 1000;

/// In a process of bots: prepares to die at `NAME:N`.
///
/// # Errors
/// The boundary is not known.
pub(crate) fn arm(boundary: &str) -> Result<()> {
    let name = boundary.split(':').next().unwrap_or_default();
    if !BOUNDARIES.contains(&name) {
        return Err(format!("there is no boundary {name}").into());
    }
    Ok(())
}

/// Runs an exchange for each boundary and each time that the process passes it, until it is passed no more.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let mut sum = Outcome::default();
    for name in BOUNDARIES {
        for time in 1..=MOST {
            let exchange = Plan {
                messages: MESSAGES,
                kills: 0,
                outage: None,
                settled: SETTLED,
                die_at: Some(format!("{name}:{time}")),
                ..plan.clone()
            };
            let outcome = trial::run(&format!("{name}:{time}"), &exchange)?;
            sum.add(&outcome);
            if outcome.deaths == 0 {
                break;
            }
        }
    }
    if BOUNDARIES.is_empty() {
        eprintln!("judge: no write boundary is known yet");
    }
    Ok(sum)
}
