//! Plays the account of a bot under test: delivers what happens, and takes what the bot sends.

use super::Outcome;
use super::said::from_group;
use crate::account::{AccountEvent, AccountHandle, Subscriber, Wish};
use crate::bot::builder::Bot;
use crate::bot::drain::Draining;
use crate::bot::host::Host;
use crate::bot::ledger::{Ledger, Shelf};
use crate::bot::pool::Pool;
use crate::bot::recording::Recording;
use crate::bot::seat::{SharedBot, Site};
use crate::gateway::{Clock, SharedMemory};
use crate::policy::Now;
use crate::proto::answer::Sent;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::message::{Conversation, GroupTip, Message, MessageKey, SystemNotice};
use crate::session::Receipt;
use crate::store::Store;
use futures_util::future::{Either, select};
use futures_util::task::{ArcWake, waker};
use serde_json::json;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A bot that does nothing for so long, and has not finished, is stuck.
const PATIENCE: Duration = Duration::from_secs(5);
/// Meanwhile it is looked so often whether the store is dead.
const WAITS: u32 = 100;
/// How long a process takes to start again.
const STARTING: Duration = Duration::from_secs(1);
/// The actor that the stage plays.
const LIFE: u64 = 1;

/// See the module.
pub(super) struct Stage {
    site: Arc<Site>,
    store: Store,
    clock: Clock,
    woken: Arc<Woken>,
    state: Mutex<State>,
}

struct State {
    recording: Arc<Recording>,
    bot: Arc<SharedBot>,
    ledger: Arc<Ledger>,
    host: Arc<Host>,
    /// Messages that are not handled: they come again after a crash.
    open: Vec<(u64, Arc<Message>)>,
    /// How many messages there have been.
    messages: u32,
    /// What the server has, by the key by which it knows a message that is sent twice.
    known: HashMap<(Conversation, MessageKey), Sent>,
}

#[derive(Default)]
struct Woken(Notify);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Self>) {
        woken.0.notify_one();
    }
}

impl Stage {
    pub(super) fn new(bot: Bot) -> Self {
        Self::on_store(bot, Store::for_tests())
    }

    #[expect(clippy::expect_used, reason = "only tests are here")]
    pub(super) fn on_store(bot: Bot, store: Store) -> Self {
        let pool = Pool::start(1, Duration::from_secs(1)).expect("threads for a test");
        let site = Arc::new(Site::of_test(pool));
        let recording = Arc::<Recording>::default();
        let clock = Clock::movable();
        let woken: Arc<Woken> = Arc::default();
        clock.tell(waker(woken.clone()));
        let bot = bot.into_shared(&site.files, &site.pool);
        let (ledger, host) = start(&site, &store, &clock, &bot, &recording);
        let stage = Self {
            site,
            store,
            clock,
            woken,
            state: Mutex::new(State {
                recording,
                bot,
                ledger,
                host,
                open: Vec::new(),
                messages: 0,
                known: HashMap::new(),
            }),
        };
        stage.begin();
        stage
    }

