//! Follows a running fleet and tells receivers.

use super::board::{Board, Silences, list};
use super::delivery::{DeliveryError, deliver};
use super::space::free_space;
use crate::account::{AccountName, Changed};
use crate::admin::Silencing;
use crate::admin::types::{AlertList, SilenceOf};
use crate::app::Controller;
use crate::bot::Api;
use crate::config::{AlertConfig, AlertTarget, Config, usual_limits};
use crate::gateway::now;
use crate::policy::Now;
use actix::prelude::*;
use botroupe_core::alerts::{Alerts, Delivery, Figures, Policy, Queue, Rule};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often the store is looked at. Failed letters are counted once a second there.
const LOOK: Duration = Duration::from_secs(1);
/// How often the room on its disk is asked for.
const ROOM: u32 = 10;
/// Changes of the whole fleet wait here.
const MAILBOX: usize = 1 << 16;

/// Runs the alerts of a fleet: on a thread of its own, if somebody is told of them when it starts.
pub struct Watch {
    /// The name of the fleet in what is told.
    fleet: Arc<str>,
    /// Tells the notices of this process from those of others.
    run: u64,
    receivers: Vec<Receiver>,
    /// How many receivers there have been.
    numbered: u64,
    /// The accounts that have changed since all were asked how they stand; `None` while nobody is asked.
    changed: Option<HashSet<AccountName>>,
    /// What fires while there is no receiver.
    untold: Alerts,
    silences: Silences,
    controller: Option<Controller>,
    /// The file of the store; `None` without one.
    store: Option<PathBuf>,
    figures: Figures,
    looks: u32,
    next: Option<SpawnHandle>,
}

/// One receiver.
struct Receiver {
    /// No other one of the process has had it.
    number: u64,
    config: Arc<AlertConfig>,
    alerts: Alerts,
    queue: Queue,
    /// The way of the account that writes.
    api: Option<Api>,
}

/// A [`Watch`] that runs. Dropping it ends it at once, whatever is under way.
#[derive(Debug)]
pub struct WatchHandle {
    addr: Addr<Watch>,
    /// Its thread; `None` when it has none of its own.
    arbiter: Option<Arbiter>,
}

/// It ends.
#[derive(Message)]
#[rtype(result = "()")]
struct End;

/// The fleet has started.
#[derive(Message)]
#[rtype(result = "()")]
struct Begin {
    controller: Controller,
    apis: HashMap<AccountName, Api>,
}

/// Something happened that does not last.
#[derive(Message)]
#[rtype(result = "()")]
struct Happened(Rule, String);

/// The config has other receivers, or other accounts.
#[derive(Message)]
#[rtype(result = "()")]
struct Reload {
    alerts: Vec<AlertConfig>,
    accounts: Vec<AccountName>,
}

/// The room on the disk of the store.
#[derive(Message)]
#[rtype(result = "()")]
struct Room(Option<u64>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("fleet", &self.fleet)
            .field("receivers", &self.receivers.len())
            .finish_non_exhaustive()
    }
}

impl Watch {
    /// Starts the alerts of a config, inside a running actix `System`: with receivers or without, somebody may ask what
    /// fires. `fleet` is its name in what is told, and `run` a number that no other process has.
    #[must_use]
    pub fn start(config: &Config, fleet: &str, run: u64) -> WatchHandle {
        let enabled = enabled(config);
        let store = config.store.path.as_path();
        let mut watch = Self {
            fleet: fleet.into(),
            run,
            receivers: Vec::new(),
            numbered: 0,
            changed: None,
            untold: Alerts::new(for_nobody(), usual_limits(), enabled.clone()),
            silences: Silences::default(),
            controller: None,
            store: (store.as_os_str() != ":memory:").then(|| store.to_owned()),
            figures: Figures::default(),
            looks: 0,
            next: None,
        };
        for receiver in &config.alerts {
            let receiver = watch.receiver(receiver.clone(), &enabled);
            watch.receivers.push(receiver);
        }
        if config.alerts.is_empty() {
            // It only looks: a thread would cost handles of files that accounts need.
            let addr = watch.start();
            return WatchHandle {
                addr,
                arbiter: None,
            };
        }
        let arbiter = Arbiter::new();
        let addr = Self::start_in_arbiter(&arbiter.handle(), move |_| watch);
        WatchHandle {
            addr,
            arbiter: Some(arbiter),
        }
    }

