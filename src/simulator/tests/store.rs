//! Tests of stores: faults of disks, and replies that take effect exactly once.

use super::*;
use botroupe_core::account::Policy;
use botroupe_sandbox::Dedupe;

/// Six accounts with bots that answer; one in so many steps of a reply meets a mishap.
fn answering(seed: u64, store: StoreModel, mishaps: u32) -> Options {
    Options {
        store,
        mishaps,
        exactly_once: true,
        echo: true,
        work: Work::Ordinary,
        clocks: Clocks::Skewed,
        groups: 1,
        hello_interval: secs(10_800),
        audit_every: secs(600),
        ..Options::new(seed, 6)
    }
}

/// A day on which people write all the time, and a calm end.
fn one_day(options: Options) -> Summary {
    let mut world = World::new(options).unwrap();
    let length = secs(86_400);
    world.plan_mishaps(length);
    world.plan_days(1);
    world.plan_messages(length, 600);
    world.run_until(length + secs(3600));
    world.summary()
}

const HONEST: StoreModel = StoreModel::Disk(Journal::Honest);

#[test]
fn no_reply_is_lost_or_doubled_whatever_happens_to_processes_and_disks() {
    let mut counts = Vec::new();
    for seed in 0..5 {
        let summary = one_day(answering(seed, HONEST, 25));
        let all = format!("seed {seed}: {summary:#?}");
        assert!(summary.violations.is_empty(), "{all}");
        let ends = (summary.lost, summary.doubled, summary.unknown);
        assert_eq!(ends, (0, 0, 0), "{all}");
        assert!(summary.answered > 600 && summary.restarts > 30, "{all}");
        assert!(summary.known > 0, "{all}");
        counts.push(summary.store);
    }
    // Everything that can happen to a disk has happened.
    let sum = |count: fn(&StoreCounts) -> u64| counts.iter().map(count).sum::<u64>();
    for count in [
        (|counts| counts.full) as fn(&StoreCounts) -> u64,
        |counts| counts.failed_syncs,
        |counts| counts.slow_syncs,
        |counts| counts.power_losses,
        |counts| counts.torn,
        |counts| counts.reordered,
        |counts| counts.dropped,
        |counts| counts.surprises,
    ] {
        assert!(sum(count) > 0, "{counts:#?}");
    }
}

#[test]
fn the_same_seed_meets_the_same_mishaps() {
    let run = |seed| one_day(answering(seed, HONEST, 25)).hash;
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn the_history_is_enough_where_the_service_recognises_no_repetition() {
    for seed in 10..13 {
        let summary = one_day(Options {
            dedupe: Dedupe::None,
            policy: Policy {
                trust_send_keys: false,
                ..Policy::standard()
            },
            ..answering(seed, HONEST, 25)
        });
        let ends = (summary.lost, summary.doubled, summary.violations.len());
        assert_eq!(ends, (0, 0, 0), "seed {seed}: {summary:#?}");
    }
}

#[test]
fn keys_that_are_trusted_and_not_recognised_are_found() {
    let doubled: u64 = (10..12)
        .map(|seed| {
            let options = Options {
                dedupe: Dedupe::None,
                ..answering(seed, HONEST, 25)
            };
            one_day(options).doubled
        })
        .sum();
    assert!(doubled > 0);
}

#[test]
fn a_disk_that_does_not_keep_its_word_is_found() {
    for journal in [
        Journal::AcknowledgesEarly,
        Journal::KeepsTorn,
        Journal::RepeatsSync,
    ] {
        let violations: usize = (20..23)
            .map(|seed| {
                let options = answering(seed, StoreModel::Disk(journal), 12);
                one_day(options).violations.len()
            })
            .sum();
        assert!(violations > 0, "{journal:?}");
    }
}

#[test]
fn without_a_store_replies_are_doubled() {
    let summary = one_day(answering(30, StoreModel::None, 25));
    assert!(summary.doubled > 0, "{summary:#?}");
    assert!(!summary.violations.is_empty());
}

/// While the disk is full nothing is acknowledged: no reply leaves, nothing is reported as read, and the account
/// stays online.
#[test]
fn a_full_disk_holds_everything_up_and_nothing_is_lost() {
    let options = Options {
        exactly_once: true,
        store: HONEST,
        echo: true,
        ..Options::new(31, 1)
    };
    let mut world = World::new(options).unwrap();
    world.run_until(secs(60));
    world.act(Action::FillDisk(0, secs(600)));
    // More than the bots have room for.
    let burst = Action::Burst {
        account: 0,
        people: 20,
        each: 100,
    };
    world.at(secs(61), burst);
    world.run_until(secs(600));
    assert_eq!(cause(&world, 0).0, Phase::Online);
    assert_eq!(world.owed(), 2_000);
    world.run_until(secs(3_600));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.answered, world.owed()), (2_000, 0));
    assert!(summary.store.full > 0);
}

/// A burst of people, and a crash while their replies are under way: hundreds of letters in doubt, whose histories
/// have to be read at the pace of the service.
#[test]
fn hundreds_of_letters_in_doubt_are_settled_after_a_crash() {
    for (seed, away) in [(40, 3), (41, 130), (42, 310)] {
        let options = Options {
            exactly_once: true,
            store: HONEST,
            echo: true,
            ..Options::new(seed, 1)
        };
        let mut world = World::new(options).unwrap();
        world.run_until(secs(60));
        let burst = Action::Burst {
            account: 0,
            people: 300,
            each: 1,
        };
        world.at(secs(60), burst);
        let crash = secs(60) + Duration::from_millis(110);
        world.at(crash, Action::PowerLoss(0, secs(away)));
        world.run_until(secs(900));
        let summary = assert_sound(&mut world);
        assert_eq!(
            (summary.answered, summary.unknown),
            (300, 0),
            "{summary:#?}"
        );
    }
}

/// Regression test from a month of mishaps: a process that does not know its groups yet sends the reply of the one
/// before it to a group. What was said there meanwhile counted as handed out, and was then read and lost.
#[test]
fn a_reply_of_an_earlier_process_does_not_hide_what_was_said_meanwhile() {
    for (seed, code) in (0..60).flat_map(|seed| [(seed, Some(60002)), (seed, None)]) {
        let options = Options {
            exactly_once: true,
            store: HONEST,
            echo: true,
            groups: 1,
            group_size: 3,
            ..Options::new(seed, 3)
        };
        let mut world = World::new(options).unwrap();
        world.trace(0);
        world.run_until(secs(60));
        world.refuse_for(secs(60), 0, command::JOINED_GROUPS, code, secs(278));
        world.at(secs(61), Action::SayIn(0));
        let crash = secs(61) + Duration::from_millis(40 + seed);
        world.at(crash, Action::Kill(0, secs(10)));
        world.at(secs(65), Action::SayIn(0));
        world.at(secs(90), Action::CutLink(0));
        world.at(secs(90) + Duration::from_millis(300), Action::SayIn(0));
        world.run_until(secs(3_000));
        let summary = assert_sound(&mut world);
        assert_eq!(summary.answered, 9, "seed {seed}: {:#?}", world.story());
    }
}
