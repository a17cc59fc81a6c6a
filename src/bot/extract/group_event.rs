//! What a handler can take of what happens in groups.

use super::Group;
use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Skipped;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, GroupTip, Message, NoticeKind, SystemNotice, TipKind};
use serde_json::{Map, Value};
use std::time::Duration;

/// Somebody joined a group: a parameter of [`on_joined`](crate::bot::Bot::on_joined) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The group.
    pub group: Group,
    /// Who joined; several when they were invited together.
    pub members: Vec<UserId>,
    /// Who let them in.
    pub by: UserId,
    /// Whether they were invited, and did not ask.
    pub is_invited: bool,
    /// How many members the group has now, if the server says so.
    pub member_count: Option<u32>,
}

/// Somebody left a group, or was removed: a parameter of [`on_left`](crate::bot::Bot::on_left) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// The group.
    pub group: Group,
    /// Who is no longer there.
    pub members: Vec<UserId>,
    /// Who removed them; who left by themselves otherwise.
    pub by: UserId,
    /// Whether they were removed.
    pub is_kicked: bool,
    /// How many members the group has now, if the server says so.
    pub member_count: Option<u32>,
}

/// Members were muted or may speak again: a parameter of [`on_muted`](crate::bot::Bot::on_muted) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Muted {
    /// The group.
    pub group: Group,
    /// Who decided so.
    pub by: UserId,
    /// The members, each with the time for which they are muted; zero when they may speak again.
    pub members: Vec<(UserId, Duration)>,
}

/// The profile of a group or a topic changed: a parameter of [`on_group_changed`](crate::bot::Bot::on_group_changed)
/// handlers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupChanged {
    /// The group.
    pub group: Group,
    /// Who changed it.
    pub by: UserId,
    /// The changed fields by their names on the wire: `GroupName`, `Notification`, `Owner_Account`, `ShutupAll`, …
    pub fields: Map<String, Value>,
}

/// Somebody wants to join a group of which the account is owner or administrator, or to bring somebody: a parameter of
/// [`on_join_request`](crate::bot::Bot::on_join_request) handlers. [`Api::decide`](crate::bot::Api::decide) answers it;
/// take the `Message`, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JoinRequest {
    /// The group.
    pub group: Group,
    /// Who asks.
    pub user: UserId,
    /// What they say.
    pub text: String,
    /// Whether they want to bring somebody else.
    pub is_invitation: bool,
}

/// Somebody brought the account into a group: a parameter of [`on_invited`](crate::bot::Bot::on_invited) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invited {
    /// The group.
    pub group: Group,
    /// Who did.
    pub by: UserId,
}

/// The account is no longer in a group: a parameter of [`on_removed`](crate::bot::Bot::on_removed) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// The group.
    pub group: Group,
    /// Who removed it, or dismissed the group; empty if nobody did.
    pub by: UserId,
    /// What happened: `Kicked`, `Dismissed`, `Quit`, `Recycled` or `Banned`.
    pub why: NoticeKind,
}

/// The group that a message, a tip or a notice is about.
fn group(message: &Message) -> Group {
    let info = message.group.as_deref();
    let name = info.map_or("", |info| &info.name);
    let id = match (&message.conversation, info) {
        (Conversation::Group(group), _) => group.clone(),
        // A notice is in no conversation of its group.
        (_, Some(info)) => info.id.clone(),
        (other, None) => other.name().into(),
    };
    Group::new(id, name)
}

/// Those whom a tip is about; who acted, if it names nobody else.
fn members(tip: &GroupTip) -> Vec<UserId> {
    if tip.members.is_empty() && !tip.operator.is_empty() {
        return vec![tip.operator.clone()];
    }
    tip.members.clone()
}

macro_rules! of_group {
    ($($type:ty: $kind:ident, $part:ident, |$message:ident, $it:ident: &$of:ty| $value:expr;)*) => {$(
        impl FromEvent for $type {
            type Rejection = Skipped;

            async fn from_event(event: &Event) -> Result<Self, Skipped> {
                if !Kinds::$kind.meets(event.kind()) {
                    return Err(Skipped);
                }
                let $message = event.message().ok_or(Skipped)?;
                let $it: &$of = $message.$part().ok_or(Skipped)?;
                Ok($value)
            }

            fn needs(needs: &mut Needs) {
                needs.only(Kinds::$kind);
            }
        }
    )*};
}

of_group! {
    Joined: JOINED, tip, |message, tip: &GroupTip| Self {
        group: group(message),
        members: members(tip),
        by: tip.operator.clone(),
        is_invited: tip.join_type == Some(2),
        member_count: tip.member_count,
    };
    Left: LEFT, tip, |message, tip: &GroupTip| Self {
        group: group(message),
        members: members(tip),
        by: tip.operator.clone(),
        is_kicked: tip.kind() == TipKind::Kicked,
        member_count: tip.member_count,
    };
    Muted: MUTED, tip, |message, tip: &GroupTip| Self {
        group: group(message),
        by: tip.operator.clone(),
        members: tip
            .member_changes
            .iter()
            .filter_map(|change| {
                let time = Duration::from_secs(change.muted_for?);
                Some((change.user.clone(), time))
            })
            .collect(),
    };
    GroupChanged: GROUP_CHANGED, tip, |message, tip: &GroupTip| Self {
        group: group(message),
        by: tip.operator.clone(),
        fields: tip.changed.clone(),
    };
    JoinRequest: JOIN_REQUEST, notice, |message, notice: &SystemNotice| Self {
        group: group(message),
        user: notice.operator.clone(),
        text: notice.remark.clone(),
        is_invitation: notice.kind() == NoticeKind::InviteRequest,
    };
    Invited: INVITED, notice, |message, notice: &SystemNotice| Self {
        group: group(message),
        by: notice.operator.clone(),
    };
    Removed: REMOVED, notice, |message, notice: &SystemNotice| Self {
        group: group(message),
        by: notice.operator.clone(),
        why: notice.kind(),
    };
}
