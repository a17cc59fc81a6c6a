use botroupe::prelude::*;

pub fn bot() -> Bot {
    Bot::new("club").command("signup", signup)
}

async fn signup(dialogue: Dialogue) -> BotResult<String> {
    let name: String = dialogue.ask("What is your name?").await?;
    let age = dialogue
        .ask("How old are you?")
        .check(|age: &u8| *age >= 18);
    let age = age.retry("18 or more, please.").await?;
    let size = dialogue.choose("Which shirt?", &["small", "large"]).await?;
    Ok(format!(
        "Welcome, {name} ({age}), size {}.",
        ["small", "large"][size]
    ))
}
