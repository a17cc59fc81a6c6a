//! Lets through what is to be logged: by level, and of a flood from one place in the code only a few lines and a
//! count.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber, callsite};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::levels::Levels;
use super::temporary::Temporary;
use crate::gateway::now;
use crate::policy::Throttle;
use crate::proto::shown;

/// Debug and trace lines of one place that pass, for each line of the others: who asks for them wants to read them,
/// but nobody reads more than a thousand a second.
const VERBOSE: u32 = 50;
/// The target of lines that count others; they are not counted themselves.
const COUNTED: &str = "botroupe::counted";

/// Decides for each event whether it is logged.
#[derive(Debug)]
pub(super) struct Gate {
    /// What holds.
    levels: RwLock<Arc<Levels>>,
    given: Mutex<Given>,
    counts: Mutex<Counts>,
    told: Condvar,
}

/// What was said of the levels.
#[derive(Debug)]
struct Given {
    stay: Levels,
    temporary: Temporary,
}

/// Counts of suppressed lines, by the place in the code that they come from.
#[derive(Debug)]
struct Counts {
    throttle: Throttle<callsite::Identifier>,
    verbose: Throttle<callsite::Identifier>,
    /// The last line and its level.
    words: Vec<(callsite::Identifier, Level, String)>,
    /// All that were held back.
    held: u64,
    /// When the next temporary level ends.
    ends: Option<Duration>,
}

impl Counts {
    /// When something is to be told or to end.
    fn next(&self) -> Option<Duration> {
        let times = [
            self.throttle.next_report(),
            self.verbose.next_report(),
            self.ends,
        ];
        times.into_iter().flatten().min()
    }
}

impl Gate {
    pub(super) fn new(levels: Levels, burst: u32) -> Self {
        let many = burst.saturating_mul(VERBOSE);
        Self {
            levels: RwLock::new(Arc::new(levels.clone())),
            given: Mutex::new(Given {
                stay: levels,
                temporary: Temporary::default(),
            }),
            counts: Mutex::new(Counts {
                throttle: Throttle::new(burst),
                verbose: Throttle::with_rate(many, f64::from(many)),
                words: Vec::new(),
                held: 0,
                ends: None,
            }),
            told: Condvar::new(),
        }
    }

