//! Users to whom the account is shown as typing. That ends with the next message to them, or after a while:
//! web UI kits show it until they are told otherwise.

use crate::policy::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the account is shown as typing at most, since it said so last.
const LIMIT: Duration = Duration::from_secs(30);
/// Users remembered. With more, the one whose time ends first is told at once.
const MAX_USERS: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Typing {
    until: BTreeMap<Box<str>, Duration>,
}

impl Typing {
    /// A typing notice or a message (`None`) goes to `user`. Returns who has to be told afterwards that the
    /// account types no longer.
    pub(super) fn said(&mut self, now: Now, user: &str, notice: Option<bool>) -> Option<Box<str>> {
        match notice {
            Some(true) => {
                self.until.insert(user.into(), now.mono + LIMIT);
                (self.until.len() > MAX_USERS)
                    .then(|| self.take_first(Duration::MAX))
                    .flatten()
            }
            Some(false) => {
                self.until.remove(user);
                None
            }
            None => self.until.remove_entry(user).map(|(user, _)| user),
        }
    }

    /// The account is away: `user` is to be told when it is back.
    pub(super) fn later(&mut self, now: Now, user: &str) {
        self.until.insert(user.into(), now.mono);
    }

    /// Takes a user whose time is over.
    pub(super) fn take_due(&mut self, now: Now) -> Option<Box<str>> {
        self.take_first(now.mono)
    }

    fn take_first(&mut self, limit: Duration) -> Option<Box<str>> {
        let first = self.until.iter().min_by_key(|(_, until)| **until);
        let user = first.filter(|(_, until)| **until <= limit)?.0.clone();
        self.until.remove(&user);
        Some(user)
    }

