//! Reads the figures.

use super::apps::apps;
use super::process;
use super::tally::{Field, Sums};
use crate::account::{Phase, Status};
use crate::admin::desk::Desk;
use crate::gateway::now;
use crate::store::Condition;
use std::borrow::Cow;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A figure: its values, each with a label or none.
#[derive(Debug)]
pub(in crate::admin) struct Figure {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    /// The name of the label; empty for none.
    pub(super) label: &'static str,
    pub(super) values: Vec<(Cow<'static, str>, f64)>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only rises. Its name gets `_total`.
    Counter,
    /// Rises and falls.
    Gauge,
}

/// The states of accounts, as values of a label.
const STATES: [(Phase, &str); 11] = [
    (Phase::Waiting, "waiting"),
    (Phase::Connecting, "connecting"),
    (Phase::LoggingIn, "logging_in"),
    (Phase::Online, "online"),
    (Phase::Renewing, "renewing"),
    (Phase::CoolingDown, "cooling_down"),
    (Phase::Contested, "contested"),
    (Phase::Held, "held"),
    (Phase::Quarantined, "quarantined"),
    (Phase::Stopping, "stopping"),
    (Phase::Stopped, "stopped"),
];

/// Why accounts are away, without the detail behind the colon; others are `other`.
const CAUSES: [&str; 15] = [
    "not_started",
    "link_lost",
    "connect_failed",
    "login_refused",
    "multipleAccount",
    "multipleDevice",
    "REST_API_Kick",
    "userSigExpired",
    "no_user_sig",
    "no_bot",
    "crashed",
    "hung",
    "ordered",
    "stopped",
    "other",
];

#[expect(
    clippy::cast_precision_loss,
    reason = "counts stay below 2⁵³ for longer than processes live"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

pub(super) fn count(count: usize) -> f64 {
    float(count as u64)
}

#[derive(Debug, Default)]
struct Figures(Vec<Figure>);

impl Figures {
    fn one(&mut self, name: &'static str, help: &'static str, kind: Kind, value: f64) {
        self.many(name, help, kind, "", vec![("", value)]);
    }

