//! Counts what each person says, over restarts: a bot with values in the store, and settings.
//!
//! ```toml
//! [bots.counter]
//! word = "message"     # what is counted, in the answer
//! ```

use botroupe::prelude::*;
use serde::Deserialize;

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
    Bot::new("counter").config::<Settings>().on_text(count)
}

async fn count(store: Store<u64>, settings: Config<Settings>) -> Result<String, ValueError> {
    let counts = store.user()?;
    let count = counts
        .update("texts", |count| count.unwrap_or(0) + 1)
        .await?;
    Ok(format!("{} number {count}", settings.word))
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
