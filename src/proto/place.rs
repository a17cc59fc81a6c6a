//! Groups and topics by their IDs, and which service is to be asked about them.

use serde::Serialize;

/// Whether a group is a community, or a topic of one, by its ID: they have a service of their own.
#[must_use]
pub fn is_community(id: &str) -> bool {
    id.starts_with("@TGS#_")
}

/// What every topic's ID contains, after the ID of its community.
const TOPIC: &str = "@TOPIC#_";

/// Where in the groups something is: a group, or a topic of a community.
///
/// Conversations are named by one ID, a topic's by its own; requests about a topic have the community
/// and the topic in two fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "TopicId", skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
}

impl Place {
    /// The group, or the topic, of this ID.
    pub fn new(id: impl Into<String>) -> Self {
        let mut group = id.into();
        let topic = group.find(TOPIC).map(|at| {
            let topic = group.clone();
            group.truncate(at);
            topic
        });
        Self { group, topic }
    }

    /// The group; of a topic, its community.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The topic, if it is one.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }
}

impl From<&str> for Place {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl AsRef<str> for Place {
    /// The group.
    fn as_ref(&self) -> &str {
        &self.group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_taken_apart_and_everything_else_is_a_group() {
        let topic = Place::new("@TGS#_com@TOPIC#_t1");
        assert_eq!(topic.group(), "@TGS#_com");
        assert_eq!(topic.topic(), Some("@TGS#_com@TOPIC#_t1"));
        for id in ["team", "@TGS#1AB", "@TGS#_com", ""] {
            let place = Place::new(id);
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
