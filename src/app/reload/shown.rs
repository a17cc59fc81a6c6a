//! A plan as people read it.

use super::plan::{AccountStep, Action, Plan};
use std::fmt;

/// So many accounts that change for the same reason are named; of more the first and the number are.
const NAMED: usize = 5;

impl fmt::Display for Plan {
    /// A line for each kind of change, and what it costs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.needs_restart.is_empty() {
            writeln!(
                f,
                "refused: only a restart of the process changes {}",
                self.needs_restart.join(", ")
            )?;
        }
        if self.is_empty() {
            return writeln!(f, "nothing changes; {} as they are", stay(self.unchanged));
        }
        for key in &self.fleet {
            writeln!(f, "~ fleet     {key}")?;
        }
        for group in self.groups() {
            let (word, sign) = group.action.shown();
            write!(f, "{sign} {word:<9} {}", group.names())?;
            if group.because.is_empty() {
                writeln!(f)?;
            } else {
                writeln!(f, "  ({})", group.because.join(", "))?;
            }
        }
        writeln!(f, "= stay      {}", counted(self.unchanged))?;
        match (self.logins, self.login_seconds) {
            (0, _) => writeln!(f, "no login"),
            (1, _) => writeln!(f, "1 login"),
            (logins, 0) => writeln!(f, "{logins} logins, at once"),
            (logins, seconds) => writeln!(
                f,
                "{logins} logins, about {seconds} s at the pace of the governor"
            ),
        }
    }
}

fn counted(accounts: usize) -> String {
    match accounts {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    }
}

fn stay(accounts: usize) -> String {
    let verb = if accounts == 1 { "stays" } else { "stay" };
    format!("{} {verb}", counted(accounts))
}

/// Accounts to which the same happens for the same reason.
struct Group<'p> {
    action: Action,
    because: &'p [String],
    accounts: Vec<&'p AccountStep>,
}

impl Group<'_> {
    fn names(&self) -> String {
        let names = self.accounts.iter().take(NAMED);
        let names: Vec<&str> = names.map(|step| step.account.as_str()).collect();
        match self.accounts.len().checked_sub(NAMED) {
            None | Some(0) => names.join(", "),
            Some(more) => format!("{} and {more} more", names.join(", ")),
        }
    }
}

impl Plan {
    /// The steps in groups, in the order in which each comes first.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut places = std::collections::HashMap::new();
        let mut groups: Vec<Group<'_>> = Vec::new();
        for step in &self.accounts {
            let place = *places
                .entry((step.action, step.because.as_slice()))
                .or_insert_with(|| {
                    groups.push(Group {
                        action: step.action,
                        because: &step.because,
                        accounts: Vec::new(),
                    });
                    groups.len() - 1
                });
            if let Some(group) = groups.get_mut(place) {
                group.accounts.push(step);
            }
        }
        groups
    }
}
