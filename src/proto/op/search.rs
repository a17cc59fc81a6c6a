//! Searches for messages, users, groups and members. The service searches its stored data, if the
//! app has bought the feature. See "Conversations and people" in `docs/src/protocol.md`.

use super::profile::{Tagged, text};
use crate::id::{GroupId, UserId};
use crate::lenient;
use crate::message::{C2cItem, Conversation, GroupItem, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The maximum number of words, and of senders, per search.
pub const MAX_WORDS: usize = 5;
/// The maximum number of results per page.
pub const MAX_PAGE: u32 = 100;

/// All searches share one bucket.
const SEARCH: Limit = Limit::new("search", 4.0, 20);

calls! {
    SearchMessages => "message_search.query" -> FoundMessages, SEARCH;
    SearchUsers => "user_search.query" -> FoundUsers, SEARCH;
    SearchGroups => "group_search.query" -> FoundGroups, SEARCH;
    SearchMembers => "group_member_search.query" -> FoundMembers, SEARCH;
}

/// Searches for messages. Without a conversation, the answer contains the number of results per
/// conversation; with one, it contains the messages.
///
/// ```
/// # use botroupe_proto::op::search::SearchMessages;
/// let search = SearchMessages::new(["refund", "invoice"]).from(["alice"]).within(0, 1_800_000_000);
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct SearchMessages {
    #[serde(rename = "KeywordList", skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    #[serde(rename = "MatchType")]
    match_type: &'static str,
    #[serde(rename = "PeerAccount", skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    #[serde(rename = "GroupID", skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(rename = "Count")]
    count: u32,
    #[serde(rename = "Cursor", skip_serializing_if = "String::is_empty")]
    cursor: String,
    #[serde(rename = "MsgTypeList", skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(rename = "SendUserIDList", skip_serializing_if = "Vec::is_empty")]
    senders: Vec<String>,
    #[serde(rename = "StartTime", skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(rename = "EndTime", skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
}

impl SearchMessages {
    /// Searches for messages with one of these words, at most 5. The list may be empty if senders
    /// or types are set.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            match_type: "or",
            peer: None,
            group: None,
            count: MAX_PAGE,
            cursor: String::new(),
            types: Vec::new(),
            senders: Vec::new(),
            start: None,
            end: None,
        }
    }

    /// Requires all words instead of one.
    #[must_use]
    pub const fn all_words(mut self) -> Self {
        self.match_type = "and";
        self
    }

    /// Restricts the search to one conversation. The answer then contains the messages.
    #[must_use]
    pub fn place(mut self, conversation: impl Into<Conversation>) -> Self {
        (self.peer, self.group) = match conversation.into() {
            Conversation::C2c(peer) => (Some(peer.to_string()), None),
            Conversation::Group(group) => (None, Some(group.to_string())),
            Conversation::System => (None, None),
        };
        self
    }

    /// Restricts the search to these senders, at most 5.
    #[must_use]
    pub fn from(mut self, senders: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.senders = senders.into_iter().map(Into::into).collect();
        self
    }

    /// Restricts the search to messages with an element of one of these types. The names are those
    /// on the wire, for example `TIMImageElem`.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Restricts the search to a period. Both ends are inclusive and in Unix seconds.
    #[must_use]
    pub const fn within(mut self, start: u64, end: u64) -> Self {
        (self.start, self.end) = (Some(start), Some(end));
        self
    }

    /// Continues after a page, with its [`cursor`](FoundMessages::cursor).
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Returns the number of words or senders, whichever is larger. It is at least one if types are
    /// set, because types alone make a valid search.
    #[must_use]
    pub fn named(&self) -> usize {
        let types = self.types.len().min(1);
        self.words.len().max(self.senders.len()).max(types)
    }
}

/// The answer to [`SearchMessages`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundMessages {
    /// The total number of results.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// The start of the next page; empty after the last page.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// The results per conversation.
    #[serde(
        rename = "ConversationMsgs",
        default,
        deserialize_with = "lenient::list"
    )]
    pub conversations: Vec<FoundIn>,
}

/// The results in one conversation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundIn {
    #[serde(rename = "UserID", default, deserialize_with = "lenient::string")]
    peer: String,
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    group: String,
    /// The number of results in this conversation.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u64,
    /// The entries. They have two formats, so they are parsed when the conversation is known.
    #[serde(rename = "MessageList", default, deserialize_with = "lenient::list")]
    items: Vec<Box<RawValue>>,
}

impl FoundIn {
    /// Returns the conversation.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        if self.group.is_empty() {
            Conversation::C2c(self.peer.as_str().into())
        } else {
            Conversation::group(&*self.group)
        }
    }

    /// Returns the messages of this page from the view of the account `me`, newest first. Without a
    /// conversation in the request, the answer contains a message only where it is the single
    /// result of its conversation. Invalid entries are skipped.
    #[must_use]
    pub fn messages(&self, me: &str) -> Vec<Message> {
        let items = self.items.iter().map(|item| item.get());
        if self.group.is_empty() {
            let items = items.filter_map(|item| lenient::read::<C2cItem>(item).ok());
            return items.map(|item| Message::from_c2c(item, me)).collect();
        }
        let items = items.filter_map(|item| lenient::read::<GroupItem>(item).ok());
        let read = |item| Message::from_history(item, 3, &self.group, me);
        items.filter_map(read).collect()
    }
}

