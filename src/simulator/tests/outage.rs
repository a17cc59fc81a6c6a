//! Tests of server outages: login rate, duration and order of the recovery.

use super::*;

#[test]
fn an_outage_of_a_whole_fleet_ends_at_the_governors_rate() {
    let options = Options {
        rate: 50.0,
        burst: 10,
        ..Options::new(9, 1000)
    };
    let mut world = World::new(options).unwrap();
    world.run_until(secs(60));
    assert_eq!(world.online(), 1000);
    world.act(Action::Outage(secs(300)));
    world.run_until(secs(360));
    assert_eq!(world.online(), 0);
    world.run_until(secs(500));
    assert_eq!(world.online(), 1000);
    let summary = assert_sound(&mut world);
    assert!(summary.worst_turn_rate <= 60, "{summary:?}");
    assert!(summary.worst_turn_rate >= 50, "{summary:?}");
}

#[test]
fn ten_thousand_accounts_come_back_at_the_set_rate_in_the_order_they_asked() {
    let options = Options {
        rate: 200.0,
        burst: 1,
        hello_interval: secs(21_600),
        audit_every: secs(3600),
        ..Options::new(14, 10_000)
    };
    let mut world = World::new(options).unwrap();
    world.run_until(secs(100));
    assert_eq!(world.online(), 10_000);
    world.act(Action::Outage(secs(300)));
    world.run_until(secs(400));
    assert_eq!(world.online(), 0);
    world.run_until(secs(600));
    let summary = assert_sound(&mut world);
    // The rate is exact where the governor grants turns; on the network it varies.
    assert_eq!(summary.worst_turn_rate, 200);
    let comeback = summary.comeback.unwrap();
    assert_eq!(comeback.accounts, 10_000);
    // The number of accounts divided by the rate, plus 20 %. This is also the longest back-off: an
    // account that drew it just before the server returned is the last to request a turn, however
    // high the rate is.
    assert!(
        comeback.took <= secs(10_000 / 200 * 12 / 10),
        "{comeback:?}"
    );
    assert!(
        comeback.took <= comeback.last_asked + secs(1),
        "{comeback:?}"
    );
    assert!(comeback.from_asking.worst <= 0.05, "{comeback:?}");
}
