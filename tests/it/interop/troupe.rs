//! Botroupe's accounts and bots, run on a thread of their own as the command line would.

use std::{sync::Arc, thread::JoinHandle};

use actix::prelude::*;
use botroupe::{
    account::{AccountHandle, Changed, Command, Phase, SendError, Status},
    app::App,
    bot::{Bot, Entry},
    proto::{
        answer::Sent,
        message::{Element, Message},
    },
    sandbox::Sandbox,
};
use tokio::sync::oneshot;

use super::journal::Journal;
use crate::harness::config;

#[path = "../../../bots/echo.rs"]
#[allow(unreachable_pub, reason = "a bot's file looks the same in a library")]
mod echo;

const BOTS: &[Entry] = &[
    Entry {
        name: "echo",
        make: echo::bot,
    },
    Entry {
        name: "recorder",
        make: || Bot::new("recorder").on_message(record),
    },
];

/// Every message that came to an account with the recorder.
static RECORDED: Journal<Message> = Journal::new();

async fn record(message: Message) {
    RECORDED.push(message);
}

/// Waits for a message to the recorder on the account `me`.
#[track_caller]
pub(super) fn recorded(me: &str, fits: impl Fn(&Message) -> bool) -> Message {
    RECORDED.wait(0, "a message to the recorder", |message| {
        (&*message.to == me && fits(message)).then(|| message.clone())
    })
}

/// A running config.
#[derive(Debug)]
pub(super) struct Troupe {
    changes: Arc<Journal<Changed>>,
    account: AccountHandle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Observer(Arc<Journal<Changed>>);

impl Actor for Observer {
    type Context = Context<Self>;
}

impl Handler<Changed> for Observer {
    type Result = ();

    fn handle(&mut self, changed: Changed, _: &mut Context<Self>) {
        self.0.push(changed);
    }
}

impl Troupe {
    /// Starts `bot` on the account `user`, and waits until it is online.
    #[track_caller]
    pub(super) fn start(sandbox: &Sandbox, user: &str, bot: &str) -> Self {
        Self::start_with(sandbox, user, bot, "")
    }

    /// The same with more keys for the account.
    #[track_caller]
    pub(super) fn start_with(sandbox: &Sandbox, user: &str, bot: &str, more: &str) -> Self {
        let more = format!("[[accounts]]\nuser_id = \"{user}\"\nbots = [\"{bot}\"]\n{more}");
        let config = config(&sandbox.url(), BOTS, &more);
        let changes = Arc::new(Journal::new());
        let (observed, user) = (changes.clone(), user.to_owned());
        let (started, running) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let observer = Observer(observed).start();
                let app = App::start(&config, BOTS, Some(observer.recipient())).await;
                let app = app.unwrap();
                started.send(app.account(&user).cloned()).unwrap();
                let _ = stopped.await; // An error means that the test is over: stop as well.
                app.stop().await;
            });
        });
        let account = running.recv().unwrap().unwrap();
        let troupe = Self {
            changes,
            account,
            stop: Some(stop),
            thread: Some(thread),
        };
        troupe.wait_online(0);
        troupe
    }

    pub(super) fn mark(&self) -> usize {
        self.changes.mark()
    }

    /// Waits until the account went online, from `mark` on.
    #[track_caller]
    pub(super) fn wait_online(&self, mark: usize) -> Status {
        self.changes
            .wait(mark, "the account to go online", |changed| {
                (changed.online == Some(true)).then(|| (*changed.status).clone())
            })
    }

    /// Waits until the account is offline and stands like this, from `mark` on.
    #[track_caller]
    pub(super) fn wait_phase(&self, mark: usize, phase: Phase) -> Status {
        self.changes.wait(mark, phase.word(), |changed| {
            (changed.status.phase == phase).then(|| (*changed.status).clone())
        })
    }

    /// Tells the account to come back.
    pub(super) fn resume(&self) {
        assert!(self.account.instruct(Command::Resume));
    }

    /// Sends one element as the account.
    pub(super) fn send(&self, to: &str, element: Element) -> Result<Sent, SendError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.account.send(to, element))
    }
}

impl Drop for Troupe {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}
