use teloxide::prelude::*;
use teloxide::types::Me;
use teloxide::utils::command::{BotCommands, ParseError};

#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase", description = "I know these commands:")]
enum Command {
    #[command(description = "this text")]
    Help,
    #[command(alias = "w", description = "the weather of a city: /weather <city> [days]", parse_with = weather)]
    Weather { city: String, days: u8 },
}

fn weather(text: String) -> Result<(String, u8), ParseError> {
    let usage = || ParseError::Custom("Usage: /weather <city> [days], days from 1 to 7".into());
    let (city, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or_else(usage)?,
        None => text.split_once(' ').unwrap_or((&text, "")),
    };
    let days = match rest.trim() {
        "" => 1,
        days => days.parse().map_err(|_| usage())?,
    };
    if city.is_empty() || !(1..=7).contains(&days) {
        return Err(usage());
    }
    Ok((city.to_owned(), days))
}

#[tokio::main]
async fn main() {
    let bot = Bot::from_env();
    teloxide::repl(bot, async |bot: Bot, message: Message, me: Me| {
        let said = match Command::parse(message.text().unwrap_or_default(), me.username()) {
            Ok(Command::Help) => Command::descriptions().to_string(),
            Ok(Command::Weather { city, days }) => format!("{city}: sunny for {days} days"),
            Err(ParseError::Custom(usage)) => usage.to_string(),
            Err(_) => return Ok(()),
        };
        bot.send_message(message.chat.id, said).await?;
        Ok(())
    })
    .await;
}
