//! Invitations: calls, games, anything that is offered, and then accepted, refused, taken back, or
//! forgotten. They travel as custom messages; the server knows nothing of them.

use super::lenient;
use super::message::{Draft, Element, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// Tells these custom messages from all others.
const BUSINESS: u32 = 1;

/// What happens to an invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is made.
    Invite,
    /// Who made it takes it back.
    Cancel,
    /// It is accepted.
    Accept,
    /// It is refused.
    Reject,
    /// Nobody answered in time. There is no clock at the server: each side says so itself.
    Timeout,
    /// Something this crate does not know.
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

/// One step of an invitation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    /// What happens.
    pub action: Action,
    /// Names the invitation; whoever makes it draws the name.
    pub id: String,
    /// Who made it.
    pub inviter: String,
    /// Who is invited; of an answer, who answers.
    pub invitees: Vec<String>,
    /// The group it was made in; empty when it was made to one user.
    pub group: String,
    /// Whatever the two programs agree on.
    pub data: String,
    /// After what time it is forgotten; zero for never.
    pub timeout: Duration,
    /// Fields this crate does not know.
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
    inviter: String,
    #[serde(
        rename = "inviteeList",
        default,
        deserialize_with = "lenient::null_default"
    )]
    invitees: Vec<String>,
    #[serde(rename = "groupID", default, deserialize_with = "lenient::string")]
    group: String,
    #[serde(rename = "data", default, deserialize_with = "lenient::string")]
    data: String,
    #[serde(rename = "timeout", default, deserialize_with = "lenient::int")]
    timeout: u32,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Signal {
    /// Reads the custom data of a message; `None` of everything that is no step of an invitation.
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

    /// Reads a message; `None` of everything that is no step of an invitation.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        message.elements.iter().find_map(|element| match element {
            Element::Custom(custom) => Self::parse(&custom.data),
            _ => None,
        })
    }

    /// An invitation named `id`.
    pub fn invite(
        id: impl Into<String>,
        inviter: impl Into<String>,
        invitees: impl IntoIterator<Item = impl Into<String>>,
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

    /// The invitation is made in a group.
    #[must_use]
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// What `me` answers this invitation with.
    #[must_use]
    pub fn answer(&self, me: &str, action: Action, data: impl Into<String>) -> Self {
        // Only who takes it back speaks of all; of the others each speaks for itself.
        let invitees = match action {
            Action::Cancel => self.invitees.clone(),
            _ => vec![me.to_owned()],
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

    /// The custom data of the message that carries it.
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
        // A struct of texts and numbers always serialises.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// The message that carries it; content filters do not look at it.
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
