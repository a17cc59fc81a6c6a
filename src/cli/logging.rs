//! Logs on standard error, so that standard output stays free for results.
//!
//! Logging never holds up the program: lines go through [`output`](super::output), which never blocks, and only a
//! few lines of one kind pass per second, with a count of the rest.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, callsite};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt as lines};

use super::exit::Failure;
use super::output::{self, LogLines};
use crate::config::{Env, LogFormat, LogLevel};
use crate::gateway::now;
use crate::policy::Throttle;
use crate::proto::shown;

/// The variables that set what is logged; the first one that is set wins.
const VARIABLES: [&str; 2] = ["BOTROUPE_LOG", "RUST_LOG"];
/// The number of lines of one kind that pass at once; after that it is one per second.
const BURST: u32 = 20;
/// The most characters of one field that are shown. Causes and remedies are shorter, and texts from outside are
/// clipped earlier.
const MAX_FIELD: usize = 1000;

/// Starts logging for the whole process. Call it once.
///
/// `BOTROUPE_LOG` or `RUST_LOG` decide what is logged; without them `level`, raised by
/// `verbose` steps.
///
/// # Errors
/// [`Failure::Usage`] for a variable that is no filter, [`Failure::Internal`] when called twice.
pub(super) fn init(
    level: LogLevel,
    format: LogFormat,
    verbose: u8,
    env: &dyn Env,
) -> Result<(), Failure> {
    let filter = filter(level, verbose, env)?;
    let colours = io::stderr().is_terminal() && env.get("NO_COLOR").is_none_or(|v| v.is_empty());
    output::set_json(format == LogFormat::Json);
    let registry = tracing_subscriber::registry().with(filter).with(Thinning);
    let layer = lines::layer()
        .with_writer(|| LogLines)
        .with_ansi(colours)
        // It would write to standard error itself, and panic if that fails.
        .log_internal_errors(false);
    match format {
        LogFormat::Pretty => registry
            .with(layer.fmt_fields(debug_fn(field).delimited(" ")))
            .try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    }
    .map_err(|error| Failure::Internal(error.to_string()))?;
    // The standard hook writes to standard error and waits until somebody reads it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let payload = panic.payload();
        let words = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("without words");
        let thread = thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(thread, place, "panic: {}", shown::Shown(words));
    }));
    // Without the thread, the counts are logged only at the end.
    let _ = thread::Builder::new()
        .name("log-counts".into())
        .spawn(tell_counts);
    Ok(())
}

/// Logs the remaining counts at the end of the process.
pub(super) fn finish() {
    report(true);
}

/// One field of a line, with line ends and control characters escaped.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let name = field.name().trim_start_matches("r#");
    if name != "message" {
        if writer.has_ansi_escapes() {
            write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m")?;
        } else {
            write!(writer, "{name}=")?;
        }
    }
    let mut out = Clipped {
        writer,
        left: MAX_FIELD,
    };
    write!(out, "{value:?}")
}

/// Passes characters on, escaped, until there have been enough.
struct Clipped<'w, 'a> {
    writer: &'w mut Writer<'a>,
    left: usize,
}

impl fmt::Write for Clipped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match self.left {
                0 => return Ok(()),
                1 => self.writer.write_char('…')?,
                _ => shown::escaped(self.writer, c)?,
            }
            self.left -= 1;
        }
        Ok(())
    }
}

/// Counts of suppressed lines, by the place in the code that they come from.
struct Counts {
    throttle: Throttle<callsite::Identifier>,
    /// The last line and its level.
    words: Vec<(callsite::Identifier, Level, String)>,
}

fn counts() -> &'static (Mutex<Counts>, Condvar) {
    static COUNTS: OnceLock<(Mutex<Counts>, Condvar)> = OnceLock::new();
    COUNTS.get_or_init(|| {
        let counts = Counts {
            throttle: Throttle::new(BURST),
            words: Vec::new(),
        };
        (Mutex::new(counts), Condvar::new())
    })
}

/// Passes a few lines of each kind and counts the rest. Debug and trace lines all pass.
struct Thinning;

