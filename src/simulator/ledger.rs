//! The ledger: which message was sent, which account it is owed to, and what became of it.
//!
//! A message is owed to an account from the moment the server takes it until a bot of the account has
//! finished it. A message is *handed* when it reaches a bot, and *handled* when the bot is done.

use botroupe_proto::id::UserId;
use botroupe_proto::message::Conversation;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// Where a message was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By this user.
    C2c(UserId),
    /// In this group, as this number.
    Group(Box<str>, u64),
}

/// A message that an account has not handled.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    pub(super) at: Duration,
    /// Unix second of the server.
    pub(super) second: u64,
    pub(super) place: Place,
}

impl Owed {
    pub(super) fn conversation(&self) -> Conversation {
        match &self.place {
            Place::C2c(peer) => Conversation::C2c(peer.as_str().into()),
            Place::Group(group, _) => Conversation::group(&**group),
        }
    }
}

/// The ledger of one account, over all its copies.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) owed: BTreeMap<u64, Owed>,
    /// Messages that the server has forgotten: they may still come, and need not.
    pub(super) gone: HashSet<u64>,
    /// By which node each message was handed out first.
    pub(super) first: HashMap<u64, usize>,
}

/// The ledger of one copy of an account.
#[derive(Debug, Default)]
pub(super) struct Copy {
    /// Messages handed to the bots of the present process.
    pub(super) got: HashSet<u64>,
    /// Messages that its bots have finished, each with its process.
    pub(super) done: HashMap<u64, u32>,
    /// Processes that could not report everything they had finished.
    pub(super) excused: BTreeSet<u32>,
    /// Until when there was no room, for a conversation and for all of them.
    pub(super) full: HashMap<Conversation, Duration>,
    pub(super) crowded: Duration,
    /// Until when something is done to it on purpose.
    pub(super) faulty: Duration,
    /// When the server last did not know it as online.
    pub(super) untrue: Duration,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) accounts: Vec<Account>,
    pub(super) copies: Vec<Copy>,
    pub(super) said: u64,
}

impl Ledger {
    pub(super) fn new(names: usize, nodes: usize) -> Self {
        Self {
            accounts: (0..names).map(|_| Account::default()).collect(),
            copies: (0..nodes).map(|_| Copy::default()).collect(),
            said: 0,
        }
    }

    /// How many messages are owed.
    pub(super) fn owed(&self) -> usize {
        self.accounts.iter().map(|account| account.owed.len()).sum()
    }

    /// The number of the next message.
    pub(super) fn next(&mut self) -> u64 {
        self.said += 1;
        self.said
    }

    /// The server has forgotten its groups: what is still owed of them may come, and need not.
    pub(super) fn forget_groups(&mut self) {
        for account in &mut self.accounts {
            let gone = &mut account.gone;
            account.owed.retain(|number, owed| {
                let is_kept = matches!(owed.place, Place::C2c(_));
                if !is_kept {
                    gone.insert(*number);
                }
                is_kept
            });
        }
    }

    /// Something is done to a copy on purpose, up to this time.
    pub(super) fn trouble(&mut self, node: usize, until: Duration) {
        let copy = &mut self.copies[node];
        copy.faulty = copy.faulty.max(until);
    }
}
