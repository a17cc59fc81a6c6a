//! Supervises all accounts: starts them, restarts those that died, paces their logins and knows their status.
//!
//! actix's own `Supervisor` is not used: a panic kills it, and it restarts the struct that just
//! failed. Here the parent keeps a [`ChildSpec`], a child reports its end through a
//! [`DownGuard`], and each restart starts from a fresh state, with
//! growing pauses, until it happens too often. A child that never returns is noticed by the silence
//! of its thread; its neighbours move to a new one at once.

mod changes;
mod children;
mod counts;
mod orders;
mod outage;
mod threads;

pub use crate::account::MakeConnector;
use crate::account::{
    Account, AccountEvent, AccountHandle, AccountSpec, Cause, Changed, Command, CoreConfig, Paces,
    Phase, Status, StatusCollector, Subscriber, Surroundings,
};
use crate::config::IoConfig;
use crate::gateway::{Down, DownGuard, now};
use crate::policy::Backoff;
use crate::rest::Rest;
use crate::session::HandedTicket;
use actix::prelude::*;
use children::{Child, Children, Standing};
use futures_util::future::LocalBoxFuture;
use outage::outage;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use threads::{Hung, Threads};
use tokio::sync::oneshot;

pub use changes::{Forget, Join, Leave, NewConfig, Reconfigure};
pub use counts::CountPhases;
pub use orders::{Order, OrderError};

/// Deaths of an account actor that are answered by a restart, per period.
const RESTARTS: (usize, Duration) = (5, Duration::from_secs(60));
/// How many threads an account may hang before it is quarantined: each one is lost for good.
const HANGS: (usize, Duration) = (3, Duration::from_secs(3600));
/// Mailbox size. Status changes and login reservations of the whole fleet wait here; an account has few at a time.
const MAILBOX: usize = 1 << 16;

/// How often the log says how many accounts are away.
const SUMMARY: Duration = Duration::from_secs(60);

/// The subscriber of an account was made, or cannot be made.
#[derive(Message)]
#[rtype(result = "()")]
struct Made {
    number: usize,
    subscriber: Result<Arc<dyn Subscriber>, String>,
}

/// How long an account may take to say how it stands.
const STATUS_LIMIT: Duration = Duration::from_secs(1);

/// Gives the subscriber of the account of this number, or the reason why there is none; makes a new one when the last one
/// died. It is called on the supervisor's thread, so slow work belongs into the future or on another thread.
/// The subscriber outlives the account's actors, so that delivered messages do too.
pub type SubscriberFactory = Arc<
    dyn Fn(usize) -> LocalBoxFuture<'static, Result<Arc<dyn Subscriber>, String>> + Send + Sync,
>;

/// Everything that an account is started from, each time it is restarted.
#[derive(Clone)]
pub struct ChildSpec {
    /// Its number, which no other account of the process ever has; below 2^32.
    pub number: usize,
    /// The account.
    pub config: Arc<CoreConfig>,
    /// Makes the connector.
    pub connector: MakeConnector,
    /// What it shares with the other accounts of its app.
    pub paces: Arc<Paces>,
    /// Asks whether another login is there, when there are an administrator's credentials.
    pub rest: Option<Arc<Rest>>,
    /// Makes the subscriber.
    pub subscriber: SubscriberFactory,
    /// Where others find the account.
    pub handle: AccountHandle,
    /// The phase and cause of an account that an operator held or quarantined before the last stop.
    pub away: Option<Box<(Phase, Cause)>>,
    /// The login of another process that it goes on with at its first start, and after which pause.
    pub handed: Option<Box<(HandedTicket, Duration)>>,
}

impl std::fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildSpec")
            .field("account", &self.config.name)
            .finish_non_exhaustive()
    }
}

/// The parent of all accounts.
pub struct Supervisor {
    children: Children,
    threads: Threads,
    /// What the accounts of each app share, beside the paces that it is made from.
    surroundings: Vec<(Arc<Paces>, Arc<Surroundings>)>,
    /// Where accounts report their end.
    deaths: Option<Arc<Recipient<Down>>>,
    observer: Option<Recipient<Changed>>,
    /// How many children run.
    running: usize,
    stopping: Option<oneshot::Sender<()>>,
    is_stopping: bool,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor")
            .field("children", &self.children.len())
            .finish_non_exhaustive()
    }
}

/// Asks for a snapshot of every account, in the order they were given.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<Status>")]
pub struct GetStatus;

/// Asks how many accounts have reported that they are online.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "usize")]
pub struct CountOnline;

