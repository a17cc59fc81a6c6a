//! A bot, shared by the accounts that run it, and its seat on one of them.

use super::api::{Api, Uploads};
use super::choices::Choices;
use super::event::Values;
use super::file_access::FileAccess;
use super::handlers::Handlers;
use super::isolation::{Place, Trust};
use super::ledger::{Ledger, Owner};
use super::pool::{Label, Pool};
use super::recording::Recording;
use super::tape::Tape;
use super::tasks::Spawner;
use super::transfer::Carriage;
use super::voices::Voices;
use crate::account::{AccountHandle, SharedFleet};
use crate::config::HostConfig;
use crate::traces::{TracePoint, Traces};
use actix::prelude::ArbiterHandle;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::watch;

/// What the hosts of a process share.
pub struct Site {
    /// Limits of handlers.
    pub config: HostConfig,
    /// How the server gives out addresses for files.
    pub uploads: Uploads,
    /// Where files of messages may be fetched from.
    pub files: FileAccess,
    /// The thread that carries files; `None` in tests.
    pub file_thread: Option<ArbiterHandle>,
    /// The threads that run handlers.
    pub pool: Pool,
    /// Records what the bots hear.
    pub tape: Option<Tape>,
    /// The accounts of this process: only bots that ask for it hear them.
    pub fleet: SharedFleet,
    /// Which accounts speak for bots of which one is to answer.
    pub voices: Voices,
    /// Where traces of messages go.
    pub traces: Traces,
}

impl Site {
    /// Where a bot is tested.
    pub(super) fn of_test(pool: Pool) -> Self {
        Self {
            config: HostConfig::default(),
            uploads: Uploads::default(),
            files: FileAccess::default(),
            file_thread: None,
            pool,
            tape: None,
            fleet: SharedFleet::default(),
            voices: Voices::default(),
            traces: Traces::default(),
        }
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

/// A bot that was made. Accounts share it unless it has state of its own for each.
pub struct SharedBot {
    pub(super) name: &'static str,
    pub(super) values: Arc<Values>,
    pub(super) handlers: Handlers,
    pub(super) hears_fleet: bool,
    pub(super) choices: Choices,
    pub(super) files: FileAccess,
    pub(super) trust: Arc<Trust>,
}

impl std::fmt::Debug for SharedBot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedBot")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SharedBot {
    /// Where its handlers begin.
    pub(super) fn place(&self) -> Place {
        self.trust.place(self.choices.isolation)
    }
}

/// One bot on one account.
pub(super) struct Seat {
    pub(super) account: AccountHandle,
    pub(super) ledger: Arc<Ledger>,
    pub(super) bot: Arc<SharedBot>,
    pub(super) site: Arc<Site>,
    /// All bots of the account.
    neighbours: Arc<Neighbours>,
    /// What it does in a test.
    pub(super) recording: Option<Arc<Recording>>,
    /// Made when a handler first takes the [`Api`].
    extras: OnceLock<Box<Extras>>,
    /// The bot has got its start event.
    has_started: AtomicBool,
    is_over: AtomicBool,
}

/// The bots of an account, in their order.
#[derive(Debug, Default)]
pub(super) struct Neighbours(RwLock<Arc<[Arc<SharedBot>]>>);

impl Neighbours {
    fn all(&self) -> Arc<[Arc<SharedBot>]> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    pub(super) fn set(&self, bots: &[Arc<SharedBot>]) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *all = bots.into();
    }
}

struct Extras {
    carriage: Option<Carriage>,
    /// `true` when the bot ends.
    ended: watch::Sender<bool>,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("account", self.account.user())
            .field("bot", &self.bot.name)
            .finish_non_exhaustive()
    }
}

impl Seat {
    pub(super) fn new(
        site: &Arc<Site>,
        account: &AccountHandle,
        ledger: &Arc<Ledger>,
        bot: Arc<SharedBot>,
        neighbours: &Arc<Neighbours>,
        recording: Option<Arc<Recording>>,
    ) -> Self {
        Self {
            account: account.clone(),
            ledger: ledger.clone(),
            bot,
            site: site.clone(),
            neighbours: neighbours.clone(),
            recording,
            extras: OnceLock::new(),
            has_started: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// All bots of the account, in their order.
    pub(super) fn neighbours(&self) -> Arc<[Arc<SharedBot>]> {
        self.neighbours.all()
    }

    /// The account is ready. Returns whether it is so for the first time since the bot runs on it.
    pub(super) fn starts(&self) -> bool {
        !self.has_started.swap(true, Ordering::Relaxed)
    }

    fn extras(&self) -> &Extras {
        self.extras.get_or_init(|| {
            Box::new(Extras {
                carriage: self
                    .site
                    .file_thread
                    .clone()
                    .map(|thread| Carriage::new(thread, self.bot.files.clone())),
                ended: watch::channel(self.is_over.load(Ordering::Relaxed)).0,
            })
        })
    }

    /// Waits until the bot is to end.
    pub(super) async fn ended(&self) {
        let mut ended = self.extras().ended.subscribe();
        // It is as old as the seat, so it is not closed.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// The API for one call of a handler.
    pub(super) fn api(&self, handler: &'static str, owner: Owner, trace: TracePoint) -> Api {
        let extras = self.extras();
        let api = match &self.recording {
            Some(recording) => Api::recorded(recording.clone()),
            None => Api::new(self.account.clone()),
        };
        let api = match extras.carriage.clone() {
            Some(carriage) => api.with_carriage(carriage, self.site.uploads),
            None => api,
        };
        api.with_ledger(self.ledger.clone(), owner)
            .traced(trace)
            .with_spawner(Spawner {
                pool: self.site.pool.clone(),
                label: Label {
                    account: self.account.name().clone(),
                    bot: self.bot.name,
                    handler,
                    trust: self.bot.trust.clone(),
                },
                ended: extras.ended.subscribe(),
            })
    }

    /// The bot ends: its background tasks do, too.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(extras) = self.extras.get() {
            extras.ended.send_replace(true);
        }
    }
}