/// The common fields of the searches for users, groups and members: words and page.
#[derive(Clone, Debug, Serialize)]
struct Words {
    #[serde(rename = "Keywords")]
    words: Vec<String>,
    #[serde(rename = "KeywordMatchType")]
    match_type: u8,
    #[serde(rename = "Count")]
    count: u32,
    #[serde(rename = "Cursor", skip_serializing_if = "String::is_empty")]
    cursor: String,
}

impl Words {
    fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            match_type: 0,
            count: MAX_PAGE,
            cursor: String::new(),
        }
    }
}

/// Defines the builder methods of the three word searches.
macro_rules! by_words {
    ($($search:ident)*) => {$(
        impl $search {
            /// Requires all words instead of one.
            #[must_use]
            pub const fn all_words(mut self) -> Self {
                self.words.match_type = 1;
                self
            }

            /// Continues after a page, with its cursor.
            #[must_use]
            pub fn after(mut self, cursor: impl Into<String>) -> Self {
                self.words.cursor = cursor.into();
                self
            }

            /// Returns the number of words.
            #[must_use]
            pub fn named(&self) -> usize {
                self.words.words.len()
            }
        }
    )*};
}

by_words! { SearchUsers SearchGroups SearchMembers }

/// Searches for users by UserID and nick name.
#[derive(Clone, Debug, Serialize)]
pub struct SearchUsers {
    #[serde(flatten)]
    words: Words,
}

impl SearchUsers {
    /// Searches for users with one of these words, at most 5.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words = Words::new(words);
        Self { words }
    }
}

/// The answer to [`SearchUsers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundUsers {
    /// The total number of results.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// The start of the next page; empty after the last page.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// The users of this page.
    #[serde(rename = "Users", default, deserialize_with = "lenient::list")]
    pub users: Vec<FoundUser>,
}

/// A search result: a user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundUser {
    /// The user.
    #[serde(rename = "UserID", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The profile.
    #[serde(rename = "ProfileItems", default, deserialize_with = "profile")]
    pub fields: Vec<Tagged>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FoundUser {
    /// Returns the nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Parses a profile. Only here, text values and number values have different field names.
fn profile<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Tagged>, D::Error> {
    let fields: Vec<Map<String, Value>> = lenient::list(d)?;
    let read = |mut field: Map<String, Value>| Tagged {
        tag: field
            .get("Tag")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        value: ["StrValue", "IntValue", "Value"]
            .iter()
            .find_map(|name| field.remove(*name))
            .unwrap_or_default(),
    };
    Ok(fields.into_iter().map(read).collect())
}

/// Searches for groups by GroupID and name.
#[derive(Clone, Debug, Serialize)]
pub struct SearchGroups {
    #[serde(flatten)]
    words: Words,
    #[serde(rename = "GroupType", skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
}

impl SearchGroups {
    /// Searches for groups with one of these words, at most 5.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: Words::new(words),
            types: Vec::new(),
        }
    }

    /// Restricts the search to these group types, for example `Public`.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }
}

/// The answer to [`SearchGroups`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundGroups {
    /// The total number of results.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// The start of the next page; empty after the last page.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// The groups of this page.
    #[serde(rename = "Groups", default, deserialize_with = "lenient::list")]
    pub groups: Vec<FoundGroup>,
}

/// A search result: a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundGroup {
    /// The GroupID.
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    pub group: GroupId,
    /// The name.
    #[serde(rename = "GroupName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// The group type.
    #[serde(rename = "GroupType", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// The owner.
    #[serde(
        rename = "GroupOwnerUserID",
        default,
        deserialize_with = "lenient::string"
    )]
    pub owner: UserId,
    /// The number of members.
    #[serde(rename = "GroupMemberNum", default, deserialize_with = "lenient::int")]
    pub members: u64,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Searches for members of this account's groups by UserID, nick name and name card.
#[derive(Clone, Debug, Serialize)]
pub struct SearchMembers {
    #[serde(flatten)]
    words: Words,
    #[serde(rename = "GroupIdList", skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

impl SearchMembers {
    /// Searches for members with one of these words, at most 5.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: Words::new(words),
            groups: Vec::new(),
        }
    }

    /// Restricts the search to these groups.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }
}

/// The answer to [`SearchMembers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundMembers {
    /// The total number of results.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// The start of the next page; empty after the last page.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// The members of this page.
    #[serde(rename = "GroupMembers", default, deserialize_with = "lenient::list")]
    pub members: Vec<FoundMember>,
}

/// A search result: a member.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundMember {
    /// The GroupID.
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    pub group: GroupId,
    /// The name of the group.
    #[serde(rename = "GroupName", default, deserialize_with = "lenient::string")]
    pub group_name: String,
    /// The user.
    #[serde(
        rename = "GroupMemberUserID",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// The nick name.
    #[serde(
        rename = "GroupMemberUserName",
        default,
        deserialize_with = "lenient::string"
    )]
    pub nick: String,
    /// The name card.
    #[serde(
        rename = "GroupMemberNameCard",
        default,
        deserialize_with = "lenient::string"
    )]
    pub name_card: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
