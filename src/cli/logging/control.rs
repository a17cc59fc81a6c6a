//! Changes what is logged while the program runs.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::gate::Gate;
use super::queue::Queue;
use super::raised;
use crate::admin::types::{LevelsOfLog, TemporaryLevel};
use crate::admin::{LogLevels, LogPart, LogTail, Logs};
use crate::config::{LogConfig, LogLevel};
use crate::gateway::now;

/// Gives a part of the log a level, or takes it back.
type Set<'s> = dyn Fn(&str, Option<LogLevel>) -> Result<(), LogNameError> + 's;

static CURRENT: OnceLock<LogControl> = OnceLock::new();

/// Changes what a program under [`cli::main`](crate::cli::main) logs, from the next line on, until it ends. Cheap to
/// clone.
///
/// ```no_run
/// use botroupe::cli::LogControl;
/// use botroupe::config::LogLevel;
///
/// // For a while, everything about one account.
/// if let Some(log) = LogControl::current() {
///     log.set_account("shop-berlin", Some(LogLevel::Trace))?;
///     log.set_module("gateway", Some(LogLevel::Debug))?;
/// }
/// # Ok::<(), botroupe::cli::LogNameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogControl {
    gate: Arc<Gate>,
    tail: LogTail,
    queues: Arc<[Queue]>,
}

/// A name that can stand for no module or account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogNameError {
    /// An empty name.
    #[error(
        "the name is empty; write a module like \"gateway\", or a UserID, or its beginning and a *"
    )]
    Empty,
    /// There are too many levels of single modules or accounts.
    #[error("{MOST} modules or accounts have a level of their own; take one back first")]
    TooMany,
}

/// Each line is compared with all of them.
const MOST: usize = 1_000;

impl LogControl {
    pub(super) fn new(gate: Arc<Gate>, tail: LogTail, queues: Vec<Queue>) -> Self {
        Self {
            gate,
            tail,
            queues: queues.into(),
        }
    }

    pub(super) fn install(self) {
        // `init` fails before this when it is called twice.
        let _ = CURRENT.set(self);
    }

