//! Invitations to calls, games and other activities, which the invitees accept, reject or ignore.
//! Invitations travel as custom messages; the server does not interpret them.

use super::lenient;
use super::message::{Draft, Element, Message};
use crate::id::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The `businessID` that distinguishes these custom messages from all others.
const BUSINESS: u32 = 1;

/// One step in the life of an invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The inviter sends the invitation.
    Invite,
    /// The inviter cancels the invitation.
    Cancel,
    /// The invitee accepts the invitation.
    Accept,
    /// The invitee rejects the invitation.
    Reject,
    /// Nobody has answered in time. The server runs no timer, so each side reports the timeout
    /// itself.
    Timeout,
    /// An action that this crate does not know.
    #[default]
    Other,
}

impl Action {
    const fn number(self) -> u32 {
        match self {
            Self::Invite => 1,
            Self::Cancel => 2,
            Self::Accept => 3,
            Self::Reject => 4,
            Self::Timeout => 5,
            Self::Other => 0,
        }
    }

    const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Invite,
            2 => Self::Cancel,
            3 => Self::Accept,
            4 => Self::Reject,
            5 => Self::Timeout,
            _ => Self::Other,
        }
    }
}

/// One signaling message about an invitation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    /// The action.
    pub action: Action,
    /// The ID of the invitation, which the inviter generates at random.
    pub id: String,
    /// The inviter.
    pub inviter: UserId,
    /// The invitees. In an answer, the user who answers.
    pub invitees: Vec<UserId>,
    /// The GroupID, or empty for an invitation to one user.
    pub group: GroupId,
    /// Application data. The server does not interpret it.
    pub data: String,
    /// The time after which the invitation expires; zero means never.
    pub timeout: Duration,
    /// Unknown fields.
    pub extra: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "businessID", deserialize_with = "lenient::int")]
    business: u32,
    #[serde(rename = "actionType", deserialize_with = "lenient::int")]
    action: u32,
    #[serde(rename = "inviteID", default, deserialize_with = "lenient::string")]
    id: String,
    #[serde(rename = "inviter", default, deserialize_with = "lenient::string")]
    inviter: UserId,
    #[serde(
        rename = "inviteeList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    invitees: Vec<UserId>,
    #[serde(rename = "groupID", default, deserialize_with = "lenient::string")]
    group: GroupId,
    #[serde(rename = "data", default, deserialize_with = "lenient::string")]
    data: String,
    #[serde(rename = "timeout", default, deserialize_with = "lenient::int")]
    timeout: u32,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Signal {
    /// Parses the custom data of a message. Returns `None` if it is not a signaling message.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_str(data).ok()?;
        (wire.business == BUSINESS).then(|| Self {
            action: Action::from_number(wire.action),
            id: wire.id,
            inviter: wire.inviter,
            invitees: wire.invitees,
            group: wire.group,
            data: wire.data,
            timeout: Duration::from_secs(wire.timeout.into()),
            extra: wire.extra,
        })
    }

    /// Parses a message. Returns `None` if it is not a signaling message.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        message.elements.iter().find_map(|element| match element {
            Element::Custom(custom) => Self::parse(&custom.data),
            _ => None,
        })
    }

    /// Creates an invitation with the given ID.
    pub fn invite(
        id: impl Into<String>,
        inviter: impl Into<UserId>,
        invitees: impl IntoIterator<Item = impl Into<UserId>>,
        data: impl Into<String>,
        timeout: Duration,
    ) -> Self {
        Self {
            action: Action::Invite,
            id: id.into(),
            inviter: inviter.into(),
            invitees: invitees.into_iter().map(Into::into).collect(),
            data: data.into(),
            timeout,
            ..Self::default()
        }
    }

    /// Makes this an invitation in a group.
    #[must_use]
    pub fn in_group(mut self, group: impl Into<GroupId>) -> Self {
        self.group = group.into();
        self
    }

    /// Creates the answer of `me` to this invitation.
    #[must_use]
    pub fn answer(&self, me: &str, action: Action, data: impl Into<String>) -> Self {
        // A cancellation names all invitees; each other answer names only its sender.
        let invitees = match action {
            Action::Cancel => self.invitees.clone(),
            _ => vec![me.into()],
        };
        Self {
            action,
            invitees,
            data: data.into(),
            timeout: Duration::ZERO,
            extra: Map::new(),
            ..self.clone()
        }
    }

    /// Returns the custom data of the message that carries this signal.
    #[must_use]
    pub fn data(&self) -> String {
        let wire = Wire {
            business: BUSINESS,
            action: self.action.number(),
            id: self.id.clone(),
            inviter: self.inviter.clone(),
            invitees: self.invitees.clone(),
            group: self.group.clone(),
            data: self.data.clone(),
            timeout: u32::try_from(self.timeout.as_secs()).unwrap_or(u32::MAX),
            extra: self.extra.clone(),
        };
        // Serialising a struct of strings and numbers cannot fail.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Returns the message that carries this signal. Content filters do not check it.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let mut draft = Draft::custom(self.data());
        draft.options.no_check = true;
        draft
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_official_client_writes_is_read_and_written_alike() {
        let text = r#"{"businessID":1,"actionType":1,"inviteID":"b59b936c","inviter":"alice","inviteeList":["bob"],"groupID":"","data":"call","timeout":30}"#;
        let invitation = Signal::parse(text).unwrap();
        assert_eq!(invitation.action, Action::Invite);
        assert_eq!(invitation.timeout, Duration::from_secs(30));
        assert_eq!(invitation.data(), text);
        let accepted = invitation.answer("bob", Action::Accept, "ok");
        assert_eq!(
            accepted.data(),
            r#"{"businessID":1,"actionType":3,"inviteID":"b59b936c","inviter":"alice","inviteeList":["bob"],"groupID":"","data":"ok","timeout":0}"#
        );
        assert!(accepted.draft().options.no_check);
    }

    #[test]
    fn other_custom_messages_are_none() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"businessID":"group_create"}"#,
            r#"{"businessID":2,"actionType":1}"#,
        ] {
            assert_eq!(Signal::parse(text), None, "{text}");
        }
    }
}
