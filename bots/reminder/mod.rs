//! Reminds people of what they want to be reminded of, also after a restart.
//!
//! ```toml
//! [bots.reminder]
//! zone = "Asia/Shanghai"
//! ```

mod when;

use botroupe::prelude::*;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// So many characters of a reminder are kept.
const LONGEST: usize = 1_000;
/// So many reminders a person may have.
const MOST: usize = 50;

/// `[bots.reminder]`
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The time zone that times are meant in, by its IANA name; that of the system if nothing stands here.
    zone: Option<Zone>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Zone(TimeZone);

impl TryFrom<String> for Zone {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let zone = TimeZone::get(&name).map(Self);
        zone.map_err(|_| "expected the name of a time zone, such as Asia/Shanghai")
    }
}

impl Settings {
    fn zone(&self) -> TimeZone {
        let zone = self.zone.as_ref();
        zone.map_or_else(TimeZone::system, |Zone(zone)| zone.clone())
    }
}

/// What somebody is reminded of.
#[derive(Serialize, Deserialize)]
struct Reminder {
    what: String,
    /// In which it was asked for.
    language: Language,
}

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("reminder")
        .config::<Settings>()
        .texts("en", include_str!("en.ftl"))
        .texts("zh", include_str!("zh.ftl"))
        .command(command("remind <when-and-what...>").alias("提醒"), remind)
        .command(command("reminders").alias("提醒列表"), list)
        .command(command("forget <number:1..50>").alias("忘记"), forget)
        .on_later("remind", ring)
}

async fn remind(
    Args(text): Args<String>,
    message: Arc<Message>,
    settings: Config<Settings>,
    texts: Texts,
    api: Api,
) -> Result<String, ApiError> {
    let zone = settings.zone();
    let sent = i64::try_from(message.time).unwrap_or_default();
    let now = ZonedDateTime::new(Timestamp::from_second(sent).unwrap_or_default(), zone);
    let (at, what) = match when::read(&text, &now) {
        Ok(read) => read,
        Err(when::NoTime::Past) => return Ok(texts.get("reminder-past")),
        Err(when::NoTime::Unknown) => return Ok(texts.get("reminder-no-time")),
    };
    let what: String = what.chars().take(LONGEST).collect();
    if what.trim().is_empty() {
        return Ok(texts.get("reminder-of-nothing"));
    }
    if mine(&api, &message.from).len() >= MOST {
        let most = i64::try_from(MOST).unwrap_or_default();
        return Ok(texts.with("reminder-too-many", &[("most", most.into())]));
    }
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let language = texts.language();
    api.at(time, "remind", &Reminder { what, language }).await?;
    let at = shown(at, &settings);
    Ok(texts.with("reminder-set", &[("at", at.as_str().into())]))
}

async fn list(message: Arc<Message>, settings: Config<Settings>, texts: Texts, api: Api) -> String {
    let all = mine(&api, &message.from).into_iter().enumerate();
    let lines: Vec<String> = all
        .map(|(number, (alarm, Reminder { what, .. }))| {
            let at = i64::try_from(alarm.due()).unwrap_or_default();
            let at = shown(Timestamp::from_second(at).unwrap_or_default(), &settings);
            format!("{}. {at}: {what}", number + 1)
        })
        .collect();
    match lines.is_empty() {
        true => texts.get("reminder-none"),
        false => lines.join("\n"),
    }
}

async fn forget(
    Args(number): Args<usize>,
    message: Arc<Message>,
    texts: Texts,
    api: Api,
) -> Result<String, ApiError> {
    let all = mine(&api, &message.from);
    let Some((alarm, Reminder { what, .. })) = all.get(number - 1) else {
        return Ok(texts.get("reminder-no-such"));
    };
    api.cancel_alarm(alarm.id()).await?;
    Ok(texts.with("reminder-forgotten", &[("what", what.as_str().into())]))
}

