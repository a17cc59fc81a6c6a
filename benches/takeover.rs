//! How long a fleet is silent while a new process takes it over, and what is lost.
//!
//! `cargo bench --bench takeover -- [ACCOUNTS] [TAKEOVERS] [MESSAGES A SECOND]`, 1,000, 10 and 50 by themselves.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

#[path = "../tests/it/cli/takeover/judge.rs"]
mod judge;

use judge::{Plan, judge};
use std::time::Duration;

fn main() {
    let words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let mut numbers = words.map(|word| word.parse::<u32>().unwrap());
    let mut next = |default| numbers.next().unwrap_or(default);
    let plan = Plan {
        accounts: next(1_000) as usize,
        takeovers: next(10) as usize,
        rate: f64::from(next(50)),
        pause: Duration::from_secs(3),
    };
    println!("{}", judge(env!("CARGO_BIN_EXE_botroupe"), plan));
}