    fn receiver(&mut self, config: AlertConfig, accounts: &[AccountName]) -> Receiver {
        let number = self.numbered;
        self.numbered += 1;
        Receiver {
            number,
            alerts: Alerts::new(config.policy.clone(), config.limits, accounts.to_vec()),
            config: Arc::new(config),
            queue: Queue::new(self.run.wrapping_add(number)),
            api: None,
        }
    }

    /// Asks how every account stands, for machines that do not know it.
    fn ask(&mut self, ctx: &mut Context<Self>) {
        let Some(controller) = self.controller.clone() else {
            return;
        };
        self.changed = Some(HashSet::new());
        let asked = async move { controller.status().await }.into_actor(self);
        ctx.spawn(asked.map(|statuses, watch, ctx| {
            let newer = watch.changed.take().unwrap_or_default();
            let time = now();
            for status in statuses {
                // Of those that changed meanwhile every machine knows more.
                if newer.contains(&status.account) {
                    continue;
                }
                for alerts in watch.machines() {
                    alerts.changed(time, &status);
                }
            }
            watch.drive(ctx);
        }));
    }

    /// The machines of the receivers, and that of nobody.
    fn machines(&mut self) -> impl Iterator<Item = &mut Alerts> {
        let told = self.receivers.iter_mut().map(|it| &mut it.alerts);
        told.chain([&mut self.untold])
    }

    /// What fires, and the silences.
    pub(super) fn list(&self, time: Now) -> AlertList {
        let told = self.receivers.iter();
        let told = told.map(|it| (Some(it.config.name.as_str()), &it.alerts));
        let untold = self.receivers.is_empty().then_some((None, &self.untold));
        list(time, told.chain(untold), &self.silences)
    }

    /// Keeps something quiet.
    pub(super) fn quiet(&mut self, new: Silencing, ctx: &mut Context<Self>) -> Option<SilenceOf> {
        let time = now();
        let (told, silence) = self.silences.add(time, new)?;
        for alerts in self.machines() {
            alerts.silence(time, silence.clone());
        }
        self.drive(ctx);
        Some(told)
    }

    /// Ends a silence.
    pub(super) fn loud(&mut self, number: u64, ctx: &mut Context<Self>) -> Option<SilenceOf> {
        let time = now();
        let (told, silence) = self.silences.end(time, number)?;
        for alerts in self.machines() {
            alerts.unsilence(time, &silence);
        }
        self.drive(ctx);
        Some(told)
    }

