//! `botroupe alerts list`, `silence` and `unsilence`: what fires in a running process, and keeping it quiet.

use super::args::{AlertsListArgs, SilenceArgs, UnsilenceArgs};
use super::control;
use super::exit::Failure;
use crate::account::Clock;
use crate::admin::types::{AlertList, NewSilence, SilenceOf};
use std::fmt::Write as _;
use std::io::Write;

/// Shows what fires, and the silences.
///
/// # Errors
/// When no process answers, or nothing can be written.
pub(super) fn list(args: &AlertsListArgs, now: u64, out: &mut dyn Write) -> Result<(), Failure> {
    let told = control::alerts(&args.config)?;
    let text = if args.json {
        serde_json::to_string(&told).map_err(|error| Failure::Internal(error.to_string()))?
    } else {
        table(&told, now)
    };
    writeln!(out, "{}", text.trim_end()).map_err(Failure::Output)
}

/// Keeps something quiet, and says under which number.
///
/// # Errors
/// When no process answers, it refuses, or nothing can be written.
pub(super) fn silence(args: &SilenceArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let made = control::silence(
        &args.config,
        &NewSilence {
            rule: args.rule.clone(),
            account: args.account.clone(),
            long: args.long.clone(),
            reason: args.reason.clone(),
        },
    )?;
    writeln!(out, "{}", line(&made)).map_err(Failure::Output)
}

/// Ends a silence.
///
/// # Errors
/// When no process answers, or there is none of this number.
pub(super) fn unsilence(args: &UnsilenceArgs) -> Result<(), Failure> {
    control::unsilence(&args.config, args.number)
}

fn line(silence: &SilenceOf) -> String {
    let what = match (&silence.rule, &silence.account) {
        (None, None) => "everything".to_owned(),
        (Some(rule), None) => rule.clone(),
        (None, Some(account)) => format!("everything of {account}"),
        (Some(rule), Some(account)) => format!("{rule} of {account}"),
    };
    let mut line = format!(
        "silence {}: {what} until {}, by {}",
        silence.number,
        Clock(silence.until),
        silence.by
    );
    if !silence.reason.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(line, ": {}", silence.reason);
    }
    line
}

fn table(told: &AlertList, now: u64) -> String {
    let mut text = String::new();
    for alert in &told.alerts {
        let account = alert.account.as_deref().unwrap_or("-");
        let _ = write!(
            text,
            "{}  {account}  since {}",
            alert.rule,
            Clock(alert.since)
        );
        if let Some(until) = alert.silenced_until.filter(|until| *until > now) {
            let _ = write!(text, "  silent until {}", Clock(until));
        }
        let _ = writeln!(text, "  {}", alert.text);
    }
    if told.alerts.is_empty() {
        text.push_str("nothing fires\n");
    }
    for silence in &told.silences {
        let _ = writeln!(text, "{}", line(silence));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_says_what_fires_and_what_is_quiet() {
        let told: AlertList = serde_json::from_value(json!({
            "alerts": [
                {"rule": "contested", "account": "a", "text": "kicked", "since": 1_795_953_600, "silenced_until": 1_795_957_200, "receivers": ["ops"]},
                {"rule": "disk", "account": null, "text": "12 MiB are free", "since": 1_795_953_600, "silenced_until": null, "receivers": []},
            ],
            "silences": [{"number": 3, "rule": null, "account": "a*", "until": 1_795_957_200, "reason": "a move", "by": "me"}],
        }))
        .unwrap();
        assert_eq!(
            table(&told, 1_795_953_601),
            "contested  a  since 2026-11-29 12:00:00Z  silent until 2026-11-29 13:00:00Z  kicked\n\
             disk  -  since 2026-11-29 12:00:00Z  12 MiB are free\n\
             silence 3: everything of a* until 2026-11-29 13:00:00Z, by me: a move\n"
        );
        assert_eq!(table(&AlertList::default(), 0), "nothing fires\n");
    }
}
