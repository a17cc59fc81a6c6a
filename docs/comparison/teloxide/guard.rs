use regex::Regex;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use teloxide::prelude::*;
use teloxide::types::{ChatPermissions, UserId};

const FILE: &str = "warnings.json";

static WORDS: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?i)casino|赌博").unwrap());
static WARNINGS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(|| {
    let kept = std::fs::read(FILE).unwrap_or_default();
    Mutex::new(serde_json::from_slice(&kept).unwrap_or_default())
});

fn warn(chat: ChatId, user: UserId) -> u32 {
    let mut all = WARNINGS.lock().unwrap();
    let warning = all.entry(format!("{chat}:{user}")).or_default();
    *warning += 1;
    let warning = *warning;
    std::fs::write(FILE, serde_json::to_vec(&*all).unwrap()).unwrap();
    warning
}

#[tokio::main]
async fn main() {
    let bot = Bot::from_env();
    teloxide::repl(bot, async |bot: Bot, message: Message| {
        let is_bad = message.text().is_some_and(|text| WORDS.is_match(text));
        let Some(user) = message
            .from
            .as_ref()
            .filter(|_| is_bad && !message.chat.is_private())
        else {
            return Ok(());
        };
        bot.delete_message(message.chat.id, message.id).await?;
        let warning = warn(message.chat.id, user.id);
        if warning >= 3 {
            let until = chrono::Utc::now() + chrono::Duration::minutes(10);
            bot.restrict_chat_member(message.chat.id, user.id, ChatPermissions::empty())
                .until_date(until)
                .await?;
        }
        bot.send_message(
            message.chat.id,
            format!("{}: warning {warning} of 3", user.first_name),
        )
        .await?;
        Ok(())
    })
    .await;
}
