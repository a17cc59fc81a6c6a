//! One voice: of several accounts of this process in a group, one answers for a bot.
//!
//! The account that hears a group first speaks for the bot there, until it is not ready. The others keep each message
//! in its place until it was begun by whoever speaks, and then let it go; when the one who speaks goes away, the next
//! account takes over, with what was not begun.

use super::ledger::Ledger;
use crate::account::AccountHandle;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Message};
use botroupe_core::ledger::message_id;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How long an account waits for another one that seems to be there, and begins nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look whether the message was begun.
const LOOK: Duration = Duration::from_secs(1);
/// So many messages of a group are remembered one by one; older ones count as begun.
const REMEMBERED: usize = 256;

/// What becomes of a message on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The account speaks.
    Mine,
    /// Another account speaks, and has not begun.
    Wait,
    /// It was begun.
    Over,
}

/// See the module. One for a process.
#[derive(Default)]
pub struct Voices(Mutex<All>);

#[derive(Default)]
struct All {
    /// By bot and group.
    voices: HashMap<(&'static str, Box<str>), Voice>,
    /// The accounts that run a bot with one voice.
    accounts: HashMap<&'static str, Vec<Runner>>,
}

struct Runner {
    account: AccountHandle,
    ledger: Weak<Ledger>,
}

impl std::fmt::Debug for Voices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voices").finish_non_exhaustive()
    }
}

/// Who speaks for a bot in a group, and what was begun. Pure.
#[derive(Debug)]
struct Voice {
    speaker: UserId,
    /// The sequences of messages that were begun, in this order.
    begun: VecDeque<u32>,
    newest: u32,
}

impl Voice {
    const fn new(speaker: UserId) -> Self {
        Self {
            speaker,
            begun: VecDeque::new(),
            newest: 0,
        }
    }

    fn is_begun(&self, seq: u32) -> bool {
        let is_long_ago =
            self.begun.len() == REMEMBERED && seq.saturating_add(REMEMBERED as u32) <= self.newest;
        is_long_ago || self.begun.contains(&seq)
    }

    fn turn(
        &mut self,
        account: &UserId,
        seq: u32,
        is_speaker_there: bool,
        impatient: bool,
    ) -> Turn {
        if self.is_begun(seq) {
            return Turn::Over;
        }
        if self.speaker == *account {
            return Turn::Mine;
        }
        if is_speaker_there && !impatient {
            return Turn::Wait;
        }
        self.speaker = account.clone();
        Turn::Mine
    }

    /// Returns whether the account may begin.
    fn begin(&mut self, seq: u32) -> bool {
        if self.is_begun(seq) {
            return false;
        }
        if self.begun.len() == REMEMBERED {
            self.begun.pop_front();
        }
        self.begun.push_back(seq);
        self.newest = self.newest.max(seq);
        true
    }
}

impl Voices {
    fn lock(&self) -> MutexGuard<'_, All> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An account runs this bot.
    pub(super) fn join(&self, bot: &'static str, account: &AccountHandle, ledger: &Arc<Ledger>) {
        let mut all = self.lock();
        let accounts = all.accounts.entry(bot).or_default();
        accounts.retain(|other| other.account.user() != account.user());
        accounts.push(Runner {
            account: account.clone(),
            ledger: Arc::downgrade(ledger),
        });
    }

    /// An account runs this bot no more.
    pub(super) fn leave(&self, bot: &'static str, account: &UserId) {
        let mut all = self.lock();
        if let Some(accounts) = all.accounts.get_mut(bot) {
            accounts.retain(|other| other.account.user() != account);
            if accounts.is_empty() {
                all.accounts.remove(bot);
            }
        }
    }

    /// How many accounts run bots with one voice, each counted for each of these bots.
    #[cfg(test)]
    pub(crate) fn runners(&self) -> usize {
        self.lock().accounts.values().map(Vec::len).sum()
    }

    /// What becomes of a message of a group on an account. It is `impatient` when it has waited for long.
    pub(super) fn turn(
        &self,
        bot: &'static str,
        account: &UserId,
        message: &Message,
        impatient: bool,
    ) -> Turn {
        let Conversation::Group(group) = &message.conversation else {
            return Turn::Mine;
        };
        let mut all = self.lock();
        let All { voices, accounts } = &mut *all;
        let accounts = accounts.get(bot).map_or(&[][..], Vec::as_slice);
        if was_handled(bot, account, message, accounts) {
            return Turn::Over;
        }
        let voice = voices
            .entry((bot, (&**group).into()))
            .or_insert_with(|| Voice::new(account.clone()));
        let speaker = accounts
            .iter()
            .find(|other| *other.account.user() == voice.speaker);
        let is_there = speaker.is_some_and(|other| other.account.is_ready());
        voice.turn(account, message.seq, is_there, impatient)
    }

