//! The arguments of `botroupe logs`.

use super::DEFAULT_CONFIG;
use crate::config::{LogLevel, parse_duration};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use std::time::Duration;

/// `botroupe logs`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct LogsArgs {
    /// Only what concerns this account; * stands for any text.
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) account: Option<String>,

    /// Goes on with the lines as they come, until Ctrl-C.
    #[arg(long, short)]
    pub(in crate::cli) follow: bool,

    /// How many of the last lines, up to 1000.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(in crate::cli) last: u32,

    /// Logs in another level for a while: of a module (gateway=debug), of --account, or of the whole; `default` for LEVEL
    /// takes that back. Once for each.
    #[arg(long = "level", value_name = "[MODULE=]LEVEL")]
    pub(in crate::cli) levels: Vec<LevelArg>,

    /// How long those levels stay, up to a day.
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = duration, requires = "levels")]
    pub(in crate::cli) long: String,

    /// Shows the levels instead of lines.
    #[arg(long, conflicts_with = "follow")]
    pub(in crate::cli) show_levels: bool,

    /// Each line, or the levels, as a JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}

/// A level for a part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct LevelArg {
    /// Of this module.
    pub(in crate::cli) module: Option<String>,
    /// The level; `None` takes it back.
    pub(in crate::cli) level: Option<LogLevel>,
}

impl std::str::FromStr for LevelArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (module, level) = match text.rsplit_once('=') {
            Some((module, level)) => (Some(module.to_owned()), level),
            None => (None, text),
        };
        let level = match level {
            "default" => None,
            level => Some(LogLevel::from_name(level).ok_or(
                "not a level; write error, warn, info, debug, trace, or default to take it back",
            )?),
        };
        if module.as_ref().is_some_and(String::is_empty) {
            return Err(
                "the name of the module is empty; write for example gateway=debug".to_owned(),
            );
        }
        Ok(Self { module, level })
    }
}

/// It is checked here and read by the process.
fn duration(text: &str) -> Result<String, String> {
    let day = Duration::from_secs(24 * 3600);
    match parse_duration(text) {
        Ok(long) if (Duration::from_secs(1)..=day).contains(&long) => Ok(text.to_owned()),
        Ok(_) => Err("from 1s to 24h; a level that stays belongs in [log]".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_of_a_module_or_of_the_whole_or_is_taken_back() {
        let of = |text: &str| text.parse::<LevelArg>();
        let arg = |module: Option<&str>, level| LevelArg {
            module: module.map(str::to_owned),
            level,
        };
        let debug = Some(LogLevel::Debug);
        assert_eq!(of("debug"), Ok(arg(None, debug)));
        assert_eq!(of("gateway=debug"), Ok(arg(Some("gateway"), debug)));
        assert_eq!(
            of("gateway::dial=default"),
            Ok(arg(Some("gateway::dial"), None))
        );
        for wrong in ["", "loud", "gateway=", "=debug", "debug=gateway"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(duration("10m").is_ok());
        for wrong in ["2d", "0s", "10", "x"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
