//! The machine on a virtual clock.

use super::*;
use crate::account::AccountName;
use crate::account::{Cause, CredentialError, Phase, Status};
use crate::policy::Now;
use crate::proto::event::KickType;
use crate::proto::id::UserId;
use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A wall clock that is far from the other one.
fn at(n: u64) -> Now {
    Now::new(secs(n), secs(1_795_000_000 + n))
}

fn user(name: &str) -> AccountName {
    UserId::parse(name).unwrap().into()
}

fn status(name: &str, phase: Phase, cause: Cause) -> Status {
    Status {
        phase,
        cause,
        ..Status::new(user(name), Duration::ZERO)
    }
}

const KICKED: Cause = Cause::Kicked(KickType::MultipleAccount);

fn sourceless() -> Cause {
    Cause::NoUserSig(CredentialError::Source {
        from: "program sign".to_owned(),
        reason: "it failed".to_owned(),
    })
}

fn policy() -> Policy {
    Policy {
        rules: Rule::ALL.to_vec(),
        except: Vec::new(),
        group_wait: secs(30),
        repeat: Some(secs(3600)),
        resolved: true,
    }
}

const LIMITS: Limits = Limits {
    share: 0.5,
    share_for: Duration::from_secs(300),
    letters: 3,
    disk: 1 << 30,
};

fn alerts(policy: Policy) -> Alerts {
    let accounts = ["a", "b", "c", "d"].map(user);
    let mut alerts = Alerts::new(policy, LIMITS, accounts);
    for name in ["a", "b", "c", "d"] {
        alerts.changed(at(0), &status(name, Phase::Online, Cause::NotStarted));
    }
    alerts
}

/// Lets time pass until `until`, with a timeout whenever one is wanted, and returns what is told: when, and the
/// title with the lines up to their colon.
fn told(alerts: &mut Alerts, until: u64) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(next) = alerts.poll_timeout().filter(|next| *next <= secs(until)) {
        let now = Now::new(next, secs(1_795_000_000) + next);
        alerts.timeout(now);
        while let Some(notice) = alerts.poll_notice() {
            let names: Vec<_> = notice
                .alerts
                .iter()
                .map(|alert| match &alert.account {
                    Some(account) => format!("{}/{account}", alert.rule),
                    None => alert.rule.to_string(),
                })
                .collect();
            let when = next.as_secs();
            told.push(format!("{when}: {}: {}", notice.title(), names.join(" ")));
        }
        assert!(
            alerts.poll_timeout().is_none_or(|after| after > next),
            "a timeout that does not move on at {next:?}"
        );
    }
    told
}

