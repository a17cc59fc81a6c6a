//! Changes to messages and people: recalls, edits, read marks, receipts, profiles, friends and
//! online status. An update is any push content other than a message or a kick.

use super::lenient;
use super::message::{Conversation, Element, MessageRef};
use super::op::extension::ExtensionChange;
use super::op::reaction::{OwnReaction, ReactionChange};
use crate::id::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A change. Each variant keeps additional data of the server in its `extra` field.
///
/// Its JSON is that of this crate, to keep an update for later; it is not what is on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Update {
    /// Messages were recalled.
    Recalled {
        /// The conversation.
        conversation: Conversation,
        /// The user who recalled them; empty if the server did not name one.
        by: UserId,
        /// The messages.
        messages: Vec<MessageRef>,
    },
    /// A message was edited.
    Edited {
        /// The conversation.
        conversation: Conversation,
        /// The message after the edit.
        message: Box<EditedMessage>,
    },
    /// The peer has read all messages up to a time.
    ReadByPeer {
        /// The peer.
        peer: UserId,
        /// Server time in Unix seconds.
        until: u64,
    },
    /// This account has read messages on another of its terminals.
    ReadElsewhere {
        /// The conversation.
        conversation: Conversation,
        /// The read position: server time in Unix seconds, or the sequence number of a group
        /// message.
        until: u64,
    },
    /// This account has read all conversations on another of its terminals.
    AllReadElsewhere {
        /// Whether all one-to-one conversations were read.
        c2c: bool,
        /// GroupIDs, each with the sequence number up to which the group was read.
        groups: Vec<(GroupId, u32)>,
    },
    /// A read receipt for one-to-one messages that requested one.
    C2cReceipt {
        /// The user who has read them.
        peer: UserId,
        /// The time of reading, in Unix seconds.
        time: u64,
        /// The messages.
        messages: Vec<MessageRef>,
    },
    /// The number of readers of group messages that requested receipts.
    GroupReceipt {
        /// The group.
        group: GroupId,
        /// The messages.
        messages: Vec<GroupReceipt>,
    },
    /// A user has started or stopped typing. The UI kits send this notice as a custom message. It
    /// repeats every few seconds, and the final notice may be missing.
    Typing {
        /// The conversation.
        conversation: Conversation,
        /// The user. It is this account if it types on another of its terminals.
        user: UserId,
        /// Whether the user is typing.
        is_typing: bool,
    },
    /// This account was mentioned. The message itself arrives separately.
    Mentioned(Mentioned),
    /// The profile of a user changed.
    Profile(ProfileChange),
    /// Friends, applications or the blacklist changed.
    Friends(FriendChange),
    /// The conversation list changed on another terminal.
    Conversations(Fields),
    /// Users came online or went offline.
    Status(Vec<UserStatus>),
    /// The notification mode of a one-to-one conversation was changed on another terminal.
    MuteNotifications {
        /// The peer.
        peer: UserId,
        /// 0 notify, 1 discard, 2 receive without notification.
        option: u32,
    },
    /// The reactions to a message changed.
    Reactions(ReactionChange),
    /// This account reacted on another of its terminals.
    ReactedElsewhere(OwnReaction),
    /// The extensions of a message changed.
    Extensions(ExtensionChange),
    /// The do-not-disturb period was changed on another terminal: `Level`, `StartTime` and
    /// `EndTime` in Unix seconds, `IsRepeated`.
    DoNotDisturb(Fields),
    /// The followers of this account changed, or the users that it follows.
    Follows(FollowChange),
}

impl Update {
    /// Sets the conversation of a one-to-one update to the peer, from the view of the account `me`.
    /// The server names the sender, who may be `me`.
    pub fn seen_by(&mut self, me: &str) {
        let (conversation, to) = match self {
            Self::Recalled {
                conversation,
                messages,
                ..
            } => (conversation, messages.first().map(|message| &*message.to)),
            Self::Edited {
                conversation,
                message,
            } => (conversation, Some(&*message.to)),
            _ => return,
        };
        if let (Conversation::C2c(peer), Some(to)) = (&mut *conversation, to)
            && **peer == *me
        {
            *peer = to.into();
        }
    }
}

/// An object whose fields this crate does not interpret.
pub type Fields = Map<String, Value>;