    /// Does what is due, and comes back when the next thing is.
    fn drive(&mut self, ctx: &mut Context<Self>) {
        let time = now();
        let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= time.mono);
        if is_due(self.untold.poll_timeout()) {
            self.untold.timeout(time);
            while self.untold.poll_notice().is_some() {}
        }
        for at in 0..self.receivers.len() {
            let Some(receiver) = self.receivers.get_mut(at) else {
                continue;
            };
            if is_due(receiver.alerts.poll_timeout()) {
                receiver.alerts.timeout(time);
            }
            while let Some(notice) = receiver.alerts.poll_notice() {
                if let Some(lost) = receiver.queue.push(notice) {
                    let receiver = receiver.config.name.as_str();
                    tracing::warn!(
                        receiver,
                        notice = lost.number,
                        "too many alerts wait for this receiver; the oldest is left out"
                    );
                }
            }
            self.deliver(at, ctx);
        }
        let due = self.receivers.iter().flat_map(|receiver| {
            [
                receiver.alerts.poll_timeout(),
                receiver.queue.poll_timeout(),
            ]
        });
        if let Some(next) = self.next.take() {
            ctx.cancel_future(next);
        }
        let due = due.chain([self.untold.poll_timeout()]);
        self.next = due.flatten().min().map(|due| {
            let wait = due.saturating_sub(time.mono);
            // Never a loop without a pause, whatever the machines say.
            ctx.run_later(wait.max(Duration::from_millis(1)), Self::drive)
        });
    }

    /// Begins to deliver the next notice of a receiver.
    fn deliver(&mut self, at: usize, ctx: &mut Context<Self>) {
        let fleet = self.fleet.clone();
        let Some(receiver) = self.receivers.get_mut(at) else {
            return;
        };
        let Some(notice) = receiver.queue.next(now().mono) else {
            return;
        };
        let (notice, config) = (notice.clone(), receiver.config.clone());
        let api = receiver.api.clone();
        let number = receiver.number;
        // A receiver that leaves the config and comes back counts from one again.
        let run = self.run.wrapping_add(number);
        let id = format!("{run:016x}-{}-{}", config.name, notice.number);
        let told = async move { deliver(&config.to, api.as_ref(), &notice, (&fleet, &id)).await };
        let told = told.into_actor(self);
        ctx.spawn(told.map(move |told, watch, ctx| watch.delivered(number, &told, ctx)));
    }

    fn delivered(
        &mut self,
        number: u64,
        told: &Result<(), DeliveryError>,
        ctx: &mut Context<Self>,
    ) {
        let mut receivers = self.receivers.iter_mut();
        let Some(receiver) = receivers.find(|receiver| receiver.number == number) else {
            return; // It has left the config.
        };
        let name = receiver.config.name.as_str();
        let delivery = match told {
            Ok(()) => Delivery::Done,
            Err(error) => {
                tracing::warn!(receiver = name, %error, "an alert was not delivered");
                error.delivery()
            }
        };
        if let Some(lost) = receiver.queue.ended(now().mono, delivery) {
            let all = receiver.queue.dropped();
            tracing::error!(
                receiver = name,
                notice = lost.number,
                title = lost.title(),
                all,
                "an alert is given up"
            );
        }
        self.drive(ctx);
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        let Some(controller) = &self.controller else {
            return;
        };
        let condition = controller.store();
        self.figures.failed_letters = condition.counts.failed + condition.counts.unknown;
        self.figures.trouble = condition.trouble.map(|trouble| trouble.to_string());
        if self.looks == 0
            && let Some(store) = self.store.clone()
        {
            // A disk that does not answer holds up a thread for blocking work and nothing else.
            let asked = actix_rt::task::spawn_blocking(move || free_space(&store).ok());
            let to = ctx.address();
            actix_rt::spawn(async move {
                to.do_send(Room(asked.await.ok().flatten()));
            });
        }
        self.looks = (self.looks + 1) % ROOM;
        let time = now();
        let figures = self.figures.clone();
        for alerts in self.machines() {
            alerts.figures(time, &figures);
        }
        self.drive(ctx);
    }
}

/// The accounts that should be online.
fn enabled(config: &Config) -> Vec<AccountName> {
    let accounts = config.accounts.iter().filter(|account| account.enabled);
    accounts.map(|account| account.name.clone()).collect()
}

/// All is looked at, and nobody is told.
fn for_nobody() -> Policy {
    Policy {
        rules: Rule::ALL.to_vec(),
        except: Vec::new(),
        group_wait: Duration::ZERO,
        repeat: None,
        resolved: false,
    }
}

impl Actor for Watch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(LOOK, Self::look);
        self.drive(ctx);
    }
}

impl Handler<Changed> for Watch {
    type Result = ();

