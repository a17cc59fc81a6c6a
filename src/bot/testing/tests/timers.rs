//! Bots that keep times.

use super::super::*;
use crate::prelude::*;

async fn remind(
    Args((when, what)): Args<(String, String)>,
    api: Api,
) -> Result<&'static str, ApiError> {
    api.later(when.as_str(), "remind", &what).await?;
    if what == "fail" {
        return Err(ApiError::Unfit("as asked"));
    }
    Ok("I will.")
}

async fn ring(what: Later<String>, place: Conversation) -> String {
    format!("{}: {}", place.name(), *what)
}

async fn list(api: Api) -> Vec<String> {
    let all = api.alarms().into_iter();
    all.map(|alarm| alarm.payload().unwrap_or_default())
        .collect()
}

async fn forget(api: Api) -> Result<(), ApiError> {
    for alarm in api.alarms() {
        api.cancel_alarm(alarm.id()).await?;
    }
    Ok(())
}

fn reminder() -> Bot {
    Bot::new("reminder")
        .command("remind <when> <what...>", remind)
        .command("list", list)
        .command("forget", forget)
        .on_later("remind", ring)
}

#[actix_rt::test]
async fn a_reminder_rings_once_also_after_a_restart() {
    let bot = TestBot::new(reminder());
    assert_eq!(bot.hears("/remind 2h tea").await, ["I will."]);
    let group = bot.from("bob").in_group("g");
    assert_eq!(group.hears("/remind 1h cake").await, ["I will."]);
    assert_eq!(bot.hears("/list").await, ["cake", "tea"]);
    let failed = bot.hears("/remind 1h fail").await;
    assert_eq!(failed.failures().len(), 1);
    assert_eq!(bot.hears("/list").await, ["cake", "tea"], "nothing was set");
    bot.advance("50m").await.expect_no_reply();
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("11m").await, ["g: cake"]);
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("1d").await, ["alice: tea"]);
    bot.hears("/list").await.expect_no_reply();
    bot.hears("/remind 1h tea").await;
    bot.hears("/forget").await;
    bot.crash_and_restart().await;
    bot.advance("1d").await.expect_no_reply();
}

#[actix_rt::test]
async fn a_reminder_killed_at_every_write_rings_once() {
    for writes in 0.. {
        let bot = TestBot::new(reminder());
        bot.hears("/remind 1h tea").await;
        bot.die_after(writes);
        let rang = bot.advance("2h").await;
        let died = rang.is_stuck();
        let mut texts = rang.texts();
        texts.extend(bot.crash_and_restart().await.texts());
        texts.extend(bot.advance("1d").await.texts());
        assert_eq!(texts, ["alice: tea"], "died at write {writes}");
        if !died {
            assert!(writes > 0);
            break;
        }
    }
}

#[actix_rt::test]
async fn handlers_are_called_at_their_times() {
    async fn tick(api: Api) -> Result<(), ApiError> {
        api.send_text("admin", "tick").await?;
        Ok(())
    }
    async fn morning(api: Api) -> Result<(), ApiError> {
        api.send_text("admin", "good morning").await?;
        Ok(())
    }
    let bot = TestBot::new(Bot::new("clock").every("10m", tick));
    assert_eq!(bot.advance("35m").await, ["tick", "tick", "tick"]);
    bot.kick(Kicked::MultipleDevice).await;
    bot.advance("2h").await.expect_no_reply();
    assert_eq!(bot.ready().await, ["tick"], "once for all that were missed");
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("10m").await, ["tick"]);
    let daily = Cron::new("0 9 * * *").zone("Asia/Shanghai");
    let bot = TestBot::new(Bot::new("clock").cron(daily, morning));
    assert_eq!(bot.advance("3d").await.texts().len(), 3);
    let wrong = Bot::new("clock").every("soon", morning).check();
    assert!(wrong.unwrap_err()[0].to_string().contains("duration"));
}

// ── overlap and age ──────────────────────────────────────────────────────────────────────────
