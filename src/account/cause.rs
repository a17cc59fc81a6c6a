//! Why an account is not online.

use crate::gateway::{ConnectError, LinkEnd};
use crate::proto::code::Code;
use crate::proto::event::KickType;
use crate::proto::shown::Shown;
use std::borrow::Cow;
use std::fmt;

use super::credential::CredentialError;

/// The reason an account went offline, or did not come online. Every offline state carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It has not been tried yet.
    NotStarted,
    /// The link was lost.
    LinkLost(LinkEnd),
    /// No link came about.
    ConnectFailed(ConnectError),
    /// The server refused a login or a resume.
    Refused {
        /// Its code.
        code: Code,
        /// Its words.
        info: String,
    },
    /// The server threw the account out.
    Kicked(KickType),
    /// The UserSig, or the login made with it, is no longer valid.
    UserSigExpired(Code),
    /// There is no UserSig to log in with.
    NoUserSig(CredentialError),
    /// Its bots could not be made.
    NoBot(String),
    /// Our own code crashed; it was restarted from a fresh state.
    Crashed,
    /// Our own code never came back from a call; its accounts were moved to another thread.
    Hung,
    /// An operator ordered it to stay away.
    Ordered,
    /// The program is being stopped.
    Stopped,
}

impl Cause {
    /// One word for scripts: the four kick types in Tencent's spelling, or what happened and the
    /// detail behind a colon, such as `link_lost`, `connect_failed:dns`, `login_refused:70009`.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Self::NotStarted => "not_started".into(),
            Self::LinkLost(_) => "link_lost".into(),
            Self::ConnectFailed(error) => format!("connect_failed:{}", error.word()).into(),
            Self::Refused { code, .. } => format!("login_refused:{}", code.0).into(),
            Self::Kicked(KickType::MultipleAccount) => "multipleAccount".into(),
            Self::Kicked(KickType::MultipleDevice) => "multipleDevice".into(),
            Self::Kicked(KickType::RestApi) => "REST_API_Kick".into(),
            Self::UserSigExpired(_) => "userSigExpired".into(),
            Self::NoUserSig(_) => "no_user_sig".into(),
            Self::NoBot(_) => "no_bot".into(),
            Self::Crashed => "crashed".into(),
            Self::Hung => "hung".into(),
            Self::Ordered => "ordered".into(),
            Self::Stopped => "stopped".into(),
        }
    }
}

impl fmt::Display for Cause {
    /// What happened and, where a person can do something, what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted => f.write_str("not started yet"),
            Self::LinkLost(end) => write!(f, "link lost: {end}"),
            Self::ConnectFailed(error) => error.fmt(f),
            Self::Refused { code, info } => {
                write!(
                    f,
                    "login refused: {code}: {}; {}",
                    code.meaning(),
                    code.remedy()
                )?;
                if info.is_empty() {
                    Ok(())
                } else {
                    write!(f, " (server: {})", Shown(info))
                }
            }
            Self::Kicked(KickType::MultipleAccount) => f.write_str(
                "kicked (multipleAccount): another web instance logged in as this account",
            ),
            Self::Kicked(KickType::MultipleDevice) => {
                f.write_str("kicked (multipleDevice): another device logged in as this account")
            }
            Self::Kicked(KickType::RestApi) => f.write_str(
                "kicked (REST_API_Kick): an administrator threw it out; earlier UserSigs are void",
            ),
            Self::UserSigExpired(code) => write!(f, "login no longer valid: {code}"),
            Self::NoUserSig(error) => error.fmt(f),
            Self::NoBot(reason) => write!(
                f,
                "{}; mend it, then `botroupe resume` tries again",
                Shown(reason)
            ),
            Self::Crashed => f.write_str("a part of this program crashed; it was restarted"),
            Self::Hung => f.write_str(
                "the thread of this account did not come back; it was restarted on another one",
            ),
            Self::Ordered => {
                f.write_str("an operator ordered it; `botroupe resume` brings it back")
            }
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
