//! Faults: deliberate misbehaviour that can be switched on per account or globally.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    KickType, Output, World,
    outgoing::Packet,
    scripted::{Script, Scripted},
};
use crate::{
    config::Dedupe,
    policy::Now,
    proto::{
        code::Code,
        id::{IdError, UserId, valid_user},
    },
    wire::CompressMode,
};

/// One fault. The methods of `Sandbox` and `POST /sandbox/<name>` both create this value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Cuts every link of the account, without a close frame.
    DropLink {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
    },
    /// Closes every link of the account properly, with a close frame.
    CloseLink {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The close code; 1000 if absent.
        #[serde(default = "normal_close")]
        code: u16,
    },
    /// Ignores everything received on the account's links and sends nothing; the links stay open.
    StopAnswering {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// Duration in seconds; if absent, until `resume_answering`.
        #[serde(default)]
        seconds: Option<u64>,
    },
    /// Ends `stop_answering`.
    ResumeAnswering {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
    },
    /// Delays everything sent to the account; 0 ends the fault.
    Delay {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The delay in milliseconds.
        millis: u64,
    },
    /// Sends each of the next `count` pushes to the account twice.
    Duplicate {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// How many pushes.
        count: u32,
    },
    /// Swaps the next two pushes to the account. If no second push follows within 5 s, the first is
    /// sent alone.
    Reorder {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
    },
    /// Ends the account's logins as if its UserSig had expired now: everything but a ping gets
    /// 70001.
    Expire {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
    },
    /// Kicks every login of the account, with a push.
    Kick {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// 1 for another web login, 2 for another terminal, 3 for the REST API.
        #[serde(rename = "type")]
        kind: u8,
    },
    /// Tells the account not to send a command for a while.
    Overload {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The full command.
        servcmd: String,
        /// Duration in seconds.
        seconds: u64,
    },
    /// Refuses logins of the account with a code, including logins with a ticket.
    RefuseLogin {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The code; 0 ends the fault.
        code: i64,
        /// How many logins are refused; if absent, all until the fault is ended.
        #[serde(default)]
        count: Option<u32>,
    },
    /// Answers requests of a command with a code, without executing them. Like `answer` and
    /// `ignore`, this replaces an earlier fault of the same command and does not apply to
    /// heartbeats and logins.
    Refuse {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The full command.
        servcmd: String,
        /// The code.
        code: i64,
        /// How many requests; 0 ends the fault; if absent, all until the fault is ended.
        #[serde(default)]
        count: Option<u32>,
    },
    /// Answers requests of a command with this body, without executing them.
    Answer {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The full command.
        servcmd: String,
        /// The body of the answer.
        body: Value,
        /// How many requests; 0 ends the fault; if absent, all until the fault is ended.
        #[serde(default)]
        count: Option<u32>,
    },
    /// Accepts requests of a command but neither executes nor answers them.
    Ignore {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The full command.
        servcmd: String,
        /// How many requests; 0 ends the fault; if absent, all until the fault is ended.
        #[serde(default)]
        count: Option<u32>,
    },
    /// Pushes an event unchanged to every logged-in link of the account. The event is neither
    /// checked nor stored.
    Push {
        /// The account.
        #[serde(deserialize_with = "valid_user")]
        user: UserId,
        /// The item of `EventArray`.
        event: Value,
        /// The command of the push; `im_open_push.msg_push` if absent.
        #[serde(default = "usual_push")]
        servcmd: String,
        /// Fields beside `EventArray`, such as `Flag`. They override the usual `NeedAck` and
        /// `SessionData`.
        #[serde(default)]
        envelope: Map<String, Value>,
    },
    /// Compresses everything sent to binary clients.
    Compress {
        /// The compression mode.
        mode: CompressMode,
    },
    /// Recognises other repeated sends from now on, see [`SandboxConfig::dedupe`].
    ///
    /// [`SandboxConfig::dedupe`]: crate::SandboxConfig::dedupe
    Dedupe {
        /// Which ones.
        mode: Dedupe,
    },
    /// Moves the sandbox's clock forward: times of messages, windows, the life of UserSigs and what
    /// clients are told of the time. Monotonic time is not touched. Without a shell, the owner of the
    /// clock adds [`State::skipped`](crate::state::State::skipped).
    SkipClock {
        /// Seconds, ten years at most in all.
        seconds: u64,
    },
    /// Cuts every link, as a restart of the server would.
    Restart {
        /// Also forgets all logins, so that tickets are no longer known.
        #[serde(default)]
        forget_logins: bool,
    },
}

