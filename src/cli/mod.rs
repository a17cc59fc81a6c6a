//! The command line: arguments, logs, exit codes, and the commands that need no connection.
//!
//! Results go to standard output, everything else to standard error. This is the one place that
//! reads the process: its arguments, environment, files and standard streams.

mod accounts;
mod alerts;
mod args;
mod audit;
mod chat;
mod check;
mod console;
#[cfg_attr(not(unix), path = "control_none.rs")]
mod control;
mod dialogues;
mod doctor;
mod env;
mod exit;
mod kept;
mod limits;
mod load;
mod logging;
mod logs;
mod memory;
mod new;
mod output;
mod progress;
mod quiet;
mod reload;
mod report;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod seat;
#[cfg_attr(not(target_os = "linux"), path = "service_none.rs")]
mod service;
mod shell;
mod store;
mod successor;
#[cfg_attr(not(unix), path = "takeover_none.rs")]
mod takeover;
mod token;
mod usersig;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::fleet::ProcessEnv;
use args::{AlertsCommand, Args, Command, OrderArgs, StatusArgs};
use exit::{Failure, USAGE};
use load::load;
use logging::init as init_logging;

pub use crate::admin::LogPart;
use crate::admin::types::OrderKind;
use crate::bot::Bots;
use crate::config::{Env, LogConfig, LogJournal};
pub use logging::{LogControl, LogNameError};

/// Carries out the command line of a program with these bots, and returns the exit code.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`cli::main(bots::all())` reads better"
)]
pub fn main(bots: Bots) -> ExitCode {
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are errors to clap. If they cannot be printed nothing can be said.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let result = execute(args, &bots, &ProcessEnv, &mut io::stdout());
    let code = conclude(result);
    crate::account::end_programs();
    // Write the lines that still wait, the last log lines among them.
    logging::finish();
    output::finish();
    code
}

/// Reports a failure on standard error and as the exit code.
fn conclude(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else {
        return ExitCode::SUCCESS;
    };
    let Some(code) = failure.code() else {
        return ExitCode::SUCCESS;
    };
    // Mistakes in a config stand at the start of their lines, where editors look for file:line.
    let name = match failure {
        Failure::Config(_) | Failure::ConfigFile { .. } => "",
        _ => "botroupe: ",
    };
    output::err(&format!("{name}{failure}"));
    ExitCode::from(code)
}

/// Runs one command; `out` stands for standard output.
fn execute(args: Args, bots: &Bots, env: &dyn Env, out: &mut dyn Write) -> Result<(), Failure> {
    let (verbose, format) = (args.verbose, args.log_format.map(Into::into));
    let log = |mut log: LogConfig| {
        log.format = format.unwrap_or(log.format);
        init_logging(&log, verbose, env)
    };
    match args.into_command() {
        Command::Check(args) => check::check(&args, env, unix_now(), bots, out)?,
        Command::Usersig(command) => {
            usersig::usersig(command, env, unix_now(), &mut io::stdin().lock(), out)?;
        }
        Command::Run(args) => {
            let mut config = load(args.path(), &args.run.config.overrides(), env, bots)?;
            config.record = args.run.record();
            if config.record.is_some() && config.apps.len() > 1 {
                let text = "--record knows accounts by their UserIDs: record one app at a time";
                return Err(Failure::Usage(text.to_owned()));
            }
            log(config.log.clone())?;
            let format = format.unwrap_or(config.log.format);
            let source = reload::ConfigSource {
                path: args.path().to_owned(),
                overrides: args.run.config.overrides(),
                record: args.run.record(),
                bots: bots.clone(),
            };
            run::run(source, &args.run, &config, format)?;
        }
        #[cfg(feature = "sandbox")]
        Command::Sandbox(args) => {
            let key = usersig::secret_key(&args.key, env)?;
            log(LogConfig::default())?;
            let token = env.get(env::SANDBOX_TOKEN).map(Into::into);
            sandbox::sandbox(args.listen, sandbox::settings(args, key, token), out)?;
        }
        Command::Status(args) => status(&args, out)?,
        Command::Hold(args) => order(&args, OrderKind::Hold, out)?,
        Command::Resume(args) => order(&args, OrderKind::Resume, out)?,
        Command::Relogin(args) => order(&args, OrderKind::Relogin, out)?,
        Command::Quarantine(args) => order(&args, OrderKind::Quarantine, out)?,
        Command::Release(args) => order(&args, OrderKind::Release, out)?,
        Command::Plan(args) => reload::order(&args, false, out)?,
        Command::Reload(args) => reload::order(&args, true, out)?,
        Command::Accounts(command) => accounts::accounts(&command, env, bots, out)?,
        Command::Store(command) => store::store(&command, env, bots, out)?,
        Command::Alerts(AlertsCommand::Test(args)) => {
            log(LogConfig::default())?;
            alerts::test(&args, env, bots, out)?;
        }
        Command::Alerts(AlertsCommand::List(args)) => quiet::list(&args, unix_now(), out)?,
        Command::Alerts(AlertsCommand::Silence(args)) => quiet::silence(&args, out)?,
        Command::Alerts(AlertsCommand::Unsilence(args)) => quiet::unsilence(&args)?,
        Command::Logs(args) => logs::logs(&args, out)?,
        Command::Doctor(args) => doctor::doctor(&args, env, bots, out)?,
        Command::Completions(args) => shell::completions(args.shell, out)?,
        Command::Man(args) => shell::man(args.folder.as_deref(), out)?,
        Command::New(command) => new::new(&command, out)?,
        Command::Console(args) => console::console(&args, out)?,
        Command::Token(command) => token::token(&command, out)?,
        Command::Audit(command) => audit::audit(&command, env, bots, out)?,
        Command::Dialogues(command) => dialogues::dialogues(&command, out)?,
        Command::Outbox(command) => store::outbox(&command, env, bots, out)?,
        Command::Chat(mut args) => {
            let mut config = load(&args.config.config, &args.config.overrides(), env, bots)?;
            chat::choose(&mut args, &mut config)?;
            chat::check(&args, &config)?;
            // Only errors may interrupt the chat on the terminal, and the file belongs to the fleet.
            log(LogConfig {
                level: crate::config::LogLevel::Error,
                journal: LogJournal::Never,
                file: None,
                modules: std::collections::BTreeMap::default(),
                accounts: std::collections::BTreeMap::default(),
                ..config.log
            })?;
            chat::chat(&args, &config)?;
        }
    }
    out.flush().map_err(Failure::Output)
}

