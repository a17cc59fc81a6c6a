//! One simulated account: its core and session, connected in the same way as the actors connect
//! them.

use super::book::Book;
use super::bots::{Bots, BotsConfig};
use botroupe_core::account::{AccountEvent, Attempt, Core, CoreConfig, Effect, Status};
use botroupe_core::account::{ConnectError, LinkEnd, Report};
use botroupe_core::ledger::Change;
use botroupe_core::policy::Now;
use botroupe_core::session::{Event, Memory, RequestId, Session, SessionConfig};
use botroupe_proto::message::{Conversation, Message};
use botroupe_proto::usersig::UserSig;
use botroupe_sandbox::state::ConnId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// A request of a node to the world.
#[derive(Debug)]
pub(super) enum Want {
    /// A login turn of the governor.
    Turn,
    /// The turn of a message in the pacing of its group.
    GroupTurn(u64, Box<str>),
    /// A lower login rate.
    SlowDown(Duration),
    /// A new link.
    Dial,
    /// The transmission of a packet.
    Send(ConnId, String),
    /// The account has closed the link.
    Closed(ConnId),
    /// The running time of the handler with this number.
    Work {
        conversation: Conversation,
        run: u64,
    },
    /// Changes for the store, with a tag if the account waits until they are on the disk.
    Submit {
        tag: Option<u64>,
        changes: Vec<Change>,
    },
    /// A letter is tried again at this time.
    Later(Duration),
    /// The account has logged out and does not return.
    Stopped,
    /// An entry for the log and the audit.
    Note(Note),
}

/// An observation for the audit.
#[derive(Debug)]
pub(super) enum Note {
    SetOut,
    Login {
        remembers: bool,
    },
    Changed {
        online: Option<bool>,
    },
    Handed(Arc<Message>),
    /// `full` and `crowded` tell whether, until this moment, the queue of the conversation or of
    /// the account was full.
    Handled {
        message: Arc<Message>,
        full: bool,
        crowded: bool,
    },
    Replied {
        ok: bool,
    },
    /// The store has it that the bots are done with the message.
    Written(Arc<Message>),
    /// An earlier process has handled the message, as the store knows.
    Known(Arc<Message>),
    /// A message of this text could not be sent, or it is unknown whether it arrived.
    Dead {
        text: String,
        reason: String,
        is_unknown: bool,
    },
}

#[derive(Debug)]
pub(super) struct SimAccount {
    pub(super) core: Core,
    pub(super) session: Session,
    pub(super) link: Option<ConnId>,
    /// The current dial attempt, by number.
    pub(super) dialling: Option<(u64, Option<UserSig>)>,
    pub(super) dials: u64,
    pub(super) wake_at: Option<Duration>,
    tokens: HashMap<RequestId, u64>,
    pub(super) next_token: u64,
    pub(super) bots: Bots,
    /// What the bots keep in the store, if there is one.
    pub(super) book: Option<Book>,
    /// Fingerprints of the receipts that the bots of this process received, to detect duplicates.
    pub(super) handed: HashSet<u64>,
    /// Messages that were reported as read before the account logged in without a cookie.
    pub(super) settled: HashSet<String>,
    pub(super) memory: Memory,
    /// The cookie from which a new session continues after a crash.
    cookie: Box<str>,
}

impl SimAccount {
    pub(super) fn new(
        config: CoreConfig,
        mut memory: Memory,
        seed: u64,
        now: Now,
        (bots, book): (BotsConfig, Option<Book>),
    ) -> Self {
        let session = Session::new(
            SessionConfig::new(config.app, config.name.user().clone()),
            seed ^ 0x5e55_1041,
            &mut memory,
        );
        Self {
            memory,
            session,
            core: Core::new(config, seed, now),
            link: None,
            dialling: None,
            dials: 0,
            wake_at: None,
            tokens: HashMap::new(),
            next_token: 0,
            bots: Bots::new(bots, seed ^ 0xb075_0001),
            book,
            handed: HashSet::new(),
            settled: HashSet::new(),
            cookie: "".into(),
        }
    }

