//! What an account does by itself: `backoff`, `login_spacing`, `send_timeout` and `recovery`.

use std::time::Duration;

use botroupe_core::account::{Policy, TakeBack};
use botroupe_core::policy::Backoff;

use super::{duration::format_duration, error::Problem, parse::HOUR, read::Section};

const MILLI: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

/// Reads the keys of the policy in `section`; what is not written is that of `base`.
pub(super) fn read(section: &mut Section<'_>, base: &Policy) -> Policy {
    let mut recovery = section.section("recovery");
    let policy = Policy {
        backoff: backoff(section, base.backoff),
        login_spacing: section.duration(
            "login_spacing",
            base.login_spacing,
            (Duration::ZERO, HOUR),
        ),
        send_timeout: section.duration("send_timeout", base.send_timeout, (100 * MILLI, HOUR / 6)),
        stable_after: recovery.duration("stable_after", base.stable_after, (Duration::ZERO, HOUR)),
        connect_limit: recovery.duration(
            "connect_timeout",
            base.connect_limit,
            (100 * MILLI, HOUR / 12),
        ),
        return_after: match recovery.get("return_after") {
            // One account can revoke the value of the defaults.
            Some(node) if node.is_text("never") => None,
            Some(node) => node.duration(MILLI, 30 * DAY),
            None => base.return_after,
        },
        renew_at: recovery.number("renew_at", base.renew_at, (0.1, 0.95)),
        mark_read: recovery.boolean("mark_read", base.mark_read),
        trust_send_keys: recovery.boolean("trust_send_keys", base.trust_send_keys),
        multiple_account: take_back(recovery.section("multiple_account"), base.multiple_account),
        multiple_device: take_back(recovery.section("multiple_device"), base.multiple_device),
    };
    recovery.finish();
    policy
}

fn take_back(mut section: Section<'_>, base: TakeBack) -> TakeBack {
    let cool_down = ("cool_down_min", "cool_down_max");
    let contest = ("contest_min", "contest_max");
    let take_back = TakeBack {
        cool_down: ends(&mut section, cool_down, base.cool_down, DAY),
        window: section.duration("window", base.window, (1_000 * MILLI, 7 * DAY)),
        max: section.integer("take_backs", base.max, (0, 1_000)),
        contest_within: section.duration(
            "contest_within",
            base.contest_within,
            (Duration::ZERO, DAY),
        ),
        contest_after: section.integer("contest_after", base.contest_after, (1, 1_000)),
        contest_retry: ends(&mut section, contest, base.contest_retry, 30 * DAY),
    };
    section.finish();
    take_back
}

/// `backoff = { min, max }`.
fn backoff(section: &mut Section<'_>, base: Backoff) -> Backoff {
    let Some(mut inner) = section.get("backoff").and_then(|node| node.section()) else {
        return base;
    };
    let backoff = ends(&mut inner, ("min", "max"), base, HOUR);
    inner.finish();
    backoff
}

/// A wait that grows from one key to the other, each 1 ms to `limit`; an end that is not written is that of
/// `base`.
fn ends(
    section: &mut Section<'_>,
    (min_key, max_key): (&'static str, &'static str),
    base: Backoff,
    limit: Duration,
) -> Backoff {
    let min = section.duration(min_key, base.min(), (MILLI, limit));
    let max = section.duration(max_key, base.max(), (MILLI, limit));
    Backoff::new(min, max).unwrap_or_else(|_| {
        // Neither is zero, so it is their order.
        section.node().report(Problem::MinAboveMax {
            min_key,
            min: format_duration(min),
            max_key,
            max: format_duration(max),
        });
        base
    })
}
