//! Conversation groups: named groups into which an account sorts its conversations. See
//! "Conversations and people" in `docs/src/protocol.md`.

use super::{Contact, ItemResult};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

calls! {
    Create => "recentcontact.create_contact_group" -> Created, Limit::NONE;
    GetAll => "recentcontact.get_contact_group" -> Groups, Limit::NONE;
    Delete => "recentcontact.del_contact_group" -> Deleted, Limit::NONE;
    Update => "recentcontact.update_contact_group" -> Updated, Limit::NONE;
}

/// Creates a conversation group.
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "GroupContactItem")]
    items: Vec<NewGroup>,
}

impl Create {
    /// Creates a group with this name and these contacts (with
    /// [`GroupField::ToGroupId`](super::GroupField)).
    pub fn new(me: impl Into<String>, name: impl Into<String>, contacts: Vec<Contact>) -> Self {
        Self {
            me: me.into(),
            items: vec![NewGroup {
                name: name.into(),
                contacts,
            }],
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct NewGroup {
    #[serde(rename = "GroupName")]
    name: String,
    #[serde(rename = "ContactItem")]
    contacts: Vec<Contact>,
}

/// The answer to [`Create`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Created {
    /// One result per group, as unparsed objects.
    #[serde(
        rename = "GroupResultItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<Map<String, Value>>,
}

/// Requests the conversation groups.
#[derive(Clone, Debug, Serialize)]
pub struct GetAll {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The start index; zero for the first page.
    #[serde(rename = "StartIndex")]
    pub start: u64,
}

/// The answer to [`GetAll`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Groups {
    /// 1 on the last page.
    #[serde(rename = "CompleteFlag", default, deserialize_with = "lenient::int")]
    pub complete: u32,
    /// The start index of the next page.
    #[serde(rename = "NextStartIndex", default, deserialize_with = "lenient::int")]
    pub next: u64,
    /// The groups, as unparsed objects.
    #[serde(rename = "GroupItem", default, deserialize_with = "lenient::list")]
    pub groups: Vec<Map<String, Value>>,
    /// The assignment of conversations to groups, as unparsed objects.
    #[serde(rename = "ContactItem", default, deserialize_with = "lenient::list")]
    pub contacts: Vec<Map<String, Value>>,
}

/// Deletes conversation groups. Their conversations remain.
#[derive(Clone, Debug, Serialize)]
pub struct Delete {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The names of the groups.
    #[serde(rename = "GroupName")]
    pub names: Vec<String>,
}

/// The answer to [`Delete`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Deleted {
    /// The deleted groups, as unparsed objects.
    #[serde(rename = "GroupItem", default, deserialize_with = "lenient::list")]
    pub groups: Vec<Map<String, Value>>,
}

/// Renames a conversation group, or changes its members.
#[derive(Clone, Debug, Serialize)]
pub struct Update {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "UpdateType")]
    kind: u8,
    #[serde(rename = "UpdateGroup")]
    group: UpdateGroup,
}

#[derive(Clone, Debug, Serialize)]
struct UpdateGroup {
    #[serde(rename = "UpdateGroupType")]
    kind: u8,
    #[serde(rename = "OldGroupName")]
    name: String,
    #[serde(rename = "NewGroupName", skip_serializing_if = "Option::is_none")]
    new_name: Option<String>,
    #[serde(rename = "ContactUpdateItem", skip_serializing_if = "Vec::is_empty")]
    items: Vec<UpdateItem>,
}

#[derive(Clone, Debug, Serialize)]
struct UpdateItem {
    #[serde(rename = "ContactOptType")]
    operation: u8,
    #[serde(rename = "ContactItem")]
    contact: Contact,
}

impl Update {
    /// Renames a group.
    pub fn rename(
        me: impl Into<String>,
        name: impl Into<String>,
        new_name: impl Into<String>,
    ) -> Self {
        let new_name = Some(new_name.into());
        Self {
            me: me.into(),
            kind: 1,
            group: UpdateGroup {
                kind: 1,
                name: name.into(),
                new_name,
                items: Vec::new(),
            },
        }
    }

    /// Adds contacts (with [`GroupField::ToGroupId`](super::GroupField)) to a group, or removes
    /// them.
    pub fn members(
        me: impl Into<String>,
        name: impl Into<String>,
        contacts: Vec<Contact>,
        add: bool,
    ) -> Self {
        let operation = if add { 1 } else { 2 };
        let item = |contact| UpdateItem { operation, contact };
        Self {
            me: me.into(),
            kind: 1,
            group: UpdateGroup {
                kind: 2,
                name: name.into(),
                new_name: None,
                items: contacts.into_iter().map(item).collect(),
            },
        }
    }
}

/// The answer to [`Update`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Updated {
    /// The result.
    #[serde(
        rename = "UpdateGroupResult",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub result: UpdateResult,
}

/// The result of an [`Update`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct UpdateResult {
    /// One result per conversation, if members were changed.
    #[serde(
        rename = "ContactResultItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<ItemResult>,
}