/// The alerts of an account, phase by phase.
#[test]
fn the_table_of_what_begins_and_ends_with_each_phase() {
    let begins = |rule| format!("+{rule}");
    let ends = |rule| format!("-{rule}");
    let waits = |reason: &str, phase| Status {
        waits_for: Some(reason.to_owned()),
        ..status("a", phase, Cause::NotStarted)
    };
    let mut conditions = Conditions::new(LIMITS, ["a", "b", "c"].map(user));
    for (step, (status, expected)) in [
        (status("a", Phase::Online, Cause::NotStarted), vec![]),
        (status("a", Phase::CoolingDown, KICKED), vec![]),
        (
            status("a", Phase::Contested, KICKED),
            vec![begins("contested")],
        ),
        // It tries again after hours: that it tries is no news.
        (status("a", Phase::LoggingIn, KICKED), vec![]),
        (status("a", Phase::Contested, KICKED), vec![]),
        (status("a", Phase::Online, KICKED), vec![ends("contested")]),
        (
            status("a", Phase::Held, Cause::Kicked(KickType::RestApi)),
            vec![begins("held")],
        ),
        (
            status("a", Phase::Quarantined, Cause::Crashed),
            vec![ends("held"), begins("quarantined")],
        ),
        (
            status("a", Phase::Held, Cause::Ordered),
            vec![ends("quarantined")],
        ),
        (status("a", Phase::Waiting, Cause::Ordered), vec![]),
        (
            status("a", Phase::Waiting, sourceless()),
            vec![begins("user_sig")],
        ),
        (status("a", Phase::Connecting, sourceless()), vec![]),
        (
            status("a", Phase::Online, Cause::NotStarted),
            vec![ends("user_sig")],
        ),
        (waits("a UserSig from program sign", Phase::Online), vec![]),
        (
            waits("no UserSig from program sign: it failed", Phase::Online),
            vec![begins("user_sig")],
        ),
        (waits("a UserSig from program sign", Phase::Online), vec![]),
        (
            status("a", Phase::Online, Cause::NotStarted),
            vec![ends("user_sig")],
        ),
        (status("a", Phase::Quarantined, Cause::Ordered), vec![]),
        (
            status("a", Phase::Quarantined, sourceless()),
            vec![begins("quarantined")],
        ),
        (
            status("a", Phase::Stopped, Cause::Stopped),
            vec![ends("quarantined")],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let turns = conditions.changed(at(step as u64), &status);
        let turns: Vec<String> = turns
            .iter()
            .map(|turn| match turn {
                Turn::Begins(rule, account, _) => {
                    assert!(account.is_some());
                    begins(rule.name())
                }
                Turn::Ends(rule, _) => ends(rule.name()),
            })
            .collect();
        assert_eq!(turns, expected, "step {step}: {status:?}");
    }
}

#[test]
fn alerts_wait_for_each_other_and_are_told_once() {
    let mut alerts = alerts(policy());
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    alerts.changed(at(120), &status("b", Phase::Quarantined, KICKED));
    alerts.changed(at(140), &status("c", Phase::Online, KICKED));
    assert_eq!(
        told(&mut alerts, 3_000),
        ["130: 2 firing: quarantined/b contested/a"]
    );
    // The third alone is new, and then the share, which waits for its own time.
    alerts.changed(at(3_000), &status("c", Phase::Held, Cause::Crashed));
    assert_eq!(told(&mut alerts, 3_299), ["3030: 1 firing: held/c"]);
    assert_eq!(told(&mut alerts, 3_400), ["3330: 1 firing: share"]);
}

#[test]
fn what_still_fires_is_told_again_until_it_is_over_and_that_once() {
    let mut alerts = alerts(policy());
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    assert_eq!(
        told(&mut alerts, 8_000),
        [
            "130: 1 firing: contested/a",
            "3730: 1 still firing: contested/a",
            "7330: 1 still firing: contested/a",
        ]
    );
    alerts.changed(at(8_000), &status("a", Phase::Online, KICKED));
    assert_eq!(told(&mut alerts, 30_000), ["8030: 1 resolved: contested/a"]);
    assert_eq!(alerts.poll_timeout(), None);
}

#[test]
fn who_wants_no_repetition_and_no_end_gets_none() {
    let mut alerts = alerts(Policy {
        repeat: None,
        resolved: false,
        ..policy()
    });
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    assert_eq!(told(&mut alerts, 90_000).len(), 1);
    alerts.changed(at(90_000), &status("a", Phase::Online, KICKED));
    assert_eq!(told(&mut alerts, 190_000), [""; 0]);
    // And it can fire anew.
    alerts.changed(at(190_000), &status("a", Phase::Contested, KICKED));
    assert_eq!(told(&mut alerts, 200_000).len(), 1);
}

#[test]
fn what_is_over_before_anybody_heard_of_it_is_not_told() {
    let mut alerts = alerts(policy());
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    alerts.changed(at(110), &status("a", Phase::Online, KICKED));
    assert_eq!(told(&mut alerts, 90_000), [""; 0]);
    // And one that comes back before its end was told goes on.
    alerts.changed(at(90_000), &status("a", Phase::Contested, KICKED));
    assert_eq!(told(&mut alerts, 90_100).len(), 1);
    alerts.changed(at(90_100), &status("a", Phase::Online, KICKED));
    alerts.changed(at(90_110), &status("a", Phase::Contested, KICKED));
    assert_eq!(told(&mut alerts, 93_000), [""; 0]);
}

#[test]
fn a_silence_holds_back_what_fits_and_no_longer_than_it_lasts() {
    for (rule, account, is_silent) in [
        (None, None, true),
        (Some(Rule::Contested), None, true),
        (Some(Rule::Share), None, false),
        (None, Some("a"), true),
        (None, Some("a*"), true),
        (Some(Rule::Contested), Some("b"), false),
    ] {
        let mut alerts = alerts(policy());
        let silence = Silence {
            rule,
            account: account.map(str::to_owned),
            until: secs(1_000),
        };
        alerts.silence(at(0), silence.clone());
        alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
        let expected = if is_silent {
            "1000: 1 firing: contested/a"
        } else {
            "130: 1 firing: contested/a"
        };
        assert_eq!(told(&mut alerts, 2_000), [expected], "{silence:?}");
        // Its end is told in a silence, too.
        alerts.silence(
            at(2_000),
            Silence {
                until: secs(9_000),
                ..silence
            },
        );
        alerts.changed(at(2_000), &status("a", Phase::Online, KICKED));
        assert_eq!(told(&mut alerts, 8_000), ["2030: 1 resolved: contested/a"]);
    }
}

#[test]
fn a_silence_stops_repetitions() {
    let mut alerts = alerts(policy());
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    assert_eq!(told(&mut alerts, 200).len(), 1);
    let silence = Silence {
        rule: None,
        account: None,
        until: secs(9_000),
    };
    alerts.silence(at(200), silence);
    let told = told(&mut alerts, 20_000);
    assert!(told[0].starts_with("9"), "{told:?}");
}

#[test]
fn what_fires_can_be_asked_for_and_a_silence_that_is_ended_tells_at_once() {
    let mut alerts = alerts(policy());
    let firing = |alerts: &Alerts| {
        let firing = alerts.firing().map(|(alert, silent)| {
            let silent = silent.map(|until| until.as_secs());
            (
                alert.rule.name(),
                alert.since.as_secs() - 1_795_000_000,
                silent,
            )
        });
        firing.collect::<Vec<_>>()
    };
    assert_eq!(firing(&alerts), []);
    let silence = |rule, until| Silence {
        rule,
        account: None,
        until: secs(until),
    };
    let short = silence(Some(Rule::Contested), 900);
    alerts.silence(at(0), silence(None, 500));
    alerts.silence(at(0), short.clone());
    alerts.changed(at(100), &status("a", Phase::Contested, KICKED));
    alerts.changed(at(110), &status("b", Phase::Held, KICKED));
    let expected = [("contested", 100, Some(900)), ("held", 110, Some(500))];
    assert_eq!(firing(&alerts), expected);
    assert_eq!(told(&mut alerts, 400), [""; 0]);
    alerts.unsilence(at(400), &short);
    assert_eq!(told(&mut alerts, 450), [""; 0], "the other one still holds");
    assert_eq!(firing(&alerts)[0].2, Some(500));
    alerts.unsilence(at(450), &silence(None, 500));
    assert_eq!(
        told(&mut alerts, 460),
        ["450: 2 firing: contested/a held/b"]
    );
    // One that is unknown ends nothing.
    alerts.unsilence(at(460), &short);
    alerts.changed(at(470), &status("a", Phase::Online, KICKED));
    assert_eq!(
        firing(&alerts),
        [("held", 110, None)],
        "what is over fires no more"
    );
}

#[test]
fn exceptions_and_other_rules_are_not_heard_of() {
    let mut alerts = alerts(Policy {
        rules: vec![Rule::Contested, Rule::Share],
        except: vec!["a".into(), "tes*".into()],
        ..policy()
    });
    alerts.changed(at(1), &status("a", Phase::Contested, KICKED));
    alerts.changed(at(1), &status("test-1", Phase::Contested, KICKED));
    alerts.changed(at(1), &status("b", Phase::Quarantined, KICKED));
    assert_eq!(told(&mut alerts, 100), [""; 0]);
    alerts.changed(at(100), &status("c", Phase::Contested, KICKED));
    // They count where the share is concerned: two of five are online since the first second.
    assert_eq!(
        told(&mut alerts, 1_000),
        ["130: 1 firing: contested/c", "331: 1 firing: share"]
    );
}

#[test]
fn the_share_is_of_those_that_should_be_online_and_for_long_enough() {
    let low = |alerts: &mut Alerts, names: &[&str], now, cause: &Cause, phase| {
        for name in names {
            alerts.changed(at(now), &status(name, phase, cause.clone()));
        }
    };
    let lost = Cause::Crashed;
    let mut alerts = alerts(policy());
    // Half of them is enough.
    low(&mut alerts, &["a", "b"], 10, &lost, Phase::Waiting);
    assert_eq!(told(&mut alerts, 10_000), [""; 0]);
    // Not for long enough.
    low(&mut alerts, &["c"], 10_000, &lost, Phase::Waiting);
    assert_eq!(told(&mut alerts, 10_299), [""; 0]);
    low(&mut alerts, &["c"], 10_299, &lost, Phase::Online);
    assert_eq!(told(&mut alerts, 20_000), [""; 0]);
    low(&mut alerts, &["c"], 20_000, &lost, Phase::Waiting);
    assert_eq!(told(&mut alerts, 20_400), ["20330: 1 firing: share"]);
    // Whoever is held on order is not missed: one of two is online.
    low(
        &mut alerts,
        &["a", "b"],
        20_400,
        &Cause::Ordered,
        Phase::Held,
    );
    assert_eq!(told(&mut alerts, 21_000), ["20430: 1 resolved: share"]);
    // The last leaves the fleet, and one joins.
    low(&mut alerts, &["c"], 21_000, &Cause::Stopped, Phase::Stopped);
    low(&mut alerts, &["e"], 21_000, &lost, Phase::Waiting);
    assert_eq!(told(&mut alerts, 22_000), [""; 0]);
    low(&mut alerts, &["d"], 22_000, &lost, Phase::Waiting);
    assert_eq!(told(&mut alerts, 22_400), ["22330: 1 firing: share"]);
}

#[test]
fn a_fleet_that_never_comes_online_is_told_of() {
    let mut alerts = Alerts::new(policy(), LIMITS, ["a", "b"].map(user));
    alerts.changed(at(0), &status("a", Phase::Waiting, Cause::NotStarted));
    assert_eq!(told(&mut alerts, 1_000), ["330: 1 firing: share"]);
}

#[test]
fn letters_that_keep_failing_are_told_and_old_ones_are_not() {
    let mut alerts = alerts(policy());
    let failed = |alerts: &mut Alerts, now, failed_letters| {
        let figures = Figures {
            failed_letters,
            ..Figures::default()
        };
        alerts.figures(at(now), &figures);
    };
    // There are some from before.
    failed(&mut alerts, 0, 50);
    failed(&mut alerts, 10, 52);
    assert_eq!(told(&mut alerts, 100), [""; 0]);
    failed(&mut alerts, 100, 53);
    assert_eq!(told(&mut alerts, 200), ["130: 1 firing: outbox"]);
    // Somebody dropped them, and no more come.
    for now in [300, 600, 900] {
        failed(&mut alerts, now, 10);
    }
    assert_eq!(told(&mut alerts, 1_000), ["330: 1 resolved: outbox"]);
    // One an hour is no growth.
    for n in 0..10 {
        failed(&mut alerts, 10_000 + n * 3_600, 10 + n);
    }
    assert_eq!(told(&mut alerts, 100_000), [""; 0]);
}

#[test]
fn the_disk_and_the_store_are_told_of_and_do_not_flap() {
    let mut alerts = alerts(policy());
    let figures = |alerts: &mut Alerts, now, free, trouble: Option<&str>| {
        let figures = Figures {
            free: Some(free),
            trouble: trouble.map(str::to_owned),
            ..Figures::default()
        };
        alerts.figures(at(now), &figures);
    };
    figures(&mut alerts, 0, 2 << 30, None);
    figures(&mut alerts, 10, (1 << 30) - 1, None);
    assert_eq!(told(&mut alerts, 100), ["40: 1 firing: disk"]);
    figures(&mut alerts, 100, 1 << 30, Some("the disk is full"));
    assert_eq!(told(&mut alerts, 200), ["130: 1 firing: store"]);
    figures(&mut alerts, 200, 2 << 30, None);
    assert_eq!(told(&mut alerts, 300), ["230: 2 resolved: disk store"]);
    // A disk whose room is not known is not full.
    alerts.figures(at(300), &Figures::default());
    assert_eq!(told(&mut alerts, 900), [""; 0]);
}

#[test]
fn what_happens_once_is_told_once() {
    let mut alerts = alerts(policy());
    alerts.happened(at(0), Rule::Crash, "it was killed".into());
    assert_eq!(told(&mut alerts, 90_000), ["30: 1 firing: crash"]);
}

#[test]
fn a_thousand_accounts_are_one_notice_of_bearable_length() {
    let mut alerts = Alerts::new(policy(), LIMITS, []);
    for n in 0..1_000 {
        let name = format!("u{n:04}");
        alerts.changed(at(0), &status(&name, Phase::Contested, KICKED));
    }
    alerts.timeout(at(30));
    let notice = alerts.poll_notice().unwrap();
    assert_eq!(alerts.poll_notice(), None);
    assert_eq!((notice.firing, notice.alerts.len()), (1_000, LISTED));
    let lines = notice.lines();
    assert_eq!(lines.len(), LISTED + 1);
    assert_eq!(
        lines[0],
        "contested u0000: kicked (multipleAccount): another web instance logged in as this account (since 2026-11-18 11:06:40Z)"
    );
    assert_eq!(lines[LISTED], "… and 980 more; `botroupe status` shows all");
    assert_eq!(notice.title(), "1000 firing");
}

#[test]
fn names_of_rules_are_read_back() {
    for rule in Rule::ALL {
        assert_eq!(Rule::from_name(rule.name()), Some(rule));
    }
    assert_eq!(Rule::from_name("shares"), None);
}

#[test]
fn another_policy_forgets_what_nobody_wants_and_tells_what_holds_already() {
    let contested = status("a", Phase::Contested, KICKED);
    let held = status("b", Phase::Held, KICKED);
    let mut narrow = policy();
    narrow.rules = vec![Rule::Contested];
    let mut alerts = alerts(narrow.clone());
    alerts.changed(at(10), &contested);
    alerts.changed(at(10), &held);
    assert_eq!(told(&mut alerts, 100), ["40: 1 firing: contested/a"]);

    // It wants more now: of what it was told it hears nothing again.
    alerts.set(at(100), policy(), LIMITS);
    assert_eq!(told(&mut alerts, 150), [""; 0], "nothing was told again");
    for status in [&contested, &held] {
        alerts.changed(at(150), status);
    }
    assert_eq!(told(&mut alerts, 300), ["180: 1 firing: held/b"]);

    // And less: that what it was told is over is of no interest any more.
    let except_b = Policy {
        except: vec!["b".to_owned()],
        repeat: None,
        ..narrow
    };
    alerts.set(at(300), except_b, LIMITS);
    alerts.changed(at(310), &status("b", Phase::Online, KICKED));
    alerts.changed(at(310), &status("a", Phase::Online, KICKED));
    assert_eq!(told(&mut alerts, 9_000), ["340: 1 resolved: contested/a"]);
}

#[test]
fn other_limits_end_what_they_allow_and_begin_what_they_do_not() {
    let mut alerts = alerts(policy());
    for name in ["a", "b"] {
        alerts.changed(at(10), &status(name, Phase::CoolingDown, KICKED));
    }
    let figures = Figures {
        free: Some(3 << 30),
        ..Figures::default()
    };
    alerts.figures(at(10), &figures);
    assert_eq!(told(&mut alerts, 1_000), [""; 0], "half of them are enough");
    let strict = Limits {
        share: 0.75,
        disk: 4 << 30,
        ..LIMITS
    };
    alerts.set(at(1_000), policy(), strict);
    alerts.figures(at(1_001), &figures);
    alerts.changed(at(1_001), &status("a", Phase::CoolingDown, KICKED));
    assert_eq!(
        told(&mut alerts, 2_000),
        ["1031: 1 firing: disk", "1331: 1 firing: share"]
    );
    alerts.set(at(2_000), policy(), LIMITS);
    alerts.figures(at(2_001), &figures);
    alerts.changed(at(2_001), &status("a", Phase::CoolingDown, KICKED));
    assert_eq!(told(&mut alerts, 2_100), ["2031: 2 resolved: share disk"]);
}