/// The time has come. The reminder goes to where it was asked for.
async fn ring(reminder: Later<Reminder>, texts: Texts) -> String {
    let texts = texts.in_language(reminder.language);
    texts.with("reminder-rings", &[("what", reminder.what.as_str().into())])
}

/// The reminders of a person, in the order of their times.
fn mine(api: &Api, user: &UserId) -> Vec<(Pending, Reminder)> {
    let all = api.alarms_of(user).into_iter();
    all.filter_map(|alarm| Some((alarm.clone(), alarm.payload()?)))
        .collect()
}

/// A time as people read it.
fn shown(at: Timestamp, settings: &Settings) -> String {
    let at = ZonedDateTime::new(at, settings.zone()).datetime();
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02}", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use botroupe::bot::testing::TestBot;

    fn test_bot() -> TestBot {
        let mut bot = bot();
        bot.configure(Some(&toml::toml! { zone = "UTC" })).unwrap();
        TestBot::new(bot)
    }

    #[actix_rt::test]
    async fn it_reminds_once_also_after_a_restart() {
        let bot = test_bot();
        let set = bot.hears("/remind in 2h, tea").await.texts().concat();
        assert!(set.starts_with("I will remind you at 20"), "{set}");
        let set = bot
            .from("bob")
            .in_group("g")
            .hears("/remind 1天后喝茶")
            .await;
        assert!(set.texts().concat().contains("提醒你"), "{set:?}");
        bot.crash_and_restart().await.expect_no_reply();
        assert_eq!(bot.advance("3h").await, ["Reminder: tea"]);
        assert_eq!(bot.advance("3d").await, ["提醒：喝茶"]);
        bot.crash_and_restart().await.expect_no_reply();
        bot.advance("3d").await.expect_no_reply();
    }

    #[actix_rt::test]
    async fn reminders_are_listed_and_forgotten_by_who_has_them() {
        let bot = test_bot();
        assert_eq!(bot.hears("/reminders").await, ["You have no reminders."]);
        bot.hears("/remind 2h tea").await;
        bot.hears("/remind 1h cake").await;
        bot.from("bob").hears("/remind 1h beer").await;
        let list = bot.hears("/reminders").await.texts().concat();
        let lines: Vec<&str> = list.lines().map(|line| &line[line.len() - 4..]).collect();
        assert_eq!(lines, ["cake", " tea"]);
        assert_eq!(bot.hears("/forget 1").await, ["Forgotten: cake"]);
        assert_eq!(
            bot.hears("/forget 2").await,
            ["There is no reminder of this number."]
        );
        assert_eq!(
            bot.from("bob").hears("/forget 1").await,
            ["Forgotten: beer"]
        );
        assert_eq!(bot.advance("1d").await, ["Reminder: tea"]);
    }

    #[actix_rt::test]
    async fn what_it_cannot_do_it_says() {
        let bot = test_bot();
        for (text, part) in [
            ("/remind", "Usage"),
            ("/remind tea", "When?"),
            ("/remind 2h", "Of what?"),
            ("/remind 2020-01-01 tea", "passed"),
            ("/remind \u{202e}\u{200b}🍵", "When?"),
            ("/forget x", "Usage"),
            ("/提醒 茶", "什么时候"),
        ] {
            let said = bot.hears(text).await.texts().concat();
            assert!(said.contains(part), "{text}: {said}");
        }
        let long = format!("/remind 1h {}", "茶".repeat(4_000));
        bot.hears(&long).await;
        let rung = bot.advance("2h").await.texts().concat();
        assert_eq!(rung.matches('茶').count(), LONGEST);
        for _ in 0..MOST {
            bot.hears("/remind 1h tea").await;
        }
        let said = bot.hears("/remind 1h tea").await.texts().concat();
        assert!(said.contains("50"), "{said}");
    }

    #[test]
    fn a_zone_that_is_none_is_refused() {
        let error = bot().configure(Some(&toml::toml! { zone = "Mars/North" }));
        assert!(error.unwrap_err().to_string().contains("Asia/Shanghai"));
    }
}