impl<S: Subscriber> Layer<S> for Thinning {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let meta = event.metadata();
        if *meta.level() > Level::INFO || meta.target() == COUNTED {
            return true;
        }
        let (counts, told) = counts();
        let lock = || counts.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = meta.callsite();
        let known = {
            let mut counts = lock();
            if counts.throttle.pass(now().mono, &kind) {
                return true;
            }
            counts.words.iter().any(|(known, ..)| *known == kind)
        };
        if !known {
            // Format without the lock: a `Display` implementation may log something itself.
            let mut words = Words(String::new());
            event.record(&mut words);
            lock().words.push((kind, *meta.level(), words.0));
        }
        told.notify_one();
        false
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

/// The target of lines that count others; they are not counted themselves.
const COUNTED: &str = "botroupe::counted";

/// Logs the counts of suppressed lines once a second.
fn tell_counts() {
    let (counts, told) = counts();
    loop {
        let waiting = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.throttle.next_report();
        let waiting = match next {
            None => told.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            Some(due) => {
                let wait = due.saturating_sub(now().mono);
                let waited = told.wait_timeout_while(waiting, wait, |_| due > now().mono);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        drop(waiting);
        report(false);
    }
}

fn report(all: bool) {
    let (counts, _) = counts();
    let found: Vec<(Level, String, u64)> = {
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = counts.throttle.reports(now().mono, all);
        reports
            .into_iter()
            .filter_map(|(kind, count)| {
                let at = counts.words.iter().position(|(known, ..)| *known == kind)?;
                let (_, level, words) = counts.words.swap_remove(at);
                Some((level, words, count))
            })
            .collect()
    };
    for (level, like, count) in found {
        match level {
            Level::ERROR => tracing::error!(target: COUNTED, count, like, "more of the same"),
            Level::WARN => tracing::warn!(target: COUNTED, count, like, "more of the same"),
            _ => tracing::info!(target: COUNTED, count, like, "more of the same"),
        }
    }
}

fn filter(level: LogLevel, verbose: u8, env: &dyn Env) -> Result<EnvFilter, Failure> {
    let set = VARIABLES
        .iter()
        .filter_map(|name| Some((*name, env.get(name)?)))
        .find(|(_, value)| !value.trim().is_empty());
    let Some((name, value)) = set else {
        return Ok(EnvFilter::new(directives(level, verbose)));
    };
    EnvFilter::try_new(&value).map_err(|error| {
        Failure::Usage(format!(
            "{name}: {error}; write for example {name}=info or {name}=warn,botroupe=debug"
        ))
    })
}

/// The filter for `level` and `-v`. Libraries log one step less than this crate: at info they report every
/// thread they start.
fn directives(level: LogLevel, verbose: u8) -> String {
    let raised = match verbose {
        0 => level,
        1 => level.max(LogLevel::Debug),
        _ => LogLevel::Trace,
    };
    let libraries = match (raised, verbose) {
        (_, 3..) => LogLevel::Trace,
        (LogLevel::Error, _) => LogLevel::Error,
        (LogLevel::Warn | LogLevel::Info, _) => LogLevel::Warn,
        (LogLevel::Debug | LogLevel::Trace, _) => LogLevel::Info,
    };
    format!("{},botroupe={}", libraries.name(), raised.name())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn env(vars: &[(&str, &str)]) -> BTreeMap<String, String> {
        vars.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn v_raises_the_level_and_never_lowers_it() {
        for (level, verbose, expected) in [
            (LogLevel::Info, 0, "warn,botroupe=info"),
            (LogLevel::Error, 0, "error,botroupe=error"),
            (LogLevel::Info, 1, "info,botroupe=debug"),
            (LogLevel::Trace, 1, "info,botroupe=trace"),
            (LogLevel::Info, 2, "info,botroupe=trace"),
            (LogLevel::Info, 9, "trace,botroupe=trace"),
        ] {
            assert_eq!(directives(level, verbose), expected);
        }
    }

    #[test]
    fn the_environment_wins_and_its_mistakes_are_named() {
        let both = env(&[("BOTROUPE_LOG", "debug"), ("RUST_LOG", "error")]);
        assert_eq!(
            filter(LogLevel::Info, 2, &both).unwrap().to_string(),
            "debug"
        );
        let empty = env(&[("BOTROUPE_LOG", ""), ("RUST_LOG", "error")]);
        assert_eq!(
            filter(LogLevel::Info, 0, &empty).unwrap().to_string(),
            "error"
        );
        let error = filter(LogLevel::Info, 0, &env(&[("RUST_LOG", "a=b=c")])).unwrap_err();
        assert_eq!(error.code(), Some(super::super::exit::USAGE));
        assert!(error.to_string().starts_with("RUST_LOG: "), "{error}");
    }
}
