//! Kills at every write boundary of an exchange, one after the other.

use std::{
    process,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use botroupe::ledger::{Boundary, watch_boundaries};

use crate::{
    Result,
    outcome::Outcome,
    trial::{self, Plan},
};

/// The messages of an exchange: one-to-one and into a group.
const MESSAGES: usize = 6;
/// There are many exchanges, and little is to come at the end of each.
const SETTLED: Duration = Duration::from_secs(3);
/// More passes of one boundary than an exchange can have.
const MOST: usize = 1000;
/// Exchanges at a time: they wait most of the time.
const AT_ONCE: usize = 6;

/// Where this process of bots is to die, and how often it has been there.
static GRAVE: OnceLock<(Boundary, usize)> = OnceLock::new();
static PASSED: AtomicUsize = AtomicUsize::new(0);

/// In a process of bots: prepares to die at `NAME:N`, which is the Nth time that it passes the boundary.
///
/// # Errors
/// The boundary is not known.
pub(crate) fn arm(boundary: &str) -> Result<()> {
    let (name, time) = boundary.split_once(':').unwrap_or((boundary, "1"));
    let known = Boundary::ALL
        .into_iter()
        .find(|known| name_of(*known) == name);
    let known = known.ok_or_else(|| format!("there is no boundary {name}"))?;
    // It is armed once.
    let _ = GRAVE.set((known, time.parse()?));
    watch_boundaries(|passed| {
        if let Some((grave, time)) = GRAVE.get()
            && *grave == passed
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *time
        {
            process::abort();
        }
    });
    Ok(())
}

fn name_of(boundary: Boundary) -> String {
    format!("{boundary:?}").to_lowercase()
}

/// Runs an exchange for each boundary and each time that a process passes it, until it is passed no more.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Ok(Outcome::default())));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(boundary) = Boundary::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = passes(plan, *boundary).map_err(|error| error.to_string());
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *sum, outcome) {
                        (Ok(sum), Ok(outcome)) => sum.add(&outcome),
                        (sum, Err(error)) => *sum = Err(error),
                        (Err(_), Ok(_)) => {}
                    }
                }
            });
        }
    });
    Ok(sum.into_inner().unwrap_or_else(PoisonError::into_inner)?)
}

/// Runs exchanges in which a process dies at this boundary, at each time that it comes by.
fn passes(plan: &Plan, boundary: Boundary) -> Result<Outcome> {
    let (name, mut sum) = (name_of(boundary), Outcome::default());
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
            eprintln!("{name}: passed {} times at most", time - 1);
            break;
        }
    }
    Ok(sum)
}
