//! `botroupe logs`: the log of a running process, and its levels.

use super::args::LogsArgs;
use super::control;
use super::exit::Failure;
use crate::admin::types::{LevelsOfLog, LogLine, NewLevel};
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write;

/// Changes levels, and shows them or lines.
///
/// # Errors
/// When no process answers, it refuses, or nothing can be written.
pub(super) fn logs(args: &LogsArgs, out: &mut dyn Write) -> Result<(), Failure> {
    for wanted in &args.levels {
        let is_of_module = wanted.module.is_some();
        let new = NewLevel {
            module: wanted.module.clone(),
            account: args.account.clone().filter(|_| !is_of_module),
            level: wanted.level.map(Into::into),
            long: Some(args.long.clone()),
        };
        control::set_level(&args.config, &new)?;
    }
    if args.show_levels || (!args.levels.is_empty() && !args.follow) {
        let told = control::levels(&args.config)?;
        let text = if args.json {
            serde_json::to_string(&told).map_err(|error| Failure::Internal(error.to_string()))?
        } else {
            table(&told)
        };
        return writeln!(out, "{}", text.trim_end()).map_err(Failure::Output);
    }
    let write = |line: &LogLine| {
        let line = match args.json {
            true => serde_json::to_string(line).unwrap_or_default(),
            false => pretty(line),
        };
        // A person follows, or a pipe: each line is seen at once.
        writeln!(out, "{line}").and_then(|()| out.flush())
    };
    control::log_lines(
        &args.config,
        args.account.as_deref(),
        args.last,
        args.follow,
        write,
    )
}

fn pretty(line: &LogLine) -> String {
    let mut text = format!(
        "{} {:>5} {}: {}",
        line.ts, line.level, line.target, line.message
    );
    let account = line.account.as_ref().map(|it| Value::from(it.as_str()));
    let fields = line
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value));
    let fields = account
        .iter()
        .map(|account| ("account", account))
        .chain(fields);
    for (name, value) in fields {
        // Writing to a String cannot fail.
        let _ = match value {
            Value::String(value) => write!(text, " {name}={value}"),
            value => write!(text, " {name}={value}"),
        };
    }
    text
}

fn table(levels: &LevelsOfLog) -> String {
    let name = |level| crate::config::LogLevel::from(level).name();
    let end = |module: Option<&str>, account: Option<&str>| {
        let mut found = levels.temporary.iter();
        let found = found
            .find(|level| level.module.as_deref() == module && level.account.as_deref() == account);
        let ends = found.and_then(|level| Timestamp::from_second(level.ends.cast_signed()).ok());
        ends.map(|ends| format!("  until {ends}"))
            .unwrap_or_default()
    };
    let mut text = format!("whole  {}{}\n", name(levels.level), end(None, None));
    for (module, level) in &levels.modules {
        let _ = writeln!(
            text,
            "module {module}  {}{}",
            name(*level),
            end(Some(module), None)
        );
    }
    for (account, level) in &levels.accounts {
        let _ = writeln!(
            text,
            "account {account}  {}{}",
            name(*level),
            end(None, Some(account))
        );
    }
    if levels.held_back > 0 {
        let _ = writeln!(text, "{} lines of floods were held back", levels.held_back);
    }
    for (sink, lost) in levels.lost.iter().filter(|(_, lost)| **lost > 0) {
        let _ = writeln!(text, "{lost} lines for {sink} were lost");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_one_line_and_levels_say_when_they_end() {
        let line: LogLine = serde_json::from_value(json!({
            "ts": "2026-11-29T12:00:00.000000Z", "level": "WARN", "target": "botroupe::bot",
            "message": "slow", "account": "shop-01", "fields": {"bot": "echo", "ms": 900},
        }))
        .unwrap();
        assert_eq!(
            pretty(&line),
            "2026-11-29T12:00:00.000000Z  WARN botroupe::bot: slow account=shop-01 bot=echo ms=900"
        );
        let levels: LevelsOfLog = serde_json::from_value(json!({
            "level": "info", "modules": {"gateway": "debug"}, "accounts": {"shop-*": "trace"},
            "temporary": [{"module": null, "account": "shop-*", "level": "trace", "ends": 1_795_953_600}],
            "held_back": 3, "lost": {"file": 0, "journal": 2},
        }))
        .unwrap();
        assert_eq!(
            table(&levels),
            "whole  info\nmodule gateway  debug\naccount shop-*  trace  until 2026-11-29T12:00:00Z\n\
             3 lines of floods were held back\n2 lines for journal were lost\n"
        );
    }
}