    fn handle(&mut self, changed: Changed, ctx: &mut Context<Self>) {
        let time = now();
        if let Some(accounts) = &mut self.changed {
            accounts.insert(changed.status.account.clone());
        }
        for alerts in self.machines() {
            alerts.changed(time, &changed.status);
        }
        self.drive(ctx);
    }
}

impl Handler<Begin> for Watch {
    type Result = ();

    fn handle(&mut self, Begin { controller, apis }: Begin, ctx: &mut Context<Self>) {
        self.controller = Some(controller);
        for receiver in &mut self.receivers {
            if let AlertTarget::Account { account, .. } = &receiver.config.to {
                receiver.api = apis.get(account).cloned();
            }
        }
        self.look(ctx);
    }
}

impl Handler<Reload> for Watch {
    type Result = ();

    fn handle(&mut self, Reload { alerts, accounts }: Reload, ctx: &mut Context<Self>) {
        let time = now();
        let mut before = std::mem::take(&mut self.receivers);
        for config in alerts {
            let known = before
                .iter()
                .position(|known| known.config.name == config.name);
            let mut receiver = match known.map(|at| before.swap_remove(at)) {
                Some(mut known) => {
                    if *known.config != config {
                        let policy = config.policy.clone();
                        known.alerts.set(time, policy, config.limits);
                        known.config = Arc::new(config);
                    }
                    known
                }
                None => {
                    let mut new = self.receiver(config, &accounts);
                    for silence in self.silences.lasting(time) {
                        new.alerts.silence(time, silence);
                    }
                    new
                }
            };
            receiver.api = match (&receiver.config.to, &self.controller) {
                (AlertTarget::Account { account, .. }, Some(controller)) => {
                    controller.api(account.as_str())
                }
                _ => None,
            };
            self.receivers.push(receiver);
        }
        self.ask(ctx);
        self.drive(ctx);
    }
}

impl Handler<Happened> for Watch {
    type Result = ();

    fn handle(&mut self, Happened(rule, text): Happened, ctx: &mut Context<Self>) {
        let time = now();
        for alerts in self.machines() {
            alerts.happened(time, rule, text.clone());
        }
        self.drive(ctx);
    }
}

impl Handler<End> for Watch {
    type Result = ();

    fn handle(&mut self, _: End, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<Room> for Watch {
    type Result = ();

    fn handle(&mut self, Room(free): Room, _: &mut Context<Self>) {
        self.figures.free = free;
    }
}

impl WatchHandle {
    /// Gets every change of every account.
    #[must_use]
    pub fn observer(&self) -> Recipient<Changed> {
        self.addr.clone().recipient()
    }

    /// The accounts that write to users, of this config.
    #[must_use]
    pub fn writers(config: &Config) -> Vec<AccountName> {
        let writers = config.alerts.iter().filter_map(|alert| match &alert.to {
            AlertTarget::Account { account, .. } => Some(account.clone()),
            _ => None,
        });
        writers.collect()
    }

    /// The fleet has started: figures are asked of the controller from now on, and accounts that write to users do so
    /// through these.
    pub fn begin(&self, controller: Controller, apis: HashMap<AccountName, Api>) {
        self.addr.do_send(Begin { controller, apis });
    }

    /// Has the receivers of another config, while the fleet runs. Those of the same name go on with what they were told.
    pub fn reloader(&self) -> impl Fn(&Config) + Send + use<> {
        let addr = self.addr.clone();
        move |config| {
            addr.do_send(Reload {
                alerts: config.alerts.clone(),
                accounts: enabled(config),
            });
        }
    }

    /// Something happened that does not last.
    pub fn happened(&self, rule: Rule, text: String) {
        self.addr.do_send(Happened(rule, text));
    }

    /// What fires, and silences.
    #[must_use]
    pub fn board(&self) -> Board {
        Board(self.addr.clone())
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        match &self.arbiter {
            // The thread ends by itself: waiting for it could wait for a name server.
            Some(arbiter) => {
                arbiter.stop();
            }
            None => self.addr.do_send(End),
        }
    }
}
