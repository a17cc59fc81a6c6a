//! `botroupe run`: runs a config until it is told to stop.

use super::control;
use super::exit::{Failure, saved};
use super::memory::Memory;
use super::progress::{Progress, beside};
use super::signals::{Signal, Signals};
use crate::account::{Changed, Phase};
use crate::app::{App, AppError};
use crate::bot::Entry;
use crate::config::{Config, Endpoint, LogFormat};
use crate::gateway::now;
use crate::proto::id::UserId;
use crate::sandbox::SandboxError;
use actix::prelude::*;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// Runs until Ctrl-C or SIGTERM, then drains; a second one ends at once.
///
/// # Errors
/// When something cannot be started, or a second signal came.
pub(super) fn run(
    path: &Path,
    config: &Config,
    bots: &'static [Entry],
    format: LogFormat,
) -> Result<(), Failure> {
    System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::Runtime(error.into()))?;
        let memory = Memory::before();
        let enabled = config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .count();
        let board = Board::new(config, format, enabled).start();
        let app = App::start(config, bots, Some(board.clone().recipient()))
            .await
            .map_err(app_failure)?;
        if let Some(sandbox) = app.sandbox() {
            board.do_send(Announce(sandbox.url()));
        }
        // Without it everything works but `botroupe status` and orders.
        let control = control::listen(path, app.controller())
            .inspect_err(|error| tracing::warn!(%error, "no control socket; `botroupe status` will not find this process"));
        while signals.next().await == Signal::Report {
            report_memory(&memory, &app).await;
        }
        drop(control);
        tracing::info!("stopping: handlers finish, accounts log out; once more to end at once");
        report_memory(&memory, &app).await;
        tokio::select! {
            stopped = app.stop() => {
                if !stopped.drained {
                    tracing::warn!("some handlers did not finish within the grace period");
                }
                if !stopped.logged_out {
                    tracing::warn!("some accounts did not log out within the grace period");
                }
                // The last lines of the board.
                let _ = board.send(Flush).await;
                saved(stopped.saved)
            }
            () = signals.again() => Err(Failure::Interrupted),
        }
    })
}

/// Mistakes in the config are told apart from trouble with the machine.
fn app_failure(error: AppError) -> Failure {
    match error {
        AppError::Sandbox(
            SandboxError::Seed(_)
            | SandboxError::SeedFile { .. }
            | SandboxError::Store(_)
            | SandboxError::StoreFile { .. },
        ) => Failure::Usage(error.to_string()),
        AppError::Sandbox(_) | AppError::Threads(_) => Failure::Runtime(error.into()),
        mistake => Failure::Usage(mistake.to_string()),
    }
}

async fn report_memory(memory: &Memory, app: &App) {
    let status = app.status().await;
    let online = status
        .iter()
        .filter(|status| status.phase == Phase::Online)
        .count();
    if let Some(text) = memory.per_account(online, app.sandbox().is_some()) {
        // Standard error, like everything that is no result.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Fleets from this size on tell how far they have come.
const PROGRESS_FROM: usize = 100;

/// Writes what scripts and people read: one line per account that comes or goes, and how to talk
/// to them.
struct Board {
    format: LogFormat,
    app: u32,
    enabled: usize,
    sandbox: bool,
    example: String,
    shown: HashMap<UserId, bool>,
    online: usize,
    started: Duration,
    greeted: bool,
    /// Until everybody is there, when there are many.
    progress: Option<Progress>,
}

/// Where the sandbox listens.
#[derive(Message)]
#[rtype(result = "()")]
struct Announce(String);

/// Answered when everything before it is written.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

impl Board {
    fn new(config: &Config, format: LogFormat, enabled: usize) -> Self {
        let example = config
            .accounts
            .iter()
            .find(|account| account.enabled && !account.bots.is_empty());
        Self {
            format,
            app: config.app.sdk_app_id.get(),
            enabled,
            sandbox: config.endpoint == Endpoint::Sandbox,
            example: example
                .map(|account| account.user_id.to_string())
                .unwrap_or_default(),
            shown: HashMap::new(),
            online: 0,
            started: now().mono,
            greeted: false,
            progress: (enabled >= PROGRESS_FROM)
                .then(|| Progress::new(enabled, config.governor.logins_per_second)),
        }
    }

    /// Standard output may go away, as with `| head`; the accounts go on all the same.
    fn line(&self, text: &str) {
        beside(|| {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }

    fn human(&self, text: &str) {
        if self.format == LogFormat::Pretty {
            self.line(text);
        }
    }

    fn account(&self, user: &UserId, offline: Option<(&str, String)>) {
        let text = match (self.format, offline) {
            (LogFormat::Pretty, None) => format!("account {user} online"),
            (LogFormat::Pretty, Some((cause, _))) => format!("account {user} offline {cause}"),
            (LogFormat::Json, None) => serde_json::json!({"account": user, "state": "online"}).to_string(),
            (LogFormat::Json, Some((cause, detail))) => {
                serde_json::json!({"account": user, "state": "offline", "cause": cause, "detail": detail}).to_string()
            }
        };
        self.line(&text);
    }

    fn greet(&mut self) {
        self.greeted = true;
        self.progress = None;
        let took = now().mono.saturating_sub(self.started).as_secs_f64();
        self.human(&format!(
            "{} of {} accounts online after {took:.1} s",
            self.online, self.enabled
        ));
        if self.sandbox && !self.example.is_empty() {
            let bot = &self.example;
            self.human(&format!(
                "talk to one from another terminal: botroupe chat --as alice --to {bot}"
            ));
        }
        self.human("Ctrl-C stops");
    }
}

impl Actor for Board {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(1 << 16);
        if let Some(progress) = &self.progress {
            ctx.run_interval(progress.every(), |board, _| {
                if let Some(progress) = &board.progress {
                    progress.show(board.online, board.shown.len());
                }
            });
        }
    }
}

impl Handler<Announce> for Board {
    type Result = ();

    fn handle(&mut self, Announce(url): Announce, _: &mut Context<Self>) {
        let app = self.app;
        self.human(&format!("sandbox listening on {url} (SDKAppID {app})"));
        self.human(&format!(
            "official SDK: TencentCloudChat.create({{ SDKAppID: {app}, proxyServer: '{url}' }})"
        ));
    }
}

impl Handler<Flush> for Board {
    type Result = ();

    fn handle(&mut self, _: Flush, _: &mut Context<Self>) {
        self.progress = None; // Stopped before all were there.
    }
}

impl Handler<Changed> for Board {
    type Result = ();

    fn handle(&mut self, Changed { status, online }: Changed, _: &mut Context<Self>) {
        let stays_away = matches!(status.phase, Phase::Held | Phase::Quarantined);
        let shown = self.shown.get(&status.user).copied();
        match online {
            Some(true) => {
                self.online += 1;
                self.account(&status.user, None);
                self.shown.insert(status.user, true);
            }
            Some(false) => {
                self.online = self.online.saturating_sub(1);
                self.account(
                    &status.user,
                    Some((&status.cause.word(), status.cause.to_string())),
                );
                self.shown.insert(status.user, false);
            }
            // Never came online and will not by itself: worth a line too.
            None if stays_away && shown.is_none() => {
                self.account(
                    &status.user,
                    Some((&status.cause.word(), status.cause.to_string())),
                );
                self.shown.insert(status.user, false);
            }
            None => {}
        }
        if !self.greeted && self.shown.len() == self.enabled {
            self.greet();
        }
    }
}
