//! What fires, for those who look, and silences.

use super::watch::Watch;
use crate::admin::types::{AlertList, AlertOf, SilenceOf};
use crate::admin::{AlertBoard, Silencing};
use crate::gateway::now;
use crate::policy::Now;
use actix::prelude::*;
use botroupe_core::alerts::{Alert, Alerts, Silence};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The alerts of a fleet, for other threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Board(pub(super) Addr<Watch>);

/// What fires, and the silences.
#[derive(Message)]
#[rtype(result = "AlertList")]
pub(super) struct Tell;

/// Keep something quiet.
#[derive(Message)]
#[rtype(result = "Option<SilenceOf>")]
pub(super) struct Quiet(pub(super) Silencing);

/// End a silence.
#[derive(Message)]
#[rtype(result = "Option<SilenceOf>")]
pub(super) struct Loud(pub(super) u64);

impl AlertBoard for Board {
    fn told(&self) -> BoxFuture<'static, Option<AlertList>> {
        self.0.send(Tell).map(Result::ok).boxed()
    }

    fn silence(&self, new: Silencing) -> BoxFuture<'static, Option<Option<SilenceOf>>> {
        self.0.send(Quiet(new)).map(Result::ok).boxed()
    }

    fn unsilence(&self, number: u64) -> BoxFuture<'static, Option<Option<SilenceOf>>> {
        self.0.send(Loud(number)).map(Result::ok).boxed()
    }
}

/// So many silences last at the same time, at most: whoever may order could make any number.
const MOST: usize = 1_000;

/// The silences of a fleet, each with its number.
#[derive(Debug, Default)]
pub(super) struct Silences {
    kept: Vec<Kept>,
    last: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    silence: Silence,
    reason: String,
    by: String,
}

impl Kept {
    fn told(&self, now: Now) -> SilenceOf {
        SilenceOf {
            number: self.number,
            rule: self.silence.rule.map(|rule| rule.name().to_owned()),
            account: self.silence.account.clone(),
            until: unix(now, self.silence.until),
            reason: self.reason.clone(),
            by: self.by.clone(),
        }
    }
}

/// A monotonic time in Unix seconds.
fn unix(now: Now, mono: Duration) -> u64 {
    (now.unix + mono.saturating_sub(now.mono)).as_secs()
}

impl Silences {
    /// Adds one. Returns how it is told, and what machines take; `None` when there are too many.
    pub(super) fn add(&mut self, now: Now, new: Silencing) -> Option<(SilenceOf, Silence)> {
        self.kept.retain(|kept| kept.silence.until > now.mono);
        if self.kept.len() >= MOST {
            return None;
        }
        self.last += 1;
        let silence = Silence {
            rule: new.rule,
            account: new.account,
            until: now.mono.saturating_add(new.long),
        };
        let kept = Kept {
            number: self.last,
            silence: silence.clone(),
            reason: new.reason,
            by: new.by,
        };
        let told = kept.told(now);
        self.kept.push(kept);
        Some((told, silence))
    }

    /// Ends one.
    pub(super) fn end(&mut self, now: Now, number: u64) -> Option<(SilenceOf, Silence)> {
        self.kept.retain(|kept| kept.silence.until > now.mono);
        let at = self.kept.iter().position(|kept| kept.number == number)?;
        let kept = self.kept.remove(at);
        Some((kept.told(now), kept.silence))
    }

    /// Those that last.
    pub(super) fn lasting(&self, now: Now) -> impl Iterator<Item = Silence> {
        let all = self.kept.iter().map(|kept| kept.silence.clone());
        all.filter(move |silence| silence.until > now.mono)
    }

    fn told(&self, now: Now) -> Vec<SilenceOf> {
        let lasting = self
            .kept
            .iter()
            .filter(|kept| kept.silence.until > now.mono);
        lasting.map(|kept| kept.told(now)).collect()
    }
}

/// What fires for these receivers, each once, with the silences.
pub(super) fn list<'a>(
    now: Now,
    receivers: impl Iterator<Item = (Option<&'a str>, &'a Alerts)>,
    silences: &Silences,
) -> AlertList {
    let mut alerts: Vec<AlertOf> = Vec::new();
    for (receiver, machine) in receivers {
        for (alert, silent) in machine.firing() {
            let Alert {
                rule,
                account,
                text,
                since,
                ..
            } = alert;
            let (rule, account) = (rule.name(), account.as_ref().map(|it| it.as_str()));
            let since = since.as_secs();
            let mut known = alerts.iter_mut();
            let known = known.find(|it| it.rule == rule && it.account.as_deref() == account);
            match known {
                Some(known) => {
                    known.since = known.since.min(since);
                    known.receivers.extend(receiver.map(str::to_owned));
                }
                None => alerts.push(AlertOf {
                    rule: rule.to_owned(),
                    account: account.map(str::to_owned),
                    text,
                    since,
                    silenced_until: silent.map(|until| unix(now, until)),
                    receivers: receiver.map(str::to_owned).into_iter().collect(),
                }),
            }
        }
    }
    AlertList {
        alerts,
        silences: silences.told(now),
    }
}

impl Handler<Tell> for Watch {
    type Result = MessageResult<Tell>;

    fn handle(&mut self, _: Tell, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.list(now()))
    }
}

impl Handler<Quiet> for Watch {
    type Result = MessageResult<Quiet>;

    fn handle(&mut self, Quiet(new): Quiet, ctx: &mut Context<Self>) -> Self::Result {
        MessageResult(self.quiet(new, ctx))
    }
}

impl Handler<Loud> for Watch {
    type Result = MessageResult<Loud>;

    fn handle(&mut self, Loud(number): Loud, ctx: &mut Context<Self>) -> Self::Result {
        MessageResult(self.loud(number, ctx))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn silences_are_bounded_and_those_that_are_over_make_room() {
        let mut silences = Silences::default();
        let at = |secs| Now::new(Duration::from_secs(secs), Duration::from_secs(secs));
        let new = |long| Silencing {
            rule: None,
            account: Some("a*".to_owned()),
            long: Duration::from_secs(long),
            reason: String::new(),
            by: "ops".to_owned(),
        };
        for number in 1..=MOST {
            let long = if number == 7 { 60 } else { 600 };
            let (told, _) = silences.add(at(0), new(long)).unwrap();
            assert_eq!(told.number, number as u64);
        }
        assert!(silences.add(at(59), new(60)).is_none());
        assert!(silences.add(at(60), new(60)).is_some(), "one is over");
        assert!(silences.end(at(60), 8).is_some() && silences.end(at(60), 8).is_none());
        assert!(silences.add(at(60), new(60)).is_some(), "one was ended");
    }
}