/// Logs every account out; answered when all are.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct StopAll;

/// Has every account close its link and keep its login, for another process; answered when all have.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct HandOverAll;

/// Ends the threads that carry the accounts, whatever still runs on them.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndThreads;

/// Never answered. The request fails when the supervisor is gone, whatever the reason.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct UntilEnd;

impl Supervisor {
    /// Starts the supervisor on the current arbiter, and every account of `specs` with it, on
    /// threads of its own. `observer` is told of every change of every account.
    pub fn start_with(
        specs: Vec<ChildSpec>,
        io: IoConfig,
        observer: Option<Recipient<Changed>>,
    ) -> Addr<Self> {
        let at = now();
        let threads = Threads::start(io.arbiters as usize, io.hang_after);
        let mut children = Children::default();
        for (place, spec) in specs.into_iter().enumerate() {
            children.insert(Child::new(spec, place % threads.len(), at.unix));
        }
        Self {
            children,
            threads,
            surroundings: Vec::new(),
            deaths: None,
            observer,
            running: 0,
            stopping: None,
            is_stopping: false,
        }
        .start()
    }

    /// Gets the subscriber of an account, and starts the account when it is there.
    fn start_child(&mut self, ctx: &Context<Self>, number: usize) {
        // An operator may have resumed it during the pause before this restart: then it runs already.
        let idle = |child: &&mut Child| !child.running && !child.making;
        let Some(child) = self.children.get_mut(number).filter(idle) else {
            return;
        };
        if self.is_stopping {
            return;
        }
        child.making = true;
        child.standing.waits_for = Some("its bots to be made");
        let (made, supervisor) = ((child.spec.subscriber)(number), ctx.address());
        // Not among the actor's own futures: it looks through all of them whenever one wakes up.
        actix_rt::spawn(async move {
            let subscriber = made.await;
            // There is one per start of an account, so it may exceed the mailbox bound.
            supervisor.do_send(Made { number, subscriber });
        });
    }

    fn start_with_subscriber(
        &mut self,
        ctx: &Context<Self>,
        number: usize,
        subscriber: Arc<dyn Subscriber>,
    ) {
        let Some(child) = self.children.get(number) else {
            return;
        };
        let surroundings = self.surroundings(ctx, &child.spec.paces.clone());
        let deaths = self
            .deaths
            .get_or_insert_with(|| Arc::new(ctx.address().recipient()))
            .clone();
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        let Some(arbiter) = self.threads.arbiter(child.thread) else {
            return;
        };
        child.running = true;
        self.running += 1;
        child.life = child.life.wrapping_add(1);
        child.subscriber = Some(subscriber.clone());
        let spec = AccountSpec {
            number: number as u64,
            config: child.spec.config.clone(),
            connector: child.spec.connector.clone(),
            rest: child.spec.rest.clone(),
            subscriber,
            surroundings,
            handle: child.spec.handle.clone(),
            away: child.spec.away.clone(),
            handed: child.spec.handed.take(),
        };
        let guard = DownGuard::new(deaths, named(number, child.life));
        Account::start_on(&arbiter, spec, guard);
    }

    /// What the accounts with these paces share.
    fn surroundings(&mut self, ctx: &Context<Self>, paces: &Arc<Paces>) -> Arc<Surroundings> {
        let mut known = self.surroundings.iter();
        if let Some((_, shared)) = known.find(|(known, _)| Arc::ptr_eq(known, paces)) {
            return shared.clone();
        }
        // Those of an app that has left are held by nobody else.
        self.surroundings
            .retain(|(known, _)| Arc::strong_count(known) > 2);
        let shared = Arc::new(Surroundings {
            paces: paces.clone(),
            observer: ctx.address().recipient(),
        });
        self.surroundings.push((paces.clone(), shared.clone()));
        shared
    }

    /// An account that cannot be started stays away until somebody has mended its bots.
    fn not_made(&mut self, number: usize, reason: String) {
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        tracing::error!(account = %child.name(), reason, "no bots for an account; quarantined");
        child.standing.phase = Phase::Quarantined;
        child.standing.cause = Cause::NoBot(reason);
        child.standing.since = now().unix;
        child.standing.next = None;
        let status = child.status();
        self.publish(status, None);
    }