/// How far the clock may be ahead, in seconds.
pub(crate) const MAX_SKIP: u64 = 10 * 365 * 86_400;

const fn normal_close() -> u16 {
    1000
}

fn usual_push() -> String {
    "im_open_push.msg_push".to_owned()
}

impl Fault {
    /// The names of all faults, in the order of the enum.
    pub const NAMES: [&'static str; 19] = [
        "drop_link",
        "close_link",
        "stop_answering",
        "resume_answering",
        "delay",
        "duplicate",
        "reorder",
        "expire",
        "kick",
        "overload",
        "refuse_login",
        "refuse",
        "answer",
        "ignore",
        "push",
        "compress",
        "dedupe",
        "skip_clock",
        "restart",
    ];
}

/// Why a fault was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The account does not exist.
    #[error("there is no account {user} in the sandbox")]
    UnknownUser {
        /// The UserID.
        user: UserId,
    },
    /// The kick type is not 1, 2 or 3.
    #[error("a kick type is 1, 2 or 3, not {found}")]
    KickType {
        /// The number given.
        found: u8,
    },
    /// The clock would be too far ahead.
    #[error("the clock may be ten years ahead at most, and is not moved by {found} s")]
    ClockSkip {
        /// The seconds given.
        found: u64,
    },
    /// The UserID is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The faults of one account.
#[derive(Debug, Default)]
pub(crate) struct UserFaults {
    pub(crate) silent: Option<Silence>,
    pub(crate) delay: Duration,
    pub(crate) duplicate: u32,
    pub(crate) reorder: Reorder,
    pub(crate) refuse: Option<Refusal>,
    pub(crate) commands: BTreeMap<String, Scripted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    Forever,
    Until(Duration),
}

#[derive(Debug, Default)]
pub(crate) enum Reorder {
    #[default]
    Off,
    /// The next push is to be held back.
    Armed,
    /// These pushes wait for another push or for the time-out.
    Held {
        until: Duration,
        packets: VecDeque<Packet>,
    },
}

#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) left: Option<u32>,
}

