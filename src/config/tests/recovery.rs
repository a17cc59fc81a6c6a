//! `recovery`, in `[defaults]` and per account.

use super::refused::refused;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn every_key_is_read_and_only_what_is_written_is_overridden() {
    let config = parse(&with(
        r#"
        [accounts.recovery]
        renew_at = 0.5
        multiple_device = { take_backs = 0 }
        [[accounts]]
        user_id = "b"
        bots = []
        [[accounts]]
        user_id = "c-{1..2}"
        bots = []
        recovery = { mark_read = true, multiple_account = { cool_down_max = "3s" } }
        [defaults.recovery]
        stable_after = "1s"
        connect_timeout = "2s"
        return_after = "10m"
        renew_at = 0.6
        mark_read = false
        trust_send_keys = false
        [defaults.recovery.multiple_account]
        cool_down_min = "2s"
        cool_down_max = "4s"
        window = "5s"
        take_backs = 6
        contest_within = "7s"
        contest_after = 8
        contest_min = "9s"
        contest_max = "10s"
        [defaults.recovery.multiple_device]
        window = "11s"
        "#,
    ))
    .unwrap();
    let common = Policy {
        login_spacing: defaults::LOGIN_SPACING_SANDBOX,
        stable_after: SECOND,
        connect_limit: 2 * SECOND,
        return_after: Some(600 * SECOND),
        renew_at: 0.6,
        mark_read: false,
        trust_send_keys: false,
        multiple_account: TakeBack {
            cool_down: Backoff::new(2 * SECOND, 4 * SECOND).unwrap(),
            window: 5 * SECOND,
            max: 6,
            contest_within: 7 * SECOND,
            contest_after: 8,
            contest_retry: Backoff::new(9 * SECOND, 10 * SECOND).unwrap(),
        },
        multiple_device: TakeBack {
            window: 11 * SECOND,
            ..TakeBack::STANDARD
        },
        ..Policy::standard()
    };
    let of = |at: usize| Policy::clone(&config.accounts[at].policy);
    let mut a = common.clone();
    a.renew_at = 0.5;
    a.multiple_device.max = 0;
    let mut c = common.clone();
    c.mark_read = true;
    c.multiple_account.cool_down = Backoff::new(2 * SECOND, 3 * SECOND).unwrap();
    assert_eq!((of(0), of(1), of(2)), (a, common, c));
    let shares = |a: usize, b: usize| {
        std::sync::Arc::ptr_eq(&config.accounts[a].policy, &config.accounts[b].policy)
    };
    assert!(shares(2, 3) && !shares(1, 2));
}

#[test]
fn a_config_that_says_nothing_gives_the_standard_policy() {
    let config = parse(&with("").replacen("[app]", "endpoint = \"auto\"\n[app]", 1)).unwrap();
    assert_eq!(*config.accounts[0].policy, Policy::standard());
}

#[test]
fn from_outside() {
    let config = parse_with(
        &with(""),
        &[("BOTROUPE__DEFAULTS__RECOVERY__RENEW_AT", "0.25")],
        &[
            ("defaults.recovery.return_after", "1m"),
            ("defaults.recovery.multiple_account", "{ take_backs = 9 }"),
        ],
    )
    .unwrap();
    let policy = &config.accounts[0].policy;
    assert_eq!(policy.renew_at, 0.25);
    assert_eq!(policy.return_after, Some(60 * SECOND));
    assert_eq!(policy.multiple_account.max, 9);
}

#[test]
fn an_account_can_stay_away_where_the_others_come_back() {
    let config = parse_with(
        &with("recovery = { return_after = \"never\" }\n"),
        &[],
        &[("defaults.recovery.return_after", "1m")],
    )
    .unwrap();
    let of = |at: usize| config.accounts[at].policy.return_after;
    assert_eq!(of(0), None);
}

#[test]
fn what_cannot_be() {
    for (more, expected) in [
        (
            "recovery = 1\n",
            "config.toml:7:12: accounts[0].recovery: expected a table, found an integer",
        ),
        (
            "recovery = { stable = \"1s\" }\n",
            "config.toml:7:14: accounts[0].recovery.stable: unknown key; did you mean \"stable_after\"?",
        ),
        (
            "[defaults.recovery]\nrenew_at = 1\n",
            "config.toml:8:12: defaults.recovery.renew_at: 1 is out of range: expected 0.1 to 0.95",
        ),
        (
            "[defaults.recovery]\nrenew_at = nan\n",
            "renew_at: NaN is out of range",
        ),
        (
            "[defaults.recovery]\nrenew_at = \"0.5\"\n",
            "renew_at: expected a number, found text",
        ),
        (
            "[defaults.recovery]\nreturn_after = \"0s\"\n",
            "return_after: 0s is out of range: expected 1ms to 30d",
        ),
        (
            "[defaults.recovery]\nconnect_timeout = \"6m\"\n",
            "connect_timeout: 6m is out of range: expected 100ms to 5m",
        ),
        (
            "[defaults.recovery]\nmultiple_device = { cool_down_min = \"16m\" }\n",
            "config.toml:8:19: defaults.recovery.multiple_device: cool_down_min (16m) is above cool_down_max (15m)",
        ),
        (
            "[defaults.recovery.multiple_account]\ncontest_max = \"59m\"\n",
            "defaults.recovery.multiple_account: contest_min (2h) is above contest_max (59m)",
        ),
        (
            "[defaults.recovery.multiple_account]\ncontest_after = 0\n",
            "contest_after: 0 is out of range: expected 1 to 1000",
        ),
        (
            "[defaults.recovery.multiple_account]\nmax = 1\n",
            "config.toml:8:1: defaults.recovery.multiple_account.max: unknown key",
        ),
    ] {
        refused(&with(more), &[expected]);
    }
}
