//! The arguments of the command line. The modules beside this one carry the commands out.

mod admin;
mod alerts;
mod chat;
mod dialogues;
mod doctor;
mod logs;
mod new;
#[cfg(feature = "sandbox")]
mod sandbox;
mod set;
mod shell;
mod store;
mod usersig;

use std::{
    convert::Infallible,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

#[cfg(feature = "sandbox")]
use std::net::SocketAddr;

use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use secrecy::SecretString;

#[cfg(test)]
pub(super) use self::admin::NewTokenArgs;
pub(super) use self::admin::{ConsoleArgs, ScopeArg, TokenCommand};
pub(super) use self::alerts::{
    AlertsCommand, AlertsListArgs, AlertsTestArgs, SilenceArgs, UnsilenceArgs,
};
pub(super) use self::chat::ChatArgs;
pub(super) use self::dialogues::{DialoguesCommand, DialoguesListArgs};
pub(super) use self::doctor::DoctorArgs;
pub(super) use self::logs::LogsArgs;
pub(super) use self::new::NewCommand;
#[cfg(feature = "sandbox")]
pub(super) use self::sandbox::{SandboxArgs, TlsKind};
use self::set::SetArgs;
pub(super) use self::shell::{CompletionsArgs, ManArgs};
pub(super) use self::store::{AuditCommand, OutboxCommand, StoreArgs, StoreCommand};
pub(super) use self::usersig::{KeyArgs, UsersigCommand, WhoArgs};
use crate::config::{LogFormat, RecordConfig, parse_duration};

/// The config file that is read if none is named.
const DEFAULT_CONFIG: &str = "config.toml";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed at run time, or `usersig verify` says no
  64   wrong usage or wrong config
  70   internal error (please report it), or the supervisor of the accounts died
  75   another copy runs this config already
  130  ended by a second Ctrl-C before everything was finished";

const ROOT_EXAMPLES: &str = "\
Examples:
  botroupe                          run what config.toml says
  botroupe check                    say what would run, or everything that is wrong
  botroupe chat --as me --to echo-bot
                                    talk to a bot from this terminal";

/// Runs many Tencent Cloud Chat (IM) accounts as bots and keeps them online.
#[derive(Debug, Parser)]
#[command(name = "botroupe", version, after_help = format!("{ROOT_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Logs more: -v decisions, -vv every packet, -vvv everything of the libraries too.
    ///
    /// BOTROUPE_LOG or RUST_LOG set it in more detail and take precedence.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    /// The format of log lines (they go to standard error).
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormatArg>,

    #[command(flatten)]
    default_run: RunArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

impl Args {
    /// Reads a command line, the first item being the name of the program.
    ///
    /// # Errors
    /// clap's error; also for `--help` and `--version`, see [`clap::Error::use_stderr`].
    pub(super) fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let args = Self::try_parse_from(line)?;
        if args.command.is_some() && args.default_run != RunArgs::default() {
            return Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                "--config and --set belong after the command, as in `botroupe check other.toml`",
            ));
        }
        let sets = match &args.command {
            None => &args.default_run.config.set,
            Some(Command::Run(run)) => &run.run.config.set,
            Some(Command::Check(check)) => &check.config.set,
            Some(Command::Chat(chat)) => &chat.config.set,
            Some(Command::Doctor(doctor)) => &doctor.config.set,
            Some(Command::Accounts(AccountsCommand::Import(import))) => &import.config.set,
            Some(Command::Alerts(AlertsCommand::Test(test))) => &test.config.set,
            Some(_) => return Ok(args),
        };
        if let Some(mistake) = sets.mistake() {
            return Err(Self::command().error(ErrorKind::ValueValidation, mistake));
        }
        Ok(args)
    }

    /// The command; `run` by default.
    pub(super) fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(RunCommand {
            file: None,
            run: self.default_run,
        }))
    }
}

/// A command.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs all accounts of a config (the default).
    #[command(after_help = "\
Examples:
  botroupe run prod.toml
  botroupe run --set endpoint=auto --set governor.logins_per_second=50
  BOTROUPE__ENDPOINT=auto botroupe run

Ctrl-C (SIGTERM, SIGQUIT) finishes what is under way and logs out; a second one ends at once.
SIGHUP reloads the config; see `botroupe plan`. `--takeover` puts this program in the place of one that
runs, an older version for example, without a login. A config runs once at a time: a second copy is refused, see --force.")]
    Run(RunCommand),

    /// Shows what a config would run, or every mistake in it.
    #[command(after_help = "\
