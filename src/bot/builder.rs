//! The [`Bot`] value.

use super::choices::Choices;
use super::event::{Event, Values};
use super::file_access::FileAccess;
use super::filter::{self, Filter};
use super::handler::{Handler, Parameters};
use super::handlers::{Handlers, Registered};
use super::isolation::{Isolation, Trust};
use super::kinds::Kinds;
use super::middleware::{Layer, Next, layer};
use super::needs::BotMistake;
use super::on_unknown::OnUnknown;
use super::overlap::Overlap;
use super::pool::Pool;
use super::reply::IntoReply;
use super::seat::SharedBot;
use super::settings::{self, Mistake};
use super::settings_shape::{SettingField, shape_of};
use super::timer::{Cron, Every, speaker};
use super::typing::Pace;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

type ReadSettings = fn(toml::Table, &mut Values) -> Result<(), Mistake>;

/// A bot: a name, handlers and shared state.
///
/// Accounts that run the bot share one value, unless it has [state](Self::state) or handlers that capture
/// something: then the bot's `bot()` function makes one for each account.
pub struct Bot {
    name: &'static str,
    pub(super) handlers: Handlers,
    values: Values,
    settings: Option<ReadSettings>,
    /// Says what those are.
    shape: fn() -> Vec<SettingField>,
    hears_fleet: bool,
    file_hosts: Vec<String>,
    files_from_anywhere: bool,
    choices: Choices,
    /// Values of its own were given to it.
    has_state: bool,
    /// Its middleware captures nothing.
    is_bare: bool,
}

/// Why a bot refused its settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The bot takes no settings.
    #[error("bot {0:?} takes no settings; remove its [bots.{0}] section")]
    NotWanted(&'static str),
    /// The settings are not of the type that the bot declares.
    #[error("settings of bot {bot:?} do not fit: {}{reason}", Keys(.path))]
    Unfit {
        /// The bot.
        bot: &'static str,
        /// The keys that lead to the mistake.
        path: Vec<String>,
        /// What is wrong.
        reason: String,
    },
}

/// `a.b: `, or nothing.
struct Keys<'a>(&'a [String]);

impl Display for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "{}: ", self.0.join("."))
    }
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot")
            .field("name", &self.name)
            .field("handlers", &self.handlers.len())
            .finish_non_exhaustive()
    }
}

