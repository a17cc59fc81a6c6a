//! Acting on one user. What belongs to a feature is in the file of the feature.

use super::{Api, ApiError, ConversationApi, GROUP, IntoDraft, IntoUserId, Sending};
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Message};

/// Acts on one user, see [`Api::user`].
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn greet(sender: Sender, api: Api) -> Result<(), ApiError> {
///     let user = api.user(&sender);
///     if user.is_friend().await? {
///         let nick = user.profile().await?.nick().to_owned();
///         user.send(format!("Welcome back, {nick}!")).await?;
///     }
///     Ok(())
/// }
/// # let _ = Bot::new("greeter").on_text(greet);
/// ```
#[derive(Clone, Debug)]
pub struct UserApi<'a> {
    api: &'a Api,
    id: UserId,
}

/// Refuses what cannot be the ID of a user.
pub(super) fn check_user(id: &UserId) -> Result<(), ApiError> {
    id.check()?;
    if id.starts_with(GROUP) {
        return Err(ApiError::Unfit(
            "this is the ID of a group; use `Api::group`, or `Conversation::group` to send something",
        ));
    }
    Ok(())
}

impl Api {
    /// Acts on a user: of a text, a [`UserId`], or a `&Sender`.
    ///
    /// An ID that cannot be one makes every method fail with [`ApiError::Id`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn shun(sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     api.user("alice").send("Somebody is a nuisance.").await?;
    ///     api.user(&sender).block().await
    /// }
    /// # let _ = Bot::new("guard").on_text(shun);
    /// ```
    pub fn user(&self, user: impl IntoUserId) -> UserApi<'_> {
        UserApi {
            api: self,
            id: user.into_user_id(),
        }
    }
}

impl<'a> UserApi<'a> {
    /// The UserID.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: &Api) {
    /// assert_eq!(api.user("alice").id(), "alice");
    /// # }
    /// ```
    #[must_use]
    pub const fn id(&self) -> &UserId {
        &self.id
    }

    pub(super) const fn api(&self) -> &'a Api {
        self.api
    }

    /// The UserID, if it can be one.
    pub(super) fn checked(&self) -> Result<&UserId, ApiError> {
        check_user(&self.id)?;
        Ok(&self.id)
    }

    /// Acts on the one-to-one conversation with the user.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn important(sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     api.user(&sender).conversation().pin().await
    /// }
    /// # let _ = Bot::new("b").on_text(important);
    /// ```
    #[must_use]
    pub fn conversation(&self) -> ConversationApi<'a> {
        self.api.conversation(&self.id)
    }

    /// Sends a message to the user: a [`Draft`], an element, several elements, or a text.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn tell(api: Api) -> Result<(), ApiError> {
    ///     api.user("alice").send("The report is ready.").key("report-7").await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("b").on_ready(tell);
    /// ```
    pub fn send(&self, draft: impl IntoDraft) -> Sending<'a> {
        let what = self.checked().map(Conversation::from);
        Sending::new(self.api, what.map(|to| (to, draft.into_draft())))
    }

    /// Like [`send`](Self::send), but does not wait for an account that is offline.
    ///
    /// # Errors
    /// [`SendError::NotReady`](crate::bot::SendError::NotReady) at once when the account is not ready; otherwise as
    /// [`send`](Self::send).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn tell(api: Api) {
    ///     if api.user("alice").send_now("It is raining.").await.is_err() {
    ///         // In an hour that is no news.
    ///     }
    /// }
    /// # let _ = Bot::new("weather").on_ready(tell);
    /// ```
    pub fn send_now(&self, draft: impl IntoDraft) -> Sending<'a> {
        self.send(draft).now()
    }

    /// Sends a message to the user and returns it, for [`Api::message`]; of a text that is too long for one message,
    /// the last one.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn oops(api: Api) -> Result<(), ApiError> {
    ///     let said = api.user("alice").say("Your PIN is 1234.").await?;
    ///     api.message(&said).recall().await
    /// }
    /// # let _ = Bot::new("b").on_ready(oops);
    /// ```
    pub async fn say(&self, draft: impl IntoDraft) -> Result<Message, ApiError> {
        let to = Conversation::from(self.checked()?);
        self.api.say(to, draft).await
    }

    /// Shows the user that this account is typing, or has stopped. Only users who are online see it; it is not
    /// stored. It ends with the next message to the user or after 30 s, unless it is sent again.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn think(sender: Sender, api: Api) -> Result<&'static str, ApiError> {
    ///     api.user(&sender).typing(true).await?;
    ///     tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    ///     Ok("42")
    /// }
    /// # let _ = Bot::new("thinker").on(filter::text() & filter::private(), think);
    /// ```
    pub async fn typing(&self, is_typing: bool) -> Result<(), ApiError> {
        self.send(Draft::typing(is_typing)).await?;
        Ok(())
    }
}
