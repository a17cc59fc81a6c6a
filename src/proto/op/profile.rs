//! Profiles of users.

use super::Done;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Users that one request may ask the profiles of.
pub const MAX_PROFILES: usize = 100;

calls! {
    GetProfiles => "profile.portrait_get_all" -> Profiles, Limit::NONE;
    SetProfile => "profile.portrait_set" -> Done, Limit::NONE;
}

/// Asks for profiles.
#[derive(Clone, Debug, Serialize)]
pub struct GetProfiles {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "UserItem")]
    users: Vec<Asked>,
}

impl GetProfiles {
    /// The profiles of `users`, 100 at most.
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
    /// One per user.
    #[serde(
        rename = "UserProfileItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<Profile>,
}

/// One field of a profile or of what is known of a friend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tagged {
    /// The name of the field, `Tag_Profile_IM_Nick` for example.
    #[serde(rename = "Tag", default, deserialize_with = "lenient::string")]
    pub tag: String,
    /// Its value: a text, or a number.
    #[serde(rename = "Value", default)]
    pub value: Value,
}

/// The profile of a user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Profile {
    /// Who.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// The fields.
    #[serde(rename = "ProfileItem", default, deserialize_with = "lenient::list")]
    pub fields: Vec<Tagged>,
    /// Zero when the user is known.
    #[serde(rename = "ResultCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The server's words about that.
    #[serde(rename = "ResultInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}

impl Profile {
    /// The text of the field `tag`, `Tag_Profile_Custom_x` for example; empty without one.
    #[must_use]
    pub fn text(&self, tag: &str) -> &str {
        text(&self.fields, tag)
    }

    /// The nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        self.text("Tag_Profile_IM_Nick")
    }

    /// The URL of the picture.
    #[must_use]
    pub fn avatar(&self) -> &str {
        self.text("Tag_Profile_IM_Image")
    }

    /// The signature line.
    #[must_use]
    pub fn signature(&self) -> &str {
        self.text("Tag_Profile_IM_SelfSignature")
    }

    /// `Gender_Type_Male`, `Gender_Type_Female`, `Gender_Type_Unknown`, or empty.
    #[must_use]
    pub fn gender(&self) -> &str {
        self.text("Tag_Profile_IM_Gender")
    }
}

/// The text of the field `tag`; empty without one.
pub(super) fn text<'a>(fields: &'a [Tagged], tag: &str) -> &'a str {
    let field = fields.iter().find(|field| field.tag == tag);
    field.and_then(|field| field.value.as_str()).unwrap_or("")
}

/// What happens to who wants to be a friend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowType {
    /// Becomes one at once.
    Any,
    /// Has to be accepted.
    Confirm,
    /// Is refused.
    Deny,
}

/// Changes the own profile; what is not set stays.
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
    /// The UserID of the account itself.
    pub me: String,
    #[serde(rename = "ProfileItem")]
    fields: Vec<Tagged>,
}

impl SetProfile {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whose profile it is; a bot's `Api` fills it in.
    #[must_use]
    pub fn of(mut self, me: impl Into<String>) -> Self {
        self.me = me.into();
        self
    }

    /// Sets any field; those of the app's own are called `Tag_Profile_Custom_…`.
    #[must_use]
    pub fn field(mut self, tag: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.push(Tagged {
            tag: tag.into(),
            value: value.into(),
        });
        self
    }

    /// A new nick name.
    #[must_use]
    pub fn nick(self, nick: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_Nick", nick.into())
    }

    /// The URL of a new picture.
    #[must_use]
    pub fn avatar(self, url: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_Image", url.into())
    }

    /// What to say about oneself in a line.
    #[must_use]
    pub fn signature(self, text: impl Into<String>) -> Self {
        self.field("Tag_Profile_IM_SelfSignature", text.into())
    }

    /// What happens to who wants to be a friend.
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