impl Bot {
    /// A bot that does nothing yet.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            handlers: Handlers::default(),
            values: Values::new(),
            settings: None,
            shape: Vec::new,
            hears_fleet: false,
            file_hosts: Vec::new(),
            files_from_anywhere: false,
            choices: Choices::default(),
            has_state: false,
            is_bare: true,
        }
    }

    /// Its name in the config file and in logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Calls `handler` for every text message, one-to-one and in groups. A handler that takes a
    /// [`Group`](super::Group) is for groups only.
    #[must_use]
    pub fn on_text<Args, H>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        self.on(filter::text(), handler)
    }

    /// Calls `handler` for every message that somebody said, whatever its elements. Typing notices of
    /// the UI kits are none: they are [`Update::Typing`](crate::proto::update::Update::Typing).
    #[must_use]
    pub fn on_message<Args, H>(self, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        self.on(filter::message(), handler)
    }

    /// Calls `handler` for what passes the [`filter`](super::filter).
    ///
    /// Of the handlers of a message only the first is called whose filter passes and whose parameters can be read; one
    /// that returns [`Pass`](super::Pass) leaves the message to the next. Everything else that happens (updates, ready,
    /// kicked, …) reaches every handler that is for it.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn answer(text: Text) -> String {
    ///     format!("You said {}.", &*text)
    /// }
    /// # let _ =
    /// Bot::new("polite").on(filter::mentioned() | filter::private(), answer)
    /// # ;
    /// ```
    #[must_use]
    pub fn on<Args, H>(mut self, filter: Filter, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        self.handlers.add(Registered::new(filter, handler));
        self
    }

    /// Calls `handler` every so often (`"10m"`, or an [`Every`]), on each account that runs the bot while it is ready.
    /// The first time is one period after the first start of the bot; it goes on over restarts. A time at which the
    /// handler still runs is left out.
    #[must_use]
    pub fn every<Args, H>(mut self, every: impl Into<Every>, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let filter = Filter::kinds_only(Kinds::ALARM);
        let schedule = every.into().into_schedule();
        self.handlers
            .add(Registered::new(filter, handler).scheduled(schedule));
        self
    }

    /// Calls `handler` at certain times of the calendar (`"0 9 * * MON-FRI"`, or a [`Cron`] with a time zone), on each
    /// account that runs the bot while it is ready.
    #[must_use]
    pub fn cron<Args, H>(mut self, cron: impl Into<Cron>, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let filter = Filter::kinds_only(Kinds::ALARM);
        let schedule = cron.into().into_schedule();
        self.handlers
            .add(Registered::new(filter, handler).scheduled(schedule));
        self
    }

    /// Calls `handler` for alarms of this topic, which were set with [`Api::later`](super::Api::later); it may take
    /// [`Later<T>`](super::Later).
    #[must_use]
    pub fn on_later<Args, H>(mut self, topic: &'static str, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let filter = Filter::kinds_only(Kinds::ALARM);
        self.handlers
            .add(Registered::new(filter, handler).for_topic(topic));
        self
    }

    /// Calls `handler` when another one fails: it returned an error, panicked or exceeded its time limit. It may take
    /// [`Failure`](super::Failure) and everything that the other could; what it returns is answered. Without one, a
    /// short apology is answered in one-to-one chats, and in groups to messages that mention the account. The failure
    /// is logged in any case, and counted.
    #[must_use]
    pub fn on_error<Args, H>(mut self, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let filter = Filter::kinds_only(Kinds::ALL);
        self.handlers.set_on_error(Registered::new(filter, handler));
        self
    }

    /// Puts code around every handler of the bot. The first that is added is the outermost; those of a
    /// [fleet](super::Bots::middleware) are around those of its bots. [`Next`](super::Next) has an example.
    #[must_use]
    pub fn middleware<F, R>(
        mut self,
        middleware: impl Fn(Event, Next) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoReply,
    {
        self.is_bare &= size_of_val(&middleware) == 0;
        self.handlers.add_layer(layer(middleware));
        self
    }

    /// Lets the bot hear the other accounts of this process, too. By default it does not, so that two of our
    /// own bots in one group do not answer each other.
    #[must_use]
    pub const fn hear_own_accounts(mut self) -> Self {
        self.hears_fleet = true;
        self
    }

    /// Lets the bot download files from `host` and its subdomains, as long as they resolve to addresses of
    /// the public internet (behind a proxy, the proxy resolves names and has to check that). By default files
    /// come from the service only, because the sender of a message chooses the address of its file.
    #[must_use]
    pub fn files_from(mut self, host: impl Into<String>) -> Self {
        self.file_hosts.push(host.into());
        self
    }

    /// Lets the bot download files from every address that this machine can reach, including its own services
    /// and its network. Then everybody who can write to the bot chooses what it requests.
    #[must_use]
    pub const fn files_from_anywhere(mut self) -> Self {
        self.files_from_anywhere = true;
        self
    }

    /// Shares `value` between the handlers, which take it as `State<T>`.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// async fn count(count: State<AtomicU64>) -> String {
    ///     format!("message number {}", count.fetch_add(1, Ordering::Relaxed) + 1)
    /// }
    /// # let _ =
    /// Bot::new("counter").state(AtomicU64::new(0)).on_text(count)
    /// # ;
    /// ```
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.values.insert(TypeId::of::<T>(), Arc::new(value));
        self.has_state = true;
        self
    }

    /// Adds values that it has none of, and puts middleware around its own.
    pub(super) fn with_shared(mut self, values: &Values, layers: &[Layer]) -> Self {
        self.handlers.surround(layers);
        for (key, value) in values {
            self.values.entry(*key).or_insert_with(|| value.clone());
        }
        self
    }

    /// Reads the bot's section of the config file into a `T`, which handlers take as `Config<T>`.
    /// A missing section reads as an empty one.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// /// `[bots.greeter]`
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     greeting: String,
    /// }
    ///
    /// async fn greet(settings: Config<Settings>) -> String {
    ///     settings.greeting.clone()
    /// }
    /// # let _ =
    /// Bot::new("greeter").config::<Settings>().on_text(greet)
    /// # ;
    /// ```
    #[must_use]
    pub fn config<T: DeserializeOwned + Send + Sync + 'static>(mut self) -> Self {
        self.settings = Some(|table, values| {
            values.insert(TypeId::of::<T>(), Arc::new(settings::read::<T>(table)?));
            Ok(())
        });
        self.shape = shape_of::<T>;
        self
    }

    /// The settings that it takes, as far as the type of [`config`](Self::config) says; nothing for a bot without.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Settings {
    ///     greeting: String,
    /// }
    ///
    /// let bot = Bot::new("greeter").config::<Settings>();
    /// assert_eq!(bot.setting_fields()[0].path, ["greeting"]);
    /// ```
    #[must_use]
    pub fn setting_fields(&self) -> Vec<SettingField> {
        (self.shape)()
    }

    /// Reads the bot's settings; `None` when the config file has no section for it.
    ///
    /// # Errors
    /// When they do not fit what the bot declared.
    pub fn configure(&mut self, settings: Option<&toml::Table>) -> Result<(), SettingsError> {
        let bot = self.name;
        let mut settings = settings.cloned();
        let unfit = |(path, reason)| SettingsError::Unfit { bot, path, reason };
        if let Some(table) = &mut settings {
            let ours = self.choices.configure(table);
            let ours = ours.map_err(|(key, reason)| unfit((vec![key.to_owned()], reason)))?;
            let theirs = self.handlers.desk_mut().configure(table).map_err(unfit)?;
            if (ours || theirs) && table.is_empty() && self.settings.is_none() {
                // A section of nothing but these is none for the bot.
                settings = None;
            }
        }
        match (self.settings, settings) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(SettingsError::NotWanted(bot)),
            (Some(read), table) => {
                read(table.unwrap_or_default(), &mut self.values).map_err(|mistake| {
                    let Mistake { path, reason } = mistake;
                    SettingsError::Unfit { bot, path, reason }
                })
            }
        }
    }

    /// Chooses where the bot's handlers run; [`Isolation::Auto`] if nothing is said. `isolation` in the
    /// bot's section of the config file comes before this.
    #[must_use]
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.choices.isolation = isolation;
        self
    }

    /// Chooses what happens when somebody writes again while the bot is busy with them; [`Overlap::Queue`] if nothing is
    /// said. `overlap` in the bot's section of the config file (`"latest"`, `"burst 1500ms"`) comes before this.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::time::Duration;
    ///
    /// async fn answer(text: Text) -> String {
    ///     format!("You wrote {} lines.", text.lines().count())
    /// }
    /// # let _ =
    /// Bot::new("patient").overlap(Overlap::Burst(Duration::from_millis(1500))).on_text(answer)
    /// # ;
    /// ```
    #[must_use]
    pub const fn overlap(mut self, overlap: Overlap) -> Self {
        self.choices.overlap = overlap;
        self
    }

    /// Shows in one-to-one chats that the account is typing while a handler takes longer than a second. `typing` in the
    /// bot's section of the config file (`true` or `false`) comes before this.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn think(text: Text) -> String {
    ///     tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    ///     format!("I have thought about {}.", &*text)
    /// }
    /// # let _ =
    /// Bot::new("thinker").typing().on_text(think)
    /// # ;
    /// ```
    #[must_use]
    pub const fn typing(mut self) -> Self {
        self.choices.typing = Some(Pace::USUAL);
        self
    }

    /// With another pace.
    #[cfg(test)]
    pub(super) const fn typing_at(mut self, pace: Pace) -> Self {
        self.choices.typing = Some(pace);
        self
    }

    /// Handles no messages that are older than this when their turn comes: they count as read, or go to
    /// [`on_old`](Self::on_old). `max_age` in the bot's section of the config file (`"1h"`) comes before this. After an
    /// outage of a night a bot so does not answer what nobody waits for any more.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.choices.max_age = Some(age);
        self
    }

    /// Calls `handler` for messages that are older than [`max_age`](Self::max_age).
    #[must_use]
    pub fn on_old<Args, H>(mut self, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let filter = Filter::kinds_only(Kinds::MESSAGE);
        self.handlers.set_on_old(Registered::new(filter, handler));
        self
    }

    /// What this bot answers is its own: the bots after it in the `bots` of their account do not get that message, and
    /// wait for it until this bot has passed it over. An answer is what a handler returns or asks, not what it sends
    /// with an [`Api`](super::Api). `claims` in the bot's section of the config file comes before this.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn answer(text: Text) -> Option<&'static str> {
    ///     text.contains("opening hours").then_some("We are open from 9 to 17.")
    /// }
    /// // bots = ["hours", "llm"]: the model is asked what this bot does not know.
    /// # let _ =
    /// Bot::new("hours").claims().on_text(answer)
    /// # ;
    /// ```
    #[must_use]
    pub const fn claims(mut self) -> Self {
        self.choices.claims = true;
        self
    }

    /// Of several accounts of this process in a group, one answers for the bot. The one that hears the group first
    /// does, and the next one takes over when it goes offline. Without this each of them answers. `one_voice` in
    /// the bot's section of the config file comes before this.
    ///
    /// Which account speaks is forgotten with the process. An answer to a dialogue that an account began before it
    /// went offline is heard by that account alone when it is back.
    #[must_use]
    pub const fn one_voice(mut self) -> Self {
        self.choices.one_voice = true;
        self
    }

    /// Chooses what becomes of a message of which nobody can tell whether it arrived; [`OnUnknown::Ask`] if
    /// nothing is said. `on_unknown` in the bot's section of the config file comes before this.
    #[must_use]
    pub const fn on_unknown(mut self, on_unknown: OnUnknown) -> Self {
        self.choices.on_unknown = on_unknown;
        self
    }

    /// Whether all accounts may share the bot: it holds nothing that could tell them apart, neither values nor
    /// captures of its handlers.
    pub(super) fn is_shareable(&self) -> bool {
        !self.has_state && self.is_bare && self.handlers.are_bare()
    }

    /// The bot as accounts run it. It fetches files from where `base` allows it and where it says itself.
    #[cfg_attr(not(feature = "unstable"), doc(hidden))]
    #[must_use]
    pub fn into_shared(self, base: &FileAccess, pool: &Pool) -> Arc<SharedBot> {
        let trust = pool.trust(self.name);
        self.share(base, trust)
    }

    /// The bot without accounts.
    #[cfg(test)]
    pub(super) fn into_tested(self) -> Arc<SharedBot> {
        self.share(&FileAccess::default(), Arc::default())
    }

    fn share(mut self, base: &FileAccess, trust: Arc<Trust>) -> Arc<SharedBot> {
        self.handlers.desk_mut().finish();
        self.handlers.add(speaker());
        if let Some(age) = self.choices.max_age {
            self.handlers.set_max_age(age);
        }
        let files = base.clone();
        Arc::new(SharedBot {
            name: self.name,
            values: Arc::new(self.values),
            handlers: self.handlers,
            hears_fleet: self.hears_fleet,
            choices: self.choices,
            files: files.with(&self.file_hosts, self.files_from_anywhere),
            trust,
        })
    }

    /// Checks that the bot has everything its handlers ask for. A fleet does so when it starts, and a
    /// [`TestBot`](super::testing::TestBot) when it is made.
    ///
    /// # Errors
    /// All mistakes that were found.
    pub fn check(&self) -> Result<(), Vec<BotMistake>> {
        let mistakes = self.handlers.mistakes(&self.values);
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(mistakes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_of_a_bot_holds_its_settings_and_what_every_bot_may_have() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {
            #[expect(dead_code, reason = "only read")]
            word: String,
        }
        let configured = |mut bot: Bot, text: &str| {
            bot.configure(Some(&text.parse().unwrap()))?;
            Ok(bot.choices.isolation)
        };
        let bare = || Bot::new("bare").isolation(Isolation::Inline);
        let with_settings = || Bot::new("settled").config::<Settings>();
        assert_eq!(
            configured(bare(), "isolation = \"pool\""),
            Ok(Isolation::Pool)
        );
        let text = "isolation = \"inline\"\nword = \"w\"";
        assert_eq!(configured(with_settings(), text), Ok(Isolation::Inline));
        assert_eq!(
            configured(bare(), "isolation = \"pool\"\nword = \"w\""),
            Err(SettingsError::NotWanted("bare"))
        );
        let wrong = configured(bare(), "isolation = 1").unwrap_err();
        assert!(wrong.to_string().contains("isolation: "), "{wrong}");
    }

    #[test]
    fn accounts_share_a_bot_unless_it_could_tell_them_apart() {
        async fn nothing() {}
        let captured = std::sync::atomic::AtomicU32::new(0);
        let counts = move || {
            captured.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(())
        };
        assert!(Bot::new("a").on_start(nothing).is_shareable());
        assert!(!Bot::new("a").on_start(counts).is_shareable());
        assert!(!Bot::new("a").state(1_u8).on_start(nothing).is_shareable());
    }
}
