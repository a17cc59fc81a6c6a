//! The desk at work: which handler a text is for, and what is answered in its place.

use super::cooldown::{Pace, Use};
use super::desk::{Attended, Called, Desk, Running};
use super::given::Given;
use super::help::wait;
use super::permission::{Asker, GroupRank, Verdict};
use super::set::{Found, Said, Unknown};
use super::usage::UsageError;
use crate::bot::api::ApiError;
use crate::bot::event::{Event, What};
use crate::bot::kinds::Kinds;
use crate::bot::language::{Language, Texts, chosen_by};
use crate::bot::reply::Reply;
use crate::proto::address::GroupAddress;
use crate::proto::message::{Conversation, Message};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::{MutexGuard, PoisonError};

impl Desk {
    /// Whether the event may be a command, as far as its kind says.
    pub(in crate::bot) fn may_be_command(&self, what: &What) -> bool {
        !self.commands.is_empty() && Kinds::TEXT.meets(Kinds::of(what))
    }

    /// Whether the event is for a command, whether there is such a one or not.
    pub(in crate::bot) fn may_want(&self, event: &Event) -> bool {
        event.message().is_some_and(|message| {
            let names = own_names(message, event.user());
            let text = message.text().unwrap_or_default();
            self.commands.is_addressed(text, names.as_slice())
        })
    }

    /// Whether the event is a command of the bot.
    pub(in crate::bot) fn is_command(&self, event: &Event) -> bool {
        self.may_be_command(event.what())
            && event.message().is_some_and(|message| {
                matches!(self.find(message, event.user()), Found::Command { .. })
            })
    }

    /// Whether a command of the bot waits for no handler.
    pub(in crate::bot) fn has_beside(&self) -> bool {
        self.commands.entries.iter().any(|entry| entry.is_beside)
    }

    /// Whether the event is a command that waits for no handler.
    pub(in crate::bot) fn is_beside(&self, event: &Event) -> bool {
        let beside = |index: usize| {
            let entry = self.commands.entries.get(index);
            entry.is_some_and(|entry| entry.is_beside)
        };
        event.message().is_some_and(|message| {
            matches!(self.find(message, event.user()), Found::Command { index, .. } if beside(index))
        })
    }

    /// The texts of the bot, in the language to answer the event in.
    pub(in crate::bot) async fn texts(&self, event: &Event) -> Texts {
        Texts::new(self.texts.clone(), self.language(event).await)
    }

    /// As [`texts`](Self::texts), without a look at what the sender has chosen.
    pub(in crate::bot) fn texts_now(&self, event: &Event) -> Texts {
        let text = event.message().and_then(|message| message.text());
        let language = self.language.choose(None, text.unwrap_or_default());
        Texts::new(self.texts.clone(), language)
    }

    /// The language to answer the event in.
    pub(in crate::bot) async fn language(&self, event: &Event) -> Language {
        let text = event.message().and_then(|message| message.text());
        let chosen = chosen_by(event).await;
        self.language.choose(chosen, text.unwrap_or_default())
    }

    /// Looks for the command that the event is, and whether its sender may use it now.
    pub(in crate::bot) async fn attend(&self, event: &Event) -> Attended {
        let Some(message) = event.message() else {
            return Attended::No;
        };
        let (index, given) = match self.find(message, event.user()) {
            Found::NotACommand => return Attended::No,
            Found::Unknown(unknown) => return Attended::Unknown(unknown),
            Found::Command { index, given } => (index, given),
        };
        let rank = match self.rank(event, message, [index]).await {
            Ok(rank) => rank,
            Err(error) => return Attended::Answer(Reply::failed(error)),
        };
        if self.verdict(message, index, rank) != Verdict::Yes {
            let texts = self.texts(event).await;
            return Attended::Answer(Reply::message(self.commands.forbidden(&texts, index)));
        }
        let given = match given {
            Ok(given) => given,
            Err(error) => return Attended::Answer(self.misused(event, index, &error).await),
        };
        let account = event.user();
        let conversation = message.conversation.to_string();
        let pace = self.running().cooldowns.begin(
            event.now().mono,
            self.commands.cooldowns(index),
            &Use {
                command: index,
                account,
                user: &message.from,
                conversation: &conversation,
            },
        );
        match pace {
            Pace::Go => {}
            Pace::Wait { is_told: true, .. } => return Attended::Answer(Reply::none()),
            Pace::Wait { left, .. } => {
                let texts = self.texts(event).await;
                return Attended::Answer(Reply::message(wait(&texts, left)));
            }
        }
        if index >= self.handlers.len() {
            return Attended::Answer(self.help(event, message, &given).await);
        }
        event.set_command(Called { index, given });
        Attended::Call(index)
    }

