//! The language and the texts as parameters of handlers.

use super::tag::Language;
use super::texts::Texts;
use crate::bot::event::{Event, FromEvent};
use crate::bot::needs::Needs;
use crate::bot::store::{Store, ValueError};
use std::convert::Infallible;

/// The name under which the language of a user is kept among the values of a bot.
const KEPT: &str = "botroupe.language";

/// What the sender of the event has chosen.
pub(in crate::bot) async fn chosen_by(event: &Event) -> Option<Language> {
    event.message()?;
    // Without the store the text decides, as it does for those who have not chosen.
    LanguageChoice::of(event).await.get().await.ok().flatten()
}

impl FromEvent for Language {
    type Rejection = Infallible;

    async fn from_event(event: &Event) -> Result<Self, Infallible> {
        Ok(event.bot().handlers.desk().language(event).await)
    }

    fn needs(_: &mut Needs) {}
}

impl FromEvent for Texts {
    type Rejection = Infallible;

    async fn from_event(event: &Event) -> Result<Self, Infallible> {
        Ok(event.bot().handlers.desk().texts(event).await)
    }

    fn needs(_: &mut Needs) {}
}

/// The language that the sender of a message has chosen for a bot on an account: a parameter of handlers. Without a
/// choice the bot answers in the language of the text, or in the one that `language` in its section of the config
/// file says.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn speak(
///     Args(language): Args<Language>,
///     choice: LanguageChoice,
/// ) -> Result<String, ValueError> {
///     choice.set(language).await?;
///     Ok(format!("I speak {language} with you now."))
/// }
/// # let _ =
/// Bot::new("polyglot").command("language <language>", speak)
/// # ;
/// ```
#[derive(Clone, Debug)]
pub struct LanguageChoice(Store<Language>);

impl FromEvent for LanguageChoice {
    type Rejection = Infallible;

    async fn from_event(event: &Event) -> Result<Self, Infallible> {
        Ok(Self::of(event).await)
    }

    fn needs(_: &mut Needs) {}
}

impl LanguageChoice {
    async fn of(event: &Event) -> Self {
        let Ok(store) = Store::from_event(event).await;
        Self(store)
    }

    /// What was chosen.
    ///
    /// # Errors
    /// When the store cannot be asked, or the handler is for no message.
    pub async fn get(&self) -> Result<Option<Language>, ValueError> {
        self.0.user()?.get(KEPT).await
    }

    /// Chooses a language.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn set(&self, language: Language) -> Result<(), ValueError> {
        self.0.user()?.set(KEPT, &language).await
    }

    /// Forgets the choice.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn clear(&self) -> Result<(), ValueError> {
        self.0.user()?.remove(KEPT).await
    }
}
