//! Botroupe's accounts and bots, which run on their own thread as on the command line.

use botroupe::prelude::Conversation;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use actix::prelude::*;
use botroupe::bot::FileAccess;
use botroupe::{
    account::{AccountHandle, Changed, Command, Phase, SendError, Status},
    app::App,
    bot::{Api, ApiError, Attachment, Bot, Bots, Outgoing, TransferError, Upload, Uploads},
    proto::{
        answer::Sent,
        message::{Element, GroupTip, Message, NoticeKind, TipKind},
        update::Update,
    },
    sandbox::Sandbox,
};
use tokio::sync::oneshot;

use super::journal::Journal;
use crate::harness::config;

#[path = "../../../bots/mod.rs"]
#[allow(unreachable_pub, reason = "a bot's file looks the same in a library")]
pub(super) mod shipped;

fn bots() -> Bots {
    shipped::all()
        .with("recorder", || Bot::new("recorder").on_message(record))
        .with("copier", || Bot::new("copier").on_message(copy))
        .with("gallery", || Bot::new("gallery").on_message(hang_up))
        .with("watcher", || {
            Bot::new("watcher")
                .on_message(watch)
                .on_group_tip(watch)
                .on_system_notice(watch)
                .on_update(notice)
        })
}

/// Downloads the file of a message and sends it back as a new upload.
async fn copy(api: Api, message: Message) -> Result<Option<Element>, ApiError> {
    const LIMIT: u64 = 100 * 1024 * 1024;
    let Some(element) = message.elements.first() else {
        return Ok(None);
    };
    let bytes = api.download(element, LIMIT).await?;
    let too_much = api.download(element, bytes.len() as u64 - 1).await;
    assert!(matches!(too_much, Err(ApiError::Transfer(_))));
    Ok(Some(match element {
        Element::Image(_) => {
            let upload = Upload::new("copy.png", bytes);
            api.upload_image(upload).await?.into()
        }
        Element::File(file) => {
            let told = Arc::new(AtomicU64::new(0));
            let (last, total) = (told.clone(), bytes.len() as u64);
            let upload = Upload::new(&file.name, bytes)
                .progress(move |sent, _| last.store(sent, Ordering::Relaxed));
            let file = api.upload_file(upload).await?;
            assert_eq!(told.load(Ordering::Relaxed), total);
            Element::File(Box::new(file))
        }
        Element::Sound(sound) => {
            let upload = Upload::new("copy.mp3", bytes);
            api.upload_sound(upload, sound.seconds).await?.into()
        }
        Element::Video(video) => {
            let upload = Upload::new("copy.mp4", bytes);
            api.upload_video(upload, video.seconds).await?.into()
        }
        _ => return Ok(None),
    }))
}

/// Saves the file of a message and sends it back: pictures from disk, others as a stream.
async fn hang_up(api: Api, file: Attachment) -> Result<Outgoing, ApiError> {
    const CHUNK: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.png");
    assert_eq!(file.save(&path).await?, file.size());
    let too_much = file.clone().at_most(file.size() - 1);
    assert!(too_much.save(&path).await.is_err());
    let bytes = std::fs::read(&path).unwrap();
    if file.is_image() {
        // The folder must exist until the file is sent.
        let _ = folder.keep();
        return Ok(Outgoing::image(Upload::path(path)));
    }
    for wrong in ["short", "much too long"] {
        let stream = futures_util::stream::iter([Ok(wrong.into())]);
        let refused = api.upload_file(Upload::stream("x", 9, stream)).await;
        assert_eq!(refused, Err(TransferError::WrongSize { size: 9 }.into()));
    }
    let size = bytes.len() as u64;
    let chunks = bytes.chunks(CHUNK).map(|chunk| Ok(chunk.to_vec().into()));
    let stream = futures_util::stream::iter(chunks.collect::<Vec<_>>());
    Ok(Outgoing::file(Upload::stream(file.name(), size, stream)))
}

/// All events of accounts with the watcher, with the account name.
static WATCHED: Journal<(String, Told)> = Journal::new();

/// An event that a bot can receive.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Message(Box<Message>),
    Update(Box<Update>),
}

async fn watch(api: Api, message: Message) {
    let told = Told::Message(Box::new(message));
    WATCHED.push((api.me().to_owned().to_string(), told));
}

async fn notice(api: Api, update: Update) {
    let told = Told::Update(Box::new(update));
    WATCHED.push((api.me().to_owned().to_string(), told));
}

/// All messages to accounts with the recorder.
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

/// Waits until `read` returns a value for an event of the watcher on the account `me`.
#[track_caller]
fn told<R>(mark: usize, me: &str, what: &str, read: impl Fn(&Told) -> Option<R>) -> R {
    WATCHED.wait(mark, what, |(user, told)| {
        (user == me).then(|| read(told)).flatten()
    })
}

/// A running config.
#[derive(Debug)]
pub(super) struct Troupe {
    changes: Arc<Journal<Changed>>,
    account: AccountHandle,
    /// The arbiter of the thread that transfers files.
    files: ArbiterHandle,
    /// The origin of the file server.
    origin: String,
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

    /// Like [`Self::start`], with more config keys for the account.
    #[track_caller]
    pub(super) fn start_with(sandbox: &Sandbox, user: &str, bot: &str, more: &str) -> Self {
        let troupe = Self::begin(sandbox, user, bot, more);
        troupe.wait_online(0);
        troupe
    }