impl World {
    /// Applies a fault.
    ///
    /// # Errors
    /// [`FaultError`] if the account does not exist or a value is out of range.
    pub(crate) fn fault(&mut self, now: Now, fault: Fault) -> Result<(), FaultError> {
        // Expiry and kicks void UserSigs, which the snapshot stores.
        self.note_change();
        match fault {
            Fault::DropLink { user } => {
                self.known(&user)?;
                for conn in self.links_of(&user) {
                    self.cut(now, conn);
                }
            }
            Fault::CloseLink { user, code } => {
                self.known(&user)?;
                for conn in self.links_of(&user) {
                    self.ready.push_back(Output::Close { conn, code });
                    self.closed(now, conn);
                }
            }
            Fault::StopAnswering { user, seconds } => {
                let silence = seconds.map_or(Silence::Forever, |secs| {
                    Silence::Until(now.mono.saturating_add(Duration::from_secs(secs)))
                });
                self.faults_of(&user)?.silent = Some(silence);
            }
            Fault::ResumeAnswering { user } => self.faults_of(&user)?.silent = None,
            Fault::Delay { user, millis } => {
                self.faults_of(&user)?.delay = Duration::from_millis(millis);
            }
            Fault::Duplicate { user, count } => self.faults_of(&user)?.duplicate = count,
            Fault::Reorder { user } => self.faults_of(&user)?.reorder = Reorder::Armed,
            Fault::Expire { user } => {
                self.known(&user)?;
                self.expire_logins(now, &user);
            }
            Fault::Kick { user, kind } => {
                let kind =
                    KickType::from_number(kind).ok_or(FaultError::KickType { found: kind })?;
                self.known(&user)?;
                self.kick_all(now, &user, kind);
            }
            Fault::Overload {
                user,
                servcmd,
                seconds,
            } => {
                self.known(&user)?;
                let body = json!({"OverLoadServCmd": servcmd, "DelaySecs": seconds});
                for conn in self.online_links(&user) {
                    self.push(now, conn, "OverLoadPush.notify2", &body);
                }
            }
            Fault::RefuseLogin { user, code, count } => {
                self.faults_of(&user)?.refuse = (code != 0).then_some(Refusal {
                    code: Code(code),
                    left: count,
                });
            }
            Fault::Refuse {
                user,
                servcmd,
                code,
                count,
            } => self.script(&user, servcmd, Script::Refuse(Code(code)), count)?,
            Fault::Answer {
                user,
                servcmd,
                body,
                count,
            } => self.script(&user, servcmd, Script::Answer(body), count)?,
            Fault::Ignore {
                user,
                servcmd,
                count,
            } => self.script(&user, servcmd, Script::Ignore, count)?,
            Fault::Push {
                user,
                event,
                servcmd,
                envelope,
            } => {
                self.known(&user)?;
                self.push_raw(now, &user, &servcmd, &event, &envelope);
            }
            Fault::Compress { mode } => self.compress = mode,
            Fault::Dedupe { mode } => self.config.dedupe = mode,
            Fault::SkipClock { seconds } => {
                let skipped = self.skipped.checked_add(seconds);
                let skipped = skipped.filter(|skipped| *skipped <= MAX_SKIP);
                self.skipped = skipped.ok_or(FaultError::ClockSkip { found: seconds })?;
            }
            Fault::Restart { forget_logins } => {
                let mut conns: Vec<_> = self.links.keys().copied().collect();
                conns.sort_unstable();
                for conn in conns {
                    self.cut(now, conn);
                }
                if forget_logins {
                    self.forget_logins();
                }
            }
        }
        Ok(())
    }

    fn known(&self, user: &UserId) -> Result<(), FaultError> {
        if self.accounts.contains_key(user) {
            Ok(())
        } else {
            Err(FaultError::UnknownUser { user: user.clone() })
        }
    }

    /// The faults of an account. With `auto_import` the account is created: a login can be refused
    /// before the first login arrives.
    fn faults_of(&mut self, user: &UserId) -> Result<&mut UserFaults, FaultError> {
        if !self.known_or_created(user) {
            return Err(FaultError::UnknownUser { user: user.clone() });
        }
        Ok(self.faults.entry(user.clone()).or_default())
    }

    fn script(
        &mut self,
        user: &UserId,
        servcmd: String,
        with: Script,
        count: Option<u32>,
    ) -> Result<(), FaultError> {
        let commands = &mut self.faults_of(user)?.commands;
        if count == Some(0) {
            commands.remove(&servcmd);
        } else {
            commands.insert(servcmd, Scripted { with, left: count });
        }
        Ok(())
    }

    /// Returns true while a fault suppresses all answers to `user`.
    pub(crate) fn is_silent(&mut self, now: Now, user: &UserId) -> bool {
        let Some(faults) = self.faults.get_mut(user) else {
            return false;
        };
        match faults.silent {
            None => false,
            Some(Silence::Forever) => true,
            Some(Silence::Until(end)) if now.mono < end => true,
            Some(Silence::Until(_)) => {
                faults.silent = None;
                false
            }
        }
    }

    /// The code with which to refuse the next login of `user`, if any. Decrements the fault's
    /// counter.
    pub(crate) fn refusal(&mut self, user: &UserId) -> Option<Code> {
        let faults = self.faults.get_mut(user)?;
        let refusal = faults.refuse.as_mut()?;
        let code = refusal.code;
        if let Some(left) = &mut refusal.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                faults.refuse = None;
            }
        }
        Some(code)
    }
}

pub(crate) type Faults = BTreeMap<UserId, UserFaults>;
