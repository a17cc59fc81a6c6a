//! Counts what each person says: a bot with state and settings.
//!
//! ```toml
//! [bots.counter]
//! word = "message"     # what is counted, in the answer
//! ```

use botroupe::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many texts each UserID has sent since the account's bot was started.
#[derive(Default)]
struct Counts(Mutex<HashMap<String, u64>>);

/// `[bots.counter]`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// What is counted.
    word: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            word: "message".to_owned(),
        }
    }
}

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("counter")
        .state(Counts::default())
        .config::<Settings>()
        .on_text(count)
}

async fn count(sender: Sender, counts: State<Counts>, settings: Config<Settings>) -> String {
    let mut counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(sender.user_id).or_default();
    *count += 1;
    format!("{} number {count}", settings.word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use botroupe::bot::testing::TestBot;

    #[actix_rt::test]
    async fn it_counts_each_person_apart() {
        let mut bot = bot();
        bot.configure(None).unwrap();
        let bot = TestBot::new(bot);
        assert_eq!(bot.say("a").await, ["message number 1"]);
        assert_eq!(bot.say("b").await, ["message number 2"]);
        assert_eq!(
            bot.hear("bob", vec![Element::text("c")]).await,
            ["message number 1"]
        );
    }
}
