//! Logs: on standard error (so that standard output stays free for results), in a file, or in the journal.
//!
//! Logging never holds up the program: lines go through [`output`](super::output) or a [`Queue`], which never block,
//! and only a few lines of one kind pass per second, with a count of the rest.

mod control;
mod gate;
#[cfg(unix)]
mod journal;
mod levels;
mod line;
mod queue;
mod rotation;
mod temporary;

pub use control::{LogControl, LogNameError};
pub(super) use line::json_line;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::thread;

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt as lines;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::Failure;
use super::output::{self, LogLines};
use crate::admin::LogTail;
use crate::config::{Env, LogConfig, LogFileConfig, LogFormat, LogJournal, LogLevel};
use crate::gateway::now;
use crate::proto::shown;
use gate::{Gate, GateLayer};
use levels::Levels;
use line::{Line, Lines};
use queue::Queue;
use rotation::Rotation;

/// The variables that set what is logged; the first one that is set wins.
const VARIABLES: [&str; 2] = ["BOTROUPE_LOG", "RUST_LOG"];
/// The most characters of one field that are shown. Causes and remedies are shorter, and texts from outside are
/// clipped earlier.
const MAX_FIELD: usize = 1000;

/// A layer of any kind.
type AnyLayer<S> = Box<dyn Layer<S> + Send + Sync>;

/// Starts logging for the whole process. Call it once.
///
/// `BOTROUPE_LOG` or `RUST_LOG` decide what is logged; without them the levels of the config, raised by
/// `verbose` steps.
///
/// # Errors
/// [`Failure::Usage`] for a variable that is no filter, [`Failure::Internal`] when called twice.
pub(super) fn init(config: &LogConfig, verbose: u8, env: &dyn Env) -> Result<(), Failure> {
    let levels = levels(config, verbose, env)?;
    let gate = Arc::new(Gate::new(levels, config.burst));
    output::set_json(config.format == LogFormat::Json);
    let mut queues = Vec::new();
    let tail = LogTail::default();
    let mut layers = vec![to_api(tail.clone())];
    match journal(config.journal, env) {
        Some(journal) => {
            layers.push(journal.1);
            queues.push(journal.0);
        }
        None => layers.push(standard_error(config.format, env)),
    }
    if let Some(file) = &config.file {
        let (queue, layer) = to_file(file);
        layers.push(layer);
        queues.push(queue);
    }
    tracing_subscriber::registry()
        .with(layers)
        .with(GateLayer(gate.clone()))
        .try_init()
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
    // Without the thread, the counts are logged only at the end, and no level ends.
    let counts = gate.clone();
    let _ = thread::Builder::new()
        .name("log-counts".into())
        .spawn(move || counts.keep());
    LogControl::new(gate, tail, queues).install();
    Ok(())
}

/// Logs the remaining counts at the end of the process, and waits a moment until all is written.
pub(super) fn finish() {
    if let Some(control) = LogControl::current() {
        control.finish();
    }
}

fn standard_error<S>(format: LogFormat, env: &dyn Env) -> AnyLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let colours = io::stderr().is_terminal() && env.get("NO_COLOR").is_none_or(|v| v.is_empty());
    match format {
        LogFormat::Pretty => lines::layer()
            .with_writer(|| LogLines)
            .with_ansi(colours)
            // It would write to standard error itself, and panic if that fails.
            .log_internal_errors(false)
            .fmt_fields(debug_fn(field).delimited(" "))
            .boxed(),
        LogFormat::Json => Lines::new(Line::json, Box::new(output::log_line)).boxed(),
    }
}

fn to_file<S>(config: &LogFileConfig) -> (Queue, AnyLayer<S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut rotation = Rotation::new(config);
    let queue = Queue::start("file", move |line| rotation.write(line, now().unix));
    let to = queue.clone();
    let layer = match config.format {
        LogFormat::Pretty => lines::layer()
            .with_writer(move || ToQueue(to.clone()))
            .with_ansi(false)
            .log_internal_errors(false)
            .fmt_fields(debug_fn(field).delimited(" "))
            .boxed(),
        LogFormat::Json => Lines::queued(Line::json, to).boxed(),
    };
    (queue, layer)
}

