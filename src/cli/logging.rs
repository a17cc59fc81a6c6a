//! Logs on standard error, so that standard output stays free for results.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use super::exit::Failure;
use super::progress::Stderr;
use crate::config::{Env, LogFormat, LogLevel};

/// The variables that say what is logged, the first that is set wins.
const VARIABLES: [&str; 2] = ["BOTROUPE_LOG", "RUST_LOG"];

/// Starts logging for the whole process. Call it once.
///
/// `BOTROUPE_LOG` or `RUST_LOG` decide what is logged; without them `level`, raised by
/// `verbose` steps.
///
/// # Errors
/// [`Failure::Usage`] for a variable that is no filter, [`Failure::Internal`] when called twice.
pub fn init(level: LogLevel, format: LogFormat, verbose: u8, env: &dyn Env) -> Result<(), Failure> {
    let filter = filter(level, verbose, env)?;
    let colours = io::stderr().is_terminal() && env.get("NO_COLOR").is_none_or(|v| v.is_empty());
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(|| Stderr)
        .with_ansi(colours);
    match format {
        LogFormat::Pretty => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| Failure::Internal(error.to_string()))
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

/// What `level` and `-v` come to. The libraries below speak up a step later than we do: at info
/// they tell of every thread they start.
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
