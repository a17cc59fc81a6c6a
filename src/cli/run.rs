//! `botroupe run`: runs a config until it is told to stop.

use super::args::RunArgs;
use super::check;
use super::exit::{Failure, saved};
use super::kept::Kept;
use super::limits::Handles;
use super::logging::LogControl;
use super::logging::json_line;
use super::memory::Memory;
use super::output;
use super::progress::Progress;
use super::reload::{ConfigSource, Reloads, Watch};
use super::seat::{Lock, Seat};
use super::service::Service;
use super::successor::Successor;
use super::takeover::{give, take_over};
use crate::account::{AccountName, Changed, Phase};
use crate::admin::types::{NewHandover, SandboxOf};
use crate::admin::{AdminError, Feed, Opened, Setting};
use crate::alerts::{Watch as AlertWatch, WatchHandle};
use crate::app::{App, AppError, Before};
use crate::config::{Config, Endpoint, LogFormat};
use crate::fleet::Again;
use crate::fleet::{Signal, Signals};
use crate::gateway::now;
use crate::store::OpenError;
use actix::prelude::*;
use botroupe_core::alerts::Rule;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Runs until a signal comes, then stops in order; a second signal ends it at once.
///
/// # Errors
/// When something cannot be started, a second signal came, or the supervisor of the accounts died.
pub(super) fn run(
    source: ConfigSource,
    args: &RunArgs,
    config: &Config,
    format: LogFormat,
) -> Result<(), Failure> {
    let source = Arc::new(source);
    let (path, bots) = (source.path.as_path(), &source.bots);
    look_at_handles(config)?;
    let seat = Seat::for_run(path).inspect_err(
        |error| tracing::warn!(%error, "no place for a control socket, a lock and what is kept over restarts"),
    );
    let seat = seat.ok();
    let handed = match args.takeover {
        true => take_over(path, config)?,
        false => HashMap::new(),
    };
    let lock = seat.as_ref().map(|seat| Lock::take(path, seat, args.force));
    let mut lock = lock.transpose()?;
    let crashed = lock.as_ref().and_then(Lock::crashed_before);
    if let Some(pid) = crashed {
        tracing::warn!(pid, "the process before this one did not stop in order");
    }
    let kept = seat.as_ref().and_then(|seat| read_kept(seat.kept()));
    let away = kept.as_ref().map(Kept::away).unwrap_or_default();
    for user in away.keys() {
        tracing::warn!(account = %user, "stays away, as ordered before; `botroupe resume` brings it back");
    }
    let before = Before { away, handed };
    let outcome = System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::Runtime(error.into()))?;
        let memory = Memory::before();
        let enabled = config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .count();
        let opened = open_admin(config, seat.as_ref(), args.takeover).await?;
        let alerts = AlertWatch::start(config, &path.display().to_string(), fastrand::u64(..));
        if let Some(pid) = crashed {
            alerts.happened(Rule::Crash, crash_text(pid));
        }
        let to_alerts = alerts.observer();
        let board = Board::new(config, format, enabled, kept, (opened.feed(), to_alerts)).start();
        let app = tokio::select! {
            app = App::start_after(config, bots, Some(board.clone().recipient()), before) => app.map_err(|error| app_failure(config, error))?,
            // Nothing is online yet, so there is nothing to log out.
            () = signals.stop() => return Ok(()),
        };
        board.do_send(Begin);
        for (name, url) in app.sandbox_urls() {
            let of = config.app(name.as_deref());
            board.do_send(Announce(url, of.map_or(0, |app| app.sdk_app_id.get())));
        }
        let apis = WatchHandle::writers(config).into_iter().filter_map(|account| {
            let api = app.api(&account)?;
            Some((account, api))
        });
        alerts.begin(app.controller(), apis.collect());
        let controller = app.controller();
        let receivers = alerts.reloader();
        controller.on_reload(Box::new(move |before, after| {
            receivers(after);
            if let Some(log) = LogControl::current() {
                log.reload(&before.log, &after.log);
            }
        }));
        let (begin, mut handover) = mpsc::channel(1);
        let service = Service::of_process();
        let admin = opened.serve(Setting {
            controller: controller.clone(),
            moved: seat.as_ref().and_then(Seat::told),
            sandbox: SandboxOf::first(config, &app),
            handover: Some(begin),
            alerts: Some(Arc::new(alerts.board())),
            logs: LogControl::current().map(|log| log.for_api()),
            source: Some(crate::admin::ConfigSource::new({
                let source = source.clone();
                move || source.read().map_err(|failure| failure.to_string())
            })
            .telling({
                let service = service.clone();
                move |begins| match begins {
                    true => service.reloading(),
                    false => service.reloaded(),
                }
            })),
        });
        if let Some(url) = admin.url() {
            board.do_send(AnnounceAdmin(url.to_owned()));
        }
        let reloads = Reloads::new(source.clone(), app.controller());
        let mut watch = Watch::new(&source, config);
        // One at a time; what comes meanwhile asks for one more.
        let wanted = Rc::new(Notify::new());
        let accounts_wanted = Rc::new(Notify::new());
        let mut again = Again::new(config);
        let watched = service.clone();
        // To the end: a stop has to look alive as well.
        actix_rt::spawn(watched.watch(controller.clone()));
        let tellers = (board.clone(), service.clone());
        let reloader = actix_rt::spawn(reload_when((wanted.clone(), accounts_wanted.clone()), reloads, tellers, format));
        let mut heir = Successor::default();
        let successor = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    #[cfg(unix)]
                    Signal::Report => report_memory(&memory, &app, format).await,
                    #[cfg(unix)]
                    Signal::Reload => wanted.notify_one(),
                    #[cfg(unix)]
                    Signal::Upgrade => match heir.start() {
                        Ok(()) => service.status("a new process is started, which takes over"),
                        Err(error) => {
                            tracing::error!(%error, "no process that takes over can be started; this one goes on");
                            service.status(NOT_TAKEN_OVER);
                        }
                    },
                    Signal::Stop => break None,
                },
                Some(wish) = handover.recv() => break Some(wish),
                ended = heir.ended() => {
                    let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::error!(status, "the new process did not take over, and says above why; this one goes on");
                    service.status(NOT_TAKEN_OVER);
                }
                () = watch.changed(), if args.watch => wanted.notify_one(),
                () = again.due(&controller) => accounts_wanted.notify_one(),
                // A process that keeps no account online must not look alive.
                () = controller.ended() => return Err(supervisor_died()),
            }
        };
        reloader.abort();
        if let Some(NewHandover { socket, pid }) = successor {
            drop(alerts);
            tracing::info!("handing over to another process: handlers finish, accounts let go of their links");
            let accounts = app.hand_over().await;
            // Whoever asked has its answer, and finds everything free.
            drop(admin);
            drop(lock.take());
            let _ = board.send(Flush).await;
            if let Some(pid) = pid {
                // From now on systemd hears that process.
                let _ = tokio::task::spawn_blocking(move || service.succeeded_by(pid)).await;
            }
            return give(Path::new(&socket), config, accounts);
        }
        drop(admin);
        // Nobody wants to hear that the accounts go now.
        drop(alerts);
        service.stopping();
        tracing::info!("stopping: handlers finish, accounts log out; once more to end at once");
        report_memory(&memory, &app, format).await;
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
    });
    if let (Err(Failure::Internal(_)), Some(lock)) = (&outcome, lock) {
        lock.leave();
    }
    let written = output::finish();
    outcome.and(written.map_or(Ok(()), |error| Err(Failure::Output(error))))
}