    /// Passes an input to the core.
    pub(super) fn core<T>(
        &mut self,
        now: Now,
        input: impl FnOnce(&mut Core, Now, &mut Memory) -> T,
    ) -> T {
        input(&mut self.core, now, &mut self.memory)
    }

    /// Passes an input to the session.
    pub(super) fn session<T>(
        &mut self,
        now: Now,
        input: impl FnOnce(&mut Session, Now, &mut Memory) -> T,
    ) -> T {
        input(&mut self.session, now, &mut self.memory)
    }

    pub(super) fn status(&self, now: Now) -> Status {
        self.core.status(now, &self.memory)
    }

    /// Executes the effects of the core and the session until there are none left.
    pub(super) fn drain(&mut self, now: Now, wants: &mut Vec<Want>) {
        loop {
            if let Some(effect) = self.core.poll_effect() {
                self.carry_out(now, effect, wants);
            } else if let Some(packet) = self.session.poll_transmit() {
                if packet.contains("im_open_status.wslogin") {
                    let remembers = !self.session.cookie().is_empty();
                    wants.push(Want::Note(Note::Login { remembers }));
                }
                if let Some(link) = self.link {
                    wants.push(Want::Send(link, packet));
                }
            } else if let Some(event) = self.session.poll_event() {
                self.session_event(now, event, wants);
            } else {
                return;
            }
        }
    }

    fn carry_out(&mut self, now: Now, effect: Effect, wants: &mut Vec<Want>) {
        match effect {
            Effect::ReserveLogin => wants.push(Want::Turn),
            Effect::Dial { user_sig, .. } => {
                self.hang_up(now, wants);
                self.dials += 1;
                self.dialling = Some((self.dials, user_sig));
                wants.push(Want::Note(Note::SetOut));
                wants.push(Want::Dial);
            }
            Effect::Relogin(user_sig) => {
                wants.push(Want::Note(Note::SetOut));
                // The actor does the same: an unnecessary login is not a failure.
                let _ = self.session.relogin(now, &user_sig);
            }
            // The simulation mints every UserSig and needs no probes.
            Effect::FetchUserSig | Effect::Probe => {}
            Effect::ConfirmLogin => {
                wants.push(Want::Note(Note::SetOut));
                self.session.resume_login(now);
            }
            Effect::Room => self.session.room(now, &mut self.memory),
            Effect::SlowDown(delay) => wants.push(Want::SlowDown(delay)),
            Effect::Logout => self.session.logout(now),
            Effect::Close => {
                self.dialling = None;
                self.hang_up(now, wants);
                self.core
                    .report(now, &mut self.memory, Report::Closed(LinkEnd::Ours));
            }
            Effect::Transmit { token, attempt } => {
                let sent = match attempt {
                    Attempt::Message(message) => self.session.send(now, &message),
                    Attempt::Call { servcmd, body } => self.session.request(now, &servcmd, &body),
                };
                match sent {
                    Ok(id) => {
                        self.tokens.insert(id, token);
                    }
                    Err(error) => self.core.report(
                        now,
                        &mut self.memory,
                        Report::Settled {
                            token,
                            outcome: Err(error),
                        },
                    ),
                }
            }
            Effect::Note { servcmd, body } => {
                // The actor does the same: it ignores the outcome.
                let _ = self.session.request(now, &servcmd, &body);
            }
            Effect::ReserveGroupTurn { token, group } => {
                wants.push(Want::GroupTurn(token, group));
            }
            Effect::Reply { token, outcome } => self.replied(now, token, &outcome, wants),
            Effect::Deliver(event) => self.deliver(now, event, wants),
            Effect::AllRead => self.all_read(now, wants),
            // Its accounts have no quota for it.
            Effect::Spill { .. }
            | Effect::ReadSpill { .. }
            | Effect::Unspill { .. }
            | Effect::Return { .. }
            | Effect::Lost(_) => {}
            Effect::Changed { online } => wants.push(Want::Note(Note::Changed { online })),
            Effect::Stopped => wants.push(Want::Stopped),
        }
    }

