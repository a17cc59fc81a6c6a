//! The ledger records which messages were sent, which accounts must receive them, and what happened
//! to them.
//!
//! An account is owed a message from the moment at which the server accepts it until a bot of the
//! account has finished it. A message is *handed* when it reaches a bot, and *handled* when the bot
//! has finished it.

use botroupe_proto::id::UserId;
use botroupe_proto::message::Conversation;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// The place of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A one-to-one message from this user.
    C2c(UserId),
    /// A message in this group, with this sequence number.
    Group(Box<str>, u64),
}

/// A message that an account has not handled.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    pub(super) at: Duration,
    /// The server time in Unix seconds.
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

/// The ledger of one account, shared by all its copies.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) owed: BTreeMap<u64, Owed>,
    /// Messages that the server has lost. They may still arrive, but need not.
    pub(super) gone: HashSet<u64>,
    /// The node that first delivered each message.
    pub(super) first: HashMap<u64, usize>,
    /// Messages without a reply, and whether they were said in a group.
    pub(super) unanswered: BTreeMap<u64, bool>,
    /// Messages whose reply was seen.
    pub(super) answered: HashSet<u64>,
    /// Messages whose reply nobody need ever see: a dead letter.
    pub(super) excused: HashSet<u64>,
}

/// The ledger of one copy of an account.
#[derive(Debug, Default)]
pub(super) struct Copy {
    /// Messages delivered to the bots of the current process.
    pub(super) got: HashSet<u64>,
    /// Messages that the bots have finished, each with the number of its process.
    pub(super) done: HashMap<u64, u32>,
    /// Processes that could not report all finished messages as read.
    pub(super) excused: BTreeSet<u32>,
    /// The times until which the queue of a conversation, and the queue of the account (`crowded`),
    /// were full.
    pub(super) full: HashMap<Conversation, Duration>,
    pub(super) crowded: Duration,
    /// The end of the last injected fault.
    pub(super) faulty: Duration,
    /// The last time at which the server did not consider the copy online.
    pub(super) untrue: Duration,
}

/// The ledger of the fleet, see the [module](self).
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) accounts: Vec<Account>,
    pub(super) copies: Vec<Copy>,
    pub(super) said: u64,
    /// Group messages up to this number were lost by the server, and so were their replies.
    pub(super) forgotten: u64,
    /// The next entry of the server's own ledger.
    pub(super) seen: u64,
}

impl Ledger {
    pub(super) fn new(names: usize, nodes: usize) -> Self {
        Self {
            accounts: (0..names).map(|_| Account::default()).collect(),
            copies: (0..nodes).map(|_| Copy::default()).collect(),
            said: 0,
            forgotten: 0,
            seen: 0,
        }
    }

    /// Returns the number of owed messages.
    pub(super) fn owed(&self) -> usize {
        self.accounts.iter().map(|account| account.owed.len()).sum()
    }

    /// Returns the number of the next message.
    pub(super) fn next(&mut self) -> u64 {
        self.said += 1;
        self.said
    }

    /// Marks all owed group messages as lost by the server: they may still arrive, but need not.
    pub(super) fn forget_groups(&mut self) {
        self.forgotten = self.said;
        for account in &mut self.accounts {
            // Their replies are forgotten too, so that nobody can tell whether they arrived.
            account.unanswered.retain(|_, in_group| !*in_group);
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

    /// Records an injected fault of a copy that lasts until `until`.
    pub(super) fn trouble(&mut self, node: usize, until: Duration) {
        let copy = &mut self.copies[node];
        copy.faulty = copy.faulty.max(until);
    }
}
