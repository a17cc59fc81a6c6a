//! Topics: the rooms of a community. Each topic is a separate conversation, named by its TopicID.
//! See "Communities and topics" in `docs/src/protocol.md`.

use super::Done;
use crate::address::GroupAddress;
use crate::id::GroupId;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum number of topics per request.
pub const MAX_TOPICS: usize = 50;

const TOPICS: Limit = Limit::new("topics", 10.0, 2);

group_calls! {
    CreateTopic => "create_topic" -> CreatedTopic, Limit::NONE;
    GetTopics => "get_topic" -> Topics, TOPICS;
    ModifyTopic => "modify_topic" -> Done, Limit::NONE;
    DeleteTopics => "destroy_topic" -> DeletedTopics, Limit::NONE;
}

/// The texts of a topic. Those that are `None` remain unchanged, or empty in a new topic.
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
    /// Creates a value without changes.
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

    /// Sets the URL of the picture.
    #[must_use]
    pub fn face_url(mut self, url: impl Into<String>) -> Self {
        self.face_url = Some(url.into());
        self
    }

    /// Sets the application data.
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

/// Creates a topic.
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
    /// Creates a topic in the community `group`. The server assigns the ID.
    pub fn new(group: impl Into<String>, texts: TopicTexts) -> Self {
        Self {
            group: group.into(),
            topic: None,
            texts,
        }
    }

    /// Sets the ID: the ID of the community, `@TOPIC#_`, and any suffix.
    #[must_use]
    pub fn id(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }
}

/// The answer to [`CreateTopic`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CreatedTopic {
    /// The TopicID.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: GroupId,
}

/// Requests topics of a community.
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
    /// Requests these topics of the community `group`; an empty list requests all.
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
    /// Returns the topics that exist, each with this account's settings.
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
    /// The TopicID, which is also the ID of its conversation.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: GroupId,
    /// The name.
    #[serde(rename = "TopicName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// The introduction.
    #[serde(rename = "Introduction", default, deserialize_with = "lenient::string")]
    pub introduction: String,
    /// The announcement.
    #[serde(rename = "Notification", default, deserialize_with = "lenient::string")]
    pub notification: String,
    /// Application data.
    #[serde(rename = "CustomString", default, deserialize_with = "lenient::string")]
    pub custom: String,
    /// The sequence number of the newest message.
    #[serde(rename = "LastMsgSeq", default, deserialize_with = "lenient::int")]
    pub last_seq: u32,
    /// This account's settings of the topic.
    #[serde(skip)]
    pub own: OwnTopic,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// This account's settings of a topic.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct OwnTopic {
    /// The sequence number up to which this account has read; `None` if the server did not send it.
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
    /// Changes texts of the topic with this ID.
    pub fn texts(topic: impl Into<String>, texts: TopicTexts) -> Self {
        Self {
            group: GroupAddress::new(topic),
            texts,
            mute_all: None,
        }
    }

    /// Sets whether only the owner and administrators may write in the topic.
    pub fn mute_all(topic: impl Into<String>, mute: bool) -> Self {
        Self {
            group: GroupAddress::new(topic),
            texts: TopicTexts::default(),
            mute_all: Some(if mute { "On" } else { "Off" }),
        }
    }
}

/// Deletes topics with all their messages.
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
    /// One result per topic.
    #[serde(
        rename = "DestroyResultItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub results: Vec<DeletedTopic>,
}

/// The result for one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeletedTopic {
    /// The topic.
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    pub id: GroupId,
    /// The error code; zero means success.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The error text of the server.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}