    /// Starts the bot without waiting.
    #[track_caller]
    pub(super) fn begin(sandbox: &Sandbox, user: &str, bot: &str, more: &str) -> Self {
        let more = format!("[[accounts]]\nuser_id = \"{user}\"\nbots = [\"{bot}\"]\n{more}");
        let config = config(&sandbox.url(), &bots(), &more);
        let changes = Arc::new(Journal::new());
        let (observed, user) = (changes.clone(), user.to_owned());
        let (started, running) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let observer = Observer(observed).start();
                let app = App::start(&config, &bots(), Some(observer.recipient())).await;
                let app = app.unwrap();
                let files = Arbiter::current();
                started.send((app.account(&user), files)).unwrap();
                let _ = stopped.await; // An error means that the test has ended, so stop too.
                app.stop().await;
            });
        });
        let (account, files) = running.recv().unwrap();
        Self {
            changes,
            account: account.unwrap(),
            files,
            origin: sandbox.url(),
            stop: Some(stop),
            thread: Some(thread),
        }
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

    /// Waits until the account is offline in this phase, from `mark` on.
    #[track_caller]
    pub(super) fn wait_phase(&self, mark: usize, phase: Phase) -> Status {
        self.changes.wait(mark, phase.word(), |changed| {
            (changed.status.phase == phase).then(|| (*changed.status).clone())
        })
    }

    /// Orders the account to resume.
    pub(super) fn resume(&self) {
        self.order(Command::Resume);
    }

    /// Returns the causes of offline periods since `mark`, as words.
    pub(super) fn causes(&self, mark: usize) -> Vec<String> {
        let changes = self.changes.since(mark).into_iter();
        let offline = changes.filter(|changed| changed.online == Some(false));
        offline
            .map(|changed| changed.status.cause.word().into_owned())
            .collect()
    }

    /// Sends a command to the account.
    pub(super) fn order(&self, command: Command) {
        assert!(self.account.instruct(command));
    }

    /// Returns the `Api` of the account, as a bot has it.
    pub(super) fn api(&self) -> Api {
        Api::new(self.account.clone())
    }

    /// Returns an `Api` that transfers files with this method.
    pub(super) fn api_with_files(&self, uploads: Uploads) -> Api {
        self.api().with_files(
            self.files.clone(),
            uploads,
            FileAccess::new(Some(&self.origin)),
        )
    }

    /// Returns the index of the next event of the watcher.
    pub(super) fn watch_mark() -> usize {
        WATCHED.mark()
    }

    /// Waits for a matching message, tip or notice to the watcher from `mark` on.
    #[track_caller]
    pub(super) fn hears(
        &self,
        mark: usize,
        what: &str,
        fits: impl Fn(&Message) -> bool,
    ) -> Message {
        told(
            mark,
            self.account.user().as_str(),
            what,
            |told| match told {
                Told::Message(message) if fits(message) => Some((**message).clone()),
                _ => None,
            },
        )
    }

    /// Waits for a text.
    #[track_caller]
    pub(super) fn hears_text(&self, mark: usize, text: &str) -> Message {
        self.hears(mark, text, |message| message.text() == Some(text))
    }

    /// Waits until a text was received at least `times` times.
    #[track_caller]
    pub(super) fn hears_times(&self, mark: usize, text: &str, times: usize) {
        let me = self.account.user().as_str();
        WATCHED.wait_for_all(mark, text, |told| {
            let fits = told.iter().filter(|(user, told)| match told {
                Told::Message(message) => user == me && message.text() == Some(text),
                Told::Update(_) => false,
            });
            (fits.count() >= times).then_some(())
        });
    }

    /// Waits for a tip of this kind.
    #[track_caller]
    pub(super) fn hears_tip(&self, mark: usize, kind: TipKind) -> GroupTip {
        let is = |message: &Message| message.tip().is_some_and(|tip| tip.kind() == kind);
        let message = self.hears(mark, &format!("tip {kind:?}"), is);
        message.tip().unwrap().clone()
    }

    /// Waits for a notice of this kind.
    #[track_caller]
    pub(super) fn hears_notice(&self, mark: usize, kind: NoticeKind) -> Message {
        let is = |message: &Message| message.notice().is_some_and(|n| n.kind() == kind);
        self.hears(mark, &format!("notice {kind:?}"), is)
    }

    /// Waits for an update for which `read` returns a value.
    #[track_caller]
    pub(super) fn learns<R>(
        &self,
        mark: usize,
        what: &str,
        read: impl Fn(&Update) -> Option<R>,
    ) -> R {
        told(
            mark,
            self.account.user().as_str(),
            what,
            |told| match told {
                Told::Update(update) => read(update),
                Told::Message(_) => None,
            },
        )
    }

    /// Returns all messages to the watcher from `mark` on.
    pub(super) fn heard(&self, mark: usize) -> Vec<Message> {
        let me = self.account.user().as_str();
        let told = WATCHED.since(mark).into_iter();
        told.filter(|(user, _)| user == me)
            .filter_map(|(_, told)| match told {
                Told::Message(message) => Some(*message),
                Told::Update(_) => None,
            })
            .collect()
    }

    /// Waits for the outcome of a request of the account.
    pub(super) fn wait<T>(doing: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(doing)
    }

    /// Sends one element as the account.
    pub(super) fn send(&self, to: &str, element: Element) -> Result<Sent, SendError> {
        Self::wait(self.account.send(Conversation::c2c(to), element))
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