/// What `systemctl status` shows when nobody took over.
const NOT_TAKEN_OVER: &str = "a new process did not take over; this one goes on";

/// How often and after which pause an address is tried that another process is about to let go of.
const FREE_TRIES: u32 = 50;
const FREE_PAUSE: Duration = Duration::from_millis(100);

/// Listens for those who ask and order. Without the control socket everything works except `botroupe status` and
/// orders; an address that the config names has to be had.
async fn open_admin(
    config: &Config,
    seat: Option<&Seat>,
    is_takeover: bool,
) -> Result<Opened, Failure> {
    // The process before this one may need a moment to let go of the address.
    let mut tries = if is_takeover { FREE_TRIES } else { 1 };
    let opened = loop {
        tries -= 1;
        match Opened::new(&config.admin) {
            Err(AdminError::Bind { .. }) if tries > 0 => tokio::time::sleep(FREE_PAUSE).await,
            opened => break opened,
        }
    };
    #[cfg_attr(not(unix), expect(unused_mut, reason = "sockets are added on Unix"))]
    let mut opened = opened.map_err(|error| match error {
        AdminError::Tls(_) => config.unusable("admin.tls", error.to_string()).into(),
        error => Failure::Runtime(error.into()),
    })?;
    #[cfg(unix)]
    if let Some(seat) = seat
        && let Err(error) = opened.add_socket(&seat.socket())
    {
        tracing::warn!(%error, "no control socket; `botroupe status` will not find this process");
    }
    #[cfg(not(unix))]
    let _ = seat;
    Ok(opened)
}

