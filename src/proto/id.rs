//! The identifiers in requests: UserIDs, GroupIDs, and the SDKAppID of the app.
//!
//! A server may name users and groups as it likes, so a [`UserId`] and a [`GroupId`] are made of any text:
//! reading one never fails. Who types one is told of a mistake: `parse` and [`FromStr`] check it, and so does
//! `check`. Accounts are made of checked IDs. The numbers that the server assigns (TinyId, InstId) are in
//! `packet`: no person types them.

use std::{borrow::Borrow, borrow::Cow, fmt, ops::Deref, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The maximum length of a UserID, in bytes of UTF-8.
pub const MAX_USER_ID_BYTES: usize = 32;

/// The maximum length of a GroupID, in bytes of UTF-8. A TopicID is the longest: it contains the ID of its
/// community.
pub const MAX_GROUP_ID_BYTES: usize = 128;

/// The reason why a UserID, a GroupID or an SDKAppID is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// The UserID is empty.
    #[error("a UserID cannot be empty")]
    Empty,
    /// The UserID has more than [`MAX_USER_ID_BYTES`] bytes.
    #[error("a UserID has at most {MAX_USER_ID_BYTES} bytes, this one has {bytes}")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// The UserID contains a space, a control character or another invisible character.
    #[error("a UserID cannot contain {character:?} (byte {at})")]
    Character {
        /// The invalid character.
        character: char,
        /// The byte offset of the character.
        at: usize,
    },
    /// The GroupID is empty.
    #[error("a GroupID cannot be empty")]
    EmptyGroup,
    /// The GroupID has more than [`MAX_GROUP_ID_BYTES`] bytes.
    #[error("a GroupID has at most {MAX_GROUP_ID_BYTES} bytes, this one has {bytes}")]
    LongGroup {
        /// The length in bytes.
        bytes: usize,
    },
    /// The GroupID contains a space, a control character or another invisible character.
    #[error("a GroupID cannot contain {character:?} (byte {at})")]
    GroupCharacter {
        /// The invalid character.
        character: char,
        /// The byte offset of the character.
        at: usize,
    },
    /// The SDKAppID is zero.
    #[error("an SDKAppID is a number from 1 to 4294967295; the console shows yours")]
    ZeroApp,
    /// The SDKAppID is not a 32-bit number.
    #[error("{text:?} is not an SDKAppID: expected a number from 1 to 4294967295")]
    NotANumber {
        /// The invalid text.
        text: String,
    },
}

/// The UserID of an account, the program's own or anybody's. A clone shares the text.
///
/// A valid one has 1 to 32 bytes, without spaces and control characters. The service recommends letters, digits,
/// `_` and `-`; it accepts other printable characters. [`parse`](Self::parse) refuses everything else, while
/// `From<&str>` takes any text: what a server sends is an ID, whatever it looks like.
///
/// ```
/// use botroupe_proto::id::UserId;
///
/// let bob = UserId::from("bob");
/// assert_eq!(bob, "bob");
/// assert!(bob.starts_with('b'));
/// assert!("bob and alice".parse::<UserId>().is_err());
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

/// The GroupID of a group, or the TopicID of a topic in a community. A clone shares the text.
///
/// A valid one has 1 to 128 bytes, without spaces and control characters. [`parse`](Self::parse) refuses
/// everything else, while `From<&str>` takes any text.
///
/// ```
/// use botroupe_proto::id::GroupId;
///
/// let group: GroupId = "@TGS#1".parse()?;
/// assert_eq!(group, "@TGS#1");
/// assert!(GroupId::from("").check().is_err());
/// # Ok::<(), botroupe_proto::id::IdError>(())
/// ```
///
/// It is no UserID, and the compiler knows:
///
/// ```compile_fail
/// use botroupe_proto::id::{GroupId, UserId};
///
/// let user = UserId::from(GroupId::from("@TGS#1"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(Arc<str>);

impl UserId {
    /// Whether this text is a valid UserID.
    ///
    /// # Errors
    /// Returns an [`IdError`] if it is not.
    pub fn check(&self) -> Result<(), IdError> {
        Self::check_text(self)
    }

    fn check_text(text: &str) -> Result<(), IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > MAX_USER_ID_BYTES {
            return Err(IdError::TooLong { bytes: text.len() });
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((at, character)) => Err(IdError::Character { character, at }),
            None => Ok(()),
        }
    }
}

