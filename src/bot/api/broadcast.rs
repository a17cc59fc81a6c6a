//! The same message to many users.

use super::{Api, ApiError, IntoDraft, IntoUserId, Sending};
use crate::proto::answer::Sent;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use std::future::IntoFuture;

/// How many of them are under way at a time.
const ABREAST: usize = 16;

/// A message about to be sent to many users: `.await` it. See [`Api::broadcast`].
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct Broadcast<'a> {
    api: &'a Api,
    users: Vec<UserId>,
    draft: Draft,
    key: Option<String>,
}

impl Api {
    /// Sends the same message to many users, one-to-one. It waits where the account waits, so it keeps to the limits of
    /// the service; a few of them are under way at a time. The answer has the outcome for each user, in their
    /// order: one that fails does not stop the others.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn news(Args(text): Args<String>, readers: State<Vec<UserId>>, api: Api) -> String {
    ///     let sent = api.broadcast(readers.iter().cloned(), &*text).key(format!("news {text}")).await;
    ///     let failed = sent.iter().filter(|(_, outcome)| outcome.is_err()).count();
    ///     format!("Sent to {} people; {failed} could not be reached.", sent.len() - failed)
    /// }
    /// # let _ = Bot::new("paper").state(Vec::<UserId>::new()).command("news <text...>", news);
    /// ```
    pub fn broadcast(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        draft: impl IntoDraft,
    ) -> Broadcast<'_> {
        Broadcast {
            api: self,
            users: users.into_iter().map(IntoUserId::into_user_id).collect(),
            draft: draft.into_draft(),
            key: None,
        }
    }
}

impl Broadcast<'_> {
    /// Sends the message once to each user for each key, over restarts: a broadcast that was interrupted goes on where it
    /// was when it is made again. See [`Sending::key`].
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl<'a> IntoFuture for Broadcast<'a> {
    type Output = Vec<(UserId, Result<Sent, ApiError>)>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            api,
            users,
            draft,
            key,
        } = self;
        // A handler with a dialogue repeats its steps in their order.
        let abreast = if api.is_in_dialogue() { 1 } else { ABREAST };
        Box::pin(async move {
            let send = |user: UserId| {
                let to = Conversation::c2c(user.as_str());
                let sending = api.send(to, draft.clone());
                let sending: Sending<'_> = match &key {
                    Some(key) => sending.key(format!("{key} to {user}")),
                    None => sending,
                };
                async move {
                    let outcome = match user.check() {
                        Ok(()) => sending.await,
                        Err(error) => Err(error.into()),
                    };
                    (user, outcome)
                }
            };
            let all = stream::iter(users).map(send).buffered(abreast);
            all.collect().await
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::bot::testing::TestBot;
    use crate::bot::{Api, ApiError, Bot, BotResult};

    #[actix_rt::test]
    async fn each_user_gets_it_in_order_and_one_that_fails_stops_nobody() {
        async fn news(api: Api) -> BotResult<String> {
            let users = ["u1", "", "u2"];
            let sent = api.broadcast(users, "news").key("monday").await;
            let [(_, Ok(_)), (nobody, Err(error)), (_, Ok(_))] = &sent[..] else {
                return Err(format!("{sent:?}").into());
            };
            assert!(nobody.is_empty() && matches!(error, ApiError::Id(_)));
            Ok("done".to_owned())
        }
        let bot = TestBot::new(Bot::new("paper").command("news", news));
        let outcome = bot.hears("/news").await;
        let to: Vec<&str> = outcome.sent().iter().map(|(to, _)| to.name()).collect();
        assert_eq!(to, ["u1", "u2", "alice"]);
        // Each user once for each key.
        assert_eq!(bot.hears("/news").await, "done");
    }
}
