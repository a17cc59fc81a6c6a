use botroupe::prelude::*;
use std::time::Duration;

pub fn bot() -> Bot {
    Bot::new("guard").on(filter::group() & filter::regex("(?i)casino|赌博"), guard)
}

async fn guard(said: Message, group: Group, all: Store<u32>, api: Api) -> BotResult<String> {
    api.message(&said).recall().await?;
    let warnings = all.user()?;
    let warning = warnings.update("count", |n| n.unwrap_or(0) + 1).await?;
    if warning >= 3 {
        let group = api.group(&group);
        group.mute(&said.from, Duration::from_secs(600)).await?;
    }
    Ok(format!("{}: warning {warning} of 3", said.from))
}