    /// When [`take_due`](Self::take_due) gives somebody next.
    pub(super) fn next(&self) -> Option<Duration> {
        self.until.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use crate::account::Report;
    use crate::account::{AccountEvent, Core, CoreConfig, Credential, Effect, OutboxItem, Policy};
    use crate::policy::Now;
    use crate::proto::endpoint::HostWalk;
    use crate::proto::id::{SdkAppId, UserId};
    use crate::proto::message::Draft;
    use crate::session::{Event, Memory, Ready};
    use std::sync::Arc;
    use std::time::Duration;

    const START: Now = Now::new(Duration::from_secs(100), Duration::from_secs(1_795_000_000));

    fn ready(core: &mut Core, now: Now, resumed: bool) {
        core.report(now, &mut Memory::default(), Report::Opened);
        let ready = Ready {
            resumed,
            inst_id: None,
            clock_offset: 0,
        };
        core.report(
            now,
            &mut Memory::default(),
            Report::Session(Event::Ready(ready)),
        );
    }

    fn online() -> Core {
        let config = CoreConfig {
            app: SdkAppId::new(1_400_000_001).unwrap(),
            name: UserId::parse("bot").unwrap().into(),
            credential: Credential::Minted {
                key: Arc::new("secret".into()),
                lifetime: Duration::from_secs(86_400),
            },
            hosts: HostWalk::fixed("ws://here"),
            policy: Arc::new(Policy::standard()),
            probes: false,
        };
        let mut core = Core::new(config, 1, START);
        core.start(START, &mut Memory::default());
        core.turn(START, &mut Memory::default());
        ready(&mut core, START, false);
        let effects: Vec<Effect> = std::iter::from_fn(|| core.poll_effect()).collect();
        let is_ready = |effect: &Effect| matches!(effect, Effect::Deliver(AccountEvent::Ready));
        assert!(effects.iter().any(is_ready), "{effects:?}");
        core
    }

    fn say(core: &mut Core, now: Now, user: &str, draft: Draft) {
        let item = OutboxItem::Message {
            to: crate::proto::message::Conversation::c2c(user),
            draft: Arc::new(draft),
            key: None,
            sent_since: None,
        };
        core.send(now, 1, item);
    }

    /// What was sent since the last look: messages, and who was told of the end of typing.
    fn sent(core: &mut Core) -> Vec<String> {
        let effects = std::iter::from_fn(|| core.poll_effect());
        effects
            .filter_map(|effect| match effect {
                Effect::Transmit { .. } => Some("message".to_owned()),
                Effect::Note { servcmd, body } => {
                    assert_eq!(servcmd, "openim.sendmsg");
                    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                    let data = body["MsgBody"][0]["MsgContent"]["Data"].as_str().unwrap();
                    assert!(data.contains("EIMAMSG_InputStatus_End"), "{body}");
                    assert_eq!(body["MsgLifeTime"], 0);
                    Some(format!("end to {}", body["To_Account"].as_str().unwrap()))
                }
                _ => None,
            })
            .collect()
    }

    #[test]
    fn f5_typing_ends_with_the_answer_and_only_once() {
        let mut core = online();
        say(&mut core, START, "alice", Draft::typing(true));
        say(&mut core, START, "bob", Draft::typing(true));
        assert_eq!(sent(&mut core), ["message", "message"]);
        core.report(START, &mut Memory::default(), settled());
        say(&mut core, START, "alice", Draft::text("here it is"));
        let after = sent(&mut core);
        assert_eq!(after.last().unwrap(), "end to alice");
        say(&mut core, START, "alice", Draft::text("and this"));
        assert!(!sent(&mut core).contains(&"end to alice".to_owned()));
        // Who ends it itself needs no help.
        say(&mut core, START, "bob", Draft::typing(false));
        say(&mut core, START, "bob", Draft::text("bye"));
        assert!(!sent(&mut core).contains(&"end to bob".to_owned()));
    }

    fn settled() -> Report {
        Report::Settled {
            token: 1,
            outcome: Ok("{}".to_owned()),
        }
    }

    #[test]
    fn f5_typing_without_an_answer_ends_by_time() {
        let mut core = online();
        say(&mut core, START, "alice", Draft::typing(true));
        sent(&mut core);
        let later = START.after(Duration::from_secs(20));
        core.report(later, &mut Memory::default(), settled());
        say(&mut core, later, "alice", Draft::typing(true));
        core.timeout(START.after(Duration::from_secs(31)), &mut Memory::default());
        assert!(
            !sent(&mut core).contains(&"end to alice".to_owned()),
            "it said so again"
        );
        core.report(later, &mut Memory::default(), settled());
        let end = core.poll_timeout(&Memory::default()).unwrap();
        assert_eq!(end, (later.mono + Duration::from_secs(30)));
        core.timeout(later.after(Duration::from_secs(30)), &mut Memory::default());
        assert_eq!(sent(&mut core), ["end to alice"]);
        core.timeout(later.after(Duration::from_secs(90)), &mut Memory::default());
        assert!(sent(&mut core).is_empty());
    }

    #[test]
    fn f5_what_ends_during_an_outage_is_told_after_it() {
        let mut core = online();
        say(&mut core, START, "alice", Draft::typing(true));
        core.report(START, &mut Memory::default(), settled());
        core.report(
            START,
            &mut Memory::default(),
            Report::Closed(crate::account::LinkEnd::Cut),
        );
        sent(&mut core);
        let later = START.after(Duration::from_secs(20));
        say(
            &mut core,
            later,
            "alice",
            Draft::text("an answer that waits"),
        );
        assert!(sent(&mut core).is_empty());
        core.timeout(later, &mut Memory::default());
        core.turn(later, &mut Memory::default());
        ready(&mut core, later, true);
        core.timeout(later, &mut Memory::default());
        assert_eq!(sent(&mut core), ["message", "end to alice"]);
    }

    #[test]
    fn f5_no_bot_can_fill_the_memory_with_those_it_types_to() {
        let mut typing = super::Typing::default();
        let mut ended = 0;
        for n in 0..1_000 {
            let user = format!("u{n}");
            ended += usize::from(typing.said(START, &user, Some(true)).is_some());
        }
        assert_eq!((typing.until.len(), ended), (super::MAX_USERS, 744));
    }
}