/// Reloads the config each time it is wanted.
async fn reload_when(
    (wanted, accounts_wanted): (Rc<Notify>, Rc<Notify>),
    reloads: Reloads,
    (board, service): (Addr<Board>, Service),
    format: LogFormat,
) {
    loop {
        tokio::select! {
            () = wanted.notified() => {
                service.reloading();
                reloads.reload_aloud(format).await;
                service.reloaded();
            }
            () = accounts_wanted.notified() => reloads.ask_again(format).await,
        }
        board.do_send(Reloaded(reloads.accounts()));
    }
}

/// Raises the limit of open files, and warns when it is too low for all accounts.
pub(super) fn look_at_handles(config: &Config) -> Result<(), Failure> {
    let handles = Handles::of(config).raise();
    let allowed = handles.allowed.unwrap_or(u64::MAX);
    if !handles.is_enough_to_start() {
        let remedy = handles.remedy();
        let text = format!("only {allowed} open files are allowed, too few to start; {remedy}");
        return Err(Failure::Runtime(text.into()));
    }
    if let Some(fitting) = handles.fitting(handles.allowed) {
        let remedy = handles.remedy();
        tracing::warn!(
            allowed,
            "too few open files are allowed: about {fitting} accounts will come online; {remedy}"
        );
    }
    Ok(())
}

/// Reads which accounts stay offline. A file that cannot be read is renamed and ignored.
fn read_kept(path: PathBuf) -> Option<Kept> {
    match Kept::read(path.clone()) {
        Ok(kept) => return Some(kept),
        Err(error) => {
            let aside = path.with_extension("bad");
            tracing::error!(path = %path.display(), aside = %aside.display(), %error, "who was held or quarantined is not known; the file is put aside");
            // If that fails, the next change overwrites the file.
            let _ = std::fs::rename(&path, aside);
        }
    }
    Kept::read(path).ok()
}

fn crash_text(pid: u32) -> String {
    format!(
        "the process before this one ({pid}) did not stop in order: it crashed, was killed, or the machine went down; \
         the fleet starts again, and its log and `journalctl` tell more"
    )
}

fn supervisor_died() -> Failure {
    Failure::Internal(
        "the supervisor of the accounts died; nobody would bring them back, so the process ends"
            .to_owned(),
    )
}

/// Tells mistakes in the config from problems of the machine.
fn app_failure(config: &Config, error: AppError) -> Failure {
    match error {
        AppError::Store(error @ OpenError::InUse { .. }) => Failure::StoreInUse(error),
        error if !error.is_mistake() => Failure::Runtime(error.into()),
        error if error.key().is_some() => check::unusable(config, &error).into(),
        mistake => Failure::Usage(mistake.to_string()),
    }
}

async fn report_memory(memory: &Memory, app: &App, format: LogFormat) {
    // Asking every account would take too long during a stop.
    let online = app.controller().online().await;
    let Some(text) = memory.per_account(online, app.sandbox_url().is_some()) else {
        return;
    };
    // To standard error, like everything that is no result.
    match format {
        LogFormat::Pretty => output::err(&text),
        LogFormat::Json => {
            let line = json_line(tracing::Level::INFO, &text, None);
            output::err(line.trim_end());
        }
    }
}

/// Fleets of at least this size report their progress.
const PROGRESS_FROM: usize = 100;

/// Writes one line for each account that comes online or goes offline, for scripts and people.
struct Board {
    format: LogFormat,
    enabled: usize,
    example: String,
    shown: HashMap<AccountName, bool>,
    online: usize,
    started: Duration,
    greeted: bool,
    /// Accounts a second that may log in.
    rate: u32,
    /// The progress of the start of a large fleet.
    progress: Option<Progress>,
    /// The accounts that stay offline over a restart.
    kept: Option<Kept>,
    /// Those who follow the changes.
    feed: Feed,
    /// Whoever tells people of them.
    alerts: Recipient<Changed>,
}

/// Everything has started. No timer may run earlier, because a start that fails drops the runtime.
#[derive(Message)]
#[rtype(result = "()")]
struct Begin;

/// Where the sandbox listens.
#[derive(Message)]
#[rtype(result = "()")]
struct Announce(String, u32);

/// Where the admin API listens.
#[derive(Message)]
#[rtype(result = "()")]
struct AnnounceAdmin(String);

/// The config was reloaded: so many accounts run now.
#[derive(Message)]
#[rtype(result = "()")]
struct Reloaded(usize);

/// Answered when everything before it is written.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

