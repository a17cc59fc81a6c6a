//! Tests of packet loss.

use super::*;

fn lossy(seed: u64, accounts: usize, loss: f64) -> World {
    let options = Options {
        network: NetworkConfig {
            loss,
            ..NetworkConfig::default()
        },
        ..Options::new(seed, accounts)
    };
    World::new(options).unwrap()
}

#[test]
fn loss_delays_messages_and_keeps_their_order() {
    let mut world = lossy(30, 1, 0.01);
    world.trace(0);
    world.run_until(secs(60));
    for n in 0..500 {
        world.at(secs(60) + Duration::from_millis(n * 20), Action::Say(0));
    }
    world.run_until(secs(120));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed()), (500, 0));
    let numbers: Vec<u32> = world
        .story()
        .iter()
        .filter(|line| line.contains("handed"))
        .filter_map(|line| line.rsplit_once("bot-00000#"))
        .map(|(_, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap()
        })
        .collect();
    assert_eq!(numbers, (1..=500).collect::<Vec<_>>());
    assert_eq!(world.status(0).unwrap().counters.lost_links, 0);
}

#[test]
fn a_link_that_stalls_for_too_long_is_found_and_resumed() {
    let mut world = fleet(31, 20);
    world.run_until(secs(60));
    world.act(Action::Lossy {
        account: None,
        loss: 0.4,
        length: secs(3600),
    });
    // Half of the accounts are idle; only heartbeats can detect their stalled links.
    for n in 0..3000 {
        world.at(secs(60 + n), Action::Say(n as usize % 10));
    }
    world.run_until(secs(3660 + 120));
    let summary = assert_sound(&mut world);
    assert_eq!((summary.handed, world.owed()), (3000, 0));
    assert_eq!(world.online(), 20);
    for account in 0..20 {
        let counters = world.status(account).unwrap().counters;
        assert!(counters.lost_links > 0, "{account}: {counters:?}");
        assert!(counters.resumes > 0, "{account}: {counters:?}");
    }
    // The loss ends: a quiet hour loses no more links.
    let lost = |world: &World| -> u64 {
        let counters = (0..20).map(|n| world.status(n).unwrap().counters);
        counters.map(|counters| counters.lost_links).sum()
    };
    let before = lost(&world);
    world.run_until(secs(7200));
    assert_eq!(lost(&world), before);
}

/// Regression test from a month of ordinary days: a resume on a stalled link arrived after the
/// resume on the next link, and moved the login to the dead link.
#[test]
fn what_was_under_way_on_a_link_given_up_does_not_undo_the_next_login() {
    for seed in 33..37 {
        let options = Options {
            hello_interval: secs(60),
            ..Options::new(seed, 30)
        };
        let mut world = World::new(options).unwrap();
        world.run_until(secs(60));
        world.act(Action::Lossy {
            account: None,
            loss: 0.6,
            length: secs(1800),
        });
        world.run_until(secs(3600));
        assert_eq!(world.online(), 30);
        assert_sound(&mut world);
    }
}

#[test]
fn one_account_on_a_bad_network_troubles_no_other() {
    let mut world = fleet(32, 5);
    world.run_until(secs(60));
    world.act(Action::Lossy {
        account: Some(2),
        loss: 0.5,
        length: secs(3600),
    });
    world.run_until(secs(3600));
    for account in 0..5 {
        let lost = world.status(account).unwrap().counters.lost_links;
        assert_eq!(lost > 0, account == 2, "{account}: {lost}");
    }
    assert_sound(&mut world);
}
