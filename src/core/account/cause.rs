//! Why an account is not online.

use crate::account::{ConnectError, LinkEnd};
use crate::proto::code::Code;
use crate::proto::event::KickType;
use crate::proto::shown::Shown;
use jiff::Timestamp;
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
    /// No link could be opened.
    ConnectFailed(ConnectError),
    /// The server refused a login or a resume.
    Refused {
        /// Its code.
        code: Code,
        /// The server's text.
        info: String,
    },
    /// The server calls a UserSig expired that was made here a moment ago. Either this machine's clock is
    /// wrong, or the key belongs to another app.
    ClockOff {
        /// The server's code.
        code: Code,
        /// What our clock shows, Unix seconds.
        ours: u64,
        /// By how many milliseconds the server's clock is ahead of ours, if known.
        offset: Option<i64>,
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
    /// Our own code never returned from a call; the accounts of its thread were moved to another one.
    Hung,
    /// It was given another proxy, and comes back on a new link.
    Reconfigured,
    /// An operator ordered it to stay away.
    Ordered,
    /// The program is being stopped.
    Stopped,
}

impl Cause {
    /// Whether another credential may help.
    pub(super) fn is_about_credential(&self) -> bool {
        match self {
            // The codes of UserSigs.
            Self::Refused { code, .. } => (70_001..=70_020).contains(&code.0),
            Self::ClockOff { .. } | Self::UserSigExpired(_) | Self::NoUserSig(_) => true,
            _ => false,
        }
    }

    /// One word for scripts: the four kick types in Tencent's spelling, or what happened and the
    /// detail behind a colon, such as `link_lost`, `connect_failed:dns`, `login_refused:70009`.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Self::NotStarted => "not_started".into(),
            Self::LinkLost(_) => "link_lost".into(),
            Self::ConnectFailed(error) => format!("connect_failed:{}", error.word()).into(),
            Self::Refused { code, .. } | Self::ClockOff { code, .. } => {
                format!("login_refused:{}", code.0).into()
            }
            Self::Kicked(KickType::MultipleAccount) => "multipleAccount".into(),
            Self::Kicked(KickType::MultipleDevice) => "multipleDevice".into(),
            Self::Kicked(KickType::RestApi) => "REST_API_Kick".into(),
            Self::UserSigExpired(_) => "userSigExpired".into(),
            Self::NoUserSig(_) => "no_user_sig".into(),
            Self::NoBot(_) => "no_bot".into(),
            Self::Crashed => "crashed".into(),
            Self::Hung => "hung".into(),
            Self::Reconfigured => "reconfigured".into(),
            Self::Ordered => "ordered".into(),
            Self::Stopped => "stopped".into(),
        }
    }
}

impl fmt::Display for Cause {
    /// What happened, and what a person can do about it, if anything.
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
            Self::ClockOff { code, ours, offset } => {
                write!(
                    f,
                    "login refused: {code}: the server takes a UserSig that was made just now for one that is \
                     over; this machine's clock says {}",
                    Clock(*ours)
                )?;
                match offset {
                    Some(offset) => write!(f, ", {}", Off(*offset))?,
                    None => f.write_str(", and the server's time is not known")?,
                }
                f.write_str("; set the clock, or look whether app.secret_key is that of the app")
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
            Self::Reconfigured => {
                f.write_str("its config changed; it comes back on a new link by itself")
            }
            Self::Ordered => {
                f.write_str("an operator ordered it; `botroupe resume` brings it back")
            }
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// Date and time of day, UTC, of Unix seconds; the seconds themselves after the year 9999.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).ok();
        match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(time) => time.strftime("%Y-%m-%d %H:%M:%SZ").fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// By how much our clock is off, given by how many milliseconds the server's clock is ahead.
#[derive(Clone, Copy, Debug)]
pub struct Off(pub i64);

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The server tells whole seconds: to one of them nothing is known.
        if self.0.unsigned_abs() <= 1_000 {
            return f.write_str("which agrees with the server's to the second");
        }
        let seconds = self.0.unsigned_abs().div_ceil(1000);
        let span = match seconds {
            0..120 => format!("{seconds} s"),
            120..7_200 => format!("{} min", seconds / 60),
            7_200..172_800 => format!("{} h", seconds / 3_600),
            _ => format!("{} days", seconds / 86_400),
        };
        let side = if self.0 > 0 { "behind" } else { "ahead of" };
        write!(f, "{span} {side} the server's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reads_well_and_so_does_how_far_it_is_off() {
        assert_eq!(Clock(0).to_string(), "1970-01-01 00:00:00Z");
        assert_eq!(Clock(951_827_696).to_string(), "2000-02-29 12:34:56Z");
        assert_eq!(Clock(1_795_397_877).to_string(), "2026-11-23 01:37:57Z");
        assert_eq!(Off(691_200_000).to_string(), "8 days behind the server's");
        assert_eq!(Off(-90_000).to_string(), "90 s ahead of the server's");
        assert!(Off(-948).to_string().contains("agrees"));
    }
}
