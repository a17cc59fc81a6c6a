//! Groups: creation, leaving, dismissal, transfer and changes of the profile. See "Groups" in
//! `docs/src/protocol.md`.

use super::Done;
use crate::id::{GroupId, UserId};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The maximum number of initial members.
pub const MAX_FOUNDERS: usize = 500;
/// The maximum number of groups per query.
pub const MAX_GROUPS: usize = 50;
/// The maximum number of groups per page.
pub const PAGE: u32 = 200;

const CHANGE: Limit = Limit::new("group change", 8.0, 2);

group_calls! {
    Quit => "quit_group" -> Done, Limit::NONE;
    Dismiss => "destroy_group" -> Done, Limit::NONE;
    Transfer => "change_group_owner" -> Done, Limit::NONE;
    Modify => "modify_group_base_info" -> Done, CHANGE;
}

/// The group type. It determines the permissions and cannot be changed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupKind {
    /// `Work` in the official client. Members invite others; nobody can apply.
    Work,
    /// A group that users find by its ID. Administrators decide about applications.
    Public,
    /// Everyone may join, and can read all messages since the creation.
    Meeting,
    /// A live room: any number of members, frequent joins and leaves, nothing is stored.
    Live,
    /// Up to 100,000 members.
    Community,
}

impl GroupKind {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Work => "Private",
            Self::Public => "Public",
            Self::Meeting => "ChatRoom",
            Self::Live => "AVChatRoom",
            Self::Community => "Community",
        }
    }
}

/// The treatment of users who apply or are invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinOption {
    /// They join at once.
    Free,
    /// The owner or an administrator decides.
    NeedPermission,
    /// They are rejected.
    Forbidden,
}

impl JoinOption {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Free => "FreeAccess",
            Self::NeedPermission => "NeedPermission",
            Self::Forbidden => "DisableApply",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct MemberName {
    #[serde(rename = "Member_Account")]
    pub(super) user: String,
}

/// One key-value pair of application data about a group or a member. The console defines the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// The key.
    #[serde(rename = "Key", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The value.
    #[serde(rename = "Value", default, deserialize_with = "lenient::string")]
    pub value: String,
}

/// Creates a group.
///
/// ```
/// use botroupe_proto::op::group::NewGroup;
///
/// let group = NewGroup::public("Chess").id("chess").members(["bob", "carol"]);
/// assert_eq!(group.name(), "Chess");
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct NewGroup {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "GroupId", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "Owner_Account")]
    owner: String,
    #[serde(rename = "Introduction", skip_serializing_if = "Option::is_none")]
    introduction: Option<String>,
    #[serde(rename = "Notification", skip_serializing_if = "Option::is_none")]
    notification: Option<String>,
    #[serde(rename = "FaceUrl")]
    face_url: String,
    #[serde(rename = "ApplyJoinOption", skip_serializing_if = "Option::is_none")]
    join: Option<&'static str>,
    #[serde(rename = "InviteJoinOption", skip_serializing_if = "Option::is_none")]
    invite: Option<&'static str>,
    #[serde(rename = "MaxMemberCount", skip_serializing_if = "Option::is_none")]
    max_members: Option<u32>,
    #[serde(rename = "MemberList", skip_serializing_if = "Vec::is_empty")]
    members: Vec<MemberName>,
    #[serde(rename = "AppDefinedData", skip_serializing_if = "Vec::is_empty")]
    data: Vec<KeyValue>,
    #[serde(rename = "SupportTopic", skip_serializing_if = "Option::is_none")]
    topics: Option<u8>,
    #[serde(rename = "WebPushFlag")]
    web_push: u8,
}

impl NewGroup {
    /// Creates a group of this type.
    pub fn new(kind: GroupKind, name: impl Into<String>) -> Self {
        Self {
            kind: kind.word(),
            name: name.into(),
            id: None,
            owner: String::new(),
            introduction: None,
            notification: None,
            face_url: String::new(),
            join: None,
            invite: None,
            max_members: None,
            members: Vec::new(),
            data: Vec::new(),
            topics: None,
            web_push: 1,
        }
    }

