//! Middleware that many bots want.

use super::Next;
use crate::bot::command::wait;
use crate::bot::event::Event;
use crate::bot::kinds::Kinds;
use crate::bot::reply::{IntoReply, Reply};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Users that are remembered at most. Beyond that those are forgotten who may write most.
const MOST: usize = 16_384;

/// Lets a bot hear so many messages of a user within a time, one at least, in all conversations of an account together. Who
/// writes more is told once to wait, and what they write meanwhile counts as handled. What is spent comes back evenly: here
/// one message every two seconds. Other events are not counted.
///
/// ```
/// use botroupe::bot::middleware;
/// use botroupe::prelude::*;
/// use std::time::Duration;
///
/// # async fn answer(_: Text) {}
/// # let _ =
/// Bot::new("clerk").middleware(middleware::rate_limit(5, Duration::from_secs(10))).on_text(answer)
/// # ;
/// ```
pub fn rate_limit(
    count: u32,
    time: Duration,
) -> impl Fn(Event, Next) -> BoxFuture<'static, Reply> + Send + Sync + 'static {
    let spent = Arc::new(Mutex::new(Spent {
        each: time / count.max(1),
        time,
        users: HashMap::new(),
    }));
    move |event, next| {
        let turn = match event.message() {
            Some(message) if Kinds::SAID.meets(event.kind()) => {
                // No UserID has a line break.
                let who = format!("{}\n{}", event.user(), message.from);
                let now = event.now().mono;
                // Nothing panics while holding it.
                let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
                spent.spend(now, who)
            }
            _ => Turn::Go,
        };
        match turn {
            Turn::Go => next.run(event).boxed(),
            Turn::Silent => std::future::ready(Reply::none()).boxed(),
            Turn::Wait(left) => {
                let said = wait(&event.texts(), left);
                std::future::ready(Reply::message(said)).boxed()
            }
        }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Go,
    /// It comes too early by this; its sender is told.
    Wait(Duration),
    /// Its sender was told.
    Silent,
}

#[derive(Debug)]
struct Spent {
    /// What a message costs, of the time.
    each: Duration,
    time: Duration,
    users: HashMap<String, User>,
}

#[derive(Debug)]
struct User {
    /// When everything that was spent has come back.
    back: Duration,
    is_told: bool,
}

impl Spent {
    fn spend(&mut self, now: Duration, who: String) -> Turn {
        let full = now + self.time;
        if let Some(user) = self.users.get_mut(&who) {
            let back = user.back.max(now) + self.each;
            if back > full {
                return match std::mem::replace(&mut user.is_told, true) {
                    true => Turn::Silent,
                    false => Turn::Wait(back - full),
                };
            }
            *user = User {
                back,
                is_told: false,
            };
            return Turn::Go;
        }
        if self.users.len() >= MOST {
            self.users.retain(|_, user| user.back > now);
        }
        if self.users.len() >= MOST {
            let mut backs: Vec<Duration> = self.users.values().map(|user| user.back).collect();
            let (_, back, _) = backs.select_nth_unstable(MOST / 4);
            let back = *back;
            self.users.retain(|_, user| user.back > back);
        }
        let user = User {
            back: now + self.each,
            is_told: false,
        };
        self.users.insert(who, user);
        Turn::Go
    }
}

/// Logs each event that a bot handles, how long that took, and what came of it; not what was said. The level is `info`.
///
/// ```
/// use botroupe::bot::middleware;
/// use botroupe::prelude::*;
///
/// # async fn answer(_: Text) {}
/// # let _ =
/// Bot::new("clerk").middleware(middleware::log()).on_text(answer)
/// # ;
/// ```
pub fn log() -> impl Fn(Event, Next) -> BoxFuture<'static, Reply> + Send + Sync + 'static {
    |event, next| {
        async move {
            let began = event.now().mono;
            let reply = next.run(event.clone()).await;
            let took = event.now().mono.saturating_sub(began);
            let (account, bot) = (event.account(), event.bot().name);
            let handler = event.bot().handlers.name(&event);
            let place = event.conversation().map(|place| place.to_string());
            let conversation = place.unwrap_or_default();
            let from = event.actor().map_or("", |user| user.as_str());
            let outcome = match (reply.error(), reply.is_pass()) {
                (Some(_), _) => "failed",
                (None, true) => "passed",
                (None, false) => "done",
            };
            tracing::info!(%account, bot, handler, conversation, from, ?took, outcome, replies = reply.len(), "handled");
            reply
        }
        .boxed()
    }
}

/// Answers errors of one type that handlers return, so that they are no failures: they are neither logged nor counted,
/// [`on_error`](crate::bot::Bot::on_error) does not hear of them, and what the handler wrote is kept. An error that was caused
/// by one of that type is one, too.
///
/// ```
/// use botroupe::bot::middleware;
/// use botroupe::prelude::*;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("{0} is sold out")]
/// struct SoldOut(&'static str);
///
/// async fn buy(_: Text) -> Result<&'static str, SoldOut> {
///     Err(SoldOut("tea"))
/// }
/// # let _ =
/// Bot::new("shop")
///     .middleware(middleware::catch(|error: &SoldOut| format!("Sorry, {error}.")))
///     .on_text(buy)
/// # ;
/// ```
pub fn catch<E, R>(
    answer: impl Fn(&E) -> R + Send + Sync + 'static,
) -> impl Fn(Event, Next) -> BoxFuture<'static, Reply> + Send + Sync + 'static
where
    E: Error + 'static,
    R: IntoReply,
{
    let answer = Arc::new(answer);
    move |event, next| {
        let answer = answer.clone();
        async move {
            let reply = next.run(event).await;
            let mut error = reply.error().map(|error| error as &(dyn Error + 'static));
            while let Some(one) = error {
                if let Some(known) = one.downcast_ref::<E>() {
                    return answer(known).into_reply();
                }
                error = one.source();
            }
            reply
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::testing::TestBot;
    use crate::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_spent_comes_back_evenly_and_who_waits_is_told_once() {
        let mut spent = Spent {
            each: SECOND * 2,
            time: SECOND * 6,
            users: HashMap::new(),
        };
        for (second, who, expected) in [
            (100, "alice", Turn::Go),
            (100, "alice", Turn::Go),
            (100, "alice", Turn::Go),
            (101, "alice", Turn::Wait(SECOND)),
            (101, "alice", Turn::Silent),
            (101, "bob", Turn::Go),
            (102, "alice", Turn::Go),
            (103, "alice", Turn::Wait(SECOND)),
            (200, "alice", Turn::Go),
            (200, "alice", Turn::Go),
            (200, "alice", Turn::Go),
            (200, "alice", Turn::Wait(SECOND * 2)),
        ] {
            let turn = spent.spend(SECOND * second, who.to_owned());
            assert_eq!(turn, expected, "{who} at {second}");
        }
        for number in 0..3 * MOST {
            assert_eq!(spent.spend(SECOND * 300, format!("u{number}")), Turn::Go);
        }
        assert!(spent.users.len() <= MOST);
    }

    #[actix_rt::test]
    async fn a_limit_is_for_each_user_and_for_what_is_said() {
        let echo = Bot::new("echo")
            .middleware(rate_limit(2, SECOND * 20))
            .command("ping", async || "pong")
            .on_text(async |text: Text| text.into_inner())
            .on_ready(async |api: Api| {
                let _ = api.send_text("admin", "ready").await;
            });
        let bot = TestBot::new(echo);
        bot.advance("1s").await;
        assert_eq!(bot.hears("one").await, ["one"]);
        assert_eq!(bot.hears("/ping").await, ["pong"]);
        assert_eq!(bot.hears("three").await, ["Please wait 6 s."]);
        bot.in_group("g").hears("four").await.expect_no_reply();
        assert_eq!(bot.from("bob").hears("five").await, ["five"]);
        bot.advance("10s").await.expect_no_reply();
        assert_eq!(bot.hears("六").await, ["六"]);
        for _ in 0..4 {
            assert_eq!(bot.ready().await, ["ready"]);
        }
        bot.crash_and_restart().await;
    }

    #[actix_rt::test]
    async fn errors_of_one_type_are_answered() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0} is sold out")]
        struct SoldOut(String);
        #[derive(Debug, thiserror::Error)]
        #[error("no order")]
        struct NoOrder(#[source] SoldOut);
        type Failed = Box<dyn Error + Send + Sync>;
        async fn buy(text: Text) -> Result<&'static str, Failed> {
            match &*text {
                "tea" => Err(SoldOut("tea".to_owned()).into()),
                "order" => Err(NoOrder(SoldOut("it".to_owned())).into()),
                "other" => Err("other".into()),
                _ => Ok("yes"),
            }
        }
        let shop = Bot::new("shop")
            .middleware(log())
            .middleware(catch(|error: &SoldOut| format!("Sorry, {error}.")))
            .on_text(buy);
        let bot = TestBot::new(shop);
        assert_eq!(bot.hears("tea").await, ["Sorry, tea is sold out."]);
        assert_eq!(bot.hears("order").await, ["Sorry, it is sold out."]);
        assert_eq!(bot.hears("coffee").await, ["yes"]);
        let failed = bot.hears("other").await;
        assert_eq!(failed.failures()[0].to_string(), "other");
    }
}