    /// That of this process; `None` where `cli::main` has not started logging.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.get().cloned()
    }

    /// The level of the whole.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        self.gate.levels().chosen()
    }

    /// Sets the level of the whole; libraries log a step less. Levels of modules and accounts stay.
    pub fn set_level(&self, level: LogLevel) {
        let (own, libraries) = raised(level, 0);
        self.gate.change(|levels| levels.choose(own, libraries));
        tracing::info!(level = level.name(), "the level of the log was changed");
    }

    /// The modules that have a level of their own.
    #[must_use]
    pub fn modules(&self) -> BTreeMap<String, LogLevel> {
        self.gate.levels().modules().clone()
    }

    /// Gives a module a level of its own, or takes it back: a room of this crate like `gateway`, a crate, or a module
    /// of one. Of several that fit the longest counts.
    ///
    /// # Errors
    /// [`LogNameError`]; then nothing changes.
    pub fn set_module(&self, name: &str, level: Option<LogLevel>) -> Result<(), LogNameError> {
        check(name, level, self.gate.levels().modules())?;
        self.gate
            .change(|levels| set(levels.modules_mut(), name, level));
        Ok(())
    }

    /// The accounts, or beginnings of UserIDs with a `*`, that have a level of their own.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, LogLevel> {
        self.gate.levels().accounts().clone()
    }

    /// Gives what concerns an account a level of its own, whatever the module, or takes it back: a UserID, or its
    /// beginning with a `*` behind it. Of several that fit the most exact counts.
    ///
    /// # Errors
    /// [`LogNameError`]; then nothing changes.
    pub fn set_account(&self, name: &str, level: Option<LogLevel>) -> Result<(), LogNameError> {
        check(name, level, self.gate.levels().accounts())?;
        self.gate
            .change(|levels| set(levels.accounts_mut(), name, level));
        Ok(())
    }

    /// Gives a part of the log a level for a while, over what it has otherwise; also over what a reload of the config says.
    ///
    /// ```no_run
    /// use botroupe::cli::{LogControl, LogPart};
    /// use botroupe::config::LogLevel;
    /// use std::time::Duration;
    ///
    /// if let Some(log) = LogControl::current() {
    ///     let part = LogPart::Account("shop-berlin".to_owned());
    ///     log.set_for(part, LogLevel::Trace, Duration::from_secs(600))?;
    /// }
    /// # Ok::<(), botroupe::cli::LogNameError>(())
    /// ```
    ///
    /// # Errors
    /// [`LogNameError`]; then nothing changes.
    pub fn set_for(
        &self,
        part: LogPart,
        level: LogLevel,
        long: Duration,
    ) -> Result<(), LogNameError> {
        let until = now().mono.saturating_add(long);
        if matches!(&part, LogPart::Module(name) | LogPart::Account(name) if name.is_empty()) {
            return Err(LogNameError::Empty);
        }
        self.gate.change_temporary(|temporary| {
            let is_known = temporary.iter().any(|(known, ..)| *known == part);
            if !is_known && temporary.len() >= MOST {
                return Err(LogNameError::TooMany);
            }
            temporary.set(part, level, until);
            Ok(())
        })
    }

    /// Ends what [`set_for`](Self::set_for) has said of a part; `false` when it has said nothing.
    pub fn end_now(&self, part: &LogPart) -> bool {
        self.gate
            .change_temporary(|temporary| temporary.take_back(part))
    }

    /// The parts that have a level for a while, and for how long still.
    #[must_use]
    pub fn for_a_while(&self) -> Vec<(LogPart, LogLevel, Duration)> {
        let now = now().mono;
        let temporary = self.gate.temporary();
        let each = temporary.iter();
        each.map(|(part, level, until)| (part.clone(), level, until.saturating_sub(now)))
            .collect()
    }

    /// For the admin API.
    pub(in crate::cli) fn for_api(&self) -> Logs {
        Logs {
            tail: self.tail.clone(),
            levels: Arc::new(self.clone()),
        }
    }

    /// How many lines of floods were held back since the start.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.gate.held()
    }

    /// How many lines each sink (`standard error`, `file`, `journal`) has lost since the start.
    #[must_use]
    pub fn lost(&self) -> Vec<(&'static str, u64)> {
        let standard = ("standard error", crate::cli::output::lost_log_lines());
        let queues = self.queues.iter().map(|queue| (queue.name(), queue.lost()));
        std::iter::once(standard).chain(queues).collect()
    }

    /// Does what the levels of another config say. What was changed otherwise since the start, and is the same in both,
    /// stays.
    pub(in crate::cli) fn reload(&self, before: &LogConfig, after: &LogConfig) {
        if before.level != after.level {
            self.set_level(after.level);
        }
        let change = |was: &BTreeMap<String, LogLevel>,
                      is: &BTreeMap<String, LogLevel>,
                      set: &Set<'_>| {
            let gone = was.keys().filter(|name| !is.contains_key(*name));
            let gone = gone.map(|name| (name, None));
            let new = is
                .iter()
                .filter(|(name, level)| was.get(*name) != Some(level));
            for (name, level) in gone.chain(new.map(|(name, level)| (name, Some(*level)))) {
                if let Err(error) = set(name, level) {
                    tracing::warn!(name, %error, "the level of a part of the log was not changed");
                }
            }
        };
        change(&before.modules, &after.modules, &|name, level| {
            self.set_module(name, level)
        });
        change(&before.accounts, &after.accounts, &|name, level| {
            self.set_account(name, level)
        });
    }

    pub(super) fn finish(&self) {
        self.gate.report(true);
        for queue in self.queues.iter() {
            queue.flush();
        }
    }
}

