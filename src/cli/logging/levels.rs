//! Which level is logged of which part of the program, and of which account.

use std::collections::BTreeMap;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::config::{LogLevel, account_pattern_covers};

/// The crate itself; its modules may be named without it.
const CRATE: &str = "botroupe";

/// The levels of everything: what the command line and the environment said, then parts of the program, then
/// accounts, which win over all.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// The level that was last chosen for the whole.
    chosen: LogLevel,
    /// Beginnings of targets, the longest first.
    base: Vec<(String, LevelFilter)>,
    rest: LevelFilter,
    modules: BTreeMap<String, LogLevel>,
    accounts: BTreeMap<String, LogLevel>,
}

impl Levels {
    /// This crate at `level`, the libraries at another.
    pub(super) fn new(level: LogLevel, libraries: LogLevel) -> Self {
        Self {
            chosen: level,
            base: vec![(CRATE.to_owned(), filter_of(level))],
            rest: filter_of(libraries),
            modules: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// What a variable like `RUST_LOG` says.
    pub(super) fn of_targets(targets: Targets) -> Self {
        let rest = targets.default_level().unwrap_or(LevelFilter::OFF);
        let mut base: Vec<_> = targets.into_iter().collect();
        base.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        let own = base.iter().find(|(target, _)| target == CRATE);
        Self {
            chosen: level_of(own.map_or(rest, |(_, level)| *level)),
            base,
            rest,
            modules: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// Takes another level for the whole, and keeps what is said of parts and accounts.
    pub(super) fn choose(&mut self, level: LogLevel, libraries: LogLevel) {
        let new = Self::new(level, libraries);
        self.chosen = new.chosen;
        self.base = new.base;
        self.rest = new.rest;
    }

    pub(super) const fn chosen(&self) -> LogLevel {
        self.chosen
    }

    pub(super) const fn modules(&self) -> &BTreeMap<String, LogLevel> {
        &self.modules
    }

    pub(super) const fn accounts(&self) -> &BTreeMap<String, LogLevel> {
        &self.accounts
    }

    pub(super) const fn modules_mut(&mut self) -> &mut BTreeMap<String, LogLevel> {
        &mut self.modules
    }

    pub(super) const fn accounts_mut(&mut self) -> &mut BTreeMap<String, LogLevel> {
        &mut self.accounts
    }

    /// The level of a target, whatever the account.
    pub(super) fn of_target(&self, target: &str) -> LevelFilter {
        let mut found: Option<(usize, LogLevel)> = None;
        for (name, level) in &self.modules {
            let long = covers(name, target);
            if long > found.map_or(0, |(long, _)| long) {
                found = Some((long, *level));
            }
        }
        if let Some((_, level)) = found {
            return filter_of(level);
        }
        let base = self
            .base
            .iter()
            .find(|(beginning, _)| target.starts_with(beginning.as_str()));
        base.map_or(self.rest, |(_, level)| *level)
    }

    /// The level of what concerns an account, if one is set for it: the longest pattern wins.
    pub(super) fn of_account(&self, account: &str) -> Option<LevelFilter> {
        let found = self
            .accounts
            .iter()
            .filter(|(pattern, _)| account_pattern_covers(pattern, account))
            .max_by_key(|(pattern, _)| (!pattern.ends_with('*'), pattern.len()));
        found.map(|(_, level)| filter_of(*level))
    }

    /// The level that something of this target may have, if it concerns a fitting account.
    pub(super) fn at_most(&self, target: &str) -> LevelFilter {
        let accounts = self.accounts.values().map(|level| filter_of(*level)).max();
        self.of_target(target)
            .max(accounts.unwrap_or(LevelFilter::OFF))
    }

    /// The level that anything may have.
    pub(super) fn most(&self) -> LevelFilter {
        let given = self.modules.values().chain(self.accounts.values());
        let given = given.map(|level| filter_of(*level));
        let base = self.base.iter().map(|(_, level)| *level);
        given.chain(base).fold(self.rest, Ord::max)
    }
}

/// How many characters of `target` the name of a part covers; 0 if it is not of that part.
fn covers(name: &str, target: &str) -> usize {
    let within = |target: &str| {
        let rest = target.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with("::")).then_some(name.len())
    };
    let in_crate = target.strip_prefix(CRATE).and_then(|rest| {
        let rest = rest.strip_prefix("::")?;
        Some(within(rest)? + CRATE.len() + 2)
    });
    in_crate.or_else(|| within(target)).unwrap_or(0)
}

pub(super) const fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// The nearest level that has a name; "off" has none.
fn level_of(filter: LevelFilter) -> LogLevel {
    match filter {
        LevelFilter::TRACE => LogLevel::Trace,
        LevelFilter::DEBUG => LogLevel::Debug,
        LevelFilter::INFO => LogLevel::Info,
        LevelFilter::WARN => LogLevel::Warn,
        _ => LogLevel::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_of_a_part_wins_and_rooms_need_no_crate() {
        let mut levels = Levels::new(LogLevel::Info, LogLevel::Warn);
        for (name, level) in [
            ("gateway", LogLevel::Debug),
            ("gateway::dial", LogLevel::Error),
            ("my_bots", LogLevel::Trace),
            ("botroupe::store", LogLevel::Trace),
        ] {
            levels.modules_mut().insert(name.to_owned(), level);
        }
        for (target, expected) in [
            ("botroupe::gateway", LevelFilter::DEBUG),
            ("botroupe::gateway::frame", LevelFilter::DEBUG),
            ("botroupe::gateway::dial::tls", LevelFilter::ERROR),
            ("botroupe::gateways", LevelFilter::INFO),
            ("botroupe::store::writer", LevelFilter::TRACE),
            ("my_bots::shop", LevelFilter::TRACE),
            ("my_bots2", LevelFilter::WARN),
            ("botroupe_sandbox::shell", LevelFilter::INFO),
            ("awc", LevelFilter::WARN),
        ] {
            assert_eq!(levels.of_target(target), expected, "{target}");
        }
        assert_eq!(levels.most(), LevelFilter::TRACE);
        levels.choose(LogLevel::Error, LogLevel::Error);
        assert_eq!(levels.of_target("awc"), LevelFilter::ERROR);
        assert_eq!(levels.of_target("botroupe::gateway"), LevelFilter::DEBUG);
    }

    #[test]
    fn an_account_has_its_own_level_and_the_most_exact_pattern_wins() {
        let mut levels = Levels::new(LogLevel::Info, LogLevel::Warn);
        assert_eq!(levels.at_most("botroupe::app"), LevelFilter::INFO);
        for (name, level) in [
            ("shop-*", LogLevel::Error),
            ("shop-b*", LogLevel::Debug),
            ("shop-berlin", LogLevel::Warn),
        ] {
            levels.accounts_mut().insert(name.to_owned(), level);
        }
        for (account, expected) in [
            ("shop-paris", Some(LevelFilter::ERROR)),
            ("shop-bonn", Some(LevelFilter::DEBUG)),
            ("shop-berlin", Some(LevelFilter::WARN)),
            ("echo", None),
        ] {
            assert_eq!(levels.of_account(account), expected, "{account}");
        }
        assert_eq!(levels.at_most("botroupe::app"), LevelFilter::DEBUG);
    }

    #[test]
    fn a_variable_says_it_in_the_words_of_rust_log() {
        let levels = Levels::of_targets("warn,botroupe=debug,botroupe::app=off".parse().unwrap());
        assert_eq!(levels.chosen(), LogLevel::Debug);
        for (target, expected) in [
            ("awc", LevelFilter::WARN),
            ("botroupe::store", LevelFilter::DEBUG),
            ("botroupe::app::hosts", LevelFilter::OFF),
        ] {
            assert_eq!(levels.of_target(target), expected, "{target}");
        }
        let all = Levels::of_targets("debug".parse().unwrap());
        assert_eq!(all.of_target("x"), LevelFilter::DEBUG);
    }
}
