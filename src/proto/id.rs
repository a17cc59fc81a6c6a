//! The two identifiers in every request: the UserID of the account and the SDKAppID of the app.
//!
//! Both are validated at construction, so that all other code can rely on them. The numbers that
//! the server assigns (TinyId, InstId) are in `packet`: no person types them.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The maximum length of a UserID, in bytes of UTF-8.
pub const MAX_USER_ID_BYTES: usize = 32;

/// The reason why a UserID or an SDKAppID is invalid.
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

/// The UserID of an account: 1 to 32 bytes, without spaces and control characters.
///
/// The service recommends letters, digits, `_` and `-`; it accepts other printable characters. A
/// clone shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Validates `text` as a UserID.
    ///
    /// # Errors
    /// Returns an [`IdError`] if `text` is not a valid UserID.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > MAX_USER_ID_BYTES {
            return Err(IdError::TooLong { bytes: text.len() });
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((at, character)) => Err(IdError::Character { character, at }),
            None => Ok(Self(Arc::from(text))),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
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

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl Borrow<str> for UserId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
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
        Self::new(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
    fn serde_validates() {
        assert_eq!(
            serde_json::from_str::<UserId>("\"al\\u0069ce\"").unwrap(),
            UserId::parse("alice").unwrap()
        );
        assert!(serde_json::from_str::<UserId>("\"a b\"").is_err());
        assert_eq!(
            serde_json::to_string(&UserId::parse("x").unwrap()).unwrap(),
            "\"x\""
        );
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
