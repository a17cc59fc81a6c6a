//! `recovery`: what an account does by itself after faults and kicks.

use std::time::Duration;

use super::{
    defaults,
    duration::format_duration,
    error::Problem,
    model::{RecoveryConfig, TakeBackConfig},
    parse::HOUR,
    read::{Node, Section},
};

const MILLI: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

const TAKE_BACK: TakeBackConfig = TakeBackConfig {
    cool_down_min: defaults::COOL_DOWN_MIN,
    cool_down_max: defaults::COOL_DOWN_MAX,
    window: defaults::TAKE_BACK_WINDOW,
    take_backs: defaults::TAKE_BACKS,
    contest_within: defaults::CONTEST_WITHIN,
    contest_after: defaults::CONTEST_AFTER,
    contest_min: defaults::CONTEST_MIN,
    contest_max: defaults::CONTEST_MAX,
};

/// What holds when nothing is written.
pub(super) const BUILT_IN: RecoveryConfig = RecoveryConfig {
    stable_after: defaults::STABLE_AFTER,
    connect_timeout: defaults::CONNECT_TIMEOUT,
    return_after: None,
    renew_at: defaults::RENEW_AT,
    mark_read: defaults::MARK_READ,
    multiple_account: TAKE_BACK,
    multiple_device: TAKE_BACK,
};

/// Reads the table `recovery` of `outer`; what is not written is that of `base`.
pub(super) fn read(outer: &mut Section<'_>, base: RecoveryConfig) -> RecoveryConfig {
    let mut section = outer.section("recovery");
    let config = RecoveryConfig {
        stable_after: section.duration("stable_after", base.stable_after, (Duration::ZERO, HOUR)),
        connect_timeout: section.duration(
            "connect_timeout",
            base.connect_timeout,
            (100 * MILLI, HOUR / 12),
        ),
        return_after: match section.get("return_after") {
            // What the defaults say can be taken back for one account.
            Some(node) if node.is_text("never") => None,
            Some(node) => node.duration(MILLI, 30 * DAY),
            None => base.return_after,
        },
        renew_at: section.number("renew_at", base.renew_at, (0.1, 0.95)),
        mark_read: section.boolean("mark_read", base.mark_read),
        multiple_account: take_back(section.section("multiple_account"), base.multiple_account),
        multiple_device: take_back(section.section("multiple_device"), base.multiple_device),
    };
    section.finish();
    config
}

fn take_back(mut section: Section<'_>, base: TakeBackConfig) -> TakeBackConfig {
    let config = TakeBackConfig {
        cool_down_min: section.duration("cool_down_min", base.cool_down_min, (MILLI, DAY)),
        cool_down_max: section.duration("cool_down_max", base.cool_down_max, (MILLI, DAY)),
        window: section.duration("window", base.window, (1_000 * MILLI, 7 * DAY)),
        take_backs: section.integer("take_backs", base.take_backs, (0, 1_000)),
        contest_within: section.duration(
            "contest_within",
            base.contest_within,
            (Duration::ZERO, DAY),
        ),
        contest_after: section.integer("contest_after", base.contest_after, (1, 1_000)),
        contest_min: section.duration("contest_min", base.contest_min, (MILLI, 30 * DAY)),
        contest_max: section.duration("contest_max", base.contest_max, (MILLI, 30 * DAY)),
    };
    let node = section.node().clone();
    section.finish();
    in_order(
        &node,
        ("cool_down_min", config.cool_down_min),
        ("cool_down_max", config.cool_down_max),
    );
    in_order(
        &node,
        ("contest_min", config.contest_min),
        ("contest_max", config.contest_max),
    );
    config
}

/// Reports a lower end above the upper one, as they are with what is inherited.
fn in_order(
    node: &Node<'_>,
    (min_key, min): (&'static str, Duration),
    (max_key, max): (&'static str, Duration),
) {
    if min > max {
        node.report(Problem::MinAboveMax {
            min_key,
            min: format_duration(min),
            max_key,
            max: format_duration(max),
        });
    }
}