    pub(super) fn levels(&self) -> Arc<Levels> {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&levels)
    }

    /// Changes the levels that stay, from the next line on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Levels)) {
        self.give(|given| change(&mut given.stay));
    }

    /// Changes the levels that end by themselves, from the next line on.
    pub(super) fn change_temporary<T>(&self, change: impl FnOnce(&mut Temporary) -> T) -> T {
        let changed = self.give(|given| change(&mut given.temporary));
        self.told.notify_one();
        changed
    }

    /// The levels that end by themselves.
    pub(super) fn temporary(&self) -> Temporary {
        self.given().temporary.clone()
    }

    fn given(&self) -> std::sync::MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give<T>(&self, change: impl FnOnce(&mut Given) -> T) -> T {
        let changed = {
            let mut given = self.given();
            let changed = change(&mut given);
            let levels = Arc::new(given.temporary.over(&given.stay));
            *self.levels.write().unwrap_or_else(PoisonError::into_inner) = levels;
            self.lock().ends = given.temporary.next();
            changed
        };
        // Places in the code remember whether they are wanted.
        callsite::rebuild_interest_cache();
        changed
    }

    /// How many lines were held back since the start.
    pub(super) fn held(&self) -> u64 {
        self.lock().held
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wanted(&self, meta: &Metadata<'_>) -> bool {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        // Spans say which account a line is about, also when only errors are logged.
        if meta.is_span() && *meta.level() <= Level::INFO && meta.target().starts_with("botroupe") {
            return true;
        }
        *meta.level() <= levels.at_most(meta.target())
    }

    /// Whether one more line from this place may pass; counted if not.
    fn passes(&self, event: &Event<'_>, now: Duration) -> bool {
        let meta = event.metadata();
        if meta.target() == COUNTED {
            return true;
        }
        let kind = meta.callsite();
        let known = {
            let mut counts = self.lock();
            let throttle = match *meta.level() <= Level::INFO {
                true => &mut counts.throttle,
                false => &mut counts.verbose,
            };
            if throttle.pass(now, &kind) {
                return true;
            }
            counts.held += 1;
            counts.words.iter().any(|(known, ..)| *known == kind)
        };
        if !known {
            // Format without the lock: a `Display` implementation may log something itself.
            let mut words = Words(String::new());
            event.record(&mut words);
            self.lock().words.push((kind, *meta.level(), words.0));
        }
        self.told.notify_one();
        false
    }

    /// Logs the counts of suppressed lines once a second and ends temporary levels, for ever.
    pub(super) fn keep(&self) {
        loop {
            let waiting = self.lock();
            let waiting = match waiting.next() {
                None => self
                    .told
                    .wait_while(waiting, |counts| counts.next().is_none())
                    .unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let wait = due.saturating_sub(now().mono);
                    let is_same = |counts: &mut Counts| counts.next() == Some(due);
                    let waited = self.told.wait_timeout_while(waiting, wait, |counts| {
                        is_same(counts) && due > now().mono
                    });
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            drop(waiting);
            self.report(false);
            self.end_temporary(now().mono);
        }
    }

    /// Takes back the levels that have ended.
    pub(super) fn end_temporary(&self, now: Duration) {
        if self.lock().ends.is_none_or(|ends| ends > now) {
            return;
        }
        for part in self.change_temporary(|temporary| temporary.end(now)) {
            tracing::info!(?part, "a level of the log has ended");
        }
    }

    /// Logs the counts that are due, or all.
    pub(super) fn report(&self, all: bool) {
        for (level, like, count) in self.due(now().mono, all) {
            let more = More(count);
            match level {
                Level::ERROR => tracing::error!(target: COUNTED, count, like, "{more}"),
                Level::WARN => tracing::warn!(target: COUNTED, count, like, "{more}"),
                Level::INFO => tracing::info!(target: COUNTED, count, like, "{more}"),
                _ => tracing::debug!(target: COUNTED, count, like, "{more}"),
            }
        }
    }

    fn due(&self, now: Duration, all: bool) -> Vec<(Level, String, u64)> {
        let mut counts = self.lock();
        let mut reports = counts.throttle.reports(now, all);
        reports.extend(counts.verbose.reports(now, all));
        let found = reports.into_iter().filter_map(|(kind, count)| {
            let at = counts.words.iter().position(|(known, ..)| *known == kind)?;
            let (_, level, words) = counts.words.swap_remove(at);
            Some((level, words, count))
        });
        found.collect()
    }
}

/// How many lines were left out, with commas between thousands.
struct More(u64);

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        f.write_str("… and ")?;
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        f.write_str(" more")
    }
}

/// The [`Gate`] as the outermost layer.
pub(super) struct GateLayer(pub(super) Arc<Gate>);

/// The account that a span is about.
struct Account(Box<str>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for GateLayer {
    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        match self.0.is_wanted(meta) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, meta: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.0.is_wanted(meta)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.levels().most().max(LevelFilter::INFO))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut account = AccountOf(None);
        attributes.record(&mut account);
        if let (Some(account), Some(span)) = (account.0, context.span(id)) {
            span.extensions_mut()
                .insert(Account(account.into_boxed_str()));
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        let levels = self.0.levels();
        let meta = event.metadata();
        let mut level = levels.of_target(meta.target());
        if !levels.accounts().is_empty() {
            let mut account = AccountOf(None);
            event.record(&mut account);
            let own = match &account.0 {
                Some(account) => levels.of_account(account),
                None => context.event_scope(event).and_then(|mut scope| {
                    scope.find_map(|span| {
                        let extensions = span.extensions();
                        levels.of_account(&extensions.get::<Account>()?.0)
                    })
                }),
            };
            level = own.unwrap_or(level);
        }
        *meta.level() <= level && self.0.passes(event, now().mono)
    }
}

/// The field `account` of a span or an event.
struct AccountOf(Option<String>);

impl Visit for AccountOf {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "account" {
            self.0 = Some(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "account" {
            self.0 = Some(value.to_owned());
        }
    }
}

/// The message of an event.
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{}", shown::Shown(&format!("{value:?}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::LogPart;
    use crate::config::LogLevel;
    use tracing_subscriber::layer::SubscriberExt;

