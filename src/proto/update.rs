//! What changed about messages and people: recalls, edits, read marks, receipts, profiles, friends,
//! online status. Everything a push can say that is neither a message nor a kick.

use super::lenient;
use super::message::{Conversation, Element, MessageRef};
use super::op::extension::ExtensionChange;
use super::op::reaction::{OwnReaction, ReactionChange};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Something changed. What the server said beyond the fields here is kept in each one's `extra`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// Messages were recalled.
    Recalled {
        /// Where.
        conversation: Conversation,
        /// Who did it; empty when the server did not say.
        by: String,
        /// The messages.
        messages: Vec<MessageRef>,
    },
    /// A message was edited.
    Edited {
        /// Where.
        conversation: Conversation,
        /// Its new state.
        message: Box<EditedMessage>,
    },
    /// The other side has read everything up to a time.
    ReadByPeer {
        /// The other side.
        peer: String,
        /// Server time in Unix seconds.
        until: u64,
    },
    /// This account has read something on another of its terminals.
    ReadElsewhere {
        /// Where.
        conversation: Conversation,
        /// Up to here: server time in Unix seconds, or the number of a group message.
        until: u64,
    },
    /// This account has read everything on another of its terminals.
    AllReadElsewhere {
        /// All one-to-one conversations.
        c2c: bool,
        /// Groups, and the number up to which they were read.
        groups: Vec<(String, u32)>,
    },
    /// The receipt of one-to-one messages that asked for one.
    C2cReceipt {
        /// Who has read them.
        peer: String,
        /// When, Unix seconds.
        time: u64,
        /// The messages.
        messages: Vec<MessageRef>,
    },
    /// How many have read group messages that asked for receipts.
    GroupReceipt {
        /// The group.
        group: String,
        /// The messages.
        messages: Vec<GroupReceipt>,
    },
    /// Somebody writes at present, or no longer: a typing notice of the UI kits, which is no message.
    /// It comes again every few seconds, and its end may be missing.
    Typing {
        /// Where.
        conversation: Conversation,
        /// Who; this account when it writes on another of its terminals.
        user: String,
        /// Whether it writes.
        is_typing: bool,
    },
    /// This account was mentioned; the message itself comes as a message.
    Mentioned(Mentioned),
    /// Somebody's profile changed.
    Profile(ProfileChange),
    /// Friends, applications or the blacklist changed.
    Friends(FriendChange),
    /// The list of conversations changed on another terminal.
    Conversations(Fields),
    /// Users came online or went offline.
    Status(Vec<UserStatus>),
    /// How a one-to-one conversation announces itself was changed on another terminal.
    MuteNotifications {
        /// The other side.
        peer: String,
        /// 0 announced, 1 discarded, 2 received without being announced.
        option: u32,
    },
    /// The reactions to a message changed.
    Reactions(ReactionChange),
    /// This account reacted on another of its terminals.
    ReactedElsewhere(OwnReaction),
    /// The extensions of a message changed.
    Extensions(ExtensionChange),
    /// When this account wants no notifications was changed on another terminal: `Level`, `StartTime`
    /// and `EndTime` in Unix seconds, `IsRepeated`.
    DoNotDisturb(Fields),
    /// Who follows this account changed, or whom it follows.
    Follows(FollowChange),
}

impl Update {
    /// Names a one-to-one conversation by its other side, as the account `me` sees it: what the
    /// server says names the sender, who may be `me`.
    pub fn seen_by(&mut self, me: &str) {
        let (conversation, to) = match self {
            Self::Recalled {
                conversation,
                messages,
                ..
            } => (conversation, messages.first().map(|message| &message.to)),
            Self::Edited {
                conversation,
                message,
            } => (conversation, Some(&message.to)),
            _ => return,
        };
        if let (Conversation::C2c(peer), Some(to)) = (&mut *conversation, to)
            && **peer == *me
        {
            *peer = to.as_str().into();
        }
    }
}

