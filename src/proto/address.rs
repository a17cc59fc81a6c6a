//! Group and topic IDs, and the service that handles requests about them.

use crate::lenient;
use serde::{Deserialize, Serialize};

/// Returns whether the ID belongs to a community or to a topic of one. Both have their own service.
#[must_use]
pub fn is_community(id: &str) -> bool {
    id.starts_with("@TGS#_")
}

/// Separates the ID of the community from the rest of a topic ID.
const TOPIC: &str = "@TOPIC#_";

/// The address of a group, or of a topic in a community.
///
/// A single ID names a conversation, also that of a topic. Requests about a topic name the
/// community and the topic in two fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAddress {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    topic: Option<String>,
}

impl GroupAddress {
    /// Creates the address of the group or topic with this ID.
    pub fn new(id: impl Into<String>) -> Self {
        let mut group = id.into();
        let topic = group.find(TOPIC).map(|at| {
            let topic = group.clone();
            group.truncate(at);
            topic
        });
        Self { group, topic }
    }

    /// Returns the GroupID. For a topic, this is the ID of its community.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Returns the ID of the conversation: the topic ID for a topic, otherwise the GroupID.
    #[must_use]
    pub fn id(&self) -> &str {
        self.topic().unwrap_or(&self.group)
    }

    /// Returns the topic ID, if this is a topic.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref().filter(|topic| !topic.is_empty())
    }
}

impl From<&str> for GroupAddress {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl AsRef<str> for GroupAddress {
    /// Returns the GroupID.
    fn as_ref(&self) -> &str {
        &self.group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_taken_apart_and_everything_else_is_a_group() {
        let topic = GroupAddress::new("@TGS#_com@TOPIC#_t1");
        assert_eq!(topic.group(), "@TGS#_com");
        assert_eq!(topic.topic(), Some("@TGS#_com@TOPIC#_t1"));
        for id in ["team", "@TGS#1AB", "@TGS#_com", ""] {
            let place = GroupAddress::new(id);
            assert_eq!((place.group(), place.topic()), (id, None));
        }
    }

    #[test]
    fn a_topic_is_asked_about_at_the_service_of_its_community() {
        assert!(is_community("@TGS#_com"));
        assert!(is_community("@TGS#_com@TOPIC#_t1"));
        assert!(!is_community("@TGS#1AB"));
        assert!(!is_community("team"));
    }
}