impl LogLevels for LogControl {
    fn told(&self) -> LevelsOfLog {
        let names = |levels: BTreeMap<String, LogLevel>| {
            let levels = levels.into_iter();
            levels.map(|(name, level)| (name, level.into())).collect()
        };
        let unix = now().unix;
        let temporary = self.for_a_while().into_iter();
        let temporary = temporary.map(|(part, level, left)| {
            let (module, account) = match part {
                LogPart::Whole => (None, None),
                LogPart::Module(name) => (Some(name), None),
                LogPart::Account(name) => (None, Some(name)),
            };
            TemporaryLevel {
                module,
                account,
                level: level.into(),
                ends: unix.saturating_add(left).as_secs(),
            }
        });
        let lost = self.lost().into_iter();
        LevelsOfLog {
            level: self.level().into(),
            modules: names(self.modules()),
            accounts: names(self.accounts()),
            temporary: temporary.collect(),
            held_back: self.held_back(),
            lost: lost.map(|(sink, lost)| (sink.to_owned(), lost)).collect(),
        }
    }

    fn set(&self, part: LogPart, level: Option<LogLevel>, long: Duration) -> Result<(), String> {
        match level {
            Some(level) => self
                .set_for(part, level, long)
                .map_err(|error| error.to_string()),
            None => {
                self.end_now(&part);
                Ok(())
            }
        }
    }
}

fn check(
    name: &str,
    level: Option<LogLevel>,
    known: &BTreeMap<String, LogLevel>,
) -> Result<(), LogNameError> {
    if name.is_empty() {
        return Err(LogNameError::Empty);
    }
    if level.is_some() && known.len() >= MOST && !known.contains_key(name) {
        return Err(LogNameError::TooMany);
    }
    Ok(())
}

fn set(all: &mut BTreeMap<String, LogLevel>, name: &str, level: Option<LogLevel>) {
    match level {
        Some(level) => {
            all.insert(name.to_owned(), level);
        }
        None => {
            all.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logging::gate::GateLayer;
    use crate::cli::logging::levels::Levels;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn levels_are_set_listed_and_taken_back() {
        let levels = Levels::new(LogLevel::Info, LogLevel::Warn);
        let gate = Arc::new(Gate::new(levels, 20));
        // With a subscriber of its own, or a change would silence those of other tests.
        let layers = tracing_subscriber::registry().with(GateLayer(gate.clone()));
        let _mine = tracing::subscriber::set_default(layers);
        let control = LogControl::new(gate, LogTail::default(), Vec::new());
        assert_eq!(control.level(), LogLevel::Info);
        control.set_level(LogLevel::Debug);
        assert_eq!(control.level(), LogLevel::Debug);
        control
            .set_account("shop-*", Some(LogLevel::Trace))
            .unwrap();
        control
            .set_module("gateway", Some(LogLevel::Error))
            .unwrap();
        assert_eq!(control.accounts()["shop-*"], LogLevel::Trace);
        assert_eq!(control.modules()["gateway"], LogLevel::Error);
        control.set_account("shop-*", None).unwrap();
        assert!(control.accounts().is_empty());
        assert_eq!(control.set_account("", None), Err(LogNameError::Empty));
        for n in 0..MOST {
            let _ = control.set_account(&format!("a{n}"), Some(LogLevel::Info));
        }
        let more = |name, level| control.set_account(name, level);
        assert_eq!(
            more("more", Some(LogLevel::Info)),
            Err(LogNameError::TooMany)
        );
        assert_eq!(more("a1", Some(LogLevel::Warn)), Ok(()));
        assert_eq!(more("a2", None), Ok(()));
        let part = || LogPart::Module("store".to_owned());
        let long = Duration::from_secs(600);
        LogLevels::set(&control, part(), Some(LogLevel::Trace), long).unwrap();
        let told = control.told();
        assert_eq!(told.modules["store"], LogLevel::Trace.into());
        assert_eq!(told.temporary[0].module.as_deref(), Some("store"));
        assert!(control.for_a_while()[0].2 <= long);
        LogLevels::set(&control, part(), None, long).unwrap();
        assert!(!control.modules().contains_key("store") && !control.end_now(&part()));
        let nameless = LogPart::Account(String::new());
        let refused = control.set_for(nameless, LogLevel::Trace, long);
        assert_eq!(refused, Err(LogNameError::Empty));
        assert_eq!(control.held_back(), 0);
        assert_eq!(control.lost(), [("standard error", 0)]);
    }
}