    /// An account is gone without having stopped: tells everybody, and starts it again unless that
    /// has happened too often.
    fn lost(&mut self, ctx: &mut Context<Self>, number: usize, cause: Cause, allowed: bool) {
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        let at = now();
        let was_online = child.standing.phase.is_online();
        child.standing.cause = cause.clone();
        child.standing.since = at.unix;
        child.standing.waits_for = None;
        if allowed {
            // An account that did nothing wrong restarts at once.
            let wait = match child.deaths {
                0 => Duration::ZERO,
                deaths => Backoff::DEFAULT.delay(deaths, fastrand::f64()),
            };
            child.standing.phase = Phase::Waiting;
            child.standing.next = Some(at.unix + wait);
            ctx.run_later(wait, move |supervisor, ctx| {
                supervisor.start_child(ctx, number)
            });
        } else {
            child.standing.phase = Phase::Quarantined;
            child.standing.next = None;
        }
        if was_online && let Some(subscriber) = &child.subscriber {
            // The supervisor tells the bots, because the account itself is gone.
            let _ = subscriber.deliver(at, AccountEvent::NotReady(cause));
        }
        let status = child.status();
        self.publish(status, was_online.then_some(false));
    }

    /// A thread hangs. Its accounts move to another thread; the account that it hangs in is counted.
    fn hung(&mut self, ctx: &mut Context<Self>, hung: &Hung) {
        let culprit = hung.child.and_then(|child| usize::try_from(child).ok());
        let children = self.children.iter();
        let on_it: Vec<usize> = children
            .filter(|(_, child)| child.running && child.thread == hung.thread)
            .map(|(number, _)| number)
            .collect();
        tracing::error!(
            thread = hung.thread,
            accounts = on_it.len(),
            account = culprit
                .and_then(|number| self.children.get(number))
                .map_or("unknown", |child| child.name().as_str()),
            "a thread does not come back; its accounts are moved to a new one"
        );
        for number in on_it {
            let Some(child) = self.children.get_mut(number) else {
                continue;
            };
            child.running = false;
            self.running = self.running.saturating_sub(1);
            child.life = child.life.wrapping_add(1);
            child.spec.handle.end_life();
            // A bot that holds a thread loses its place there. That is no fault of its account.
            let guilty = !hung.by_handler && culprit.is_none_or(|culprit| culprit == number);
            let history = child.history.get_or_insert_default();
            let allowed = !guilty || history.hangs.allow(now().mono);
            if guilty {
                child.deaths = child.deaths.saturating_add(1);
            }
            if !allowed {
                tracing::error!(account = %child.name(), "hangs its thread too often; quarantined");
            }
            if child.leaving.is_some() {
                self.left(number);
            } else if !self.is_stopping {
                self.lost(ctx, number, Cause::Hung, allowed);
            }
        }
        self.check_all_stopped();
    }

    fn check_all_stopped(&mut self) {
        if self.is_stopping
            && self.running == 0
            && let Some(done) = self.stopping.take()
        {
            let _ = done.send(()); // Whoever asked may have given up waiting.
        }
    }

    fn publish(&self, status: Box<Status>, online: Option<bool>) {
        if let Some(observer) = &self.observer {
            observer.do_send(Changed { status, online });
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        let numbers: Vec<usize> = self.children.iter().map(|(number, _)| number).collect();
        for number in numbers {
            self.start_child(ctx, number);
        }
        ctx.run_interval(SUMMARY, |supervisor, _| {
            let children = supervisor.children.iter();
            let away = children.map(|(_, child)| (child.standing.phase, &child.standing.cause));
            for line in outage(away) {
                tracing::warn!("{line}");
            }
        });
        ctx.run_interval(self.threads.beat_every(), |supervisor, ctx| {
            for hung in supervisor.threads.beat(now().mono) {
                supervisor.hung(ctx, &hung);
            }
        });
    }
}

/// Packs the child's index and the number of its actor into the ID of the guard.
const fn named(number: usize, life: u32) -> u64 {
    (number as u64) | ((life as u64) << 32)
}

impl Handler<Made> for Supervisor {
    type Result = ();

    fn handle(&mut self, Made { number, subscriber }: Made, ctx: &mut Context<Self>) {
        if let Some(child) = self.children.get_mut(number) {
            child.making = false;
            child.standing.waits_for = None;
        }
        if self.is_stopping {
            return;
        }
        match subscriber {
            Ok(subscriber) => self.start_with_subscriber(ctx, number, subscriber),
            Err(reason) => self.not_made(number, reason),
        }
    }
}

impl Handler<Changed> for Supervisor {
    type Result = ();

