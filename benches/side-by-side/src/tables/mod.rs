//! The tables of the page. Each is a text in Markdown.

mod echo;
mod groups;
mod growth;
mod links;
mod login;
mod memory;
mod node;
mod store;

use crate::case::{Bench, Case, Client};
use crate::error::Result;
use crate::spread::Spread;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::time::Duration;

/// A table, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    Echo,
    Memory,
    Login,
    Growth,
    Groups,
    Links,
    Node,
    Store,
    /// All of them.
    All,
}

impl Name {
    /// The tables that this stands for, in the order of the page.
    pub(crate) const fn tables(&self) -> &[Self] {
        match self {
            Self::All => &[
                Self::Echo,
                Self::Memory,
                Self::Login,
                Self::Growth,
                Self::Groups,
                Self::Links,
                Self::Node,
                Self::Store,
            ],
            one => std::slice::from_ref(one),
        }
    }

    /// Its name in commands.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Memory => "memory",
            Self::Login => "login",
            Self::Growth => "growth",
            Self::Groups => "groups",
            Self::Links => "links",
            Self::Node => "node",
            Self::Store => "store",
            Self::All => "all",
        }
    }

    /// Measures it.
    pub(crate) fn measure(self, bench: &mut Bench, scale: Scale) -> Result<String> {
        match self {
            Self::Echo => echo::measure(bench, scale),
            Self::Memory => memory::measure(bench, scale),
            Self::Login => login::measure(bench, scale),
            Self::Growth => growth::measure(bench, scale),
            Self::Groups => groups::measure(bench, scale),
            Self::Links => links::measure(bench, scale),
            Self::Node => node::measure(bench, scale),
            Self::Store => store::measure(bench, scale),
            Self::All => Ok(String::new()),
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Little, to see whether everything works.
    pub(crate) is_quick: bool,
    /// How often each figure is measured.
    pub(crate) runs: usize,
}

impl Scale {
    pub(crate) const fn new(is_quick: bool, runs: Option<usize>) -> Self {
        let runs = match runs {
            Some(runs) => runs,
            None if is_quick => 1,
            None => 3,
        };
        Self { is_quick, runs }
    }

    /// One of two sizes.
    const fn of<T: Copy>(self, full: T, quick: T) -> T {
        if self.is_quick { quick } else { full }
    }
}

const OURS: Client = Client::Ours("auto");
const B: Client = Client::B { in_place: false };
const C: Client = Client::C { in_place: true };

/// How long a fleet is left alone before its memory is looked at.
const SETTLE: Duration = Duration::from_secs(4);

/// What the runs of each client gave, in the order of the runs.
type Series<T> = BTreeMap<Client, Vec<T>>;

/// One figure of all runs of a client.
fn figures<T>(series: &Series<T>, client: Client, of: impl Fn(&T) -> f64) -> Vec<f64> {
    let runs = series.get(&client).map(Vec::as_slice).unwrap_or_default();
    runs.iter().map(of).collect()
}

/// One figure of a client as a text.
fn cell<T>(series: &Series<T>, client: Client, decimals: usize, of: impl Fn(&T) -> f64) -> String {
    figures(series, client, of)
        .into_iter()
        .collect::<Spread>()
        .text(decimals)
}

/// The ratio of a figure to that of another client in the same run, as a text.
fn ratio<T>(series: &Series<T>, client: Client, base: Client, of: impl Fn(&T) -> f64) -> String {
    let (one, base) = (figures(series, client, &of), figures(series, base, &of));
    Spread::ratio(&one, &base).text(2)
}

/// What a client weighs with a tenth of the accounts: by then the allocator has filled what it takes in advance.
#[derive(Clone, Copy, Debug)]
struct Tenth {
    resident: f64,
    /// The accounts that are not among them.
    others: f64,
}

impl Tenth {
    /// The smaller of two looks.
    fn measure(bench: &mut Bench, case: &Case) -> Result<Self> {
        let accounts = (case.accounts / 10).max(1);
        let mut resident = f64::INFINITY;
        for _ in 0..2 {
            let mut running = bench.start(Case {
                accounts,
                ..case.clone()
            })?;
            running.online()?;
            running.rest(SETTLE)?;
            resident = resident.min(running.memory().resident);
        }
        Ok(Self {
            resident,
            others: case.accounts.saturating_sub(accounts).max(1) as f64,
        })
    }

    /// Bytes that each of the other accounts adds.
    fn each(self, resident: f64) -> f64 {
        (resident - self.resident) / self.others
    }
}
