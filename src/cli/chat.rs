//! `botroupe chat`: a conversation with one account or group, from the terminal.

use super::args::ChatArgs;
use super::exit::Failure;
use super::output;
use crate::account::{
    AccountEvent, AccountHandle, Cause, Changed, CoreConfig, Deliver, Paces, Phase, Policy,
    Receipt, Status, Subscriber,
};
use crate::app::{AppError, Credentials, fetch_secret_keys, walk};
use crate::bot::{Api, ApiError};
use crate::config::{Config, Endpoint, IoConfig, nearest, websocket_url};
use crate::fleet::Signals;
use crate::gateway::{ConnectError, Connector, NetConnector, SharedMemory, use_net};
use crate::policy::Governor;
use crate::proto::code::Code;
use crate::proto::endpoint::HostWalk;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Message as ChatMessage};
use crate::proto::op::group::NewGroup;
use crate::proto::shown;
use crate::session::InboxLimits;
use crate::supervisor::{ChildSpec, StopAll, Supervisor};
use actix::prelude::*;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

/// After the last input, how long to wait for the next answer.
const QUIET: Duration = Duration::from_secs(2);
/// After the last input, how long to wait in all.
const LONGEST: Duration = Duration::from_secs(10);
/// The most names that a misspelt one is compared with.
const NAMES: usize = 1000;
/// The most initial members of a new group.
const FOUNDERS: usize = 50;
/// The most events that wait for the terminal.
const BACKLOG: usize = 256;

/// An event of the conversation loop.
enum Heard {
    Message(Arc<ChatMessage>),
    Changed(Box<Status>, Option<bool>),
}

/// Talks until the input ends or Ctrl-C.
///
/// # Errors
/// When the account cannot come online at all, or cannot be reached from here.
pub(super) fn chat(args: &ChatArgs, config: &Config) -> Result<(), Failure> {
    System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::Runtime(error.into()))?;
        let (ear, mut heard) = mpsc::channel(BACKLOG);
        // Messages are reported as read here, when they were shown.
        let memory = SharedMemory::new(InboxLimits::new(BACKLOG, false));
        let handle = AccountHandle::with_memory(args.user.clone(), memory);
        let mut config = config.clone();
        let fetched = fetch_secret_keys(&mut config).await;
        fetched.map_err(|error: AppError| Failure::Runtime(error.into()))?;
        let config = &config;
        let supervisor = start(args, config, &handle, &ear)?;
        let outcome = tokio::select! {
            outcome = converse(args, config, &handle, &mut heard) => outcome,
            () = signals.stop() => Ok(()),
        };
        // Log out, so that the next chat need not kick this one.
        let _ = tokio::time::timeout(Duration::from_secs(5), supervisor.send(StopAll)).await;
        outcome
    })
}

fn start(
    args: &ChatArgs,
    config: &Config,
    handle: &AccountHandle,
    ear: &mpsc::Sender<Heard>,
) -> Result<Addr<Supervisor>, Failure> {
    let lifetime = crate::config::defaults::USER_SIG_LIFETIME;
    let app = config.app(None).ok_or_else(|| several_apps(config))?;
    let credential = Credentials::new(app).minted(lifetime).ok_or_else(|| {
        Failure::Usage(
            "chat needs app.secret_key in the config, to make a UserSig for --as".to_owned(),
        )
    })?;
    use_net(&config.network).map_err(|error| Failure::Usage(error.to_string()))?;
    let hosts = match &args.url {
        Some(url) => HostWalk::fixed(url),
        None => walk(config, app, None),
    };
    let base = config.accounts.first().map_or_else(
        || Arc::new(Policy::standard()),
        |account| account.policy.clone(),
    );
    let spec = ChildSpec {
        number: 0,
        config: Arc::new(CoreConfig {
            app: app.sdk_app_id,
            name: args.user.clone().into(),
            credential,
            hosts,
            policy: base,
            probes: false,
        }),
        connector: Arc::new(|| Rc::new(NetConnector::default()) as Rc<dyn Connector>),
        paces: Arc::new(Paces::new(Governor::new(1.0, 1))),
        rest: None,
        subscriber: Arc::new({
            let ear = ear.clone();
            move |_| {
                let ear: Recipient<Deliver> = Ear(ear.clone()).start().recipient();
                Box::pin(std::future::ready(Ok(Arc::new(ear) as Arc<dyn Subscriber>)))
            }
        }),
        handle: handle.clone(),
        away: None,
        handed: None,
    };
    let observer = Ear(ear.clone()).start().recipient();
    Ok(Supervisor::start_with(
        vec![spec],
        IoConfig::default(),
        Some(observer),
    ))
}

