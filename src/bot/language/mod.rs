//! The languages that a bot speaks, and its texts in them: [Fluent](https://projectfluent.org) files, those of
//! the framework beside this code and those of the bot.

mod choice;
mod extract;
mod tag;
mod texts;

pub(super) use choice::LanguageSetting;
pub use extract::LanguageChoice;
pub(super) use extract::chosen_by;
pub use tag::{Language, LanguageError};
pub(super) use texts::{TextSet, TextSources};
pub use texts::{TextValue, Texts, TextsError};
