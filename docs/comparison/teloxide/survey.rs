use serde::{Deserialize, Serialize};
use std::sync::Arc;
use teloxide::dispatching::dialogue::serializer::Json;
use teloxide::dispatching::dialogue::{ErasedStorage, SqliteStorage, Storage};
use teloxide::prelude::*;

type MyDialogue = Dialogue<State, ErasedStorage<State>>;
type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone, Default, Serialize, Deserialize)]
enum State {
    #[default]
    Start,
    Name,
    Age {
        name: String,
    },
    Size {
        name: String,
        age: u8,
    },
}

#[tokio::main]
async fn main() -> HandlerResult {
    let bot = Bot::from_env();
    let storage: Arc<ErasedStorage<State>> =
        SqliteStorage::open("signup.sqlite", Json).await?.erase();
    let handler = Update::filter_message()
        .enter_dialogue::<Message, ErasedStorage<State>, State>()
        .branch(
            dptree::filter(|message: Message| message.text() == Some("/cancel")).endpoint(cancel),
        )
        .branch(dptree::case![State::Start].endpoint(start))
        .branch(dptree::case![State::Name].endpoint(receive_name))
        .branch(dptree::case![State::Age { name }].endpoint(receive_age))
        .branch(dptree::case![State::Size { name, age }].endpoint(receive_size));
    Dispatcher::builder(bot, handler)
        .dependencies(dptree::deps![storage])
        .build()
        .dispatch()
        .await;
    Ok(())
}

async fn cancel(bot: Bot, dialogue: MyDialogue, message: Message) -> HandlerResult {
    dialogue.exit().await?;
    bot.send_message(message.chat.id, "OK, cancelled.").await?;
    Ok(())
}

async fn start(bot: Bot, dialogue: MyDialogue, message: Message) -> HandlerResult {
    if message.text() == Some("/signup") {
        bot.send_message(message.chat.id, "What is your name?")
            .await?;
        dialogue.update(State::Name).await?;
    }
    Ok(())
}

async fn receive_name(bot: Bot, dialogue: MyDialogue, message: Message) -> HandlerResult {
    match message.text() {
        Some(name) => {
            bot.send_message(message.chat.id, "How old are you?")
                .await?;
            dialogue.update(State::Age { name: name.into() }).await?;
        }
        None => drop(
            bot.send_message(message.chat.id, "Your name, please.")
                .await?,
        ),
    }
    Ok(())
}

async fn receive_age(
    bot: Bot,
    dialogue: MyDialogue,
    name: String,
    message: Message,
) -> HandlerResult {
    match message.text().and_then(|text| text.parse().ok()) {
        Some(age @ 18..) => {
            bot.send_message(message.chat.id, "Which shirt? small or large")
                .await?;
            dialogue.update(State::Size { name, age }).await?;
        }
        _ => drop(
            bot.send_message(message.chat.id, "18 or more, please.")
                .await?,
        ),
    }
    Ok(())
}

async fn receive_size(
    bot: Bot,
    dialogue: MyDialogue,
    (name, age): (String, u8),
    message: Message,
) -> HandlerResult {
    match message.text() {
        Some(size @ ("small" | "large")) => {
            bot.send_message(
                message.chat.id,
                format!("Welcome, {name} ({age}), size {size}."),
            )
            .await?;
            dialogue.exit().await?;
        }
        _ => drop(bot.send_message(message.chat.id, "small or large?").await?),
    }
    Ok(())
}
