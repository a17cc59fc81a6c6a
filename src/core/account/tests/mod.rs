//! Decisions that no server of ours would bring about: wrong clocks, and servers without room.

mod outlook;
mod reconfigure;
mod spill;

use super::*;
use crate::account::{ConnectError, Report};
use crate::policy::Now;
use crate::proto::code::Code;
use crate::proto::endpoint::HostWalk;
use crate::proto::event::KickType;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::usersig::{self, UserSig};
use crate::session::{Event, Memory, Ready};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

const APP: u32 = 1_400_000_001;
const DAY: u64 = 86_400;
/// The server's time at the start.
const SERVER: u64 = 1_790_000_000;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn sign(issued: u64, lifetime: u64) -> UserSig {
    let app = SdkAppId::new(APP).unwrap();
    let user = UserId::parse("bot").unwrap();
    usersig::sign(app, &SecretString::from("key"), &user, issued, lifetime)
}

fn issued_at(sig: &UserSig) -> u64 {
    usersig::inspect(sig.expose()).unwrap().issued_at
}

/// An account on a machine whose clock is off, and the time that went by.
struct Rig {
    core: Core,
    memory: Memory,
    mono: Duration,
    off: i64,
}

impl Rig {
    fn new(credential: Credential, off: i64) -> Self {
        let config = CoreConfig {
            app: SdkAppId::new(APP).unwrap(),
            name: UserId::parse("bot").unwrap().into(),
            credential,
            hosts: HostWalk::fixed("ws://h"),
            policy: Arc::new(Policy::standard()),
            probes: false,
        };
        let start = Now::default();
        let mut rig = Self {
            core: Core::new(config, 1, start),
            memory: Memory::default(),
            mono: Duration::ZERO,
            off,
        };
        rig.core.start(rig.now(), &mut rig.memory);
        rig
    }

    fn minting(off: i64) -> Self {
        let key = Arc::new(SecretString::from("key"));
        let lifetime = secs(7 * DAY);
        Self::new(Credential::Minted { key, lifetime }, off)
    }

    fn now(&self) -> Now {
        let unix = (SERVER + self.mono.as_secs()).saturating_add_signed(self.off);
        Now::new(self.mono, secs(unix))
    }

    /// Lets time pass until it dials, and gives the UserSig that it would log in with.
    fn dials(&mut self, given: Option<&UserSig>) -> UserSig {
        loop {
            while let Some(effect) = self.core.poll_effect() {
                match effect {
                    Effect::ReserveLogin => self.core.turn(self.now(), &mut self.memory),
                    Effect::FetchUserSig => {
                        self.core.user_sig(
                            self.now(),
                            &mut self.memory,
                            Ok(given.unwrap().clone()),
                        );
                    }
                    Effect::Dial { user_sig, .. } => return user_sig.unwrap(),
                    _ => {}
                }
            }
            self.mono = self.core.poll_timeout(&self.memory).unwrap().max(self.mono);
            self.core.timeout(self.now(), &mut self.memory);
        }
    }

    fn refused(&mut self, code: Code) {
        self.core
            .report(self.now(), &mut self.memory, Report::Opened);
        let event = Event::Refused {
            code,
            info: String::new(),
            resuming: false,
        };
        self.core
            .report(self.now(), &mut self.memory, Report::Session(event));
    }
}

#[test]
fn usersigs_are_made_by_the_servers_time_as_soon_as_it_has_told_it() {
    for off in [-8 * DAY as i64, 8 * DAY as i64] {
        let mut rig = Rig::minting(off);
        assert_eq!(issued_at(&rig.dials(None)), rig.now().unix_secs());
        rig.core
            .report(rig.now(), &mut rig.memory, Report::ServerTime(secs(SERVER)));
        rig.refused(Code::USERSIG_EXPIRED);
        let again = issued_at(&rig.dials(None));
        assert_eq!(again, SERVER + rig.mono.as_secs());
        let known = rig.core.status(rig.now(), &rig.memory).clock_offset;
        assert_eq!(known, -off * 1000);
    }
}

