//! Tests of machines with wrong clocks.

use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Creates a world with one account that has been online for a minute before its clock jumps by
/// `by` milliseconds.
fn off_by(seed: u64, by: i64) -> World {
    let mut world = fleet(seed, 1);
    world.run_until(secs(60));
    world.act(Action::JumpClock(0, by));
    world
}

#[test]
fn accounts_know_how_far_off_their_clocks_are() {
    let options = Options {
        clocks: Clocks::Skewed,
        ..Options::new(20, 200)
    };
    let mut world = World::new(options).unwrap();
    world.run_until(secs(60));
    assert_eq!(world.online(), 200);
    let mut far = 0;
    for account in 0..200 {
        let real = world.clock_offset(account);
        let known = world.status(account).unwrap().clock_offset;
        // The server time has a resolution of one second.
        assert!((real + known).abs() <= 1_100, "{account}: {real} {known}");
        far += usize::from(real.abs() > 5_000);
    }
    assert!((5..50).contains(&far), "{far} are off by more than seconds");
    assert_sound(&mut world);
}

#[test]
fn usersigs_that_outlive_the_error_of_the_clock_are_renewed_in_time() {
    let options = Options {
        clocks: Clocks::Skewed,
        user_sig_lifetime: secs(6 * 3600),
        hello_interval: secs(600),
        ..Options::new(21, 300)
    };
    let mut world = World::new(options).unwrap();
    world.run_until(secs(2 * 86_400));
    let summary = assert_sound(&mut world);
    assert!(summary.offline_by_cause.is_empty(), "{summary:?}");
    for account in 0..300 {
        let counters = world.status(account).unwrap().counters;
        assert!(counters.renewals >= 9, "{account}: {counters:?}");
    }
}

#[test]
fn a_clock_that_jumps_back_does_no_harm_once_the_servers_time_is_known() {
    let mut world = off_by(22, -8 * DAY);
    world.act(Action::Restart(true));
    world.run_until(secs(60 + 120));
    assert_eq!(world.online(), 1);
    assert_sound(&mut world);
}

#[test]
fn an_expiry_is_survived_by_a_slow_clock_with_usersigs_of_the_servers_time() {
    let mut world = off_by(23, -HOUR / 2);
    world.act(Action::Expire(0));
    world.run_until(secs(60 + 62));
    assert_eq!(world.online(), 1);
    assert_sound(&mut world);
}

#[test]
fn an_account_ordered_back_with_a_slow_clock_comes_back_at_once() {
    let mut world = off_by(24, -HOUR / 2);
    world.act(Action::Kick(0, KickType::Rest));
    world.run_until(secs(600));
    assert_eq!(cause(&world, 0).0, Phase::Held);
    world.act(Action::Resume(0));
    world.run_until(secs(600 + 62));
    assert_eq!(world.online(), 1);
    assert_sound(&mut world);
}

#[test]
fn a_clock_that_jumps_ahead_does_no_harm() {
    let mut world = off_by(25, 30 * DAY);
    for n in 0..50 {
        world.at(secs(60 + n * 60), Action::Say(0));
        world.at(secs(75 + n * 600), Action::CutLink(0));
    }
    world.act(Action::Restart(true));
    world.run_until(secs(86_400));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed(), world.online()), (50, 0, 1));
}