    fn handle(&mut self, changed: Changed, _: &mut Context<Self>) {
        let number = self.children.number_of(&changed.status.account);
        if let Some(child) = number.and_then(|number| self.children.get_mut(number)) {
            // A restart after a crash must not bring the account back either.
            child.spec.away = match (changed.status.phase, &changed.status.cause) {
                (phase @ (Phase::Held | Phase::Quarantined), cause) => {
                    Some(Box::new((phase, cause.clone())))
                }
                _ => None,
            };
            let Status {
                phase,
                since,
                cause,
                next,
                ..
            } = &*changed.status;
            child.standing = Standing {
                phase: *phase,
                since: *since,
                cause: cause.clone(),
                next: *next,
                waits_for: None,
            };
        }
        self.publish(changed.status, changed.online);
    }
}

impl Handler<Down> for Supervisor {
    type Result = ();

    fn handle(&mut self, down: Down, ctx: &mut Context<Self>) {
        let number = (down.child & u64::from(u32::MAX)) as usize;
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        if down.child != named(number, child.life) {
            return; // Given up before; its thread came back.
        }
        child.running = false;
        self.running = self.running.saturating_sub(1);
        if child.leaving.is_some() {
            self.left(number);
            return self.check_all_stopped();
        }
        if self.is_stopping || child.standing.phase == Phase::Stopped {
            return self.check_all_stopped();
        }
        child.deaths = child.deaths.saturating_add(1);
        let (account, panicked) = (child.name().clone(), down.panicked);
        let history = child.history.get_or_insert_default();
        let allowed = history.crashes.allow(now().mono);
        if allowed {
            tracing::error!(%account, panicked, "account actor died; restarting it");
        } else {
            tracing::error!(%account, panicked, "account actor died too often; quarantined");
        }
        self.lost(ctx, number, Cause::Crashed, allowed);
    }
}

impl Handler<GetStatus> for Supervisor {
    type Result = ResponseActFuture<Self, Vec<Status>>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Self::Result {
        // Accounts are asked each time, because counters change without a change of phase. An account that
        // does not answer is shown as it was last known.
        let collector = StatusCollector::default();
        for (number, child) in self.children.iter() {
            if child.running {
                child.spec.handle.tell_status(collector.place(number));
            }
        }
        let collected = collector.collect(STATUS_LIMIT).into_actor(self);
        Box::pin(collected.map(|answers, supervisor, _| {
            let mut answers: HashMap<usize, Status> = answers.into_iter().collect();
            let children = supervisor.children.iter();
            children
                .map(|(number, child)| {
                    let answer = answers.remove(&number);
                    answer.unwrap_or_else(|| *child.status())
                })
                .collect()
        }))
    }
}

impl Handler<CountOnline> for Supervisor {
    type Result = usize;

    fn handle(&mut self, _: CountOnline, _: &mut Context<Self>) -> usize {
        let children = self.children.iter();
        let online = children.filter(|(_, child)| child.standing.phase.is_online());
        online.count()
    }
}

impl Handler<StopAll> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: StopAll, _: &mut Context<Self>) -> Self::Result {
        self.end_all(Command::Stop)
    }
}

impl Handler<HandOverAll> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: HandOverAll, _: &mut Context<Self>) -> Self::Result {
        self.end_all(Command::HandOver)
    }
}

impl Supervisor {
    fn end_all(&mut self, command: Command) -> ResponseFuture<()> {
        self.is_stopping = true;
        let (done, wait) = oneshot::channel();
        self.stopping = Some(done);
        for (_, child) in self.children.iter() {
            if child.running {
                child.spec.handle.instruct(command);
            }
        }
        self.check_all_stopped();
        Box::pin(async move {
            let _ = wait.await; // Dropped with the supervisor: then nothing runs any more either.
        })
    }
}

/// Ends the supervisor as a bug of ours would. For tests.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Die;

#[cfg(test)]
impl Handler<Die> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Die, _: &mut Context<Self>) {
        panic!("a bug of ours");
    }
}

impl Handler<UntilEnd> for Supervisor {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: UntilEnd, _: &mut Context<Self>) -> Self::Result {
        Box::pin(std::future::pending().into_actor(self))
    }
}

impl Handler<EndThreads> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: EndThreads, _: &mut Context<Self>) {
        self.threads.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn whoever_waits_for_the_end_of_a_supervisor_learns_of_its_panic() {
        let io = IoConfig {
            arbiters: 1,
            hang_after: Duration::from_secs(60),
        };
        let supervisor = Supervisor::start_with(Vec::new(), io, None);
        let ended = supervisor.send(UntilEnd);
        supervisor.do_send(Die);
        assert!(ended.await.is_err(), "fails, and does not wait for ever");
        assert!(!supervisor.connected());
    }
}
