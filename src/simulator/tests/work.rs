//! Tests of slow bots, floods and ending processes.

use super::*;
use botroupe_core::session::InboxLimits;

fn working(seed: u64, accounts: usize) -> Options {
    Options {
        work: Work::Ordinary,
        ..Options::new(seed, accounts)
    }
}

fn assert_all_handled(world: &mut World, end: u64) -> Summary {
    world.run_until(secs(end));
    let summary = assert_sound(world);
    assert_eq!(world.owed(), 0, "{summary:?}");
    assert_eq!(summary.handled, summary.said);
    summary
}

#[test]
fn hundreds_of_people_at_once_are_all_served() {
    let mut world = World::new(Options {
        inbox: InboxLimits::new(64, true),
        echo: true,
        ..working(90, 1)
    })
    .unwrap();
    world.run_until(secs(60));
    for n in 0..3 {
        let burst = Action::Burst {
            account: 0,
            people: 600,
            each: 2,
        };
        world.at(secs(60 + n * 20), burst);
    }
    let summary = assert_all_handled(&mut world, 3600);
    assert_eq!((summary.said, summary.replied), (3600, 3600));
}

#[test]
fn who_floods_keeps_nobody_else_from_being_heard() {
    let mut world = World::new(working(91, 1)).unwrap();
    world.run_until(secs(60));
    let flood = Action::Burst {
        account: 0,
        people: 1,
        each: 2000,
    };
    world.act(flood);
    for n in 0..60 {
        world.at(secs(60 + n * 10), Action::Say(0));
    }
    world.at(secs(100), Action::Outage(secs(20)));
    assert_all_handled(&mut world, 7200);
}

#[test]
fn a_handler_that_hangs_holds_up_its_conversation_only() {
    let mut world = World::new(Options {
        audit_every: secs(60),
        ..working(92, 1)
    })
    .unwrap();
    world.run_until(secs(60));
    world.act(Action::Hang(0));
    // The flood is larger than the queue of one conversation.
    let flood = Action::Burst {
        account: 0,
        people: 1,
        each: 300,
    };
    world.act(flood);
    world.at(secs(100), Action::Outage(secs(20)));
    for n in 0..200 {
        world.at(secs(70 + n * 10), Action::Say(0));
    }
    world.run_until(secs(4000));
    let summary = assert_sound(&mut world);
    assert_eq!((world.owed(), summary.handled), (300, 200));
    // The next process receives the messages that this one did not finish.
    world.act(Action::Stop(0, secs(5)));
    let summary = assert_all_handled(&mut world, 8000);
    assert_eq!((summary.handled_again, summary.restarts), (0, 1));
}

#[test]
fn an_orderly_restart_loses_nothing_and_repeats_nothing() {
    for seed in 93..97 {
        let mut world = groups::in_groups(working(seed, 4));
        for n in 0..400 {
            world.at(secs(60 + n), Action::Say(n as usize % 4));
            world.at(secs(60 + n), Action::SayIn(n as usize % 2));
        }
        for n in 0..6 {
            world.at(secs(90 + n * 60), Action::Stop(0, secs(3)));
        }
        let summary = assert_all_handled(&mut world, 1200);
        assert_eq!(summary.restarts, 6, "seed {seed}");
    }
}

#[test]
fn a_killed_process_loses_nothing() {
    for seed in 97..101 {
        let mut world = groups::in_groups(working(seed, 4));
        for n in 0..400 {
            world.at(secs(60 + n), Action::Say(n as usize % 4));
            world.at(secs(60 + n), Action::SayIn(n as usize % 2));
        }
        for n in 0..6 {
            world.at(secs(90 + n * 60), Action::Kill(0, secs(3)));
        }
        assert_all_handled(&mut world, 1200);
    }
}

#[test]
fn a_burst_within_one_second_is_read_only_when_all_of_it_is_handled() {
    let mut world = World::new(working(101, 2)).unwrap();
    world.run_until(secs(60));
    for n in 0..20 {
        let burst = Action::Burst {
            account: n % 2,
            people: 2,
            each: 20,
        };
        world.at(secs(60) + Duration::from_millis(n as u64 * 1_700), burst);
        world.at(secs(65 + n as u64 * 40), Action::Kill(0, secs(2)));
    }
    assert_all_handled(&mut world, 2000);
}
