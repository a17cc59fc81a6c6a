//! The commands of a bot, with everything that they need, while the bot is put together.

use super::address::Prefixes;
use super::command::{Command, command};
use super::cooldown::Cooldowns;
use super::given::Given;
use super::permission::{ADMINS, Roles};
use super::ranks::Ranks;
use super::set::{Commands, Unknown};
use crate::bot::handlers::Registered;
use crate::bot::language::{LanguageSetting, TextSet, TextSources};
use crate::bot::needs::BotMistake;
use crate::bot::reply::Reply;
use std::sync::{Arc, Mutex};

/// The commands of a bot, its texts, and who may use what.
pub(in crate::bot) struct Desk {
    pub(super) commands: Commands,
    /// One for each command; help, the last one, has none.
    pub(super) handlers: Vec<Registered>,
    has_help: bool,
    mistakes: Vec<BotMistake>,
    sources: TextSources,
    pub(super) texts: Arc<TextSet>,
    pub(super) language: LanguageSetting,
    pub(super) roles: Roles,
    pub(super) running: Mutex<Running>,
}

/// What changes while the bot runs.
#[derive(Default)]
pub(super) struct Running {
    pub(super) cooldowns: Cooldowns,
    pub(super) ranks: Ranks,
}

/// The command that a handler is called for.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Called {
    pub(super) index: usize,
    pub(super) given: Given,
}

/// What the commands make of an event.
pub(in crate::bot) enum Attended {
    /// It is for the other handlers.
    No,
    /// It looks like a command, and is none: for the other handlers, and if none of them takes it this is answered.
    Unknown(Unknown),
    /// It is answered.
    Answer(Reply),
    /// The handler of the command at this place is for it.
    Call(usize),
}

impl Default for Desk {
    fn default() -> Self {
        let sources = TextSources::default();
        Self {
            commands: Commands::default(),
            handlers: Vec::new(),
            has_help: true,
            mistakes: Vec::new(),
            texts: TextSet::new(&sources),
            sources,
            language: LanguageSetting::default(),
            roles: Roles::new(),
            running: Mutex::default(),
        }
    }
}

impl Desk {
    /// Whether a user has a role in the section of the bot.
    pub(in crate::bot) fn has_role(&self, user: &str, role: &str) -> bool {
        let users = self.roles.get(role);
        users.is_some_and(|users| users.iter().any(|known| known == user))
    }
}

/// While a bot is put together.
impl Desk {
    pub(in crate::bot) fn add(&mut self, command: Command, handler: Registered) {
        match self.commands.add(command) {
            Ok(index) => {
                for need in handler.needs().all_args() {
                    if let Err(reason) = (need.check)(&self.commands, index) {
                        let handler = handler.name();
                        self.mistakes.push(BotMistake::Command { handler, reason });
                    }
                }
                self.handlers.push(handler);
            }
            Err(reason) => {
                let handler = handler.name();
                self.mistakes.push(BotMistake::Command { handler, reason });
            }
        }
    }

    pub(in crate::bot) fn set_prefixes(&mut self, prefixes: &[&str]) {
        match Prefixes::new(prefixes.iter().copied()) {
            Ok(prefixes) => self.commands.set_prefixes(prefixes),
            Err(error) => self.mistakes.push(BotMistake::Prefix(error)),
        }
    }

    pub(in crate::bot) fn add_texts(&mut self, language: &str, text: &str) {
        match self.sources.add(language, text) {
            Ok(()) => self.texts = TextSet::new(&self.sources),
            Err(error) => self.mistakes.push(BotMistake::Texts(error)),
        }
    }

    pub(in crate::bot) const fn leave_out_help(&mut self) {
        self.has_help = false;
    }

    /// Takes the keys of a bot's section that are about commands and texts. Whether there was one comes back.
    ///
    /// # Errors
    /// The keys that lead to a mistake, and what is wrong.
    pub(in crate::bot) fn configure(
        &mut self,
        settings: &mut toml::Table,
    ) -> Result<bool, (Vec<String>, String)> {
        let mut found = false;
        let mut take = |key: &str| {
            let value = settings.remove(key);
            found |= value.is_some();
            value
        };
        if let Some(value) = take("language") {
            let text = value.as_str().unwrap_or_default();
            self.language = text.parse().map_err(|_| {
                let wanted = "expected \"auto\", or a language such as \"en\" or \"zh\"";
                (vec!["language".to_owned()], wanted.to_owned())
            })?;
        }
        if let Some(value) = take("prefixes") {
            let prefixes = list(&value, "prefixes", "[\"/\", \"!\"]")?;
            let prefixes = Prefixes::new(prefixes.iter().map(String::as_str))
                .map_err(|error| (vec!["prefixes".to_owned()], error.to_string()))?;
            self.commands.set_prefixes(prefixes);
        }
        if let Some(value) = take(ADMINS) {
            let users = list(&value, ADMINS, "[\"bob\"]")?;
            self.roles.insert(ADMINS.to_owned(), users);
        }
        if let Some(value) = take("roles") {
            let wanted = || {
                let wanted = "expected a table of lists: support = [\"carol\"]";
                (vec!["roles".to_owned()], wanted.to_owned())
            };
            for (role, users) in value.as_table().ok_or_else(wanted)? {
                let users = list(users, role, "[\"carol\"]")
                    .map_err(|(_, reason)| (vec!["roles".to_owned(), role.clone()], reason))?;
                self.roles.entry(role.clone()).or_default().extend(users);
            }
        }
        Ok(found)
    }

    /// Adds help, unless the bot has its own or wants none.
    pub(in crate::bot) fn finish(&mut self) {
        if self.commands.is_empty() || !self.has_help || self.commands.has("help") {
            return;
        }
        let mut help = command("help [command...]");
        if !self.commands.has("帮助") {
            help = help.alias("帮助");
        }
        // Nothing of it is there already.
        let _ = self.commands.add(help);
    }

    pub(in crate::bot) fn mistakes(&self) -> &[BotMistake] {
        &self.mistakes
    }

    pub(in crate::bot) fn handlers(&self) -> &[Registered] {
        &self.handlers
    }
}

fn list(
    value: &toml::Value,
    key: &str,
    example: &str,
) -> Result<Vec<String>, (Vec<String>, String)> {
    let texts = value.as_array().and_then(|list| {
        let texts = list.iter().map(|it| it.as_str().map(str::to_owned));
        texts.collect()
    });
    texts.ok_or_else(|| {
        let wanted = format!("expected a list of texts: {example}");
        (vec![key.to_owned()], wanted)
    })
}
