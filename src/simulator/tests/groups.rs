//! Tests of group tracking under faults.

use super::*;

/// Creates a few accounts in a few groups, online for a minute.
pub(super) fn in_groups(options: Options) -> World {
    let mut world = World::new(Options {
        groups: 2,
        group_size: 3,
        ..options
    })
    .unwrap();
    world.run_until(secs(60));
    assert_eq!(world.online(), world.accounts());
    world
}

/// Sends a message to each group every `every` seconds, `count` times.
fn talk(world: &mut World, count: u64, every: u64) {
    let start = world.now();
    for n in 0..count {
        for group in 0..2 {
            world.at(start + secs(n * every), Action::SayIn(group));
        }
    }
}

fn assert_all_heard(world: &mut World, end: u64) -> Summary {
    world.run_until(secs(end));
    let summary = assert_sound(world);
    assert_eq!(world.owed(), 0, "{summary:?}");
    assert_eq!((summary.said, summary.handed), (summary.said, summary.said));
    summary
}

#[test]
fn every_member_hears_everything_that_is_said() {
    let mut world = in_groups(Options::new(60, 4));
    talk(&mut world, 50, 1);
    let summary = assert_all_heard(&mut world, 200);
    assert_eq!(summary.handled, 2 * 3 * 50);
}

#[test]
fn groups_are_followed_through_outages_crashes_renewals_and_expiry() {
    for seed in 61..64 {
        let mut world = in_groups(Options {
            user_sig_lifetime: secs(120),
            ..Options::new(seed, 4)
        });
        talk(&mut world, 600, 1);
        world.at(secs(100), Action::Outage(secs(80)));
        world.at(secs(250), Action::Crash(0));
        world.at(secs(300), Action::Expire(1));
        world.at(secs(330), Action::CutLink(2));
        world.at(secs(400), Action::DeadenLink(3));
        world.at(secs(450), Action::Restart(true));
        assert_all_heard(&mut world, 1500);
    }
}

#[test]
fn a_history_that_is_refused_or_unanswered_for_a_while_is_fetched_after_all() {
    for (seed, code) in [(64, Some(10002)), (65, None)] {
        let mut world = in_groups(Options::new(seed, 3));
        for account in 0..3 {
            let servcmd = command::GROUP_HISTORY;
            world.refuse_for(secs(60), account, servcmd, code, secs(600));
        }
        world.act(Action::Outage(secs(30)));
        talk(&mut world, 100, 5);
        assert_all_heard(&mut world, 1600);
    }
}

#[test]
fn a_list_of_groups_that_is_refused_or_unanswered_for_a_while_silences_no_group() {
    for (seed, code) in [(66, Some(60002)), (67, None)] {
        let mut world = in_groups(Options::new(seed, 3));
        for account in 0..3 {
            let servcmd = command::JOINED_GROUPS;
            world.refuse_for(secs(60), account, servcmd, code, secs(600));
        }
        world.act(Action::Outage(secs(30)));
        talk(&mut world, 100, 5);
        assert_all_heard(&mut world, 1600);
    }
}

/// The list is rejected from the first login on, when no state about the groups exists.
#[test]
fn a_list_that_is_refused_at_the_first_login_silences_no_group() {
    for (seed, code) in [(68, Some(60002)), (69, None)] {
        let mut world = in_groups(Options::new(seed, 3));
        for account in 0..3 {
            let servcmd = command::JOINED_GROUPS;
            world.refuse_for(secs(60), account, servcmd, code, secs(600));
        }
        world.act(Action::Kill(0, secs(5)));
        talk(&mut world, 100, 5);
        assert_all_heard(&mut world, 1600);
    }
}

#[test]
fn what_is_said_after_a_restart_without_memory_is_heard() {
    for seed in 70..80 {
        let mut world = in_groups(Options::new(seed, 3));
        talk(&mut world, 40, 1);
        world.run_until(secs(150));
        world.act(Action::ForgetGroups);
        // Messages arrive during the recovery of the accounts, and after it.
        talk(&mut world, 20, 1);
        world.run_until(secs(600));
        let summary = assert_sound(&mut world);
        assert_eq!(world.owed(), 0, "seed {seed}: {summary:?}");
        assert_eq!(summary.handed, 2 * 3 * 60, "seed {seed}");
    }
}

#[test]
fn own_bots_that_answer_each_other_come_to_rest() {
    let options = Options {
        echo: true,
        ..Options::new(80, 3)
    };
    let mut world = in_groups(options.clone());
    world.act(Action::SayIn(0));
    world.run_until(secs(120));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handled, summary.replied), (3, 3));
    // The audit must detect bots that answer each other without end.
    let mut world = in_groups(Options {
        hear_own_accounts: true,
        ..options
    });
    world.act(Action::SayIn(0));
    world.run_until(secs(120));
    let summary = world.summary();
    assert!(summary.replied > 1000, "{}", summary.replied);
    assert!(!summary.violations.is_empty());
}
