//! The bots of a program, by name.

use super::builder::Bot;
use super::event::{Event, Values};
use super::middleware::{Layer, Next, layer};
use super::reply::IntoReply;
use crate::account::AccountName;
use std::any::TypeId;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Makes a bot for an account.
type Make = dyn Fn(&AccountContext) -> Bot + Send + Sync;

/// The account that a bot is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountContext {
    name: AccountName,
}

impl AccountContext {
    /// The account of this name, or of this UserID in a process with one app.
    #[must_use]
    pub fn new(name: impl Into<AccountName>) -> Self {
        Self { name: name.into() }
    }

    /// What the account is called in its process.
    #[must_use]
    pub const fn name(&self) -> &AccountName {
        &self.name
    }

    /// The UserID of the account.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.name.user().as_str()
    }
}

/// The bots of a program: a name and a way to make the bot for each. Cheap to clone.
///
/// A program with a `bots/` folder gets the list from [`bots!`](crate::bots); others add their bots here, or
/// to a [`FleetBuilder`](crate::fleet::FleetBuilder).
///
/// ```
/// use botroupe::bot::{Bot, Bots};
///
/// let greeting: std::sync::Arc<str> = "Hello".into();
/// let bots = Bots::new().with("greeter", move || Bot::new("greeter").state(greeting.clone()));
/// assert_eq!(bots.names().collect::<Vec<_>>(), ["greeter"]);
/// ```
#[derive(Clone, Default)]
pub struct Bots {
    all: Vec<Registered>,
    /// What all bots share.
    values: Values,
    layers: Vec<Layer>,
}

/// One bot of the list.
#[derive(Clone)]
pub(crate) struct Registered {
    name: Arc<str>,
    make: Arc<Make>,
    /// `make` looks at the account.
    has_context: bool,
}

impl Bots {
    /// No bots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a bot. The config file calls it by `name`, which has to be the name that `make` gives to
    /// [`Bot::new`]. `make` runs once while the config is checked, and once for all accounts together, or once
    /// for each account if the bot has [state](Bot::state) or handlers that capture something.
    #[must_use]
    pub fn with(
        self,
        name: impl Into<Arc<str>>,
        make: impl Fn() -> Bot + Send + Sync + 'static,
    ) -> Self {
        self.add(&name.into(), false, Arc::new(move |_| make()))
    }

    /// Like [`with`](Self::with); `make` is told the account, and runs once for each. While the config is checked that is the first
    /// account of the config.
    #[must_use]
    pub fn with_context(
        self,
        name: impl Into<Arc<str>>,
        make: impl Fn(&AccountContext) -> Bot + Send + Sync + 'static,
    ) -> Self {
        self.add(&name.into(), true, Arc::new(make))
    }

    fn add(mut self, name: &Arc<str>, has_context: bool, make: Arc<Make>) -> Self {
        // `stringify!` gives the raw identifier of a file that is named like a keyword.
        let name = name.strip_prefix("r#").map_or(name.clone(), Arc::from);
        // A later bot replaces an earlier one of its name.
        self.all.retain(|known| known.name != name);
        self.all.push(Registered {
            name,
            make,
            has_context,
        });
        self
    }

    /// Adds every bot of another list.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        for bot in more.all {
            self.all.retain(|known| known.name != bot.name);
            self.all.push(bot);
        }
        self.values.extend(more.values);
        self.layers.extend(more.layers);
        self
    }

    /// Shares a value of the process (a pool of database connections, an HTTP client) with the handlers of every bot
    /// on every account, which take it as [`State<T>`](super::State). A bot that has a [state](Bot::state) of the
    /// same type of its own gets that.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use botroupe::bot::Bots;
    ///
    /// struct Pool; // of connections to a database
    ///
    /// async fn answer(text: Text, pool: State<Pool>) -> String {
    ///     format!("looked up {}", &*text)
    /// }
    ///
    /// let bots = Bots::new().with("faq", || Bot::new("faq").on_text(answer)).state(Pool);
    /// # let _ = bots;
    /// ```
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.values.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// Puts code around every handler of every bot: rate limits, logging, the choice of a language. The first that is
    /// added is the outermost.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use botroupe::bot::Bots;
    ///
    /// async fn logged(event: Event, next: Next) -> Reply {
    ///     let reply = next.run(event).await;
    ///     if let Some(error) = reply.error() {
    ///         eprintln!("a handler failed: {error}");
    ///     }
    ///     reply
    /// }
    /// # let _ = Bots::new().middleware(logged);
    /// ```
    #[must_use]
    pub fn middleware<F, R>(
        mut self,
        middleware: impl Fn(Event, Next) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoReply,
    {
        self.layers.push(layer(middleware));
        self
    }

    /// Gives a bot the values that all bots share.
    pub(crate) fn adopt(&self, bot: Bot) -> Bot {
        bot.with_shared(&self.values, &self.layers)
    }

    /// The names, in the order in which the bots were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|bot| &*bot.name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Registered> {
        self.all.iter().find(|bot| &*bot.name == name)
    }
}

impl fmt::Debug for Bots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Registered {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether all accounts may share a bot that was made here.
    pub(crate) fn is_shareable(&self, bot: &Bot) -> bool {
        !self.has_context && bot.is_shareable()
    }

    /// Runs the code of the bot's author, which may panic or block.
    pub(crate) fn make(&self, account: &AccountContext) -> Bot {
        (self.make)(account)
    }
}

/// Declares the bots of a program: one file name per line. Each file has a `pub fn bot() -> Bot`.
///
/// Expands to the modules and to `pub fn all() -> Bots`.
#[macro_export]
macro_rules! bots {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every bot of this program.
        #[must_use]
        pub fn all() -> $crate::bot::Bots {
            $crate::bot::Bots::new()$(.with(stringify!($name), $name::bot))*
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;

    #[test]
    fn a_bot_whose_file_is_named_like_a_keyword_is_found_by_the_name_of_the_file() {
        let bots = Bots::new().with(stringify!(r#type), || Bot::new("type"));
        assert_eq!(bots.find("type").map(Registered::name), Some("type"));
    }

    #[test]
    fn a_bot_is_told_its_account() {
        let bots = Bots::new().with_context("a", |account| {
            Bot::new("a").state(account.user_id().to_owned())
        });
        let account = AccountContext::new(UserId::parse("alice").unwrap());
        assert_eq!(bots.find("a").unwrap().make(&account).name(), "a");
        assert!(bots.find("b").is_none());
    }
}