    /// Creates a [`GroupKind::Work`] group.
    pub fn work(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Work, name)
    }

    /// Creates a [`GroupKind::Public`] group.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Public, name)
    }

    /// Creates a [`GroupKind::Meeting`] group.
    pub fn meeting(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Meeting, name)
    }

    /// Creates a [`GroupKind::Live`] room.
    pub fn live(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Live, name)
    }

    /// Creates a [`GroupKind::Community`].
    pub fn community(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Community, name)
    }

    /// Creates a [`GroupKind::Community`] whose messages are all in topics, see
    /// [`topic`](super::topic).
    pub fn community_with_topics(name: impl Into<String>) -> Self {
        Self {
            topics: Some(1),
            ..Self::community(name)
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of initial members, without the owner.
    #[must_use]
    pub const fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Sets the ID. By default, the server assigns one.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the owner. A bot's `Api` sets it to the bot's account.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// Adds initial members, at most 500.
    #[must_use]
    pub fn members(mut self, users: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        let names = users.into_iter().map(|user| MemberName {
            user: user.into().into(),
        });
        self.members.extend(names);
        self
    }

    /// Sets the introduction.
    #[must_use]
    pub fn introduction(mut self, text: impl Into<String>) -> Self {
        self.introduction = Some(text.into());
        self
    }

    /// Sets the notification (the announcement to the members).
    #[must_use]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.notification = Some(text.into());
        self
    }

    /// Sets the URL of the picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = url.into();
        self
    }

    /// Sets the treatment of users who apply.
    #[must_use]
    pub fn join_option(mut self, option: JoinOption) -> Self {
        self.join = Some(option.word());
        self
    }

    /// Sets the treatment of users who are invited.
    #[must_use]
    pub fn invite_option(mut self, option: JoinOption) -> Self {
        self.invite = Some(option.word());
        self
    }

    /// Sets the maximum number of members.
    #[must_use]
    pub fn max_members(mut self, count: u32) -> Self {
        self.max_members = Some(count);
        self
    }

    /// Adds a pair of application data.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push(KeyValue {
            key: key.into(),
            value: value.into(),
        });
        self
    }
}

impl super::Call for NewGroup {
    type Answer = Created;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed(if self.kind == GroupKind::Community.word() {
            "million_group_open_http_svc.create_group"
        } else {
            "group_open_http_svc.create_group"
        })
    }
}

/// The answer to [`NewGroup`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// The ID of the new group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub group: GroupId,
    /// Users who were not added because they have reached their group limit.
    #[serde(
        rename = "OverJoinedGroupLimit_Account",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub left_out: Vec<String>,
}

/// Leaves a group.
#[derive(Clone, Debug, Serialize)]
pub struct Quit {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
}

/// Dismisses a group that this account owns.
#[derive(Clone, Debug, Serialize)]
pub struct Dismiss {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
}

/// Transfers a group that this account owns to another member.
#[derive(Clone, Debug, Serialize)]
pub struct Transfer {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The new owner.
    #[serde(rename = "NewOwner_Account")]
    pub owner: String,
}

/// Changes the profile of a group. Fields that are not set remain unchanged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Modify {
    #[serde(rename = "GroupId")]
    /// The GroupID. A bot's `GroupApi` sets it.
    pub group: String,
    #[serde(rename = "Name", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "Introduction", skip_serializing_if = "Option::is_none")]
    introduction: Option<String>,
    #[serde(rename = "Notification", skip_serializing_if = "Option::is_none")]
    notification: Option<String>,
    #[serde(rename = "FaceUrl", skip_serializing_if = "Option::is_none")]
    face_url: Option<String>,
    #[serde(rename = "ApplyJoinOption", skip_serializing_if = "Option::is_none")]
    join: Option<&'static str>,
    #[serde(rename = "InviteJoinOption", skip_serializing_if = "Option::is_none")]
    invite: Option<&'static str>,
    #[serde(rename = "ShutUpAllMember", skip_serializing_if = "Option::is_none")]
    mute_all: Option<&'static str>,
    #[serde(rename = "AppDefinedData", skip_serializing_if = "Vec::is_empty")]
    data: Vec<KeyValue>,
}

impl Modify {
    /// Creates a request without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the GroupID. A bot's `GroupApi` does this.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the introduction.
    #[must_use]
    pub fn introduction(mut self, text: impl Into<String>) -> Self {
        self.introduction = Some(text.into());
        self
    }

    /// Sets the notification (the announcement to the members).
    #[must_use]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.notification = Some(text.into());
        self
    }

    /// Sets the URL of the picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = Some(url.into());
        self
    }

    /// Sets the treatment of users who apply.
    #[must_use]
    pub fn join_option(mut self, option: JoinOption) -> Self {
        self.join = Some(option.word());
        self
    }

    /// Sets the treatment of users who are invited.
    #[must_use]
    pub fn invite_option(mut self, option: JoinOption) -> Self {
        self.invite = Some(option.word());
        self
    }

    /// Sets whether only the owner and administrators may write.
    #[must_use]
    pub fn mute_all(mut self, mute: bool) -> Self {
        self.mute_all = Some(if mute { "On" } else { "Off" });
        self
    }

    /// Changes a pair of application data.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push(KeyValue {
            key: key.into(),
            value: value.into(),
        });
        self
    }
}