/// The last lines, and those who follow them over the admin API.
fn to_api<S>(tail: LogTail) -> AnyLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Lines::each(move |line| {
        let (level, line) = line.for_api();
        tail.put(level, &line);
    })
    .boxed()
}

/// The journal, where it is wanted.
#[cfg(unix)]
fn journal<S>(wanted: LogJournal, env: &dyn Env) -> Option<(Queue, AnyLayer<S>)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted = match wanted {
        LogJournal::Always => true,
        LogJournal::Auto => journal::is_standard_error(env),
        LogJournal::Never => false,
    };
    wanted.then(|| {
        let mut journal = journal::Journal::system();
        let queue = Queue::start("journal", move |entry| journal.write(entry));
        let layer = Lines::queued(journal::entry, queue.clone()).boxed();
        (queue, layer)
    })
}

/// There is none on this system.
#[cfg(not(unix))]
fn journal<S>(_: LogJournal, _: &dyn Env) -> Option<(Queue, AnyLayer<S>)> {
    None
}

/// A queue for a formatter: every `write` is one line.
struct ToQueue(Queue);

impl io::Write for ToQueue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

/// What is logged: as a variable says, or as the config does.
fn levels(config: &LogConfig, verbose: u8, env: &dyn Env) -> Result<Levels, Failure> {
    let set = VARIABLES
        .iter()
        .filter_map(|name| Some((*name, env.get(name)?)))
        .find(|(_, value)| !value.trim().is_empty());
    let Some((name, value)) = set else {
        let (own, libraries) = raised(config.level, verbose);
        let mut levels = Levels::new(own, libraries);
        levels.modules_mut().clone_from(&config.modules);
        levels.accounts_mut().clone_from(&config.accounts);
        return Ok(levels);
    };
    let targets = value.parse::<Targets>().map_err(|error| {
        Failure::Usage(format!(
            "{name}: {error}; write for example {name}=info or {name}=warn,botroupe=debug"
        ))
    })?;
    Ok(Levels::of_targets(targets))
}

/// The levels of this crate and of libraries, for `level` and `-v`. Libraries log one step less than this crate: at
/// info they report every thread they start.
fn raised(level: LogLevel, verbose: u8) -> (LogLevel, LogLevel) {
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
    (raised, libraries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tracing::level_filters::LevelFilter;

    use super::*;

    fn env(vars: &[(&str, &str)]) -> BTreeMap<String, String> {
        vars.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn v_raises_the_level_and_never_lowers_it() {
        for (level, verbose, own, libraries) in [
            (LogLevel::Info, 0, LogLevel::Info, LogLevel::Warn),
            (LogLevel::Error, 0, LogLevel::Error, LogLevel::Error),
            (LogLevel::Info, 1, LogLevel::Debug, LogLevel::Info),
            (LogLevel::Trace, 1, LogLevel::Trace, LogLevel::Info),
            (LogLevel::Info, 2, LogLevel::Trace, LogLevel::Info),
            (LogLevel::Info, 9, LogLevel::Trace, LogLevel::Trace),
        ] {
            assert_eq!(raised(level, verbose), (own, libraries));
        }
    }

    #[test]
    fn the_environment_wins_and_its_mistakes_are_named() {
        let config = LogConfig::default();
        let of = |vars: &[(&str, &str)], target| {
            levels(&config, 2, &env(vars)).map(|levels| levels.of_target(target))
        };
        let both = [("BOTROUPE_LOG", "debug"), ("RUST_LOG", "error")];
        assert_eq!(of(&both, "awc").unwrap(), LevelFilter::DEBUG);
        let empty = [("BOTROUPE_LOG", ""), ("RUST_LOG", "error")];
        assert_eq!(of(&empty, "botroupe").unwrap(), LevelFilter::ERROR);
        assert_eq!(of(&[], "botroupe").unwrap(), LevelFilter::TRACE);
        let error = of(&[("RUST_LOG", "a=b=c")], "").unwrap_err();
        assert_eq!(error.code(), Some(super::super::exit::USAGE));
        assert!(error.to_string().starts_with("RUST_LOG: "), "{error}");
    }
}
