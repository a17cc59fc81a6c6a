//! Topics: the rooms of a community. What is said in one is said in a conversation of its own, named
//! by the topic's ID.

use super::Done;
use crate::address::GroupAddress;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Topics that one request may name.
pub const MAX_TOPICS: usize = 50;

const TOPICS: Limit = Limit::new("topics", 10.0, 2);

group_calls! {
    CreateTopic => "create_topic" -> CreatedTopic, Limit::NONE;
    GetTopics => "get_topic" -> Topics, TOPICS;
    ModifyTopic => "modify_topic" -> Done, Limit::NONE;
    DeleteTopics => "destroy_topic" -> DeletedTopics, Limit::NONE;
}

/// The texts of a topic; those that are `None` stay as they are, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TopicTexts {
    #[serde(rename = "TopicName", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "FaceUrl", skip_serializing_if = "Option::is_none")]
    face_url: Option<String>,
    #[serde(rename = "CustomString", skip_serializing_if = "Option::is_none")]
    custom: Option<String>,
    #[serde(rename = "Notification", skip_serializing_if = "Option::is_none")]
    notification: Option<String>,
    #[serde(rename = "Introduction", skip_serializing_if = "Option::is_none")]
    introduction: Option<String>,
}

impl TopicTexts {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the address of the picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = Some(url.into());
        self
    }

    /// Sets the app's own text.
    #[must_use]
    pub fn custom(mut self, text: impl Into<String>) -> Self {
        self.custom = Some(text.into());
        self
    }

    /// Sets the announcement.
    #[must_use]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.notification = Some(text.into());
        self
    }

    /// Sets the introduction.
    #[must_use]
    pub fn introduction(mut self, text: impl Into<String>) -> Self {
        self.introduction = Some(text.into());
        self
    }
}

/// Makes a topic.
#[derive(Clone, Debug, Serialize)]
pub struct CreateTopic {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "TopicId", skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(flatten)]
    texts: TopicTexts,
}

impl CreateTopic {
    /// In the community `group`, with an ID the server makes up.
    pub fn new(group: impl Into<String>, texts: TopicTexts) -> Self {
        Self {
            group: group.into(),
            topic: None,
            texts,
        }
    }

    /// Chooses the ID: that of the community, `@TOPIC#_`, and whatever follows.
    #[must_use]
    pub fn id(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }
}

/// The answer to [`CreateTopic`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CreatedTopic {
    /// Its ID.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: String,
}

/// Asks for topics of a community.
#[derive(Clone, Debug, Serialize)]
pub struct GetTopics {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "TopicIdList")]
    topics: Vec<String>,
    #[serde(rename = "MemberInfoFilter")]
    filter: [&'static str; 1],
}

impl GetTopics {
    /// These topics of the community `group`; none means all.
    pub fn new(group: impl Into<String>, topics: Vec<String>) -> Self {
        Self {
            group: group.into(),
            topics,
            filter: ["NoUnreadSeqList"],
        }
    }
}

/// The answer to [`GetTopics`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Topics {
    #[serde(
        rename = "TopicAndSelfInfo",
        default,
        deserialize_with = "lenient::list"
    )]
    items: Vec<TopicItem>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct TopicItem {
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    code: i64,
    #[serde(rename = "TopicInfo", default)]
    topic: Topic,
    #[serde(rename = "SelfInfo", default)]
    own: OwnTopic,
}

impl Topics {
    /// The topics that could be had, with what this account is in each.
    pub fn found(self) -> impl Iterator<Item = Topic> {
        let found = self.items.into_iter().filter(|item| item.code == 0);
        found.map(|item| Topic {
            own: item.own,
            ..item.topic
        })
    }
}

/// A topic of a community.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Topic {
    /// Its ID, which also names its conversation.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// Its name.
    #[serde(rename = "TopicName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// The introduction.
    #[serde(rename = "Introduction", default, deserialize_with = "lenient::string")]
    pub introduction: String,
    /// The announcement.
    #[serde(rename = "Notification", default, deserialize_with = "lenient::string")]
    pub notification: String,
    /// The app's own text.
    #[serde(rename = "CustomString", default, deserialize_with = "lenient::string")]
    pub custom: String,
    /// The number of its newest message.
    #[serde(rename = "LastMsgSeq", default, deserialize_with = "lenient::int")]
    pub last_seq: u32,
    /// What this account is in it.
    #[serde(skip)]
    pub own: OwnTopic,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An account's own settings of a topic.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct OwnTopic {
    /// Read up to this number; `None` when the server did not say.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::opt_int")]
    pub read_seq: Option<u32>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Changes a topic.
#[derive(Clone, Debug, Serialize)]
pub struct ModifyTopic {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(flatten)]
    texts: TopicTexts,
    #[serde(rename = "ShutUpAllMember", skip_serializing_if = "Option::is_none")]
    mute_all: Option<&'static str>,
}

impl ModifyTopic {
    /// Changes texts of the topic of this ID.
    pub fn texts(topic: impl Into<String>, texts: TopicTexts) -> Self {
        Self {
            group: GroupAddress::new(topic),
            texts,
            mute_all: None,
        }
    }

    /// Lets only the owner and administrators speak in it, or everybody again.
    pub fn mute_all(topic: impl Into<String>, mute: bool) -> Self {
        Self {
            group: GroupAddress::new(topic),
            texts: TopicTexts::default(),
            mute_all: Some(if mute { "On" } else { "Off" }),
        }
    }
}

/// Removes topics, with everything said in them.
#[derive(Clone, Debug, Serialize)]
pub struct DeleteTopics {
    /// The community.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The topics.
    #[serde(rename = "TopicIdList")]
    pub topics: Vec<String>,
}

/// The answer to [`DeleteTopics`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct DeletedTopics {
    /// One per topic.
    #[serde(
        rename = "DestroyResultItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub results: Vec<DeletedTopic>,
}

/// What became of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeletedTopic {
    /// The topic.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// Zero when it is gone.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The server's words.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}