#[test]
fn an_account_that_is_resumed_while_it_logs_out_comes_back_with_a_login() {
    let mut rig = Rig::minting(0);
    rig.dials(None);
    let ready = |rig: &mut Rig| {
        let ready = Event::Ready(Ready {
            resumed: false,
            inst_id: None,
            clock_offset: 0,
        });
        for report in [Report::Opened, Report::Session(ready)] {
            rig.core.report(rig.now(), &mut rig.memory, report);
        }
    };
    ready(&mut rig);
    rig.core.hold(rig.now(), &mut rig.memory);
    rig.core.resume(rig.now(), &mut rig.memory);
    rig.dials(None); // With a UserSig: the ticket is void.
    let late = Report::Session(Event::LoggedOut);
    rig.core.report(rig.now(), &mut rig.memory, late);
    let closes =
        std::iter::from_fn(|| rig.core.poll_effect()).any(|effect| matches!(effect, Effect::Close));
    assert!(!closes, "the goodbye of the last link ended the next one");
    ready(&mut rig);
    assert_eq!(rig.core.phase(), Phase::Online);
}

#[test]
fn seconds_of_difference_are_none() {
    let mut rig = Rig::minting(-2);
    rig.dials(None);
    rig.core
        .report(rig.now(), &mut rig.memory, Report::ServerTime(secs(SERVER)));
    rig.refused(Code::USERSIG_EXPIRED);
    assert_eq!(issued_at(&rig.dials(None)), rig.now().unix_secs());
}

#[test]
fn two_refusals_of_what_was_made_here_just_now_name_the_clock() {
    let mut rig = Rig::minting(-8 * DAY as i64);
    rig.dials(None);
    rig.refused(Code::USERSIG_EXPIRED);
    let first = rig.core.status(rig.now(), &rig.memory).cause;
    assert!(matches!(first, Cause::Refused { .. }), "{first}");
    rig.dials(None);
    rig.refused(Code::USERSIG_EXPIRED);
    let second = rig.core.status(rig.now(), &rig.memory).cause;
    assert_eq!(second.word(), "login_refused:70001");
    let said = second.to_string();
    assert!(
        said.contains("clock says") && said.contains("is not known"),
        "{said}"
    );
}

#[test]
fn a_clock_that_stays_wrong_is_tried_with_patience() {
    let mut rig = Rig::minting(-8 * DAY as i64);
    let mut tries = 0;
    while rig.mono < secs(3600) {
        rig.dials(None);
        rig.refused(Code::USERSIG_EXPIRED);
        tries += 1;
    }
    assert!((60..200).contains(&tries), "{tries}");
}

#[test]
fn a_usersig_of_a_source_that_seems_over_is_tried_once() {
    let file = || Credential::External(Arc::new(External::File("bot.sig".into())));
    // Our clock is eight days ahead: it seems over, and is not.
    let sig = sign(SERVER - DAY, 7 * DAY);
    let mut rig = Rig::new(file(), 8 * DAY as i64);
    let tried = rig.dials(Some(&sig));
    assert_eq!(issued_at(&tried), SERVER - DAY);
    // It was over indeed: not tried a second time.
    rig.refused(Code::USERSIG_EXPIRED);
    for _ in 0..3 {
        rig.mono = rig.core.poll_timeout(&rig.memory).unwrap().max(rig.mono);
        rig.core.timeout(rig.now(), &mut rig.memory);
        while let Some(effect) = rig.core.poll_effect() {
            match effect {
                Effect::ReserveLogin => rig.core.turn(rig.now(), &mut rig.memory),
                Effect::FetchUserSig => {
                    rig.core
                        .user_sig(rig.now(), &mut rig.memory, Ok(sig.clone()))
                }
                Effect::Dial { .. } => panic!("the same again"),
                _ => {}
            }
        }
    }
    // The server says what time it is: then it is known to be over, and not tried at all.
    let mut rig = Rig::new(file(), 0);
    rig.core
        .report(rig.now(), &mut rig.memory, Report::ServerTime(secs(SERVER)));
    let over = sign(SERVER - 9 * DAY, 7 * DAY);
    while let Some(effect) = rig.core.poll_effect() {
        match effect {
            Effect::ReserveLogin => rig.core.turn(rig.now(), &mut rig.memory),
            Effect::FetchUserSig => rig
                .core
                .user_sig(rig.now(), &mut rig.memory, Ok(over.clone())),
            Effect::Dial { .. } => panic!("it is over"),
            _ => {}
        }
        if rig.core.status(rig.now(), &rig.memory).cause.word() == "no_user_sig" {
            return;
        }
    }
    panic!("it was never asked for");
}

