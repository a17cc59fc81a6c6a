//! Tests of scenarios and random sequences with whole fleets.

use super::*;
use botroupe_core::account::Phase;
use botroupe_proto::command;
use botroupe_sandbox::state::KickType;
use proptest::prelude::*;
use std::time::Duration;

mod clocks;
mod copies;
mod groups;
mod loss;
mod outage;
mod refusals;
mod store;
mod work;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn fleet(seed: u64, accounts: usize) -> World {
    World::new(Options::new(seed, accounts)).unwrap()
}

fn assert_sound(world: &mut World) -> Summary {
    let summary = world.summary();
    let first: Vec<String> = summary
        .violations
        .iter()
        .take(5)
        .map(ToString::to_string)
        .collect();
    assert!(first.is_empty(), "{first:#?}\n{:#?}", world.story());
    summary
}

fn cause(world: &World, account: usize) -> (Phase, String) {
    let status = world.status(account).unwrap();
    (status.phase, status.cause.word().into_owned())
}

#[test]
fn a_fleet_comes_online_at_the_governors_rate() {
    let mut world = fleet(1, 1000);
    world.run_until(secs(1));
    assert!(world.online() < 500, "{}", world.online());
    world.run_until(secs(6));
    assert_eq!(world.online(), 1000);
    assert_sound(&mut world);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        let mut world = fleet(seed, 20);
        for n in 0..200 {
            world.at(secs(n), Action::Say(n as usize % 20));
            world.at(secs(n), Action::CutLink(n as usize * 7 % 20));
        }
        world.run_until(secs(600));
        assert_sound(&mut world).hash
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_cut_link_is_resumed_and_what_was_missed_is_handed_over() {
    let mut world = fleet(2, 1);
    world.run_until(secs(60));
    world.act(Action::CutLink(0));
    for n in 0..30 {
        world.at(secs(60) + Duration::from_millis(n * 10), Action::Say(0));
    }
    world.run_until(secs(120));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.said, summary.handed, world.owed()), (30, 30, 0));
    assert_eq!(world.status(0).unwrap().counters.resumes, 1);
}

#[test]
fn missed_messages_come_whole_over_many_pages() {
    let mut world = World::new(Options {
        sync_page: Some(7),
        ..Options::new(3, 1)
    })
    .unwrap();
    world.run_until(secs(60));
    world.act(Action::Outage(secs(300)));
    for n in 0..200 {
        world.at(secs(61 + n), Action::Say(0));
    }
    world.run_until(secs(600));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed()), (200, 0));
}

#[test]
fn a_dead_link_is_noticed_within_a_heartbeat_and_its_limit() {
    for seed in 0..20 {
        let mut world = fleet(seed, 1);
        world.run_until(secs(60));
        world.act(Action::DeadenLink(0));
        world.run_until(secs(60) + Duration::from_millis(13_100));
        assert_eq!(
            world.status(0).unwrap().counters.lost_links,
            1,
            "seed {seed}"
        );
        assert_eq!(cause(&world, 0).1, "link_lost");
        world.run_until(secs(120));
        assert_eq!(cause(&world, 0).0, Phase::Online);
        assert_sound(&mut world);
    }
}

#[test]
fn each_kick_ends_where_the_table_says() {
    for (kick, phase, word) in [
        (KickType::Account, Phase::CoolingDown, "multipleAccount"),
        (KickType::Device, Phase::CoolingDown, "multipleDevice"),
        (KickType::Rest, Phase::Held, "REST_API_Kick"),
    ] {
        let mut world = fleet(4, 2);
        world.run_until(secs(60));
        world.act(Action::Kick(0, kick));
        world.run_until(secs(62));
        assert_eq!(cause(&world, 0), (phase, word.to_owned()));
        assert_eq!(
            cause(&world, 1).0,
            Phase::Online,
            "the other account does not notice"
        );
        world.run_until(secs(3600));
        let back = cause(&world, 0).0 == Phase::Online;
        assert_eq!(back, phase == Phase::CoolingDown);
        world.act(Action::Resume(0));
        world.run_until(secs(3700));
        assert_eq!(cause(&world, 0).0, Phase::Online, "comes back on command");
        assert_sound(&mut world);
    }
}

