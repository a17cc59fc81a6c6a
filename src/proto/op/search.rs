//! Looking for messages, users, groups and members by words. The service finds in what it keeps,
//! where the app has bought that.

use super::profile::{Tagged, text};
use crate::lenient;
use crate::message::{C2cItem, Conversation, GroupItem, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Words, and senders, that one search may name.
pub const MAX_WORDS: usize = 5;
/// What one page may hold.
pub const MAX_PAGE: u32 = 100;

/// The searches draw from one bucket.
const SEARCH: Limit = Limit::new("search", 4.0, 20);

calls! {
    SearchMessages => "message_search.query" -> FoundMessages, SEARCH;
    SearchUsers => "user_search.query" -> FoundUsers, SEARCH;
    SearchGroups => "group_search.query" -> FoundGroups, SEARCH;
    SearchMembers => "group_member_search.query" -> FoundMembers, SEARCH;
}

/// Asks for messages. Without a conversation the answer says how many there are in each; with one it
/// holds the messages themselves.
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
    /// Messages with one of these words, 5 at most. There may be none where senders or types are
    /// named.
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

    /// Only those with all the words.
    #[must_use]
    pub const fn all_words(mut self) -> Self {
        self.match_type = "and";
        self
    }

    /// Only those of one conversation, and the messages themselves.
    #[must_use]
    pub fn place(mut self, conversation: impl Into<Conversation>) -> Self {
        (self.peer, self.group) = match conversation.into() {
            Conversation::C2c(peer) => (Some(peer.to_string()), None),
            Conversation::Group(group) => (None, Some(group.to_string())),
            Conversation::System => (None, None),
        };
        self
    }

    /// Only those of these users, 5 at most.
    #[must_use]
    pub fn from(mut self, senders: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.senders = senders.into_iter().map(Into::into).collect();
        self
    }

    /// Only those with an element of one of these types, by their names on the wire:
    /// `TIMImageElem` for example.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Only those said from the one second to the other, both included; Unix time.
    #[must_use]
    pub const fn within(mut self, start: u64, end: u64) -> Self {
        (self.start, self.end) = (Some(start), Some(end));
        self
    }

    /// Goes on behind a page, with its [`cursor`](FoundMessages::cursor).
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// How many words, or senders, are named: the larger number. At least one where types are named,
    /// which is enough.
    #[must_use]
    pub fn named(&self) -> usize {
        let types = self.types.len().min(1);
        self.words.len().max(self.senders.len()).max(types)
    }
}

/// The answer to [`SearchMessages`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundMessages {
    /// Messages found altogether.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// Where the next page begins; empty after the last one.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// By conversation.
    #[serde(
        rename = "ConversationMsgs",
        default,
        deserialize_with = "lenient::list"
    )]
    pub conversations: Vec<FoundIn>,
}

/// The messages found in one conversation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundIn {
    #[serde(rename = "UserID", default, deserialize_with = "lenient::string")]
    peer: String,
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    group: String,
    /// Messages found here.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u64,
    /// Entries are of two kinds, so they are read when the conversation is known.
    #[serde(rename = "MessageList", default, deserialize_with = "lenient::list")]
    items: Vec<Box<RawValue>>,
}

impl FoundIn {
    /// Which one.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        if self.group.is_empty() {
            Conversation::C2c(self.peer.as_str().into())
        } else {
            Conversation::group(&*self.group)
        }
    }

    /// The messages of this page as the account `me` sees them, newest first. Where no conversation
    /// was asked for, there is one only if it is the only one. What cannot be read is left out.
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

/// The common part of the searches for users, groups and members: words, and a page.
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

/// The builders of the three searches by words.
macro_rules! by_words {
    ($($search:ident)*) => {$(
        impl $search {
            /// Only those with all the words.
            #[must_use]
            pub const fn all_words(mut self) -> Self {
                self.words.match_type = 1;
                self
            }

            /// Goes on behind a page, with its cursor.
            #[must_use]
            pub fn after(mut self, cursor: impl Into<String>) -> Self {
                self.words.cursor = cursor.into();
                self
            }

            /// How many words are named.
            #[must_use]
            pub fn named(&self) -> usize {
                self.words.words.len()
            }
        }
    )*};
}

by_words! { SearchUsers SearchGroups SearchMembers }

/// Asks for users by UserID and nick name.
#[derive(Clone, Debug, Serialize)]
pub struct SearchUsers {
    #[serde(flatten)]
    words: Words,
}

impl SearchUsers {
    /// Those with one of these words, 5 at most.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words = Words::new(words);
        Self { words }
    }
}

/// The answer to [`SearchUsers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundUsers {
    /// Users found altogether.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// Where the next page begins; empty after the last one.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// Those of this page.
    #[serde(rename = "Users", default, deserialize_with = "lenient::list")]
    pub users: Vec<FoundUser>,
}

/// A user that was found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundUser {
    /// Who.
    #[serde(rename = "UserID", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// The profile.
    #[serde(rename = "ProfileItems", default, deserialize_with = "profile")]
    pub fields: Vec<Tagged>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FoundUser {
    /// The nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Only here the two kinds of values have names of their own.
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

/// Asks for groups by GroupID and name.
#[derive(Clone, Debug, Serialize)]
pub struct SearchGroups {
    #[serde(flatten)]
    words: Words,
    #[serde(rename = "GroupType", skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
}

impl SearchGroups {
    /// Those with one of these words, 5 at most.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: Words::new(words),
            types: Vec::new(),
        }
    }

    /// Only those of these types: `Public` for example.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }
}

/// The answer to [`SearchGroups`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundGroups {
    /// Groups found altogether.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// Where the next page begins; empty after the last one.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// Those of this page.
    #[serde(rename = "Groups", default, deserialize_with = "lenient::list")]
    pub groups: Vec<FoundGroup>,
}

/// A group that was found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundGroup {
    /// Its GroupID.
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    pub group: String,
    /// Its name.
    #[serde(rename = "GroupName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// Its type.
    #[serde(rename = "GroupType", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// Its owner.
    #[serde(
        rename = "GroupOwnerUserID",
        default,
        deserialize_with = "lenient::string"
    )]
    pub owner: String,
    /// How many members it has.
    #[serde(rename = "GroupMemberNum", default, deserialize_with = "lenient::int")]
    pub members: u64,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Asks for members of the own groups by UserID, nick name and name card.
#[derive(Clone, Debug, Serialize)]
pub struct SearchMembers {
    #[serde(flatten)]
    words: Words,
    #[serde(rename = "GroupIdList", skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

impl SearchMembers {
    /// Those with one of these words, 5 at most.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: Words::new(words),
            groups: Vec::new(),
        }
    }

    /// Only those of these groups.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }
}

/// The answer to [`SearchMembers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundMembers {
    /// Members found altogether.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u64,
    /// Where the next page begins; empty after the last one.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// Those of this page.
    #[serde(rename = "GroupMembers", default, deserialize_with = "lenient::list")]
    pub members: Vec<FoundMember>,
}

/// A member that was found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FoundMember {
    /// Where.
    #[serde(rename = "GroupID", default, deserialize_with = "lenient::string")]
    pub group: String,
    /// The name of the group.
    #[serde(rename = "GroupName", default, deserialize_with = "lenient::string")]
    pub group_name: String,
    /// Who.
    #[serde(
        rename = "GroupMemberUserID",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: String,
    /// The nick name.
    #[serde(
        rename = "GroupMemberUserName",
        default,
        deserialize_with = "lenient::string"
    )]
    pub nick: String,
    /// The name in this group.
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