/// A message after an edit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EditedMessage {
    /// The sender.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: UserId,
    /// The receiver; empty in a group.
    #[serde(
        rename = "To_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub to: UserId,
    /// The GroupID; empty for a one-to-one message.
    #[serde(
        rename = "GroupId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub group: GroupId,
    /// The TopicID, in a community.
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub topic: GroupId,
    /// `MsgSeq`
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// `MsgRandom`
    #[serde(rename = "MsgRandom", default, deserialize_with = "lenient::int")]
    pub random: u32,
    /// The server time of the original message, in Unix seconds.
    #[serde(
        rename = "MsgTime",
        alias = "MsgTimeStamp",
        default,
        deserialize_with = "lenient::int"
    )]
    pub time: u64,
    /// The number of edits.
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::int")]
    pub version: u32,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub elements: Vec<Element>,
    /// Application data stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

/// The number of readers of one group message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupReceipt {
    /// The sequence number of the message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// The number of members who have read it.
    #[serde(rename = "ReadNum", default, deserialize_with = "lenient::int")]
    pub read: u32,
    /// The number of members who have not read it.
    #[serde(rename = "UnreadNum", default, deserialize_with = "lenient::int")]
    pub unread: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

/// A mention of this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mentioned {
    /// The group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub group: GroupId,
    /// The TopicID, in a community.
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub topic: GroupId,
    /// The user who mentioned this account.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: UserId,
    /// The sequence number of the message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// 1: this account was mentioned by name. 2: all members were mentioned.
    #[serde(
        rename = "GroupAtType",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub kinds: Vec<u32>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

/// The changed fields of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// The user.
    #[serde(
        rename = "Profile_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// `[{"Tag", "ValueBytes" | "ValueNum"}]`
    #[serde(
        rename = "ProfileList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub fields: Vec<Fields>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

impl ProfileChange {
    /// Returns the new nick name, if it changed.
    #[must_use]
    pub fn nick(&self) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.get("Tag").and_then(Value::as_str) == Some("Tag_Profile_IM_Nick"))?
            .get("ValueBytes")?
            .as_str()
    }
}

/// Changes to friends, friend applications and the blacklist.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FriendChange {
    /// New friends.
    #[serde(
        rename = "FriendAdd_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub added: Vec<UserId>,
    /// Former friends.
    #[serde(
        rename = "FriendDel_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub removed: Vec<UserId>,
    /// New friend applications: objects with `PendencyAdd_Account`, `AddWording`, ….
    #[serde(
        rename = "PendencyAdd",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub applications: Vec<Fields>,
    /// Users added to the blacklist.
    #[serde(
        rename = "BlackListAdd_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub blacklisted: Vec<UserId>,
    /// Users removed from the blacklist.
    #[serde(
        rename = "BlackListDel_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unblacklisted: Vec<UserId>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

/// A changed follow relation between a user and this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowChange {
    /// The user.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The changes.
    #[serde(
        rename = "FollowDiffList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub changes: Vec<FollowDiff>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

/// One list that the user was added to or removed from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowDiff {
    /// Whether the user was added.
    #[serde(rename = "IsAdd", default, deserialize_with = "lenient::flag")]
    pub added: bool,
    /// The list: 1 followers, 2 followed users, 3 mutual followers.
    #[serde(rename = "FollowType", default, deserialize_with = "lenient::int")]
    pub list: u32,
}

/// The online status of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserStatus {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// 1 online, 2 offline, 3 not logged in, 0 unknown.
    #[serde(rename = "Status", default, deserialize_with = "lenient::int")]
    pub status: u32,
    /// The custom status of the user, in base64 as the server sends it.
    #[serde(rename = "CustomStatus", default, deserialize_with = "lenient::string")]
    pub custom: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Fields,
}

impl UserStatus {
    /// Returns whether the user is online.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.status == 1
    }
}

impl fmt::Display for Update {
    /// Writes a short name for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recalled { .. } => "recalled",
            Self::Edited { .. } => "edited",
            Self::ReadByPeer { .. } => "read by peer",
            Self::ReadElsewhere { .. } | Self::AllReadElsewhere { .. } => "read elsewhere",
            Self::C2cReceipt { .. } | Self::GroupReceipt { .. } => "receipt",
            Self::Typing { .. } => "typing",
            Self::Mentioned(_) => "mentioned",
            Self::Profile(_) => "profile",
            Self::Friends(_) => "friends",
            Self::Conversations(_) => "conversations",
            Self::Status(_) => "status",
            Self::MuteNotifications { .. } => "mute notifications",
            Self::Reactions(_) => "reactions",
            Self::ReactedElsewhere(_) => "reacted elsewhere",
            Self::Extensions(_) => "extensions",
            Self::DoNotDisturb(_) => "do not disturb",
            Self::Follows(_) => "follows",
        })
    }
}