    /// The command of a handler that goes on with a dialogue: its event is the answer to a question, and its message the
    /// one that began it.
    pub(super) fn recall(&self, event: &Event) -> Option<Called> {
        let wanted = event.bot().handlers.called_command(event)?;
        match self.find(event.message()?, event.user()) {
            Found::Command {
                index,
                given: Ok(given),
            } if index == wanted => Some(Called { index, given }),
            _ => None,
        }
    }

    /// The answer to a name that no command has, in a chat where somebody waits for one.
    pub(in crate::bot) async fn unknown(&self, event: &Event, unknown: &Unknown) -> Reply {
        let Some(message) = event.message() else {
            return Reply::pass();
        };
        let is_for_us = match message.conversation {
            Conversation::C2c(_) => true,
            _ => own_names(message, event.user()).is_some(),
        };
        // The other bots of the account hear the message, too. One of them may know the command; else the first says
        // that there is none.
        let is_theirs = || {
            let mut is_first = true;
            event.neighbours().iter().any(|bot| {
                if bot.name == event.bot().name {
                    is_first = false;
                    return false;
                }
                match bot.handlers.desk().find(message, event.user()) {
                    Found::Command { .. } => true,
                    Found::Unknown(_) => is_first,
                    Found::NotACommand => false,
                }
            })
        };
        if !is_for_us || is_theirs() {
            return Reply::pass();
        }
        let texts = self.texts(event).await;
        // A suggestion is not worth a request: what the group decides on is not suggested.
        let may = |at| self.verdict(message, at, None) == Verdict::Yes;
        Reply::message(self.commands.unknown(&texts, unknown, may))
    }

    /// The answer to a command that was written wrongly.
    pub(in crate::bot) async fn misused(
        &self,
        event: &Event,
        index: usize,
        error: &UsageError,
    ) -> Reply {
        let texts = self.texts(event).await;
        Reply::message(self.commands.misused(&texts, index, error))
    }

    async fn help(&self, event: &Event, message: &Message, given: &Given) -> Reply {
        // Help without some commands is better than none.
        let rank = self.rank(event, message, 0..self.commands.len()).await;
        let rank = rank.unwrap_or_default();
        let texts = self.texts(event).await;
        let may = |at| self.verdict(message, at, rank) == Verdict::Yes;
        Reply::message(self.commands.help(&texts, given.first_text(), may))
    }

    fn find(&self, message: &Message, me: &str) -> Found {
        let mentions: Vec<&str> = message
            .mentions
            .iter()
            .filter_map(|mention| mention.user.as_deref())
            .collect();
        self.commands.find(&Said {
            text: message.text().unwrap_or_default(),
            own_names: own_names(message, me).as_slice(),
            mentions: &mentions,
            today: day_of(message),
        })
    }

    fn verdict(&self, message: &Message, index: usize, rank: Option<GroupRank>) -> Verdict {
        let asker = Asker {
            user: &message.from,
            roles: &self.roles,
            rank,
            is_in_group: matches!(message.conversation, Conversation::Group(_)),
        };
        let permission = self.commands.permission(index);
        permission.map_or(Verdict::No, |permission| permission.check(&asker))
    }

    /// What the sender is in the group, if that decides on one of the commands.
    async fn rank(
        &self,
        event: &Event,
        message: &Message,
        commands: impl IntoIterator<Item = usize>,
    ) -> Result<Option<GroupRank>, ApiError> {
        let Conversation::Group(group) = &message.conversation else {
            return Ok(None);
        };
        let mut commands = commands.into_iter();
        if !commands.any(|index| self.verdict(message, index, None) == Verdict::Ask) {
            return Ok(None);
        }
        let address = GroupAddress::new(&**group);
        let who = (event.user(), address.group(), &*message.from);
        let known = self.running().ranks.get(event.now().mono, who);
        if let Some(rank) = known {
            return Ok(rank);
        }
        let group = event.api().group(address.group());
        let members = group.member_info([&*message.from]).await?;
        let rank = members
            .first()
            .and_then(|member| GroupRank::of(member.role()));
        self.running().ranks.set(event.now().mono, who, rank);
        Ok(rank)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a mention at the start of the text may call the account: nothing if the message does not mention it.
fn own_names<'a>(message: &Message, me: &'a str) -> Option<&'a str> {
    let is_mentioned = message
        .mentions
        .iter()
        .any(|mention| mention.user.as_deref() == Some(me));
    is_mentioned.then_some(me)
}

/// The day on which somebody said it, at the place of this machine. A handler that runs again, even days later, reads
/// the same.
fn day_of(message: &Message) -> Date {
    let seconds = i64::try_from(message.time).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::system().to_datetime(time).date()
}
