//! What an author says about a command.

use super::cooldown::Cooldown;
use super::mistake::PatternError;
use super::pattern::Pattern;
use super::permission::Permission;
use std::borrow::Cow;
use std::sync::Arc;

/// A command: how it is written, what help says about it, who may use it and how often.
///
/// ```
/// use botroupe::prelude::*;
///
/// # let _ =
/// command("ban <who:user> [for:duration] [--reason <why>]")
///     .alias("block")
///     .about("Keeps somebody out of the group")
///     .permit(Permission::group_admin())
///     .cooldown(Cooldown::per_user("10s"))
/// # ;
/// ```
///
/// # Patterns
///
/// A pattern begins with the name, and with the names of sub-commands if there are some: `config set <key> <value>`.
///
/// | in the pattern | what it takes |
/// |---|---|
/// | `<city>`, `[city]` | a word, or several in quotes; in square brackets it may be missing |
/// | `<names>+`, `[names]+` | one or more; any number |
/// | `<text...>` | the rest of the message, as it stands |
/// | `[--quietly]` | a flag |
/// | `[--reason <why>]`, `--reason <why>` | an option with a value, written `--reason x` or `--reason=x`; without the brackets it is required |
///
/// Behind a colon stands the kind: `<days:1..7>` a whole number in a range (both ends count; one may be left out),
/// `int`, `number`, `bool`, `duration` (`1h30m`, `2小时`), `user` (`@bob`), `group`, `date` (`2026-12-31`, `tomorrow`,
/// `明天`), or choices, `<unit:celsius|fahrenheit>`. Without one it is a text.
#[derive(Clone, Debug)]
pub struct Command {
    pub(super) pattern: Result<Arc<Pattern>, PatternError>,
    pub(super) aliases: Vec<Result<Vec<String>, PatternError>>,
    pub(super) about: Cow<'static, str>,
    pub(super) is_hidden: bool,
    pub(super) permission: Permission,
    pub(super) cooldowns: Vec<Cooldown>,
    pub(super) is_beside: bool,
}

/// A command of this pattern; see [`Command`]. A pattern that cannot be read is reported when the bot is built.
#[must_use]
pub fn command(pattern: &str) -> Command {
    Command {
        pattern: Pattern::parse(pattern).map(Arc::new),
        aliases: Vec::new(),
        about: Cow::Borrowed(""),
        is_hidden: false,
        permission: Permission::everyone(),
        cooldowns: Vec::new(),
        is_beside: false,
    }
}

impl From<&str> for Command {
    fn from(pattern: &str) -> Self {
        command(pattern)
    }
}

impl From<String> for Command {
    fn from(pattern: String) -> Self {
        command(&pattern)
    }
}

impl Command {
    /// Another name of the command.
    #[must_use]
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(Pattern::parse_names(name));
        self
    }

    /// What help says about it. The text `command-<name>` of the bot's [texts](super::super::Texts) comes before this,
    /// with dashes between the names of sub-commands.
    #[must_use]
    pub fn about(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.about = text.into();
        self
    }

    /// Help does not list it.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// It runs at once, beside the handler that runs for its conversation, and is never merged with other messages: for
    /// `/stop` and `/status` of a bot whose answers take long.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn think(_: Text) -> &'static str {
    ///     tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    ///     "42"
    /// }
    /// # let _ =
    /// Bot::new("thinker").on_text(think).command(command("ping").beside(), async || "I am thinking.")
    /// # ;
    /// ```
    #[must_use]
    pub const fn beside(mut self) -> Self {
        self.is_beside = true;
        self
    }

    /// Only these may use it, and see it in the list of help.
    #[must_use]
    pub fn permit(mut self, permission: Permission) -> Self {
        self.permission = permission;
        self
    }

    /// How long it rests after it was used. With several, each has to be over.
    #[must_use]
    pub fn cooldown(mut self, cooldown: Cooldown) -> Self {
        self.cooldowns.push(cooldown);
        self
    }
}