#[test]
fn an_expired_usersig_is_renewed_at_once_and_nothing_is_lost() {
    let mut world = World::new(Options {
        hello_interval: secs(5),
        ..Options::new(5, 1)
    })
    .unwrap();
    world.run_until(secs(100));
    world.act(Action::Expire(0));
    for n in 0..10 {
        world.at(secs(100 + n), Action::Say(0));
    }
    world.run_until(secs(130));
    let status = world.status(0).unwrap();
    assert_eq!(
        (status.phase, status.cause.word().as_ref()),
        (Phase::Online, "userSigExpired")
    );
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed()), (10, 0));
    assert!(
        summary.longest_silence < secs(2),
        "{:?}",
        summary.longest_silence
    );
}

#[test]
fn a_forgotten_login_is_logged_in_anew() {
    let mut world = fleet(6, 50);
    world.run_until(secs(60));
    world.act(Action::Restart(true));
    world.run_until(secs(120));
    assert_eq!(world.online(), 50);
    assert_sound(&mut world);
}

#[test]
fn refusals_end_where_their_code_says() {
    for (code, count, phase, at) in [
        (70500, 3, Phase::Online, 200),
        (70402, 1, Phase::Online, 200),
        (70001, 1, Phase::Online, 200),
        (70009, 1, Phase::Quarantined, 200),
        (60020, 1, Phase::Waiting, 200),
        (60020, 1, Phase::Online, 500),
    ] {
        let mut world = fleet(7, 1);
        world.run_until(secs(60));
        world.act(Action::RefuseLogins {
            account: 0,
            code,
            count,
        });
        world.act(Action::CutLink(0));
        world.run_until(secs(at));
        assert_eq!(cause(&world, 0).0, phase, "{code}: {:?}", world.status(0));
        assert_sound(&mut world);
    }
}

#[test]
fn overload_of_the_login_is_obeyed() {
    let mut world = fleet(8, 1);
    world.run_until(secs(60));
    world.act(Action::Overload(0, command::LOGIN, secs(90)));
    world.run_until(secs(61));
    world.act(Action::CutLink(0));
    world.run_until(secs(140));
    assert_ne!(cause(&world, 0).0, Phase::Online);
    world.run_until(secs(220));
    assert_eq!(cause(&world, 0).0, Phase::Online);
    assert_sound(&mut world);
}

#[test]
fn replies_survive_link_after_link() {
    let policy = botroupe_core::account::Policy {
        login_spacing: secs(1),
        ..botroupe_core::account::Policy::standard()
    };
    let mut world = World::new(Options {
        echo: true,
        policy,
        ..Options::new(10, 1)
    })
    .unwrap();
    world.run_until(secs(20));
    for n in 0..200 {
        world.at(secs(20) + Duration::from_millis(n * 300), Action::Say(0));
        if n % 10 == 0 {
            world.at(
                secs(20) + Duration::from_millis(n * 300 + 20),
                Action::CutLink(0),
            );
        }
    }
    world.run_until(secs(400));
    let summary = assert_sound(&mut world);
    assert_eq!(
        (summary.handed, summary.replied, summary.unreplied),
        (200, 200, 0)
    );
}

#[test]
fn a_crash_of_the_connection_loses_no_message() {
    let mut world = fleet(11, 1);
    world.run_until(secs(60));
    for n in 0..20 {
        world.at(secs(60 + n * 5), Action::Say(0));
        if n % 4 == 1 {
            world.at(secs(60 + n * 5), Action::Crash(0));
        }
    }
    world.run_until(secs(600));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed()), (20, 0));
}

#[test]
fn a_usersig_is_renewed_ahead_of_its_end_without_an_outage_or_a_loss() {
    let policy = botroupe_core::account::Policy {
        login_spacing: secs(1),
        ..botroupe_core::account::Policy::standard()
    };
    let options = Options {
        user_sig_lifetime: secs(20),
        policy,
        ..Options::new(12, 10)
    };
    let mut world = World::new(options).unwrap();
    for n in 0..1200 {
        world.at(
            Duration::from_millis(2_000 + n * 100),
            Action::Say(n as usize % 10),
        );
    }
    world.run_until(secs(130));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.said, summary.handed), (1200, 1200));
    assert!(
        summary.offline_by_cause.is_empty(),
        "{:?}",
        summary.offline_by_cause
    );
    for account in 0..10 {
        let status = world.status(account).unwrap();
        assert!(status.counters.renewals >= 6, "{:?}", status.counters);
        assert_eq!(status.counters.expired, 0);
    }
}