Examples:
  botroupe check
  botroupe check prod.toml --set endpoint=auto")]
    Check(CheckArgs),

    #[cfg(feature = "sandbox")]
    /// Runs the embedded server alone, for other clients to connect to.
    #[command(after_help = "\
Examples:
  BOTROUPE_SECRET_KEY=any-text botroupe sandbox --sdk-app-id 1400000001
  botroupe sandbox --listen 127.0.0.1:0 --sdk-app-id 1400000001 --secret-key any-text

When it listens beyond this machine, orders (/sandbox/…) have to bring the token that the environment variable
BOTROUPE__SANDBOX__TOKEN names, as the header Authorization: Bearer TOKEN.")]
    Sandbox(SandboxArgs),

    /// Makes, reads and checks UserSigs.
    #[command(subcommand)]
    Usersig(UsersigCommand),

    /// Shows the status of the accounts of a running process.
    #[command(after_help = "\
Examples:
  botroupe status                   who is away, why, and what happens next
  botroupe status alice             everything about one account, its last events included
  botroupe status --json")]
    Status(StatusArgs),

    /// Logs an account of a running process out; it stays away until resumed.
    Hold(OrderArgs),

    /// Brings an account of a running process back, for whatever reason it is offline.
    Resume(OrderArgs),

    /// Replaces the login of an account of a running process by one with a new UserSig.
    Relogin(OrderArgs),

    /// Logs an account of a running process out and marks it as broken.
    Quarantine(OrderArgs),

    /// Brings a quarantined account of a running process back.
    Release(OrderArgs),

    /// Shows what a reload of the config would do to a running process, and what it would cost.
    #[command(after_help = "\
Examples:
  botroupe plan                     who starts, who stops, who changes, and why
  botroupe plan --json prod.toml

Nothing is changed. The process reads its config with the --set and the environment that it was started with.")]
    Plan(ReloadArgs),

    /// Has a running process read its config anew: as a whole, or not at all.
    #[command(after_help = "\
Examples:
  botroupe reload
  botroupe plan prod.toml && botroupe reload prod.toml

Accounts that do not change stay connected, and their bots keep their state. SIGHUP does the same.")]
    Reload(ReloadArgs),

    /// Looks after the accounts at the service.
    #[command(subcommand)]
    Accounts(AccountsCommand),

    /// Looks after the file in which a process keeps what must not be lost.
    #[command(subcommand)]
    Store(StoreCommand),

    /// Shows who has ordered what of the processes of a config, and whether that was changed since.
    #[command(subcommand)]
    Audit(AuditCommand),

    /// Shows messages that are to be sent or could not be sent, and decides on them.
    #[command(subcommand)]
    Outbox(OutboxCommand),

    /// Shows the dialogues of a running process that wait for an answer, and ends them.
    #[command(subcommand)]
    Dialogues(DialoguesCommand),

    /// Looks at everything that a config needs of this machine, and says what to do.
    #[command(after_help = "\
Examples:
  botroupe doctor                   files, memory, store, disk, ports, names, TLS, clock, proxies
  botroupe doctor shop.toml --json

It exits with 1 if something is bad. It changes nothing, and may run beside the fleet.")]
    Doctor(DoctorArgs),

    /// Prints a script that completes this command line in a shell.
    #[command(after_help = "\
Examples:
  botroupe completions bash > /etc/bash_completion.d/botroupe
  botroupe completions zsh > ~/.zfunc/_botroupe
  botroupe completions fish > ~/.config/fish/completions/botroupe.fish")]
    Completions(CompletionsArgs),

    /// Writes manual pages for `man`.
    #[command(after_help = "\
Examples:
  botroupe man | man -l -
  botroupe man /usr/local/share/man/man1")]
    Man(ManArgs),

    /// Looks after those who are told when something is wrong.
    #[command(subcommand)]
    Alerts(AlertsCommand),

    /// Shows the log of a running process, and changes for a while how much is logged.
    #[command(after_help = "\
Examples:
  botroupe logs --account shop-01 --follow
  botroupe logs --account shop-01 --follow --level debug --for 10m
  botroupe logs --level gateway=debug --for 1h
  botroupe logs --show-levels")]
    Logs(LogsArgs),

    /// Writes a new bot, or a new program for bots.
    #[command(subcommand)]
    New(NewCommand),

    /// Prints a link that leads into the console of a running process once, within a minute.
    ///
    /// The config needs [admin] listen and a token for that.
    Console(ConsoleArgs),

    /// Makes tokens for the admin API.
    #[command(subcommand)]
    Token(TokenCommand),

    /// Talks to an account from this terminal: each line is sent, each answer printed.
    #[command(after_help = "\
