//! Tests of requests that are rejected or unanswered for a time, and of servers that nag.

use super::*;

#[test]
fn pages_that_are_refused_or_unanswered_come_in_the_end() {
    for (seed, code) in [(110, Some(60008)), (111, None)] {
        let mut world = World::new(Options {
            work: Work::Ordinary,
            ..Options::new(seed, 2)
        })
        .unwrap();
        world.run_until(secs(60));
        for account in 0..2 {
            let servcmd = command::GET_MSG;
            world.refuse_for(secs(60), account, servcmd, code, secs(600));
        }
        for n in 0..300 {
            world.at(secs(61 + n * 2), Action::Say(n as usize % 2));
        }
        world.at(secs(120), Action::CutLink(0));
        world.at(secs(180), Action::Outage(secs(30)));
        world.run_until(secs(2000));
        let summary = assert_sound(&mut world);
        assert_eq!((summary.handled, world.owed()), (300, 0), "seed {seed}");
    }
}

#[test]
fn a_server_that_wants_logins_confirmed_all_the_time_gets_one_within_the_spacing() {
    let mut world = fleet(112, 3);
    world.run_until(secs(60));
    let before = world.summary().logins;
    for account in 0..3 {
        world.storm(secs(60), account, Nudge::Confirm, 1000, secs(10));
    }
    for n in 0..60 {
        world.at(secs(60 + n), Action::Say(n as usize % 3));
    }
    world.run_until(secs(200));
    let summary = assert_sound(&mut world);
    assert!(summary.logins - before <= 6, "{}", summary.logins - before);
    assert_eq!((summary.handled, world.owed()), (60, 0));
}

#[test]
fn a_server_that_hints_all_the_time_is_asked_now_and_then() {
    let mut world = fleet(113, 3);
    world.run_until(secs(60));
    for account in 0..3 {
        world.storm(secs(60), account, Nudge::Missed, 6000, secs(60));
    }
    for n in 0..60 {
        world.at(secs(60 + n), Action::Say(n as usize % 3));
    }
    world.run_until(secs(400));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handled, world.owed()), (60, 0));
}