impl GroupId {
    /// Whether this text is a valid GroupID or TopicID.
    ///
    /// # Errors
    /// Returns an [`IdError`] if it is not.
    pub fn check(&self) -> Result<(), IdError> {
        Self::check_text(self)
    }

    fn check_text(text: &str) -> Result<(), IdError> {
        if text.is_empty() {
            return Err(IdError::EmptyGroup);
        }
        if text.len() > MAX_GROUP_ID_BYTES {
            return Err(IdError::LongGroup { bytes: text.len() });
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((at, character)) => Err(IdError::GroupCharacter { character, at }),
            None => Ok(()),
        }
    }
}

/// Returns whether `c` is printable and not a space. The listed format characters are invisible:
/// with them, two different accounts would look alike in a log.
fn is_allowed(c: char) -> bool {
    let invisible = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{ffff}'
    );
    !(c.is_control() || c.is_whitespace() || invisible)
}

/// What both kinds of ID can do. There is no conversion from one to the other.
macro_rules! text_id {
    ($id:ident, $name:literal) => {
        impl $id {
            /// The name by which a deserializer knows the type.
            #[doc(hidden)]
            pub const SERDE_NAME: &'static str = concat!("botroupe::", stringify!($id));

            /// Validates `text`.
            ///
            /// # Errors
            /// Returns an [`IdError`] if `text` is not a valid ID.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                Self::check_text(text)?;
                Ok(Self::from(text))
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $id {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl FromStr for $id {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl Borrow<str> for $id {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $id {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        /// Takes any text; [`check`](Self::check) tells whether it is valid.
        impl From<&str> for $id {
            fn from(text: &str) -> Self {
                // An empty text is nothing to allocate for.
                if text.is_empty() {
                    return Self::default();
                }
                Self(Arc::from(text))
            }
        }

        impl From<&$id> for $id {
            fn from(id: &$id) -> Self {
                id.clone()
            }
        }

        impl From<Arc<str>> for $id {
            fn from(text: Arc<str>) -> Self {
                Self(text)
            }
        }

        impl From<$id> for Arc<str> {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        text_id!(@from $id: String, &String, Box<str>, Cow<'_, str>);
        text_id!(@into $id: String, Box<str>);
        text_id!(@equals $id: str, &str, String, &$id);

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        /// Takes any text. The deserializer is told the name of the type, for formats that care.
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl<'de> de::Visitor<'de> for Text {
                    type Value = $id;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($name)
                    }

                    fn visit_newtype_struct<D: Deserializer<'de>>(
                        self,
                        deserializer: D,
                    ) -> Result<$id, D::Error> {
                        deserializer.deserialize_str(self)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$id, E> {
                        Ok(text.into())
                    }
                }

                deserializer.deserialize_newtype_struct($id::SERDE_NAME, Text)
            }
        }
    };
    (@from $id:ident: $($text:ty),*) => {$(
        impl From<$text> for $id {
            fn from(text: $text) -> Self {
                Self::from(AsRef::<str>::as_ref(&text))
            }
        }
    )*};
    (@into $id:ident: $($text:ty),*) => {$(
        impl From<$id> for $text {
            fn from(id: $id) -> Self {
                (&*id.0).into()
            }
        }

        impl From<&$id> for $text {
            fn from(id: &$id) -> Self {
                (&*id.0).into()
            }
        }
    )*};
    (@equals $id:ident: $($text:ty),*) => {$(
        impl PartialEq<$text> for $id {
            fn eq(&self, other: &$text) -> bool {
                *self.0 == *AsRef::<str>::as_ref(other)
            }
        }

        impl PartialEq<$id> for $text {
            fn eq(&self, other: &$id) -> bool {
                *AsRef::<str>::as_ref(self) == *other.0
            }
        }
    )*};
}

text_id!(UserId, "a UserID");
text_id!(GroupId, "a GroupID");

/// Deserialises a UserID that an account can have, for `#[serde(deserialize_with = "valid_user")]`.
///
/// # Errors
/// If the text is no valid UserID.
pub fn valid_user<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
    let user = UserId::deserialize(deserializer)?;
    user.check().map_err(de::Error::custom)?;
    Ok(user)
}

/// The SDKAppID of an app (tenant). It is never zero, and it determines the data centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SdkAppId(u32);

impl SdkAppId {
    /// Validates `number` as an SDKAppID.
    ///
    /// # Errors
    /// [`IdError::ZeroApp`] if it is zero.
    pub fn new(number: u32) -> Result<Self, IdError> {
        if number == 0 {
            return Err(IdError::ZeroApp);
        }
        Ok(Self(number))
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for SdkAppId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let number = text.parse().map_err(|_| IdError::NotANumber {
            text: text.chars().take(32).collect(),
        })?;
        Self::new(number)
    }
}

impl Serialize for SdkAppId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for SdkAppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_that_pass() {
        for text in [
            "a",
            "alice",
            "bot_001",
            "A-b@c.d#9",
            "用户",
            "🙂",
            &"x".repeat(32),
        ] {
            assert_eq!(
                UserId::parse(text).map(|id| id.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn user_ids_that_do_not() {
        assert_eq!(UserId::parse(""), Err(IdError::Empty));
        assert_eq!(
            UserId::parse(&"x".repeat(33)),
            Err(IdError::TooLong { bytes: 33 })
        );
        assert_eq!(
            UserId::parse("用用用用用用用用用用用"),
            Err(IdError::TooLong { bytes: 33 })
        );
        for (text, character, at) in [
            ("a b", ' ', 1),
            ("\n", '\n', 0),
            ("ab\0", '\0', 2),
            ("a\u{3000}", '\u{3000}', 1),
            ("a\u{200b}", '\u{200b}', 1),
            ("\u{202e}a", '\u{202e}', 0),
        ] {
            assert_eq!(
                UserId::parse(text),
                Err(IdError::Character { character, at })
            );
        }
    }

    #[test]
    fn group_ids_that_pass_and_that_do_not() {
        for text in ["team", "@TGS#1AB", "@TGS#_com@TOPIC#_t1", &"x".repeat(128)] {
            assert_eq!(GroupId::parse(text).unwrap(), text);
        }
        assert_eq!(GroupId::parse(""), Err(IdError::EmptyGroup));
        assert_eq!(
            GroupId::parse(&"x".repeat(129)),
            Err(IdError::LongGroup { bytes: 129 })
        );
        assert_eq!(
            "a b".parse::<GroupId>(),
            Err(IdError::GroupCharacter {
                character: ' ',
                at: 1
            })
        );
    }

    #[test]
    fn reading_takes_any_text() {
        let long = "x".repeat(200);
        for text in ["al\u{69}ce", "a b", "", &long] {
            let json = serde_json::to_string(text).unwrap();
            let user: UserId = serde_json::from_str(&json).unwrap();
            let group: GroupId = serde_json::from_str(&json).unwrap();
            assert_eq!((&*user, &*group), (text, text));
            assert_eq!(serde_json::to_string(&user).unwrap(), json);
            assert_eq!(UserId::from(text), user);
            assert_eq!(user.check(), UserId::parse(text).map(drop));
        }
        assert!(serde_json::from_str::<UserId>("7").is_err());
        let checked = |text: &str| valid_user(&mut serde_json::Deserializer::from_str(text));
        assert_eq!(checked("\"bob\"").unwrap(), "bob");
        assert!(checked("\"a b\"").is_err());
    }

    #[test]
    fn a_map_is_looked_up_with_a_text() {
        let json = r#"{"bob": 1}"#;
        let map: std::collections::HashMap<UserId, u32> = serde_json::from_str(json).unwrap();
        assert_eq!(map.get("bob"), Some(&1));
    }

    #[test]
    fn apps_are_validated_by_serde() {
        assert!(serde_json::from_str::<SdkAppId>("0").is_err());
        assert_eq!(
            serde_json::from_str::<SdkAppId>("1400000001")
                .unwrap()
                .get(),
            1_400_000_001
        );
    }

    #[test]
    fn debug_reads_as_the_string() {
        assert_eq!(
            format!("{:?}", UserId::parse("alice").unwrap()),
            "\"alice\""
        );
    }

    #[test]
    fn app_ids_from_text() {
        assert_eq!("7".parse::<SdkAppId>().unwrap().get(), 7);
        assert_eq!("0".parse::<SdkAppId>(), Err(IdError::ZeroApp));
        assert!(matches!(
            "x".parse::<SdkAppId>(),
            Err(IdError::NotANumber { .. })
        ));
        assert!(matches!(
            "4294967296".parse::<SdkAppId>(),
            Err(IdError::NotANumber { .. })
        ));
    }
}
