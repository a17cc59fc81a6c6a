//! `[log]`.

use super::*;

#[test]
fn everything_about_logs_can_be_said() {
    let text = with(
        "[log]\nlevel = \"warn\"\nburst = 5\njournal = \"never\"\n[log.file]\npath = \"logs/b.log\"\nformat = \"pretty\"\n\
         max_size = \"1MiB\"\nmax_files = 3\ndaily = true\n[log.modules]\ngateway = \"debug\"\n\"my_bots::shop\" = \"trace\"\n\
         [log.accounts]\na = \"trace\"\n\"*\" = \"error\"\n",
    );
    let log = parse(&text).unwrap().log;
    assert_eq!((log.level, log.burst), (LogLevel::Warn, 5));
    assert_eq!(log.journal, LogJournal::Never);
    let file = log.file.unwrap();
    assert_eq!(file.path, Path::new("logs/b.log"));
    assert_eq!(
        (file.format, file.max_size, file.max_files, file.daily),
        (LogFormat::Pretty, 1 << 20, 3, true)
    );
    assert_eq!(log.modules["my_bots::shop"], LogLevel::Trace);
    assert_eq!(log.accounts["*"], LogLevel::Error);

    let short = parse(&with("[log.file]\npath = \"b.log\"\n")).unwrap().log;
    let file = short.file.unwrap();
    assert_eq!((file.format, file.max_files), (LogFormat::Json, 8));
    assert_eq!(parse(&with("")).unwrap().log, LogConfig::default());
}

#[test]
fn a_relative_log_file_starts_where_the_config_is() {
    let text = with("[log.file]\npath = \"b.log\"\n");
    let env = vars(&[]);
    let sources = Sources::new("/etc/botroupe/config.toml", &text, &env).known_bots(BOTS);
    let log = Config::parse(sources).unwrap().log;
    assert_eq!(log.file.unwrap().path, Path::new("/etc/botroupe/b.log"));
}

#[test]
fn mistakes_about_logs_are_told_at_their_place() {
    for (more, expected) in [
        (
            "[log.file]\nmax_files = 0\n",
            "config.toml:8:13: log.file.max_files: 0 is out of range",
        ),
        ("[log.file]\ndaily = true\n", "log.file.path: missing"),
        ("[log.file]\npath = \"\"\n", "log.file.path: empty"),
        (
            "[log.file]\npath = \"x\"\nmax_size = \"1B\"\n",
            "log.file.max_size: 1B is out of range",
        ),
        (
            "[log.modules]\ngateway = \"loud\"\n",
            "log.modules.gateway: unknown log level \"loud\"",
        ),
        (
            "[log.modules]\n\"a b\" = \"info\"\n",
            "this names no module; write a room",
        ),
        (
            "[log.accounts]\nb = \"info\"\n",
            "config.toml:8:5: log.accounts.b: there is no account of this name",
        ),
        (
            "[log]\njournal = \"yes\"\n",
            "unknown use of the journal \"yes\"",
        ),
    ] {
        let said = parse(&with(more)).unwrap_err().to_string();
        assert!(said.contains(expected), "{expected:?} in {said}");
    }
}