fn order(args: &OrderArgs, order: OrderKind, out: &mut dyn Write) -> Result<(), Failure> {
    if args.dry_run {
        let outlook = control::outlook(&args.config, &args.account, order)?;
        return writeln!(out, "{outlook}").map_err(Failure::Output);
    }
    control::order(&args.config, &args.account, order)
}

fn status(args: &StatusArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let answer = control::status(&args.config, args.account.as_deref())?;
    let text = match &args.account {
        _ if args.json => format!("{answer}\n"),
        Some(_) => report::story(&answer, unix_now()),
        None => report::table(&answer, unix_now(), args.all),
    };
    out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    match report::unwell(&answer).filter(|_| args.check) {
        Some(what) => Err(Failure::Unwell(what)),
        None => Ok(()),
    }
}

/// The wall clock in Unix seconds; 0 for a clock before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a command that ends at once has no gateway to ask"
)]
fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ffi::OsString, fs};

    use super::*;

    fn run(words: &[&str], out: &mut dyn Write) -> Result<(), Failure> {
        let words = std::iter::once(&"botroupe")
            .chain(words)
            .map(OsString::from);
        let env: BTreeMap<String, String> = BTreeMap::new();
        let bots = Bots::new().with("echo", || crate::bot::Bot::new("echo"));
        execute(Args::read(words).unwrap(), &bots, &env, out)
    }

    #[test]
    fn check_tells_what_would_run_or_everything_that_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        fs::write(
            &path,
            "[app]\nsdk_app_id = 1\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"a\"\nbots = [\"echo\"]\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let mut out = Vec::new();
        run(&["check", path, "--set", "endpoint=auto"], &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains("endpoint  auto (china)\n"), "{said}");

        let mut out = Vec::new();
        let failure = run(
            &[
                "check",
                path,
                "--set",
                "endpoint=x",
                "--set",
                "io.arbiters=0",
            ],
            &mut out,
        )
        .unwrap_err();
        assert_eq!(failure.code(), Some(USAGE));
        assert!(
            failure
                .to_string()
                .ends_with("\n2 mistakes found; nothing was started"),
            "{failure}"
        );
        assert!(out.is_empty());

        let failure = run(&["run", "--config", "/nowhere/at/all.toml"], &mut out).unwrap_err();
        assert_eq!(failure.code(), Some(USAGE));
        assert!(
            failure.to_string().contains("/nowhere/at/all.toml: "),
            "{failure}"
        );
        assert!(failure.to_string().contains("--config FILE"), "{failure}");
    }

    /// A reader that went away, as in `botroupe check | head -0`.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let words = [
            "usersig",
            "sign",
            "--sdk-app-id",
            "1",
            "--user-id",
            "a",
            "--secret-key",
            "k",
        ];
        assert_eq!(run(&words, &mut Closed).unwrap_err().code(), None);
    }
}
