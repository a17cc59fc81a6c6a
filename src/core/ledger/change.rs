//! What is written to a store, and what is read back from it.

use crate::proto::message::{Conversation, MessageKey};

/// The number by which a store knows an account (an application and a UserID).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNo(pub u32);

/// One write. Those of one list take effect together or not at all, and lists take effect in the order in which
/// they were given.
///
/// Numbers of records ascend over the whole store and are never given twice. A change that is made a second time
/// has no further effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A bot is done with a message.
    Handled {
        /// The number of the record.
        number: u64,
        /// The account.
        account: AccountNo,
        /// What the bot did with the message, see [`exchange`](super::exchange).
        exchange: u64,
        /// When, in Unix seconds.
        at: u64,
    },
    /// Everything that the bots of an account had handled before this time is reported as read, and the server has
    /// confirmed it: these records need not be kept for long. A store may forget this when it is closed.
    Read {
        /// The account.
        account: AccountNo,
        /// The time, in Unix seconds.
        until: u64,
    },
    /// A message is to be sent.
    Queued(Box<Letter>),
    /// A message has met its end.
    Ended {
        /// The number of the letter.
        number: u64,
        /// How it ended.
        ended: Ended,
    },
    /// Somebody wants a letter that failed sent after all.
    Retried {
        /// The number of the letter.
        number: u64,
    },
    /// A letter is of no interest any more.
    Dropped {
        /// The number of the letter.
        number: u64,
    },
    /// A handler has recorded the result of something outside the chat.
    Recorded(Box<Record>),
    /// The record of a result is of no interest any more.
    Forgotten {
        /// The number of the record.
        number: u64,
    },
    /// A bot writes a value.
    Put(Box<Cell>),
    /// A bot removes a value.
    Removed(Box<CellKey>),
    /// Something that the server does not keep waits for room with the bots.
    Spilled(Box<Spilled>),
    /// The bots are done with it, or nobody can read it.
    Unspilled {
        /// The number of the record.
        number: u64,
    },
}

/// What waits together: it comes back in the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpillLine {
    /// The messages of one conversation.
    Conversation(Conversation),
    /// What changed about messages and people.
    Updates,
}

impl SpillLine {
    /// The peer or the group; empty for what has none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Conversation(Conversation::C2c(peer)) => peer,
            Self::Conversation(Conversation::Group(group)) => group,
            _ => "",
        }
    }
}

/// A message or an update that the server does not keep and that waits for room with the bots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spilled {
    /// Its number: what is in one line comes back in the order of the numbers.
    pub number: u64,
    /// The account that received it.
    pub account: AccountNo,
    /// Where it waits.
    pub line: SpillLine,
    /// The message or update, as JSON.
    pub body: Box<str>,
    /// When it came, in Unix seconds.
    pub at: u64,
}

/// What a record takes besides its texts, about.
pub const SPILL_COST: u64 = 128;

impl Spilled {
    /// What counts towards the quota of its account.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        spill_bytes(&self.line, &self.body)
    }
}

/// What counts towards the quota of an account.
#[must_use]
pub fn spill_bytes(line: &SpillLine, body: &str) -> u64 {
    SPILL_COST + (line.name().len() + body.len()) as u64
}

/// How much waits in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpilledLine {
    /// The line.
    pub line: SpillLine,
    /// How many messages or updates.
    pub count: u64,
    /// Their [`Spilled::bytes`].
    pub bytes: u64,
}

/// The end of a [`Letter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was sent; nobody will ask for it again.
    Sent,
    /// It was sent. The answer of the server is kept for a handler that runs again, or for the caller's key.
    Answered(Box<str>),
    /// It was refused, for this reason. Its effect may lead to another letter.
    Failed {
        /// The reason.
        reason: Box<str>,
        /// When, in Unix seconds.
        at: u64,
    },
    /// Whether it arrived cannot be found out, for this reason.
    Unknown {
        /// The reason.
        reason: Box<str>,
        /// When, in Unix seconds.
        at: u64,
    },
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number: letters of a conversation are sent in the order of their numbers.
    pub number: u64,
    /// The account that sends it.
    pub account: AccountNo,
    /// The bot that sends it; empty for the program.
    pub bot: Box<str>,
    /// What wanted it sent, so that it is not sent a second time: a step of a handler, or the caller's key.
    pub effect: Option<u64>,
    /// The effect is a caller's key and is kept for as long as the store keeps such keys. Otherwise it is a step of a
    /// handler, of no interest any more when the handler has ended.
    pub lasting: bool,
    /// The receiver.
    pub to: Conversation,
    /// The message, as JSON.
    pub draft: Box<str>,
    /// What makes a repetition the same message.
    pub key: MessageKey,
    /// When it was written down, in Unix seconds.
    pub at: u64,
    /// The same by the service's clock.
    pub service_time: u64,
    /// Where it stands.
    pub state: LetterState,
}

/// Where a [`Letter`] stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LetterState {
    /// It is to be sent, or it has been sent and the server has not confirmed it.
    #[default]
    Queued,
    /// See [`Ended`]; [`Ended::Sent`] is not kept.
    Ended(Ended),
}

/// The result of something that a handler did outside the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub number: u64,
    /// The account.
    pub account: AccountNo,
    /// Whose result it is.
    pub effect: u64,
    /// As [`Letter::lasting`].
    pub lasting: bool,
    /// The result, as JSON.
    pub value: Box<str>,
    /// When, in Unix seconds.
    pub at: u64,
}

/// What a value of a bot belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The bot, over all its accounts.
    #[default]
    Bot,
    /// The bot on one account.
    Account(AccountNo),
    /// One conversation of an account.
    Conversation(AccountNo, Conversation),
    /// One user, as an account knows them.
    User(AccountNo, Box<str>),
    /// Events that an account's bots are to get at a time.
    Alarms(AccountNo),
    /// Dialogues that wait for an answer in a conversation of an account; their names are those of the users.
    Dialogues(AccountNo, Conversation),
}

impl Scope {
    /// Whether an account needs its values from the start on: the account, if so.
    #[must_use]
    pub const fn wanted_at_start(&self) -> Option<AccountNo> {
        match self {
            Self::Alarms(account) | Self::Dialogues(account, _) => Some(*account),
            Self::Bot | Self::Account(_) | Self::Conversation(..) | Self::User(..) => None,
        }
    }
}

/// Names a value of a bot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The bot.
    pub bot: Box<str>,
    /// What it belongs to.
    pub scope: Scope,
    /// Its name.
    pub name: Box<str>,
}

/// A value of a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its name.
    pub key: CellKey,
    /// The value, as JSON.
    pub value: Box<str>,
    /// When it ends, in Unix seconds; `None` for never.
    pub ends: Option<u64>,
    /// When it was written, in Unix seconds.
    pub at: u64,
}

impl Cell {
    /// What counts towards the quota of its bot: the bytes of the name and the value.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.key.name.len() + self.value.len()
    }
}

/// What a store still knows of one account when a process starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// What bots are done with: the number of the record, and the [`exchange`](super::exchange). In the order of
    /// the numbers.
    pub handled: Vec<(u64, u64)>,
    /// Letters that are not sent, and those that were sent, or are unknown, for a handler that has not ended. In the
    /// order of their numbers.
    pub letters: Vec<Letter>,
    /// Results of handlers that have not ended, in the order of their numbers.
    pub records: Vec<Record>,
    /// Values that are [wanted at the start](Scope::wanted_at_start), in the order of their keys.
    pub cells: Vec<Cell>,
    /// How much waits for room with the bots, in the order of the lines.
    pub spilled: Vec<SpilledLine>,
}