/// Forwards the events of the account.
struct Ear(mpsc::Sender<Heard>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Ear {
    fn hand_on(&self, heard: Heard) {
        if self.0.try_send(heard).is_err() {
            tracing::warn!("the terminal cannot keep up; something said was not shown");
        }
    }
}

impl Handler<Deliver> for Ear {
    type Result = ();

    fn handle(&mut self, Deliver(event): Deliver, _: &mut Context<Self>) {
        if let AccountEvent::Message(message) = event {
            self.hand_on(Heard::Message(message));
        }
    }
}

impl Handler<Changed> for Ear {
    type Result = ();

    fn handle(&mut self, Changed { status, online }: Changed, _: &mut Context<Self>) {
        self.hand_on(Heard::Changed(status, online));
    }
}

/// The user or group to talk to.
enum Peer {
    User(UserId),
    Group(String),
}

impl Peer {
    fn of(args: &ChatArgs) -> Option<Self> {
        match (&args.to, &args.group) {
            (Some(user), _) => Some(Self::User(UserId::from(&**user))),
            (None, Some(group)) => Some(Self::Group(group.clone())),
            (None, None) => None,
        }
    }

    fn conversation(&self) -> Conversation {
        match self {
            Self::User(user) => Conversation::c2c(user.as_str()),
            Self::Group(group) => Conversation::group(group.as_str()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => f.write_str(user.as_str()),
            Self::Group(group) => write!(f, "group {group}"),
        }
    }
}

async fn converse(
    args: &ChatArgs,
    config: &Config,
    handle: &AccountHandle,
    heard: &mut mpsc::Receiver<Heard>,
) -> Result<(), Failure> {
    let Some(peer) = Peer::of(args) else {
        return Err(Failure::Usage("chat needs --to or --group".to_owned()));
    };
    note_unknown(&peer, args, config);
    let api = Api::new(handle.clone());
    let is_terminal = io::stdin().is_terminal();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (mut was_online, mut input_open) = (false, true);
    let (mut said, mut answered) = (false, false);
    let mut told = String::new();
    let mut quiet_since = tokio::time::Instant::now();
    let mut closed_at = quiet_since;
    loop {
        tokio::select! {
            Some(event) = heard.recv() => {
                quiet_since = tokio::time::Instant::now();
                match event {
                    Heard::Message(message) => {
                        let receipt = Receipt::of(&message);
                        if is_of(&peer, &message) {
                            answered = true;
                            show(&message)?;
                            // The next chat must not show it again.
                            let _ = tokio::time::timeout(QUIET, api.message(&message).mark_read()).await;
                        }
                        handle.handled(&receipt, true);
                    }
                    Heard::Changed(status, Some(true)) => {
                        if !was_online {
                            enter(args, config, &api).await?;
                        }
                        if is_terminal && !was_online {
                            let user = &args.user;
                            say(&format!("you are {user}; each line goes to {peer}, Ctrl-D ends"))?;
                        }
                        tracing::debug!(account = %status.account, "online");
                        was_online = true;
                        told.clear();
                        quiet_since = tokio::time::Instant::now();
                    }
                    Heard::Changed(status, _) => {
                        hopeless(args, &status, was_online)?;
                        let why = status.cause.to_string();
                        if status.cause != Cause::NotStarted && why != told {
                            output::err(&format!("not online: {why}"));
                            told = why;
                        }
                    }
                }
            }
            line = lines.next_line(), if input_open && was_online => match line {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => {
                    said = true;
                    if let Err(error) = api.send(peer.conversation(), Draft::text(line)).await {
                        output::err(&format!("not sent: {error}"));
                    }
                    quiet_since = tokio::time::Instant::now();
                }
                Ok(None) | Err(_) => {
                    input_open = false;
                    quiet_since = tokio::time::Instant::now();
                    closed_at = quiet_since;
                }
            },
            // Two bots that answer each other never stop.
            () = tokio::time::sleep_until((quiet_since + QUIET).min(closed_at + LONGEST)), if !input_open => {
                if said && !answered {
                    output::err(&format!("no answer from {peer}"));
                }
                return Ok(());
            }
        }
    }
}

/// Warns when the config has no account of that name: it is probably misspelt.
fn note_unknown(peer: &Peer, args: &ChatArgs, config: &Config) {
    let Peer::User(user) = peer else {
        return;
    };
    let names = || config.accounts.iter().map(|account| &**account.name.user());
    if names().any(|name| name == user.as_str()) {
        return;
    }
    let meant = nearest(user.as_str(), names().take(NAMES));
    let meant = meant.map_or_else(String::new, |name| format!("; did you mean {name}?"));
    let path = args.config.config.display();
    output::err(&format!(
        "{path} has no account {user}{meant} (a group is named with --group)"
    ));
}

/// Makes sure that the group exists and that this account is a member.
async fn enter(args: &ChatArgs, config: &Config, api: &Api) -> Result<(), Failure> {
    let Some(id) = &args.group else {
        return Ok(());
    };
    let failed = |error: ApiError| Failure::Runtime(format!("group {id}: {error}").into());
    if args.create {
        let members = config.accounts.iter().filter(|account| account.enabled);
        let members = members.map(|account| account.name.user().to_string());
        let members = members.filter(|name| name != args.user.as_str());
        let group = NewGroup::meeting(id.clone())
            .id(id.clone())
            .members(members.take(FOUNDERS));
        match api.create_group(group).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(Code::GROUP_ID_TAKEN) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    match api.group(id).join("").await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(Code::GROUP_MEMBER_ALREADY) => Ok(()),
        Err(error) if error.code() == Some(Code::GROUP_UNKNOWN) => Err(Failure::Runtime(
            format!("there is no group {id}; --create founds it").into(),
        )),
        Err(error) => Err(failed(error)),
    }
}

/// Ends the chat when waiting cannot help.
fn hopeless(args: &ChatArgs, status: &Status, was_online: bool) -> Result<(), Failure> {
    let remedy = match (&status.cause, status.phase) {
        (Cause::ConnectFailed(ConnectError::Refused(_)), _) if !was_online => {
            "; is it running? start `botroupe` in another terminal, or give another --url"
        }
        (_, Phase::Held | Phase::Quarantined) => "",
        _ => return Ok(()),
    };
    Err(Failure::Runtime(
        format!("{} cannot come online: {}{remedy}", args.user, status.cause).into(),
    ))
}

/// Whether somebody else said it in the conversation.
fn is_of(peer: &Peer, message: &ChatMessage) -> bool {
    let by_other = !message.is_own && message.tip().is_none() && message.notice().is_none();
    by_other && message.conversation == peer.conversation()
}

fn show(message: &ChatMessage) -> Result<(), Failure> {
    let from = &message.from;
    match message.text() {
        Some(text) => say(&format!("{from}: {text}")),
        None => say(&format!("{message}")),
    }
}

/// Writes a message: its lines stay lines, and control characters are escaped.
fn say(text: &str) -> Result<(), Failure> {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | '\t') {
            shown.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = shown::escaped(&mut shown, c);
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{shown}")
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

/// Chooses the app to talk in, where the config has several: that of `--app`, or of the account that `--to` names.
///
/// # Errors
/// When neither says which.
pub(super) fn choose(args: &mut ChatArgs, config: &mut Config) -> Result<(), Failure> {
    let named = args.to.as_deref().and_then(|to| {
        let account = config.accounts.iter().find(|account| account.name == *to)?;
        let app = account.name.app()?.to_owned();
        Some((app, account.name.user().clone()))
    });
    if let Some((app, user)) = named {
        args.app.get_or_insert(app);
        args.to = Some(user.to_string());
    }
    if let Some(Err(error)) = args.to.as_deref().map(UserId::parse) {
        return Err(Failure::Usage(format!("--to: {error}")));
    }
    let app = config.app(args.app.as_deref());
    let app = app.ok_or_else(|| several_apps(config))?;
    *config = config.alone(app);
    Ok(())
}

fn several_apps(config: &Config) -> Failure {
    let names = config.apps.iter().filter_map(|app| app.name.as_deref());
    let names: Vec<&str> = names.collect();
    Failure::Usage(format!(
        "say in which app: --app {}",
        names.join(" or --app ")
    ))
}

/// Checks that the endpoint of the chat is known.
pub(super) fn check(args: &ChatArgs, config: &Config) -> Result<(), Failure> {
    // clap must not check this: its message would show the text, which may hold a password.
    if let Some(Err(reason)) = args.url.as_deref().map(websocket_url) {
        return Err(Failure::Usage(format!(
            "--url: not a WebSocket URL: {reason}; write for example ws://127.0.0.1:7080"
        )));
    }
    if args.url.is_none()
        && config
            .apps
            .iter()
            .any(|app| app.endpoint == Endpoint::Sandbox)
        && config.sandbox.listen.port() == 0
    {
        return Err(Failure::Usage(
            "sandbox.listen has port 0, so nobody knows where the sandbox is: give --url ws://127.0.0.1:PORT as `botroupe run` printed it"
                .to_owned(),
        ));
    }
    Ok(())
}
