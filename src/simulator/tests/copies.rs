//! Tests of two copies of a fleet against one server.

use super::*;

fn copies(seed: u64, accounts: usize, gap: Duration) -> World {
    let options = Options {
        copies: 2,
        copy_gap: gap,
        ..Options::new(seed, accounts)
    };
    World::new(options).unwrap()
}

#[test]
fn two_copies_of_a_fleet_never_play_ping_pong() {
    for seed in 0..5 {
        let options = Options {
            copies: 2,
            hello_interval: secs(21_600),
            ..Options::new(seed, 20)
        };
        let mut world = World::new(options).unwrap();
        world.run_until(secs(2 * 86_400));
        let summary = assert_sound(&mut world);
        assert!(
            summary.worst_kicks_per_hour <= 3,
            "seed {seed}: {summary:?}"
        );
        assert!(summary.one_copy_online > 0.99, "seed {seed}: {summary:?}");
    }
}

#[test]
fn two_copies_lose_no_message_and_count_what_both_were_handed() {
    let mut again = 0;
    for seed in 40..45 {
        let mut world = copies(seed, 10, Duration::ZERO);
        for n in 0..2000 {
            world.at(secs(10 + n * 20), Action::Say(n as usize % 10));
        }
        world.run_until(secs(86_400));
        let summary = assert_sound(&mut world);
        assert_eq!((summary.said, summary.handed), (2000, 2000), "seed {seed}");
        assert_eq!(world.owed(), 0, "seed {seed}");
        assert!(summary.handed_again <= 2000, "seed {seed}: {summary:?}");
        again += summary.handed_again;
    }
    // A copy that resumes with its cookie catches up with messages that the other copy has handled.
    assert!(again > 0);
}

#[test]
fn a_copy_that_comes_late_is_not_handed_what_the_other_reported_as_read() {
    let mut world = copies(45, 5, secs(600));
    for n in 0..500 {
        world.at(secs(10 + n), Action::Say(n as usize % 5));
    }
    world.run_until(secs(605));
    let online: Vec<bool> = (0..10)
        .map(|n| world.status(n).unwrap().phase == Phase::Online)
        .collect();
    assert_eq!(
        online,
        [[false; 5], [true; 5]].concat(),
        "the late copy won"
    );
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, summary.handed_again), (500, 0));
}

#[test]
fn what_was_not_reported_before_the_kick_is_handed_once_more() {
    let mut world = copies(46, 5, secs(600));
    for account in 0..5 {
        // The message is delivered at once, and its read report would follow a second later.
        world.at(secs(600) - Duration::from_millis(300), Action::Say(account));
    }
    world.run_until(secs(630));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, summary.handed_again), (5, 5));
    assert_eq!(summary.handed_again_though_read, 0);
}

#[test]
fn with_two_slots_both_copies_stay_and_both_are_handed_everything() {
    let options = Options {
        copies: 2,
        slots: 2,
        ..Options::new(47, 10)
    };
    let mut world = World::new(options).unwrap();
    for n in 0..500 {
        world.at(secs(10 + n), Action::Say(n as usize % 10));
        if n % 9 == 0 {
            world.at(secs(10 + n), Action::CutLink(n as usize % 20));
        }
    }
    world.run_until(secs(600));
    let summary = assert_sound(&mut world);
    assert_eq!(world.online(), 20);
    assert_eq!(summary.worst_kicks_per_hour, 0);
    assert_eq!((summary.handed, summary.handed_again), (500, 500));
}