/// An object whose fields this crate hands on as they came.
pub type Fields = Map<String, Value>;

/// The new state of an edited message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EditedMessage {
    /// Who said it.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// To whom; empty in a group.
    #[serde(
        rename = "To_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub to: String,
    /// The group; empty of a one-to-one message.
    #[serde(
        rename = "GroupId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub group: String,
    /// The topic, in a community.
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub topic: String,
    /// `MsgSeq`
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// `MsgRandom`
    #[serde(rename = "MsgRandom", default, deserialize_with = "lenient::int")]
    pub random: u32,
    /// Server time in Unix seconds, of when it was said.
    #[serde(
        rename = "MsgTime",
        alias = "MsgTimeStamp",
        default,
        deserialize_with = "lenient::int"
    )]
    pub time: u64,
    /// How often it was edited.
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::int")]
    pub version: u32,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

/// How many have read one group message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupReceipt {
    /// The number of the message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// Members who have.
    #[serde(rename = "ReadNum", default, deserialize_with = "lenient::int")]
    pub read: u32,
    /// Members who have not.
    #[serde(rename = "UnreadNum", default, deserialize_with = "lenient::int")]
    pub unread: u32,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

/// A mark that this account was mentioned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mentioned {
    /// The group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub group: String,
    /// The topic, in a community.
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub topic: String,
    /// Who did it.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// The number of the message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// 1: by name, 2: as one of all.
    #[serde(
        rename = "GroupAtType",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub kinds: Vec<u32>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

/// What changed in a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// Whose.
    #[serde(
        rename = "Profile_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: String,
    /// `[{"Tag", "ValueBytes" | "ValueNum"}]`
    #[serde(
        rename = "ProfileList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub fields: Vec<Fields>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

impl ProfileChange {
    /// The new nick name, if that is what changed.
    #[must_use]
    pub fn nick(&self) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.get("Tag").and_then(Value::as_str) == Some("Tag_Profile_IM_Nick"))?
            .get("ValueBytes")?
            .as_str()
    }
}

/// Who became or is no longer a friend, an applicant, blacklisted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FriendChange {
    /// New friends.
    #[serde(
        rename = "FriendAdd_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub added: Vec<String>,
    /// Friends no longer.
    #[serde(
        rename = "FriendDel_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub removed: Vec<String>,
    /// Who wants to become a friend, as objects with `PendencyAdd_Account`, `AddWording`, ….
    #[serde(
        rename = "PendencyAdd",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub applications: Vec<Fields>,
    /// New on the blacklist.
    #[serde(
        rename = "BlackListAdd_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub blacklisted: Vec<String>,
    /// On the blacklist no longer.
    #[serde(
        rename = "BlackListDel_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unblacklisted: Vec<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

/// How somebody now stands to this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowChange {
    /// Who.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// What changed.
    #[serde(
        rename = "FollowDiffList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub changes: Vec<FollowDiff>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

/// One list that the user came into, or went out of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowDiff {
    /// Whether the user came.
    #[serde(rename = "IsAdd", default, deserialize_with = "lenient::flag")]
    pub added: bool,
    /// Which list: 1 those who follow this account, 2 those it follows, 3 those who are in both.
    #[serde(rename = "FollowType", default, deserialize_with = "lenient::int")]
    pub list: u32,
}

/// Whether somebody is online.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserStatus {
    /// Who.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// 1 online, 2 offline, 3 not logged in, 0 unknown.
    #[serde(rename = "Status", default, deserialize_with = "lenient::int")]
    pub status: u32,
    /// What the user says of itself, as it comes: the server sends it in base64.
    #[serde(rename = "CustomStatus", default, deserialize_with = "lenient::string")]
    pub custom: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Fields,
}

impl UserStatus {
    /// Whether the user is online.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.status == 1
    }
}

impl fmt::Display for Update {
    /// A word for logs.
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