    fn many(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        label: &'static str,
        values: Vec<(&'static str, f64)>,
    ) {
        let values = values.into_iter();
        let values = values.map(|(value, figure)| (Cow::Borrowed(value), figure));
        self.0.push(Figure {
            name,
            help,
            kind,
            label,
            values: values.collect(),
        });
    }
}

/// Reads every figure.
pub(in crate::admin) async fn gather(desk: &Desk) -> Vec<Figure> {
    let mut figures = Figures::default();
    let is_alive = desk.controller.is_alive();
    figures.one(
        "botroupe_supervisor_up",
        "Whether the supervisor of the accounts is alive",
        Kind::Gauge,
        f64::from(u8::from(is_alive)),
    );
    if let Ok(all) = desk.status().await {
        accounts(&mut figures, &all);
        figures.0.extend(apps(&all));
    }
    let counted = desk.controller.counters().await;
    let sums = {
        let mut tally = desk
            .meter
            .tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        tally.take(&counted);
        *tally.sums()
    };
    counters(&mut figures, &sums);
    figures.one(
        "botroupe_bot_threads_blocked",
        "Bot threads that a handler blocks at present",
        Kind::Gauge,
        count(desk.controller.blocked_threads()),
    );
    store(&mut figures, &desk.controller.store());
    #[cfg(feature = "otlp")]
    if let Some(spans) = desk.controller.traces() {
        figures.many(
            "botroupe_trace_spans",
            "Spans of traces that the collector took, and that were dropped",
            Kind::Counter,
            "outcome",
            vec![
                ("sent", float(spans.sent)),
                ("dropped", float(spans.dropped)),
            ],
        );
    }
    server(&mut figures, desk);
    machine(&mut figures, desk);
    figures.0
}

fn accounts(figures: &mut Figures, all: &[Status]) {
    let in_phase = |phase: Phase| all.iter().filter(|status| status.phase == phase).count();
    let states = STATES.map(|(phase, word)| (word, count(in_phase(phase))));
    figures.many(
        "botroupe_accounts",
        "Enabled accounts by state",
        Kind::Gauge,
        "state",
        states.to_vec(),
    );
    let online = all.iter().filter(|status| status.phase.is_online());
    let share = match all.len() {
        0 => 1.0,
        len => count(online.clone().count()) / count(len),
    };
    figures.one(
        "botroupe_online_share",
        "Share of the enabled accounts that is online, 0 to 1",
        Kind::Gauge,
        share,
    );
    let degraded = online.filter(|status| !status.degraded.is_empty());
    figures.one(
        "botroupe_accounts_degraded",
        "Accounts that are online and do not hear something",
        Kind::Gauge,
        count(degraded.count()),
    );
    let mut away = CAUSES.map(|cause| (cause, 0.0));
    for status in all.iter().filter(|status| !status.phase.is_online()) {
        let word = status.cause.word();
        let word = word.split(':').next().unwrap_or_default();
        let at = CAUSES.iter().position(|cause| *cause == word);
        if let Some((_, value)) = away.get_mut(at.unwrap_or(CAUSES.len() - 1)) {
            *value += 1.0;
        }
    }
    figures.many(
        "botroupe_accounts_away",
        "Accounts that are not online, by cause",
        Kind::Gauge,
        "cause",
        away.to_vec(),
    );
    figures.one(
        "botroupe_messages_open",
        "Messages that are with the bots: waiting, or being handled",
        Kind::Gauge,
        count(all.iter().map(|status| status.open).sum()),
    );
    if let Some(first) = all.iter().filter_map(|status| status.user_sig_ends).min() {
        figures.one(
            "botroupe_user_sig_first_end_timestamp_seconds",
            "When the first UserSig in use ends, in Unix time",
            Kind::Gauge,
            float(first),
        );
    }
}

fn counters(figures: &mut Figures, sums: &Sums) {
    let value = |field: Field| float(sums[field as usize]);
    figures.many(
        "botroupe_messages",
        "Messages by what became of them",
        Kind::Counter,
        "outcome",
        vec![
            ("received", value(Field::Received)),
            ("sent", value(Field::Sent)),
            ("unsent", value(Field::Unsent)),
            ("unknown", value(Field::Unknown)),
            ("dropped", value(Field::Dropped)),
        ],
    );
    figures.many(
        "botroupe_logins",
        "Logins that succeeded, by kind",
        Kind::Counter,
        "kind",
        vec![
            ("login", value(Field::Logins)),
            ("resume", value(Field::Resumes)),
            ("renewal", value(Field::Renewals)),
        ],
    );
    figures.many(
        "botroupe_kicks",
        "Logins that the server ended, by kind",
        Kind::Counter,
        "kind",
        vec![
            ("multipleAccount", value(Field::KickedByAccount)),
            ("multipleDevice", value(Field::KickedByDevice)),
            ("REST_API_Kick", value(Field::KickedByRest)),
            ("userSigExpired", value(Field::Expired)),
        ],
    );
    for (name, help, field) in [
        (
            "botroupe_links_lost",
            "Links lost while online",
            Field::LostLinks,
        ),
        (
            "botroupe_paced",
            "Messages and requests that waited for a rate limit",
            Field::Paced,
        ),
        (
            "botroupe_packets_ignored",
            "Packets and events that were not understood",
            Field::Ignored,
        ),
        (
            "botroupe_handler_failures",
            "Handlers that returned an error, panicked or took too long",
            Field::FailedHandlers,
        ),
    ] {
        figures.one(name, help, Kind::Counter, value(field));
    }
}

fn store(figures: &mut Figures, condition: &Condition) {
    let counts = &condition.counts;
    figures.many(
        "botroupe_letters",
        "Messages in the outbox by state",
        Kind::Gauge,
        "state",
        vec![
            ("queued", float(counts.queued)),
            ("failed", float(counts.failed)),
            ("unknown", float(counts.unknown)),
        ],
    );
    let oldest = condition.oldest.map(|(_, at)| at);
    figures.one(
        "botroupe_letters_oldest_age_seconds",
        "How long the oldest queued message has waited; 0 without one",
        Kind::Gauge,
        float(oldest.map_or(0, |at| now().unix_secs().saturating_sub(at))),
    );
    figures.one(
        "botroupe_messages_spilled",
        "Messages and updates that wait in the store for room with the bots",
        Kind::Gauge,
        float(counts.spilled),
    );
    figures.many(
        "botroupe_store_size_bytes",
        "What the store takes on disk",
        Kind::Gauge,
        "part",
        vec![
            ("file", float(condition.sizes.file)),
            ("log", float(condition.sizes.log)),
        ],
    );
    figures.one(
        "botroupe_store_waiting",
        "Lists of changes that are not written yet",
        Kind::Gauge,
        count(condition.waiting),
    );
    figures.one(
        "botroupe_store_up",
        "Whether the store can be written",
        Kind::Gauge,
        f64::from(u8::from(condition.trouble.is_none())),
    );
}

fn server(figures: &mut Figures, desk: &Desk) {
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter();
    let answers = classes.zip(&desk.meter.answers);
    let answers = answers.map(|(class, value)| (class, float(value.load(Ordering::Relaxed))));
    figures.many(
        "botroupe_admin_answers",
        "Answers of the admin API by class of status",
        Kind::Counter,
        "class",
        answers.collect(),
    );
    let (wrong, refused) = desk.guard.counts();
    let reasons = ["unauthorized", "forbidden", "foreign_site", "too_many"];
    let refused = reasons.map(|reason| {
        let value = refused.get(reason).copied().unwrap_or_default();
        (reason, float(value))
    });
    figures.many(
        "botroupe_admin_refused",
        "Requests that the admin API refused, by reason",
        Kind::Counter,
        "reason",
        refused.to_vec(),
    );
    for (name, help, kind, value) in [
        (
            "botroupe_admin_wrong_tokens",
            "Wrong tokens that were sent to the admin API",
            Kind::Counter,
            float(wrong),
        ),
        (
            "botroupe_admin_followers",
            "Readers that follow the changes at present",
            Kind::Gauge,
            count(desk.feed.followers()),
        ),
        (
            "botroupe_account_changes",
            "Changes of accounts",
            Kind::Counter,
            float(desk.feed.newest()),
        ),
        (
            "botroupe_admin_changes_missed",
            "Changes that readers missed because they were too slow",
            Kind::Counter,
            float(desk.feed.missed()),
        ),
    ] {
        figures.one(name, help, kind, value);
    }
}

fn machine(figures: &mut Figures, desk: &Desk) {
    figures.many(
        "botroupe_build_info",
        "The version of the program",
        Kind::Gauge,
        "version",
        vec![(env!("CARGO_PKG_VERSION"), 1.0)],
    );
    figures.one(
        "process_start_time_seconds",
        "When the process started, in Unix time",
        Kind::Gauge,
        desk.started.as_secs_f64(),
    );
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Resident memory",
            process::resident(),
        ),
        (
            "process_open_fds",
            "Open file handles",
            process::open_files(),
        ),
        (
            "process_max_fds",
            "The limit of open file handles",
            process::most_files(),
        ),
    ] {
        if let Some(value) = value {
            figures.one(name, help, Kind::Gauge, float(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Cause;

    #[test]
    fn every_state_and_cause_has_a_value_of_its_own() {
        for (phase, word) in STATES {
            assert_eq!(phase.word().replace(' ', "_"), word);
        }
        for cause in [
            Cause::NotStarted,
            Cause::Crashed,
            Cause::Hung,
            Cause::Ordered,
            Cause::Stopped,
            Cause::NoBot(String::new()),
        ] {
            assert!(CAUSES.contains(&&*cause.word()), "{cause:?}");
        }
    }
}
