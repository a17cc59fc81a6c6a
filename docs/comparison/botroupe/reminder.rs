use botroupe::prelude::*;

pub fn bot() -> Bot {
    Bot::new("reminder")
        .command("remind <when> <what...>", remind)
        .command("reminders", list)
        .command("forget <number:1..99>", forget)
        .on_later("remind", async |text: Later<String>| {
            format!("Remember: {}", *text)
        })
        .cron(Cron::new("0 9 * * *").zone("Asia/Shanghai"), good_morning)
}

async fn remind(Args((when, what)): Args<(String, String)>, api: Api) -> BotResult<&'static str> {
    api.later(when.as_str(), "remind", &what).await?;
    Ok("I will.")
}

async fn list(api: Api, of: Sender) -> String {
    let texts = api
        .alarms_of(&of)
        .into_iter()
        .filter_map(|alarm| alarm.payload());
    texts
        .zip(1..)
        .map(|(text, number): (String, _)| format!("{number}. {text}\n"))
        .collect()
}

async fn forget(Args(number): Args<usize>, api: Api, of: Sender) -> BotResult<&'static str> {
    match api.alarms_of(&of).get(number - 1) {
        Some(alarm) => api.cancel_alarm(alarm.id()).await?,
        None => return Ok("There is no such reminder."),
    }
    Ok("Forgotten.")
}

async fn good_morning(api: Api) -> BotResult {
    api.send(Conversation::group("team"), "Good morning!")
        .await?;
    Ok(())
}