    /// The account is ready.
    fn begin(&self) {
        let host = self.host();
        host.attach(self.clock.now(), LIFE, &waker(self.woken.clone()));
        let _ = host.deliver(self.clock.now(), AccountEvent::Ready);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> Arc<Host> {
        self.state().host.clone()
    }

    pub(super) fn recording(&self) -> Arc<Recording> {
        self.state().recording.clone()
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn dialogues(&self) -> usize {
        self.state().ledger.dialogues()
    }

    pub(super) fn die_after(&self, writes: usize) {
        self.store.take_only(Some(writes));
    }

    /// The number of the next message, and the time.
    pub(super) fn next_message(&self) -> (u32, u64) {
        let mut state = self.state();
        state.messages += 1;
        (state.messages, self.clock.now().unix_secs())
    }

    #[expect(clippy::expect_used, reason = "only tests are here")]
    pub(super) fn group_message(&self, item: serde_json::Value, event: u64) -> Arc<Message> {
        Arc::new(from_group(item, event).expect("a message of a group"))
    }

    pub(super) fn tip(&self, group: &str, tip: &GroupTip) -> Arc<Message> {
        self.of_server(group, &json!(tip), 4)
    }

    pub(super) fn notice(&self, group: &str, notice: &SystemNotice) -> Arc<Message> {
        self.of_server(group, &json!(notice), 5)
    }

    fn of_server(&self, group: &str, body: &serde_json::Value, event: u64) -> Arc<Message> {
        let (seq, time) = self.next_message();
        let item = json!({
            "From_Account": "@TIM#SYSTEM", "ToGroupId": group, "MsgSeq": seq, "MsgRandom": seq,
            "MsgTimeStamp": time, "MsgBody": body, "GroupInfo": {"GroupId": group},
        });
        self.group_message(item, event)
    }

    /// Somebody says something.
    pub(super) fn deliver(&self, message: Arc<Message>) {
        let id = Receipt::of(&message).id();
        let host = {
            let mut state = self.state();
            state.open.push((id, message.clone()));
            state.host.clone()
        };
        let _ = host.deliver(self.clock.now(), AccountEvent::Message(message));
    }

    /// Somebody says something; returns what came of it.
    pub(super) async fn hear(&self, message: Arc<Message>) -> Outcome {
        self.deliver(message);
        self.settle().await
    }

    /// Something happens to the account.
    pub(super) async fn happens(&self, event: AccountEvent) -> Outcome {
        let _ = self.host().deliver(self.clock.now(), event);
        self.settle().await
    }

    /// Time passes. What becomes due on the way happens at its time.
    pub(super) async fn advance(&self, time: Duration) -> Outcome {
        let end = self.clock.now().mono + time;
        let mut stuck = self.run().await;
        loop {
            let now = self.clock.now().mono;
            let next = self.host().poll_timeout().into_iter();
            let next = next.chain(self.clock.next_nap()).min();
            let next = next.filter(|next| *next <= end);
            let Some(next) = next else {
                self.clock.advance(end.saturating_sub(now));
                stuck |= self.run().await;
                return self.outcome(stuck);
            };
            // A little later, because time of the service has whole seconds.
            let step = next.saturating_sub(now) + Duration::from_millis(1);
            self.clock.advance(step);
            stuck |= self.run().await;
            if stuck {
                return self.outcome(true);
            }
        }
    }

    /// The process dies and starts again, with another bot or the same.
    pub(super) async fn restart(&self, bot: Option<Bot>) -> Outcome {
        self.store.take_only(None);
        // First nobody does anything any more, then those who wait are gone.
        let recording = self.state().recording.died();
        self.clock.forget_naps();
        self.clock.advance(STARTING);
        let open = {
            let mut state = self.state();
            state.recording = recording;
            if let Some(bot) = bot {
                state.bot = bot.into_shared(&self.site.files, &self.site.pool);
            }
            state.host.detach(LIFE);
            (state.ledger, state.host) = start(
                &self.site,
                &self.store,
                &self.clock,
                &state.bot,
                &state.recording,
            );
            std::mem::take(&mut state.open)
        };
        self.begin();
        for (_, message) in open {
            self.deliver(message);
        }
        self.settle().await
    }

    /// No more handlers start.
    pub(super) async fn shut_down(&self) -> Outcome {
        let draining = Draining::new();
        if let Some(drain) = draining.one() {
            self.host().drain(drain);
        }
        self.settle().await
    }

    async fn settle(&self) -> Outcome {
        let stuck = self.run().await;
        self.outcome(stuck)
    }

    fn outcome(&self, is_stuck: bool) -> Outcome {
        Outcome::take(&self.recording(), is_stuck)
    }

    /// Runs the bot until nothing but time or somebody else can change anything. Returns whether it is stuck.
    async fn run(&self) -> bool {
        loop {
            let host = self.host();
            while host.proceed(self.clock.now(), LIFE) {}
            let mut did = false;
            while let Some(wish) = host.poll_wish(LIFE) {
                did = true;
                self.grant(&host, wish);
            }
            if did {
                continue;
            }
            // Handlers that wait for the time go on when it has come.
            if host.is_idle(self.clock.asleep()) {
                return false;
            }
            let mut woken = pin!(self.woken.0.notified());
            let mut waits = 0;
            loop {
                let wait = pin!(self.site.pool.sleep(PATIENCE / WAITS));
                if let Either::Left(_) = select(woken.as_mut(), wait).await {
                    break;
                }
                waits += 1;
                // A dead store never answers; only what runs on other threads may still come to its end. It dies on its
                // own thread and tells nobody, so it is looked at again and again.
                if waits >= WAITS || self.store.has_refused() {
                    return true;
                }
            }
        }
    }

    fn grant(&self, host: &Host, wish: Wish) {
        match wish {
            Wish::Reply(reply) => {
                let mut state = self.state();
                let recording = state.recording.clone();
                let key = (reply.to.clone(), reply.key);
                let sent = state.known.entry(key).or_insert_with(|| {
                    let draft = (*reply.draft).clone();
                    recording.send(reply.to, draft)
                });
                let sent = sent.clone();
                drop(state);
                let answer = serde_json::to_string(&sent).unwrap_or_default();
                host.settled(self.clock.now(), reply.number, Ok(answer));
            }
            Wish::Finished(receipt, done) => {
                if done {
                    self.state().open.retain(|(id, _)| *id != receipt.id());
                }
            }
            // Nothing waits in the store here.
            Wish::UpdateOver(..) => {}
        }
    }
}

/// Starts the bot with what is in the store.
#[expect(clippy::expect_used, reason = "only tests are here")]
fn start(
    site: &Arc<Site>,
    store: &Store,
    clock: &Clock,
    bot: &Arc<SharedBot>,
    recording: &Arc<Recording>,
) -> (Arc<Ledger>, Arc<Host>) {
    let user = UserId::parse(Recording::USER).expect("a name that fits");
    let app = SdkAppId::new(1).expect("a number that fits");
    let memory = SharedMemory::default();
    let account = AccountHandle::starting_at(clock.now(), user.clone().into(), memory);
    let numbers = store.accounts(app, &[user]).expect("memory");
    let mut found = store.recover().expect("memory");
    let number = *numbers.first().expect("one for each account");
    let found = found.remove(&number).unwrap_or_default();
    let shelf = Shelf::with_clock(store.clone(), u64::MAX, clock.clone());
    let ledger = Ledger::new(shelf, number, account.clone(), found);
    let bots = vec![bot.clone()];
    let host = Host::with_recording(site.clone(), &account, &ledger, &bots, Some(recording));
    (ledger, host)
}