    fn deliver(&mut self, now: Now, event: AccountEvent, wants: &mut Vec<Want>) {
        match event {
            AccountEvent::Ready => self.set_ready(now, true, wants),
            AccountEvent::NotReady(_) => self.set_ready(now, false, wants),
            AccountEvent::Message(message) => self.hand_over(now, message, wants),
            AccountEvent::Update(_) => {}
        }
    }

    fn session_event(&mut self, now: Now, event: Event, wants: &mut Vec<Want>) {
        match event {
            Event::LinkDead(fault) => {
                if self.hang_up(now, wants) {
                    self.core
                        .report(now, &mut self.memory, Report::Closed(LinkEnd::Fault(fault)));
                }
            }
            Event::Settled { id, outcome } => {
                if let Some(token) = self.tokens.remove(&id) {
                    self.core
                        .report(now, &mut self.memory, Report::Settled { token, outcome });
                }
            }
            event => {
                if let Event::Synced { cookie, .. } = &event {
                    self.cookie.clone_from(cookie);
                }
                self.core
                    .report(now, &mut self.memory, Report::Session(event));
            }
        }
    }

    /// Closes the link, if there is one.
    fn hang_up(&mut self, now: Now, wants: &mut Vec<Want>) -> bool {
        let Some(link) = self.link.take() else {
            return false;
        };
        // Send queued packets before closing.
        while let Some(packet) = self.session.poll_transmit() {
            wants.push(Want::Send(link, packet));
        }
        wants.push(Want::Closed(link));
        self.session.closed(now);
        true
    }

    /// Processes the outcome of a dial attempt.
    pub(super) fn dialled(&mut self, now: Now, dial: u64, outcome: Result<ConnId, ConnectError>) {
        let Some((_, user_sig)) = self.dialling.take_if(|(number, _)| *number == dial) else {
            return;
        };
        match outcome {
            Ok(link) => {
                self.link = Some(link);
                self.core.report(now, &mut self.memory, Report::Opened);
                self.session.opened(now, user_sig.as_ref());
            }
            Err(error) => self
                .core
                .report(now, &mut self.memory, Report::DialFailed(error)),
        }
    }

    /// Processes the loss of a link that the other side or the network has ended.
    pub(super) fn cut(&mut self, now: Now, link: ConnId) {
        if self.link == Some(link) {
            self.link = None;
            self.core
                .report(now, &mut self.memory, Report::Closed(LinkEnd::Cut));
            self.session.closed(now);
        }
    }

    /// Simulates a crash: the account gets a new session, like that of a new connection actor.
    pub(super) fn crash(&mut self, now: Now, seed: u64, wants: &mut Vec<Want>) {
        if let Some(link) = self.link.take() {
            wants.push(Want::Closed(link));
        }
        self.dialling = None;
        self.tokens.clear();
        let config = SessionConfig::new(self.session.app(), self.session.user().clone());
        self.session = Session::new(config, seed, &mut self.memory);
        self.session.set_cookie(self.cookie.clone());
        self.core.crashed(now, &mut self.memory, true);
    }

    /// Returns the next wake-up time. `healthy` links need no heartbeats.
    pub(super) fn deadline(&mut self, healthy: bool) -> Option<Duration> {
        let session = if healthy {
            self.session.poll_timeout_while_heard(&mut self.memory)
        } else {
            self.session.poll_timeout(&mut self.memory)
        };
        self.core
            .poll_timeout(&self.memory)
            .into_iter()
            .chain(session)
            .min()
    }
}
