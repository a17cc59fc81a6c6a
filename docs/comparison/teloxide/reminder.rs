use chrono_tz::Asia::Shanghai;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use teloxide::prelude::*;
use teloxide::types::ChatId;
use teloxide::utils::command::BotCommands;
use tokio_cron_scheduler::{Job, JobScheduler};

const FILE: &str = "reminders.json";

#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
enum Command {
    Remind(String),
    Reminders,
    Forget(usize),
}

#[derive(Clone, Serialize, Deserialize)]
struct Reminder {
    due: SystemTime,
    user: UserId,
    chat: ChatId,
    text: String,
}

#[derive(Clone, Default)]
struct Reminders(Arc<Mutex<BTreeMap<u64, Reminder>>>);

impl Reminders {
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<u64, Reminder>) -> T) -> T {
        let mut all = self.0.lock().unwrap();
        let changed = change(&mut all);
        std::fs::write(FILE, serde_json::to_vec(&*all).unwrap()).unwrap();
        changed
    }

    fn mine(&self, user: UserId) -> Vec<(u64, String)> {
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|(_, r)| r.user == user)
            .map(|(id, r)| (*id, r.text.clone()))
            .collect()
    }

    fn schedule(&self, bot: Bot, id: u64, reminder: Reminder) {
        let all = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(
                reminder
                    .due
                    .duration_since(SystemTime::now())
                    .unwrap_or_default(),
            )
            .await;
            if all.change(|all| all.remove(&id)).is_some() {
                let _ = bot
                    .send_message(reminder.chat, format!("Remember: {}", reminder.text))
                    .await;
            }
        });
    }
}

fn parse(text: &str) -> Option<(Duration, &str)> {
    let (when, what) = text.split_once(' ')?;
    let unit = match when.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return None,
    };
    let number: u64 = when[..when.len() - 1].parse().ok()?;
    Some((Duration::from_secs(number * unit), what))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bot = Bot::from_env();
    let all = Reminders::default();
    if let Ok(kept) = std::fs::read(FILE) {
        *all.0.lock().unwrap() = serde_json::from_slice(&kept)?;
    }
    for (id, reminder) in all.0.lock().unwrap().clone() {
        all.schedule(bot.clone(), id, reminder);
    }
    let scheduler = JobScheduler::new().await?;
    let morning = bot.clone();
    scheduler
        .add(Job::new_async_tz("0 0 9 * * *", Shanghai, move |_, _| {
            let bot = morning.clone();
            Box::pin(async move { drop(bot.send_message(ChatId(100000), "Good morning!").await) })
        })?)
        .await?;
    scheduler.start().await?;
    Command::repl(bot, move |bot: Bot, message: Message, command: Command| {
        let all = all.clone();
        async move {
            let Some(user) = message.from.as_ref().map(|user| user.id) else {
                return Ok(());
            };
            let said = match command {
                Command::Remind(text) => match parse(&text) {
                    Some((time, text)) => {
                        let reminder = Reminder {
                            due: SystemTime::now() + time,
                            user,
                            chat: message.chat.id,
                            text: text.into(),
                        };
                        let id = all.change(|all| {
                            let id = all.keys().last().map_or(0, |last| last + 1);
                            all.insert(id, reminder.clone());
                            id
                        });
                        all.schedule(bot.clone(), id, reminder);
                        "I will.".into()
                    }
                    None => "Usage: /remind <when> <what>, as in /remind 2h tea".into(),
                },
                Command::Reminders => {
                    let lines = all
                        .mine(user)
                        .into_iter()
                        .enumerate()
                        .map(|(n, (_, text))| format!("{}. {text}\n", n + 1));
                    lines.collect::<String>()
                }
                Command::Forget(number) => match number
                    .checked_sub(1)
                    .and_then(|n| all.mine(user).into_iter().nth(n))
                {
                    Some((id, _)) => {
                        all.change(|all| all.remove(&id));
                        "Forgotten.".into()
                    }
                    None => "There is no such reminder.".into(),
                },
            };
            bot.send_message(message.chat.id, said).await?;
            Ok(())
        }
    })
    .await;
    Ok(())
}
