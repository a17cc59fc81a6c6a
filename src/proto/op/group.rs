//! Groups as a whole: founding, leaving, changing their profile.

use super::Done;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Members that a group may be founded with.
pub const MAX_FOUNDERS: usize = 500;
/// Groups that one request may ask about.
pub const MAX_GROUPS: usize = 50;
/// Groups of one page.
pub const PAGE: u32 = 200;

const CHANGE: Limit = Limit::new("group change", 8.0, 2);

group_calls! {
    Quit => "quit_group" -> Done, Limit::NONE;
    Dismiss => "destroy_group" -> Done, Limit::NONE;
    Transfer => "change_group_owner" -> Done, Limit::NONE;
    Modify => "modify_group_base_info" -> Done, CHANGE;
}

/// What kind of group it is. It decides who may do what, and cannot be changed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupKind {
    /// `Work` to the official client: members invite, nobody can apply.
    Work,
    /// Found by its ID, with administrators who decide about applications.
    Public,
    /// Everyone may join and read everything said since.
    Meeting,
    /// Any number of members, who come and go; nothing is stored.
    Live,
    /// Up to 100,000 members.
    Community,
}

impl GroupKind {
    /// The wire's word for it.
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

/// What happens to who wants to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinOption {
    /// Joins at once.
    Free,
    /// Waits for the owner or an administrator.
    NeedPermission,
    /// Is refused.
    Forbidden,
}

impl JoinOption {
    /// The wire's word for it.
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

/// One pair of an app's own data about a group or a member; the keys are set up in the console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// The key.
    #[serde(rename = "Key", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The value.
    #[serde(rename = "Value", default, deserialize_with = "lenient::string")]
    pub value: String,
}

/// Founds a group.
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
    /// A group of this kind.
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

    /// A [`GroupKind::Work`] group.
    pub fn work(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Work, name)
    }

    /// A [`GroupKind::Public`] group.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Public, name)
    }

    /// A [`GroupKind::Meeting`] group.
    pub fn meeting(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Meeting, name)
    }

    /// A [`GroupKind::Live`] room.
    pub fn live(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Live, name)
    }

    /// A [`GroupKind::Community`].
    pub fn community(name: impl Into<String>) -> Self {
        Self::new(GroupKind::Community, name)
    }

    /// A [`GroupKind::Community`] in which everything is said in topics, see
    /// [`topic`](super::topic).
    pub fn community_with_topics(name: impl Into<String>) -> Self {
        Self {
            topics: Some(1),
            ..Self::community(name)
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many members it is founded with, its owner not counted.
    #[must_use]
    pub const fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Sets the ID; without it the server gives one.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets whose group it is; an account of a bot fills itself in.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// Takes these users in from the start, 500 at most.
    #[must_use]
    pub fn members(mut self, users: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = users
            .into_iter()
            .map(|user| MemberName { user: user.into() });
        self.members.extend(names);
        self
    }

    /// Sets what it says about itself.
    #[must_use]
    pub fn introduction(mut self, text: impl Into<String>) -> Self {
        self.introduction = Some(text.into());
        self
    }

    /// Sets what its members are told.
    #[must_use]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.notification = Some(text.into());
        self
    }

    /// Sets the URL of its picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = url.into();
        self
    }

    /// Sets what happens to who wants to join.
    #[must_use]
    pub fn join_option(mut self, option: JoinOption) -> Self {
        self.join = Some(option.word());
        self
    }

    /// Sets what happens to who is invited.
    #[must_use]
    pub fn invite_option(mut self, option: JoinOption) -> Self {
        self.invite = Some(option.word());
        self
    }

    /// Sets how many members it may have.
    #[must_use]
    pub fn max_members(mut self, count: u32) -> Self {
        self.max_members = Some(count);
        self
    }

    /// Adds a pair of the app's own data.
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
    pub group: String,
    /// Users who were not added because they are in too many groups.
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

/// Dismisses an own group.
#[derive(Clone, Debug, Serialize)]
pub struct Dismiss {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
}

/// Gives an own group to another member.
#[derive(Clone, Debug, Serialize)]
pub struct Transfer {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// Its new owner.
    #[serde(rename = "NewOwner_Account")]
    pub owner: String,
}

/// Changes the profile of a group; what is not set stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Modify {
    #[serde(rename = "GroupId")]
    /// The GroupID; a bot's `GroupApi` fills it in.
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
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of which group; a bot's `GroupApi` fills it in.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// A new name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its introduction.
    #[must_use]
    pub fn introduction(mut self, text: impl Into<String>) -> Self {
        self.introduction = Some(text.into());
        self
    }

    /// What its members are told.
    #[must_use]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.notification = Some(text.into());
        self
    }

    /// The URL of its picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = Some(url.into());
        self
    }

    /// What happens to who wants to join.
    #[must_use]
    pub fn join_option(mut self, option: JoinOption) -> Self {
        self.join = Some(option.word());
        self
    }

    /// What happens to who is invited.
    #[must_use]
    pub fn invite_option(mut self, option: JoinOption) -> Self {
        self.invite = Some(option.word());
        self
    }

    /// Whether only the owner and administrators may speak.
    #[must_use]
    pub fn mute_all(mut self, mute: bool) -> Self {
        self.mute_all = Some(if mute { "On" } else { "Off" });
        self
    }

    /// Changes a pair of the app's own data.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push(KeyValue {
            key: key.into(),
            value: value.into(),
        });
        self
    }
}
