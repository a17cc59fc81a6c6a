//! `botroupe chat`: a plain conversation with one account, from the terminal.

use super::args::ChatArgs;
use super::exit::Failure;
use super::signals::Signals;
use crate::account::{
    AccountEvent, AccountHandle, Cause, Changed, CoreConfig, Deliver, GroupPaces, Phase, Policy,
    Status,
};
use crate::app::{Credentials, policy, walk};
use crate::config::{Config, Endpoint};
use crate::gateway::{AwcConnector, ConnectError, Connector};
use crate::proto::endpoint::HostWalk;
use crate::proto::message::Message as ChatMessage;
use crate::session::Memory;
use crate::supervisor::{ChildSpec, GovernorPolicy, IoPolicy, StopAll, Supervisor};
use actix::prelude::*;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

/// How long to wait for more answers once there is nothing more to send.
const QUIET: Duration = Duration::from_secs(2);
/// Events waiting for the terminal at most.
const BACKLOG: usize = 256;

/// What the conversation loop hears.
enum Heard {
    Message(Box<ChatMessage>),
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
        let handle = AccountHandle::new(args.user.clone());
        let supervisor = start(args, config, &handle, &ear)?;
        let outcome = tokio::select! {
            outcome = converse(args, &handle, &mut heard) => outcome,
            () = signals.stop() => Ok(()),
        };
        // Logged out, so that the next chat does not have to push this one out.
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
    let credential = Credentials::new(config).minted(lifetime).ok_or_else(|| {
        Failure::Usage(
            "chat needs app.secret_key in the config, to make a UserSig for --as".to_owned(),
        )
    })?;
    let hosts = match &args.url {
        Some(url) => HostWalk::fixed(url),
        None => walk(config, None),
    };
    let base = config
        .accounts
        .first()
        .map_or_else(Policy::standard, |account| policy(&account.policy));
    let spec = ChildSpec {
        config: CoreConfig {
            app: config.app.sdk_app_id,
            user: args.user.clone(),
            credential,
            hosts,
            policy: Arc::new(base),
            probes: false,
            memory: Memory::default(),
            group_paces: GroupPaces::default(),
        },
        connector: Arc::new(|| Rc::new(AwcConnector) as Rc<dyn Connector>),
        rest: None,
        subscriber: Arc::new({
            let ear = ear.clone();
            move || {
                let ear = Ear(ear.clone()).start().recipient();
                Box::pin(std::future::ready(Ok(ear)))
            }
        }),
        handle: handle.clone(),
        away: None,
    };
    let io = IoPolicy {
        arbiters: 1,
        hang_after: crate::config::defaults::IO_HANG_AFTER,
    };
    let observer = Ear(ear.clone()).start().recipient();
    Ok(Supervisor::start_with(
        vec![spec],
        io,
        GovernorPolicy::default(),
        Some(observer),
    ))
}

/// Hands on what happens to the account.
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

async fn converse(
    args: &ChatArgs,
    handle: &AccountHandle,
    heard: &mut mpsc::Receiver<Heard>,
) -> Result<(), Failure> {
    let is_terminal = io::stdin().is_terminal();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut was_online = false;
    let mut input_open = true;
    let mut quiet_since = tokio::time::Instant::now();
    loop {
        tokio::select! {
            Some(event) = heard.recv() => {
                quiet_since = tokio::time::Instant::now();
                match event {
                    Heard::Message(message) => show(args, &message)?,
                    Heard::Changed(status, Some(true)) => {
                        if is_terminal && !was_online {
                            let (user, to) = (&args.user, &args.to);
                            say(&format!("you are {user}; each line goes to {to}, Ctrl-D ends"))?;
                        }
                        tracing::debug!(account = %status.user, "online");
                        was_online = true;
                    }
                    Heard::Changed(status, _) => hopeless(args, &status, was_online)?,
                }
            }
            line = lines.next_line(), if input_open && was_online => match line {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => {
                    send(args, handle, line).await;
                    quiet_since = tokio::time::Instant::now();
                }
                Ok(None) | Err(_) => input_open = false,
            },
            () = tokio::time::sleep_until(quiet_since + QUIET), if !input_open => return Ok(()),
        }
    }
}

/// Ends the chat when waiting cannot help.
fn hopeless(args: &ChatArgs, status: &Status, was_online: bool) -> Result<(), Failure> {
    let remedy = match (&status.cause, status.phase) {
        (Cause::ConnectFailed(ConnectError::Refused(_)), _)
            if !was_online && args.url.is_none() =>
        {
            "; is it running? start `botroupe` in another terminal"
        }
        (_, Phase::Held | Phase::Quarantined) => "",
        _ => return Ok(()),
    };
    Err(Failure::Runtime(
        format!("{} cannot come online: {}{remedy}", args.user, status.cause).into(),
    ))
}

async fn send(args: &ChatArgs, handle: &AccountHandle, line: String) {
    if let Err(error) = handle.send(args.to.as_str(), line).await {
        let _ = writeln!(io::stderr(), "not sent: {error}");
    }
}

fn show(args: &ChatArgs, message: &ChatMessage) -> Result<(), Failure> {
    if message.is_own || *message.from != *args.to.as_str() {
        return Ok(());
    }
    let from = &message.from;
    match message.text() {
        Some(text) => say(&format!("{from}: {text}")),
        None => say(&format!("{message}")),
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

/// Checks that `chat` can know where to connect.
pub(super) fn check(args: &ChatArgs, config: &Config) -> Result<(), Failure> {
    if args.url.is_none()
        && config.endpoint == Endpoint::Sandbox
        && config.sandbox.listen.port() == 0
    {
        return Err(Failure::Usage(
            "sandbox.listen has port 0, so nobody knows where the sandbox is: give --url ws://127.0.0.1:PORT as `botroupe run` printed it"
                .to_owned(),
        ));
    }
    Ok(())
}
