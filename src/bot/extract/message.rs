//! What a handler can take of a message or an update.

use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Skipped;
use crate::proto::id::{GroupId, UserId};
use crate::proto::message::{Conversation, GroupTip, Message, SystemNotice};
use crate::proto::update::Update;
use std::ops::Deref;
use std::sync::Arc;

/// The text of a text message; of several that are handled together (see [`Overlap`](crate::bot::Overlap)), each on a
/// line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text itself.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromEvent for Text {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let text = event.message().and_then(Message::text).ok_or(Skipped)?;
        if event.earlier().is_empty() {
            return Ok(Self::from(text));
        }
        let earlier = event.earlier().iter();
        let mut all: Vec<&str> = earlier.filter_map(|message| message.text()).collect();
        all.push(text);
        Ok(Self(all.join("\n")))
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::TEXT);
    }
}

impl FromEvent for Message {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        event.message().cloned().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
    }
}

/// Without a copy of the message.
impl FromEvent for Arc<Message> {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        event.shared_message().cloned().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
    }
}

/// The messages that are handled together, in order: one, unless the bot merges what
/// [overlaps](crate::bot::Overlap).
#[derive(Clone, Debug)]
pub struct Messages(Vec<Arc<Message>>);

impl Deref for Messages {
    type Target = [Arc<Message>];

    fn deref(&self) -> &[Arc<Message>] {
        &self.0
    }
}

impl FromEvent for Messages {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let last = event.shared_message().ok_or(Skipped)?;
        let mut all = event.earlier().to_vec();
        all.push(last.clone());
        Ok(Self(all))
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
    }
}

impl FromEvent for Update {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        event.update().cloned().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::UPDATE);
    }
}

impl FromEvent for GroupTip {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let tip = event.message().and_then(Message::tip);
        tip.cloned().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::TIP);
    }
}

impl FromEvent for SystemNotice {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let notice = event.message().and_then(Message::notice);
        notice.cloned().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::NOTICE);
    }
}

/// The group of the message. A handler that takes it is called for group messages only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its GroupID.
    pub id: GroupId,
    /// Its name; empty when the server did not give it.
    pub name: String,
}

impl Group {
    /// A group of this GroupID and name, to try a handler with.
    pub fn new(id: impl Into<GroupId>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }
}

impl From<&Group> for GroupId {
    fn from(group: &Group) -> Self {
        group.id.clone()
    }
}

impl FromEvent for Group {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let message = event.message().ok_or(Skipped)?;
        match &message.conversation {
            Conversation::Group(id) => {
                let name = message.group.as_ref().map(|group| group.name.clone());
                Ok(Self::new(id, name.unwrap_or_default()))
            }
            _ => Err(Skipped),
        }
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
        needs.may_skip();
    }
}

impl FromEvent for Conversation {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        event.conversation().ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        // An alarm may have none.
        needs.only(Kinds::MESSAGE | Kinds::ALARM | Kinds::IN_CONVERSATION);
    }
}

/// The sender of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sender {
    /// Its UserID.
    pub user_id: UserId,
    /// Its nick name; empty when the server did not give it.
    pub nick: String,
}

impl Sender {
    /// A sender of this UserID and nick name, to try a handler with.
    pub fn new(user_id: impl Into<UserId>, nick: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            nick: nick.into(),
        }
    }
}

impl From<&Sender> for UserId {
    fn from(sender: &Sender) -> Self {
        sender.user_id.clone()
    }
}

impl FromEvent for Sender {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let Message { from, nick, .. } = event.message().ok_or(Skipped)?;
        Ok(Self::new(from, nick.clone()))
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
    }
}