/// Regression test from a run of 180 days: a renewal that became due during an outage immediately
/// followed the resume.
#[test]
fn a_renewal_that_fell_due_during_an_outage_keeps_its_distance() {
    let options = Options {
        user_sig_lifetime: secs(100),
        ..Options::new(13, 3)
    };
    let mut world = World::new(options).unwrap();
    world.at(secs(70), Action::Outage(secs(20)));
    world.run_until(secs(300));
    assert_sound(&mut world);
}

#[test]
fn an_ordinary_week_is_survived_by_a_fleet() {
    for seed in 0..3 {
        let options = Options {
            hello_interval: secs(21_600),
            audit_every: secs(600),
            clocks: Clocks::Skewed,
            work: Work::Ordinary,
            echo: true,
            groups: 6,
            ..Options::new(seed, 40)
        };
        let mut world = World::new(options).unwrap();
        let away = world.plan_days(7);
        world.run_until(secs(7 * 86_400 + 3600));
        let summary = assert_sound(&mut world);
        let whole = (summary.elapsed - away).as_secs_f64() * 40.0;
        let online = summary.online.as_secs_f64() / whole;
        assert!(online > 0.999, "seed {seed}: online {online}");
        assert_eq!(world.owed(), 0, "seed {seed}");
    }
}

fn action(accounts: usize) -> impl Strategy<Value = Action> {
    let account = 0..accounts;
    prop_oneof![
        4 => account.clone().prop_map(Action::CutLink),
        3 => account.clone().prop_map(Action::DeadenLink),
        8 => account.clone().prop_map(Action::Say),
        2 => account.clone().prop_map(Action::Expire),
        2 => account.clone().prop_map(|n| Action::Duplicate(n, 3)),
        1 => (1u64..100).prop_map(|n| Action::Outage(secs(n))),
        1 => any::<bool>().prop_map(Action::Restart),
        1 => (account.clone(), 0usize..3).prop_map(|(n, kick)| {
            Action::Kick(n, [KickType::Account, KickType::Device, KickType::Rest][kick])
        }),
        1 => (account.clone(), 0usize..4).prop_map(|(account, code)| {
            Action::RefuseLogins { account, code: [70500, 70001, 70402, 60018][code], count: 2 }
        }),
        1 => account.clone().prop_map(|n| Action::Overload(n, command::LOGIN, secs(20))),
        1 => account.clone().prop_map(|n| Action::Overload(n, command::GET_MSG, secs(20))),
        1 => (account.clone(), -600_000i64..600_000).prop_map(|(n, by)| Action::JumpClock(n, by)),
        1 => (proptest::option::of(account.clone()), 0.1f64..0.5, 10u64..600).prop_map(|(account, loss, length)| {
            Action::Lossy { account, loss, length: secs(length) }
        }),
        2 => account.prop_map(Action::Resume),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_invariants_hold_and_everybody_comes_back(
        seed: u64,
        actions in proptest::collection::vec((0u64..2_000, action(3)), 1..60),
    ) {
        let options = Options {
            hello_interval: secs(30),
            clocks: Clocks::Skewed,
            ..Options::new(seed, 3)
        };
        let mut world = World::new(options).unwrap();
        for (at, action) in actions {
            world.at(secs(at), action);
        }
        world.run_until(secs(2_100));
        // All UserSigs minted before the slowest clock shows this time may be void.
        let slowest = (0..3).map(|n| world.clock_offset(n)).min().unwrap().min(0);
        let start = secs(2_100) + Duration::from_millis(slowest.unsigned_abs());
        world.run_until(start);
        for account in 0..3 {
            world.act(Action::Resume(account));
        }
        // This is longer than every delay that a server named above, and than the longest back-off.
        world.run_until(start + secs(4_400));
        let summary = world.summary();
        prop_assert!(summary.violations.is_empty(), "{:#?}", summary.violations);
        prop_assert_eq!(world.online(), 3);
        prop_assert_eq!(world.owed(), 0);
    }
}
