//! Handlers for what happens around messages, each kind by its name.

use super::builder::Bot;
use super::filter::Filter;
use super::handler::{Handler, Parameters};
use super::kinds::Kinds;
use super::reply::IntoReply;

macro_rules! occasions {
    ($($(#[$doc:meta])* $name:ident: $kind:ident;)*) => {
        impl Bot {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name<Args, H>(self, handler: H) -> Self
            where
                H: Handler<Args>,
                Args: Parameters,
                H::Output: IntoReply,
                H::Future: Send + 'static,
            {
                self.on(Filter::kinds_only(Kinds::$kind), handler)
            }
        )*}
    };
}

occasions! {
    /// Calls `handler` when messages are recalled; it may take [`Recalled`](super::Recalled). What it returns is said in
    /// the conversation.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn saw(recalled: Recalled, api: Api) -> Option<String> {
    ///     (recalled.by != api.me()).then(|| format!("{} has taken something back.", recalled.by))
    /// }
    /// # let _ =
    /// Bot::new("witness").on_recalled(saw)
    /// # ;
    /// ```
    on_recalled: RECALLED;
    /// Calls `handler` when a message is edited; it may take [`Edited`](super::Edited). Edits of the account itself are
    /// among them.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn again(edited: Edited, api: Api) -> Option<String> {
    ///     let is_own = edited.message.from == api.me();
    ///     let text = edited.text().filter(|_| !is_own)?;
    ///     text.contains("casino").then(|| "No advertising, please.".to_owned())
    /// }
    /// # let _ =
    /// Bot::new("moderator").on_edited(again)
    /// # ;
    /// ```
    on_edited: EDITED;
    /// Calls `handler` when the other side has read a one-to-one conversation; it may take [`Read`](super::Read).
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn seen(read: Read) {
    ///     println!("{} has read everything up to {}", read.user, read.until);
    /// }
    /// # let _ =
    /// Bot::new("bailiff").on_read(seen)
    /// # ;
    /// ```
    on_read: READ;
    /// Calls `handler` when messages are read that ask for receipts ([`Draft::receipt`](crate::proto::message::Draft));
    /// it may take [`Receipts`](super::Receipts).
    on_receipt: RECEIPT;
    /// Calls `handler` when the reactions to a message change; it may take [`Reacted`](super::Reacted).
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn thanks(reacted: Reacted, api: Api) -> Result<(), ApiError> {
    ///     for reaction in reacted.reactions.iter().filter(|reaction| reaction.name == "👍") {
    ///         for user in &reaction.users {
    ///             api.send_text(user, "Glad you like it!").await?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// # let _ =
    /// Bot::new("vain").on_reaction(thanks)
    /// # ;
    /// ```
    on_reaction: REACTED;
    /// Calls `handler` when somebody types, or stops; it may take [`Typing`](super::Typing).
    on_typing: TYPING;
    /// Calls `handler` when friends, applications of friends or the blacklist change; it may take
    /// [`FriendChange`](crate::proto::update::FriendChange).
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn hello(change: FriendChange, api: Api) -> Result<(), ApiError> {
    ///     for friend in &change.added {
    ///         api.send_text(friend, "Nice to meet you!").await?;
    ///     }
    ///     Ok(())
    /// }
    /// # let _ =
    /// Bot::new("friend").on_friends(hello)
    /// # ;
    /// ```
    on_friends: FRIENDS;
    /// Calls `handler` when the profile of a user changes; it may take
    /// [`ProfileChange`](crate::proto::update::ProfileChange).
    on_profile: PROFILE;
    /// Calls `handler` when users come online or go offline; it may take [`Statuses`](super::Statuses).
    on_status: STATUS;
    /// Calls `handler` when somebody follows the account, or no longer does, and when the account follows; it may take
    /// [`FollowChange`](crate::proto::update::FollowChange).
    on_follows: FOLLOWS;
    /// Calls `handler` when somebody joins a group; it may take [`Joined`](super::Joined). What it returns is said in the
    /// group.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn welcome(joined: Joined) -> Draft {
    ///     let draft = Draft::text(format!("Welcome, {}!", joined.members.join(", ")));
    ///     joined.members.iter().fold(draft, Draft::mention)
    /// }
    /// # let _ =
    /// Bot::new("host").on_joined(welcome)
    /// # ;
    /// ```
    on_joined: JOINED;
    /// Calls `handler` when somebody leaves a group, or is removed; it may take [`Left`](super::Left).
    on_left: LEFT;
    /// Calls `handler` when members are muted, or may speak again; it may take [`Muted`](super::Muted).
    on_muted: MUTED;
    /// Calls `handler` when the profile of a group or a topic changes; it may take
    /// [`GroupChanged`](super::GroupChanged).
    on_group_changed: GROUP_CHANGED;
    /// Calls `handler` when somebody wants to join a group that the account decides about; it may take
    /// [`JoinRequest`](super::JoinRequest).
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn let_in(request: JoinRequest, message: Message, api: Api) -> Result<(), ApiError> {
    ///     let knows = request.text.contains("open sesame");
    ///     api.decide(&message, knows, "").await
    /// }
    /// # let _ =
    /// Bot::new("porter").on_join_request(let_in)
    /// # ;
    /// ```
    on_join_request: JOIN_REQUEST;
    /// Calls `handler` when somebody brings the account into a group; it may take [`Invited`](super::Invited).
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn hello(invited: Invited, api: Api) -> Result<(), ApiError> {
    ///     api.group(invited.group.id).say("Hello everybody!").await?;
    ///     Ok(())
    /// }
    /// # let _ =
    /// Bot::new("guest").on_invited(hello)
    /// # ;
    /// ```
    on_invited: INVITED;
    /// Calls `handler` when the account is no longer in a group; it may take [`Removed`](super::Removed).
    on_removed: REMOVED;
}
