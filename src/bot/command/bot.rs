//! How a bot gets commands and texts.

use super::command::Command;
use crate::bot::builder::Bot;
use crate::bot::filter::Filter;
use crate::bot::handler::{Handler, Parameters};
use crate::bot::handlers::Registered;
use crate::bot::kinds::Kinds;
use crate::bot::reply::IntoReply;

impl Bot {
    /// Calls `handler` for a command: a text that begins with a [prefix](Self::prefixes) and the name in the pattern.
    /// [`Command`] explains patterns, and what else can be said about a command. Commands come before all other
    /// handlers; a text that is none is for those.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn weather(Args((city, days)): Args<(String, Option<u8>)>) -> String {
    ///     format!("{city}: sunny, for {} days", days.unwrap_or(1))
    /// }
    /// # let _ =
    /// Bot::new("weather").command(
    ///     command("weather <city> [days:1..7]").alias("w").about("The weather of a city"),
    ///     weather,
    /// )
    /// # ;
    /// ```
    ///
    /// What does not fit the pattern is answered with what was expected, in the language of whoever wrote it. The bot
    /// answers `/help` and `/help weather` by itself.
    #[must_use]
    pub fn command<Args, H>(mut self, command: impl Into<Command>, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let handler = Registered::new(Filter::kinds_only(Kinds::TEXT), handler);
        self.handlers.add_command(command.into(), handler);
        self
    }

    /// What commands begin with, in the place of `/`: signs such as `!`, words such as `bot`, and `@` for a mention of
    /// the account at the start. A mention may always stand in front of another prefix. `prefixes` in the bot's section
    /// of the config file comes before this.
    #[must_use]
    pub fn prefixes(mut self, prefixes: &[&str]) -> Self {
        self.handlers.desk_mut().set_prefixes(prefixes);
        self
    }

    /// Leaves out the command `help`, which a bot with commands has by itself. A command `help` of its own comes in
    /// the place of that one without this.
    #[must_use]
    pub const fn without_help(mut self) -> Self {
        self.handlers.desk_mut().leave_out_help();
        self
    }

    /// Adds texts in a language: the content of a [Fluent](https://projectfluent.org) file. Handlers take them as
    /// [`Texts`](crate::bot::Texts). What the framework itself says has texts, too (`src/bot/language/en.ftl`); those of the
    /// bot come before them.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn greet(texts: Texts, from: Sender) -> String {
    ///     texts.with("hello", &[("name", from.nick.as_str().into())])
    /// }
    /// # let _ =
    /// Bot::new("greeter")
    ///     .texts("en", "hello = Hello { $name }!")
    ///     .texts("zh", "hello = 你好，{ $name }！")
    ///     .on_text(greet)
    /// # ;
    /// ```
    #[must_use]
    pub fn texts(mut self, language: &str, fluent: &str) -> Self {
        self.handlers.desk_mut().add_texts(language, fluent);
        self
    }
}