#[test]
fn a_usersig_in_the_config_that_seems_over_is_tried_once() {
    let sig = sign(SERVER - DAY, 7 * DAY);
    let mut rig = Rig::new(Credential::Static(sig), 8 * DAY as i64);
    rig.dials(None);
    rig.refused(Code::USERSIG_EXPIRED);
    assert_eq!(rig.core.phase(), Phase::Quarantined);
}

#[test]
fn a_server_without_room_is_left_alone_as_long_as_it_asks_by_the_whole_fleet() {
    let mut rig = Rig::minting(0);
    rig.dials(None);
    let busy = ConnectError::Busy {
        host: "h".to_owned(),
        status: 429,
        retry_after: Some(secs(120)),
    };
    rig.core
        .report(rig.now(), &mut rig.memory, Report::DialFailed(busy));
    let mut slowed = None;
    while let Some(effect) = rig.core.poll_effect() {
        if let Effect::SlowDown(wait) = effect {
            slowed = Some(wait);
        }
    }
    assert_eq!(slowed, Some(secs(120)));
    rig.dials(None);
    assert!(rig.mono >= secs(120), "{:?}", rig.mono);
}

impl Rig {
    /// Online with a login that was just made, and nothing left to do.
    fn online() -> Self {
        let mut rig = Self::minting(0);
        rig.dials(None);
        rig.report(Report::Opened);
        rig.ready();
        while rig.core.poll_effect().is_some() {}
        rig.mono += secs(60);
        rig
    }

    fn report(&mut self, report: Report) {
        self.core.report(self.now(), &mut self.memory, report);
    }

    fn ready(&mut self) {
        let ready = Ready {
            resumed: false,
            inst_id: None,
            clock_offset: 0,
        };
        self.report(Report::Session(Event::Ready(ready)));
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.core.poll_effect()).collect()
    }
}

/// A turn may be on its way when the state that asked for it ends.
#[test]
fn a_turn_for_a_renewal_does_not_end_a_cool_down_early() {
    let mut rig = Rig::online();
    rig.core.relogin(rig.now(), &mut rig.memory);
    let asked = rig.effects();
    assert!(
        asked
            .iter()
            .any(|effect| matches!(effect, Effect::ReserveLogin)),
        "{asked:?}"
    );
    let kick = Event::Kicked(KickType::MultipleAccount);
    rig.report(Report::Session(kick));
    assert_eq!(rig.core.phase(), Phase::CoolingDown);
    rig.effects();
    rig.core.turn(rig.now(), &mut rig.memory);
    assert!(rig.effects().is_empty());
    assert_eq!(rig.core.phase(), Phase::CoolingDown);
}

/// The session has given up the old login for the new one, so that there is nothing to resume.
#[test]
fn a_link_that_is_lost_during_a_renewal_is_followed_by_a_full_login() {
    let mut rig = Rig::online();
    rig.core.relogin(rig.now(), &mut rig.memory);
    rig.core.turn(rig.now(), &mut rig.memory);
    assert_eq!(rig.core.phase(), Phase::Renewing);
    rig.report(Report::Closed(LinkEnd::Cut));
    rig.effects();
    rig.dials(None); // It fails when there is no UserSig to log in with.
}