Examples:
  botroupe chat --as me --to echo-bot
  echo hello | botroupe chat --as me --to echo-bot --url ws://127.0.0.1:7080
  botroupe chat --as me --group g1 --create
                                    found a group with the bots of the config and talk in it")]
    Chat(ChatArgs),
}

/// `botroupe accounts`.
#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// Makes the accounts of a config that the app does not have, over the REST API.
    #[command(after_help = "\
Examples:
  botroupe accounts import --dry-run
  botroupe accounts import prod.toml

It asks as app.admin, with a UserSig made from app.secret_key, 100 accounts a call and ten calls a second.")]
    Import(ImportArgs),
}

/// `botroupe accounts import`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct ImportArgs {
    /// The config file, as --config.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    /// Which config.
    #[command(flatten)]
    pub(super) config: ConfigArgs,

    /// Shows which accounts are missing, and makes none.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl ImportArgs {
    /// The config file.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(&self.config.config)
    }
}

/// Which config, and what to change in it.
#[derive(Clone, Debug, PartialEq, Eq, ClapArgs)]
pub(super) struct ConfigArgs {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(super) config: PathBuf,

    #[command(flatten)]
    set: SetArgs,
}

impl Default for ConfigArgs {
    fn default() -> Self {
        Self {
            config: PathBuf::from(DEFAULT_CONFIG),
            set: SetArgs::default(),
        }
    }
}

impl ConfigArgs {
    /// The `--set` pairs, in the order given.
    pub(super) fn overrides(&self) -> Vec<(String, String)> {
        self.set.pairs()
    }
}

/// What to run, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, ClapArgs)]
pub(super) struct RunArgs {
    /// Which config.
    #[command(flatten)]
    pub(super) config: ConfigArgs,

    /// Runs even if another copy runs this config: the two kick each other's accounts.
    #[arg(long)]
    pub(super) force: bool,

    /// Goes on with the logins of the process that runs this config, which ends: nobody is logged in anew.
    #[arg(long)]
    pub(super) takeover: bool,

    /// Reloads the config whenever its file changes, as SIGHUP and `botroupe reload` do.
    #[arg(long)]
    pub(super) watch: bool,

    /// Records what the bots hear in a new file, for `TestBot::replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Records pseudonyms in the place of user IDs, nicks, numbers and addresses.
    #[arg(long, requires = "record")]
    record_mask: bool,
}

impl RunArgs {
    /// Where to record.
    pub(super) fn record(&self) -> Option<RecordConfig> {
        Some(RecordConfig {
            path: self.record.clone()?,
            mask: self.record_mask,
        })
    }
}

/// `botroupe run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, ClapArgs)]
pub(super) struct RunCommand {
    /// The config file, as --config.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    /// What to run, and how.
    #[command(flatten)]
    pub(super) run: RunArgs,
}

impl RunCommand {
    /// The config file.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(&self.run.config.config)
    }
}

/// `botroupe check`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct CheckArgs {
    /// The config file, as --config.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    /// Which config.
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

impl CheckArgs {
    /// The config file.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(&self.config.config)
    }
}

/// `botroupe status`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct StatusArgs {
    /// Only this account, with its last events.
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: Option<String>,

    /// Everything as one JSON object.
    #[arg(long)]
    pub(super) json: bool,

    /// Lists every account that is online, however many there are.
    #[arg(long)]
    pub(super) all: bool,

    /// Exits with 1 if an account is not online, a bot is parked or blocks a thread, or the store cannot be written.
    #[arg(long)]
    pub(super) check: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(super) config: PathBuf,
}

/// `botroupe plan`, `botroupe reload`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct ReloadArgs {
    /// The config file of the running process, as --config.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,

    /// Everything as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl ReloadArgs {
    /// The config file.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(&self.config)
    }
}

/// `botroupe hold`, `resume`, `relogin`, `quarantine`, `release`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct OrderArgs {
    /// The account.
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,

    /// Shows what it would do, and does nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(super) config: PathBuf,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormatArg {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

impl From<LogFormatArg> for LogFormat {
    fn from(format: LogFormatArg) -> Self {
        match format {
            LogFormatArg::Pretty => Self::Pretty,
            LogFormatArg::Json => Self::Json,
        }
    }
}

#[cfg(feature = "sandbox")]
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "not an address and a port; write for example 127.0.0.1:7080 ([::1]:7080, or port 0 for any free one)".to_owned()
    })
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

/// `120` is seconds; `2m` is a duration. At least a second, since the wire counts in seconds.
fn seconds_or_duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => parse_duration(text).map_err(|error| error.to_string())?,
    };
    if duration < Duration::from_secs(1) {
        return Err("must be at least one second".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests;