    /// Keeps the messages that come through.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut words = Words(String::new());
            event.record(&mut words);
            self.0.lock().unwrap().push(words.0);
        }
    }

    fn through(levels: Levels, burst: u32, log: impl FnOnce(&Gate)) -> Vec<String> {
        let gate = Arc::new(Gate::new(levels, burst));
        let kept = Kept::default();
        let layers = tracing_subscriber::registry()
            .with(kept.clone())
            .with(GateLayer(gate.clone()));
        tracing::subscriber::with_default(layers, || log(&gate));
        let kept = kept.0.lock().unwrap();
        kept.clone()
    }

    #[test]
    fn a_flood_is_a_few_lines_and_a_count_at_every_level() {
        let levels = Levels::new(LogLevel::Trace, LogLevel::Warn);
        let lines = through(levels, 3, |gate| {
            for n in 0..5_000 {
                tracing::warn!("flood {n}");
                tracing::trace!("verbose {n}");
            }
            tracing::warn!("something else");
            assert!(gate.held() > 9_000, "{}", gate.held());
            gate.report(true);
        });
        let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
        // A second or two may pass meanwhile.
        assert!((3..8).contains(&count("flood")), "{lines:?}");
        assert!(
            (150..900).contains(&count("verbose")),
            "{}",
            count("verbose")
        );
        assert_eq!(count("something else"), 1);
        assert_eq!(count("… and 4,99"), 1, "{:?}", lines.last());
        assert_eq!(count("… and "), 2);
    }

    #[test]
    fn one_account_is_logged_in_full_and_another_hardly_whatever_it_comes_from() {
        let mut levels = Levels::new(LogLevel::Info, LogLevel::Warn);
        levels
            .accounts_mut()
            .insert("shop-01".into(), LogLevel::Trace);
        levels
            .accounts_mut()
            .insert("quiet-*".into(), LogLevel::Error);
        let lines = through(levels, 20, |_| {
            for account in ["shop-01", "shop-02", "quiet-1"] {
                tracing::trace!(%account, "trace {account}");
                tracing::info!(account, "info {account}");
                tracing::info_span!("handler", %account).in_scope(|| {
                    tracing::debug!("within {account}");
                    tracing::error!("error {account}");
                });
            }
        });
        let expected = [
            "trace shop-01",
            "info shop-01",
            "within shop-01",
            "error shop-01",
            "info shop-02",
            "error shop-02",
            "error quiet-1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn levels_change_while_it_runs() {
        let levels = Levels::new(LogLevel::Error, LogLevel::Error);
        let lines = through(levels, 20, |gate| {
            let log = |n: u32| tracing::debug!("line {n}");
            log(1);
            gate.change(|levels| levels.choose(LogLevel::Debug, LogLevel::Info));
            log(2);
            gate.change(|levels| levels.choose(LogLevel::Error, LogLevel::Error));
            log(3);
            gate.change(|levels| {
                levels
                    .modules_mut()
                    .insert("cli::logging".into(), LogLevel::Trace);
            });
            log(4);
        });
        assert_eq!(lines, ["line 2", "line 4"]);
    }

    #[test]
    fn a_level_for_a_while_ends_by_itself_and_a_change_below_it_waits() {
        let levels = Levels::new(LogLevel::Error, LogLevel::Error);
        let lines = through(levels, 20, |gate| {
            let log = |n: u32| tracing::debug!("line {n}");
            let part = || LogPart::Account("a".into());
            let of_a = |n: u32| tracing::debug!(account = "a", "of a {n}");
            gate.change_temporary(|it| it.set(part(), LogLevel::Debug, Duration::from_secs(9)));
            log(1);
            of_a(1);
            gate.end_temporary(Duration::from_secs(8));
            gate.change(|levels| {
                levels.accounts_mut().insert("a".into(), LogLevel::Error);
            });
            of_a(2);
            gate.end_temporary(Duration::from_secs(9));
            of_a(3);
        });
        assert_eq!(lines, ["of a 1", "of a 2"]);
    }

    #[test]
    fn counts_have_commas() {
        for (count, text) in [
            (1, "… and 1 more"),
            (999, "… and 999 more"),
            (1_234, "… and 1,234 more"),
            (1_000_000, "… and 1,000,000 more"),
        ] {
            assert_eq!(More(count).to_string(), text);
        }
    }
}
