//! Levels that end by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use super::levels::Levels;
use super::raised;
use crate::admin::LogPart;
use crate::config::LogLevel;

/// Levels that are over those that stay, each until a monotonic time.
#[derive(Clone, Debug, Default)]
pub(super) struct Temporary(BTreeMap<LogPart, (LogLevel, Duration)>);

impl Temporary {
    /// Gives a part a level until a time; what it had here before is forgotten.
    pub(super) fn set(&mut self, part: LogPart, level: LogLevel, until: Duration) {
        self.0.insert(part, (level, until));
    }

    /// Takes a level back; `false` when there was none.
    pub(super) fn take_back(&mut self, part: &LogPart) -> bool {
        self.0.remove(part).is_some()
    }

    /// Takes back what has ended, and returns it.
    pub(super) fn end(&mut self, now: Duration) -> Vec<LogPart> {
        let mut over = Vec::new();
        self.0.retain(|part, (_, until)| {
            let lasts = *until > now;
            if !lasts {
                over.push(part.clone());
            }
            lasts
        });
        over
    }

    /// When the next one ends.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.values().map(|(_, until)| *until).min()
    }

    /// Every one, with its end.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&LogPart, LogLevel, Duration)> {
        self.0
            .iter()
            .map(|(part, (level, until))| (part, *level, *until))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What holds with these over levels that stay.
    pub(super) fn over(&self, stay: &Levels) -> Levels {
        let mut levels = stay.clone();
        for (part, level, _) in self.iter() {
            match part {
                LogPart::Whole => {
                    let (own, libraries) = raised(level, 0);
                    levels.choose(own, libraries);
                }
                LogPart::Module(name) => {
                    levels.modules_mut().insert(name.clone(), level);
                }
                LogPart::Account(name) => {
                    levels.accounts_mut().insert(name.clone(), level);
                }
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::level_filters::LevelFilter;

    #[test]
    fn a_level_holds_until_its_end_and_then_what_stays_holds_again() {
        let at = Duration::from_secs;
        let mut stay = Levels::new(LogLevel::Info, LogLevel::Warn);
        stay.modules_mut().insert("gateway".into(), LogLevel::Error);
        let mut temporary = Temporary::default();
        assert_eq!(temporary.next(), None);
        let module = || LogPart::Module("gateway".into());
        let account = || LogPart::Account("shop-*".into());
        temporary.set(module(), LogLevel::Trace, at(20));
        temporary.set(account(), LogLevel::Debug, at(10));
        temporary.set(LogPart::Whole, LogLevel::Debug, at(30));
        let levels = temporary.over(&stay);
        assert_eq!(levels.of_target("botroupe::gateway"), LevelFilter::TRACE);
        assert_eq!(levels.of_account("shop-1"), Some(LevelFilter::DEBUG));
        assert_eq!(levels.chosen(), LogLevel::Debug);
        assert_eq!(temporary.next(), Some(at(10)));

        assert_eq!(temporary.end(at(9)), []);
        assert_eq!(temporary.end(at(10)), [account()]);
        assert_eq!(temporary.over(&stay).of_account("shop-1"), None);
        // A second one for the same part takes the place of the first.
        temporary.set(module(), LogLevel::Debug, at(40));
        assert_eq!(temporary.end(at(25)), []);
        // What stays may change below: it holds as soon as nothing is above it.
        stay.modules_mut().insert("gateway".into(), LogLevel::Warn);
        let levels = temporary.over(&stay);
        assert_eq!(levels.of_target("botroupe::gateway"), LevelFilter::DEBUG);
        assert!(temporary.take_back(&module()));
        assert!(!temporary.take_back(&module()));
        let levels = temporary.over(&stay);
        assert_eq!(levels.of_target("botroupe::gateway"), LevelFilter::WARN);
        assert_eq!(temporary.end(at(30)), [LogPart::Whole]);
        assert_eq!(temporary.over(&stay).chosen(), LogLevel::Info);
        assert_eq!((temporary.len(), temporary.next()), (0, None));
    }
}
