//! User profiles. See "Conversations and people" in `docs/src/protocol.md`.

use super::Done;
use crate::id::UserId;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The maximum number of users per request.
pub const MAX_PROFILES: usize = 100;

calls! {
    GetProfiles => "profile.portrait_get_all" -> Profiles, Limit::NONE;
    SetProfile => "profile.portrait_set" -> Done, Limit::NONE;
}

/// Requests profiles.
#[derive(Clone, Debug, Serialize)]
pub struct GetProfiles {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "UserItem")]
    users: Vec<Asked>,
}

impl GetProfiles {
    /// Requests the profiles of `users`, at most 100.
    pub fn new(me: impl Into<String>, users: Vec<String>) -> Self {
        let asked = |user| Asked {
            user,
            standard: 0,
            custom: 0,
        };
        Self {
            me: me.into(),
            users: users.into_iter().map(asked).collect(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Asked {
    #[serde(rename = "To_Account")]
    user: String,
    #[serde(rename = "StandardSequence")]
    standard: u8,
    #[serde(rename = "CustomSequence")]
    custom: u8,
}

/// The answer to [`GetProfiles`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Profiles {
    /// One entry per user.
    #[serde(
        rename = "UserProfileItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<Profile>,
}

/// One field of a profile, or of the data about a friend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tagged {
    /// The name of the field, `Tag_Profile_IM_Nick` for example.
    #[serde(rename = "Tag", default, deserialize_with = "lenient::string")]
    pub tag: String,
    /// The value: a text, or a number.
    #[serde(rename = "Value", default)]
    pub value: Value,
}

/// The profile of a user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Profile {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The fields.
    #[serde(rename = "ProfileItem", default, deserialize_with = "lenient::list")]
    pub fields: Vec<Tagged>,
    /// The error code; zero means success.
    #[serde(rename = "ResultCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The error text of the server.
    #[serde(rename = "ResultInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}

impl Profile {
    /// Returns the text of the field `tag`, for example `Tag_Profile_Custom_x`, or an empty text.
    #[must_use]
    pub fn text(&self, tag: &str) -> &str {
        text(&self.fields, tag)
    }

    /// Returns the nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        self.text("Tag_Profile_IM_Nick")
    }

    /// Returns the URL of the picture.
    #[must_use]
    pub fn avatar(&self) -> &str {
        self.text("Tag_Profile_IM_Image")
    }

    /// Returns the signature line.
    #[must_use]
    pub fn signature(&self) -> &str {
        self.text("Tag_Profile_IM_SelfSignature")
    }

    /// Returns `Gender_Type_Male`, `Gender_Type_Female`, `Gender_Type_Unknown`, or an empty text.
    #[must_use]
    pub fn gender(&self) -> &str {
        self.text("Tag_Profile_IM_Gender")
    }
}

/// Returns the text of the field `tag`, or an empty text.
pub(super) fn text<'a>(fields: &'a [Tagged], tag: &str) -> &'a str {
    let field = fields.iter().find(|field| field.tag == tag);
    field.and_then(|field| field.value.as_str()).unwrap_or("")
}

/// The treatment of friend applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowType {
    /// Accept all at once.
    Any,
    /// The user decides.
    Confirm,
    /// Reject all.
    Deny,
}

/// Changes the profile of this account. Fields that are not set remain unchanged.
///
/// ```
/// use botroupe_proto::op::profile::SetProfile;
///
/// let change = SetProfile::new().nick("Robo").signature("at your service");
/// # let _ = change;
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct SetProfile {
    #[serde(rename = "From_Account")]
    /// The UserID of this account.
    pub me: String,
    #[serde(rename = "ProfileItem")]
    fields: Vec<Tagged>,
}

impl SetProfile {
    /// Creates a request without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the UserID of this account. A bot's `Api` does this.
    #[must_use]
    pub fn of(mut self, me: impl Into<String>) -> Self {
        self.me = me.into();
        self
    }

    /// Sets any field. Fields that the app defines have the prefix `Tag_Profile_Custom_`.
    #[must_use]
    pub fn field(mut self, tag: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.push(Tagged {
            tag: tag.into(),
            value: value.into(),
        });
        self
    }

    /// Sets the nick name.
    #[must_use]
    pub fn nick(self, nick: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_Nick", nick.into())
    }

    /// Sets the URL of the picture.
    #[must_use]
    pub fn avatar(self, url: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_Image", url.into())
    }

    /// Sets the signature line.
    #[must_use]
    pub fn signature(self, text: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_SelfSignature", text.into())
    }

    /// Sets the treatment of friend applications.
    #[must_use]
    pub fn allow(self, allow: AllowType) -> Self {
        let word = match allow {
            AllowType::Any => "AllowType_Type_AllowAny",
            AllowType::Confirm => "AllowType_Type_NeedConfirm",
            AllowType::Deny => "AllowType_Type_DenyAny",
        };
        self.field("Tag_Profile_IM_AllowType", word)
    }
}