impl Board {
    fn new(
        config: &Config,
        format: LogFormat,
        enabled: usize,
        kept: Option<Kept>,
        (feed, alerts): (Feed, Recipient<Changed>),
    ) -> Self {
        let example = config
            .accounts
            .iter()
            .filter(|account| account.enabled && !account.bots.is_empty())
            .find(|account| {
                let app = config.app_of(account);
                app.is_some_and(|app| app.endpoint == Endpoint::Sandbox)
            });
        Self {
            format,
            enabled,
            example: example
                .map(|account| account.name.to_string())
                .unwrap_or_default(),
            shown: HashMap::new(),
            online: 0,
            started: now().mono,
            greeted: false,
            rate: config
                .apps
                .iter()
                .map(|app| app.governor.logins_per_second)
                .sum(),
            progress: None,
            kept,
            feed,
            alerts,
        }
    }

    fn human(&self, text: &str) {
        if self.format == LogFormat::Pretty {
            output::out(text);
        }
    }

    fn account(&self, account: &AccountName, offline: Option<(&str, String)>) {
        let text = match (self.format, offline) {
            (LogFormat::Pretty, None) => format!("account {account} online"),
            (LogFormat::Pretty, Some((cause, _))) => format!("account {account} offline {cause}"),
            (LogFormat::Json, None) => serde_json::json!({"account": account, "state": "online"}).to_string(),
            (LogFormat::Json, Some((cause, detail))) => {
                serde_json::json!({"account": account, "state": "offline", "cause": cause, "detail": detail}).to_string()
            }
        };
        output::out(&text);
    }

    fn greet(&mut self) {
        self.greeted = true;
        self.progress = None;
        let took = now().mono.saturating_sub(self.started).as_secs_f64();
        self.human(&format!(
            "{} of {} accounts online after {took:.1} s",
            self.online, self.enabled
        ));
        if self.online > 0 && !self.example.is_empty() {
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
    }
}

impl Handler<Begin> for Board {
    type Result = ();

    fn handle(&mut self, _: Begin, ctx: &mut Context<Self>) {
        // All accounts may have come online already.
        if self.greeted || self.enabled < PROGRESS_FROM {
            return;
        }
        let progress = Progress::new(self.enabled, self.rate);
        ctx.run_interval(progress.every(), |board, _| {
            if let Some(progress) = &board.progress {
                progress.show(board.online, board.shown.len());
            }
        });
        self.progress = Some(progress);
    }
}

impl Handler<Announce> for Board {
    type Result = ();

    fn handle(&mut self, Announce(url, app): Announce, _: &mut Context<Self>) {
        self.human(&format!("sandbox listening on {url} (SDKAppID {app})"));
        self.human(&format!(
            "official SDK: TencentCloudChat.create({{ SDKAppID: {app}, proxyServer: '{url}' }})"
        ));
    }
}

impl Handler<AnnounceAdmin> for Board {
    type Result = ();

    fn handle(&mut self, AnnounceAdmin(url): AnnounceAdmin, _: &mut Context<Self>) {
        self.human(&format!("admin API listening on {url}"));
    }
}

impl Handler<Reloaded> for Board {
    type Result = ();

    fn handle(&mut self, Reloaded(enabled): Reloaded, _: &mut Context<Self>) {
        self.enabled = enabled;
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

    fn handle(&mut self, changed: Changed, _: &mut Context<Self>) {
        self.feed.tell(&changed);
        self.alerts.do_send(changed.clone());
        let Changed { status, online } = changed;
        if let Some(kept) = &mut self.kept {
            kept.note(&status);
        }
        let stays_away = matches!(status.phase, Phase::Held | Phase::Quarantined);
        let shown = self.shown.get(&status.account).copied();
        // It has left the fleet, or the process ends.
        let left = (status.phase == Phase::Stopped).then(|| status.account.clone());
        match online {
            Some(true) => {
                self.online += 1;
                self.account(&status.account, None);
                self.shown.insert(status.account, true);
            }
            Some(false) => {
                self.online = self.online.saturating_sub(1);
                self.account(
                    &status.account,
                    Some((&status.cause.word(), status.cause.to_string())),
                );
                self.shown.insert(status.account, false);
            }
            // An account that never came online and will not by itself gets a line, too.
            None if stays_away && shown.is_none() => {
                self.account(
                    &status.account,
                    Some((&status.cause.word(), status.cause.to_string())),
                );
                self.shown.insert(status.account, false);
            }
            None => {}
        }
        if let Some(user) = left {
            self.shown.remove(&user);
        }
        if !self.greeted && self.shown.len() == self.enabled {
            self.greet();
        }
    }
}