    /// An account is about to handle a message of a group. Returns `false` when another one has begun with it.
    pub(super) fn begin(&self, bot: &'static str, account: &UserId, message: &Message) -> bool {
        let Conversation::Group(group) = &message.conversation else {
            return true;
        };
        let mut all = self.lock();
        let All { voices, accounts } = &mut *all;
        let accounts = accounts.get(bot).map_or(&[][..], Vec::as_slice);
        if was_handled(bot, account, message, accounts) {
            return false;
        }
        let voice = voices
            .entry((bot, (&**group).into()))
            .or_insert_with(|| Voice::new(account.clone()));
        voice.begin(message.seq)
    }
}

/// Whether another account has handled a message, perhaps in an earlier process.
fn was_handled(bot: &str, account: &UserId, message: &Message, accounts: &[Runner]) -> bool {
    let id = message_id(message);
    let others = accounts
        .iter()
        .filter(|other| other.account.user() != account);
    let mut ledgers = others.filter_map(|other| other.ledger.upgrade());
    ledgers.any(|ledger| ledger.is_handled(bot, id))
}

/// A message that an account keeps until it is clear who answers.
#[derive(Debug)]
struct Waiting {
    message: Arc<Message>,
    bot: usize,
    since: Duration,
    look_at: Duration,
}

/// The messages for which the bots of an account wait for another account. Pure.
#[derive(Debug, Default)]
pub(super) struct Deferred(Vec<Waiting>);

impl Deferred {
    /// A bot waits with a message.
    pub(super) fn wait(&mut self, now: Duration, bot: usize, message: Arc<Message>) {
        self.0.push(Waiting {
            message,
            bot,
            since: now,
            look_at: now + LOOK,
        });
    }

    /// Whether a bot waits with a message.
    pub(super) fn holds(&self, bot: usize, message: u64) -> bool {
        let mut all = self.0.iter();
        all.any(|waiting| waiting.bot == bot && message_id(&waiting.message) == message)
    }

    /// When to look again.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.iter().map(|waiting| waiting.look_at).min()
    }

    /// Asks for each message whose time has come, impatiently if it has waited for long. Returns the bots that may
    /// handle it (`true`) or are done with it.
    pub(super) fn look(
        &mut self,
        now: Duration,
        ask: impl Fn(usize, &Message, bool) -> Turn,
    ) -> Vec<(usize, Arc<Message>, bool)> {
        let mut over = Vec::new();
        self.0.retain_mut(|waiting| {
            if waiting.look_at > now {
                return true;
            }
            let impatient = now >= waiting.since + PATIENCE;
            let is_mine = match ask(waiting.bot, &waiting.message, impatient) {
                Turn::Wait => {
                    waiting.look_at = now + LOOK;
                    return true;
                }
                Turn::Mine => true,
                Turn::Over => false,
            };
            over.push((waiting.bot, waiting.message.clone(), is_mine));
            false
        });
        over
    }

    /// The account runs this bot no more.
    pub(super) fn remove(&mut self, bot: usize) {
        self.0.retain(|waiting| waiting.bot != bot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    #[test]
    fn the_next_account_takes_over_with_what_was_not_begun() {
        let (a, b) = (user("a"), user("b"));
        let mut voice = Voice::new(a.clone());
        assert_eq!(voice.turn(&b, 1, true, false), Turn::Wait);
        assert_eq!(voice.turn(&a, 1, true, false), Turn::Mine);
        assert!(voice.begin(1));
        assert_eq!(voice.turn(&b, 1, true, false), Turn::Over);
        assert_eq!(voice.turn(&b, 2, false, false), Turn::Mine, "a is away");
        assert!(voice.begin(2));
        assert_eq!(voice.turn(&a, 2, true, false), Turn::Over, "a is back");
        assert!(!voice.begin(2));
        assert_eq!(voice.turn(&a, 3, true, false), Turn::Wait, "b speaks now");
        assert_eq!(
            voice.turn(&a, 3, true, true),
            Turn::Mine,
            "b does not begin"
        );
    }

    #[test]
    fn what_is_long_ago_counts_as_begun() {
        let mut voice = Voice::new(user("a"));
        for seq in 100..(100 + REMEMBERED as u32) {
            assert!(voice.begin(seq));
        }
        assert!(voice.is_begun(50) && voice.is_begun(100) && !voice.is_begun(400));
        assert!(voice.begin(400));
        assert!(voice.is_begun(140) && voice.is_begun(101));
    }
}
