//! When something happens again and again. Pure.

use super::zoned::Zoned;
use crate::config::parse_duration;
use croner::Cron as Pattern;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;
use std::time::Duration;

/// What becomes of the times at which the program did not run, or the account was not ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// The handler is called once for all of them, as soon as the account is ready.
    #[default]
    Once,
    /// They are left out.
    Skip,
}

/// Every so often. Made from a text such as `"10m"`, `"90s"` or `"1h30m"`; a second at least.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn tidy(store: Store<u64>) {
/// # let _ = store;
/// }
/// # let _ =
/// Bot::new("janitor").every(Every::new("10m").missed(Missed::Skip), tidy)
/// # ;
/// ```
#[derive(Clone, Debug)]
pub struct Every(Result<Schedule, String>);

/// At certain times of the calendar. Made from a pattern of five fields (minute, hour, day of the month, month, day of
/// the week), such as `"0 9 * * MON-FRI"`; six fields begin with seconds. Times are those of [`zone`](Self::zone), of
/// the system if nothing is said.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn good_morning(api: Api) -> Result<(), ApiError> {
///     api.send(Conversation::group("team"), "Good morning!").await?;
///     Ok(())
/// }
/// # let _ =
/// Bot::new("reminder").cron(Cron::new("0 9 * * MON-FRI").zone("Asia/Shanghai"), good_morning)
/// # ;
/// ```
#[derive(Clone, Debug)]
pub struct Cron(Result<Schedule, String>);

/// When a handler is called again and again.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Schedule {
    times: Times,
    missed: Missed,
}

#[derive(Clone, Debug)]
enum Times {
    Every(Duration),
    Cron(Box<Pattern>, TimeZone),
}

impl Every {
    /// Every so often.
    #[must_use]
    pub fn new(period: &str) -> Self {
        let period = parse_duration(period).map_err(|error| error.to_string());
        Self(period.and_then(|period| {
            if period < Duration::from_secs(1) {
                return Err("the shortest period is a second".to_owned());
            }
            Ok(Schedule {
                times: Times::Every(period),
                missed: Missed::default(),
            })
        }))
    }

    /// What becomes of times that were missed; [`Missed::Once`] if nothing is said.
    #[must_use]
    pub fn missed(self, missed: Missed) -> Self {
        Self(self.0.map(|schedule| Schedule { missed, ..schedule }))
    }

    pub(in crate::bot) fn into_schedule(self) -> Result<Schedule, String> {
        self.0
    }
}

impl From<&str> for Every {
    fn from(period: &str) -> Self {
        Self::new(period)
    }
}

impl Cron {
    /// At the times of a pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let pattern = Pattern::from_str(pattern).map_err(|error| error.to_string());
        Self(pattern.map(|pattern| Schedule {
            times: Times::Cron(Box::new(pattern), TimeZone::system()),
            missed: Missed::default(),
        }))
    }

    /// The time zone by its IANA name (`Asia/Shanghai`, `UTC`).
    #[must_use]
    pub fn zone(self, name: &str) -> Self {
        Self(self.0.and_then(|mut schedule| {
            let zone = TimeZone::get(name).map_err(|error| error.to_string())?;
            if let Times::Cron(_, of) = &mut schedule.times {
                *of = zone;
            }
            Ok(schedule)
        }))
    }

    /// What becomes of times that were missed; [`Missed::Once`] if nothing is said.
    #[must_use]
    pub fn missed(self, missed: Missed) -> Self {
        Self(self.0.map(|schedule| Schedule { missed, ..schedule }))
    }

    pub(in crate::bot) fn into_schedule(self) -> Result<Schedule, String> {
        self.0
    }
}

impl From<&str> for Cron {
    fn from(pattern: &str) -> Self {
        Self::new(pattern)
    }
}

impl Schedule {
    /// The first time after `after`, in Unix seconds; `None` when there is none any more.
    fn next(&self, after: u64) -> Option<u64> {
        match &self.times {
            Times::Every(period) => Some(after.saturating_add(period.as_secs().max(1))),
            Times::Cron(pattern, zone) => {
                let after = Timestamp::from_second(i64::try_from(after).ok()?).ok()?;
                let after = Zoned::new(after, zone.clone());
                let next = pattern.find_next_occurrence(&after, false).ok()?;
                u64::try_from(next.unix()).ok()
            }
        }
    }

    /// When it is due for the first time in a process that starts `now`; `last` is the time for which it was called
    /// last.
    pub(in crate::bot) fn first(&self, last: Option<u64>, now: u64) -> Option<u64> {
        let next = self.next(last.unwrap_or(now))?;
        if next > now || self.missed == Missed::Once && last.is_some() {
            return Some(next);
        }
        self.next(now)
    }

    /// Up to when its times are dealt with after it was called for the time `due` and has ended at the time `now`.
    pub(in crate::bot) fn settle(&self, due: u64, now: u64) -> u64 {
        match self.next(due) {
            Some(next) if next > now => due,
            // The call has made up for all that have passed meanwhile, or they are left out.
            _ => now,
        }
    }

    /// When it is due after its times were dealt with up to `last`.
    pub(in crate::bot) fn after(&self, last: u64) -> Option<u64> {
        self.next(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> u64 {
        let time: Timestamp = text.parse().unwrap();
        u64::try_from(time.as_second()).unwrap()
    }

    #[test]
    fn a_period_goes_on_from_the_last_time_and_makes_up_once() {
        let every = Every::new("10m").into_schedule().unwrap();
        assert_eq!(every.first(None, 1_000), Some(1_600));
        assert_eq!(every.first(Some(900), 1_000), Some(1_500));
        assert_eq!(every.first(Some(100), 5_000), Some(700), "missed: at once");
        assert_eq!(every.settle(1_500, 1_501), 1_500);
        assert_eq!(every.settle(1_500, 9_000), 9_000);
        assert_eq!(every.after(1_500), Some(2_100));
        let skip = Every::new("10m")
            .missed(Missed::Skip)
            .into_schedule()
            .unwrap();
        assert_eq!(skip.first(Some(100), 5_000), Some(5_600));
    }

    #[test]
    fn a_pattern_means_the_hours_of_its_zone_also_over_a_change_of_the_clock() {
        let nine = Cron::new("0 9 * * *");
        let shanghai = nine.clone().zone("Asia/Shanghai").into_schedule().unwrap();
        let now = unix("2026-11-29T00:30:00Z");
        assert_eq!(
            shanghai.first(None, now),
            Some(unix("2026-11-29T01:00:00Z"))
        );
        let berlin = nine.zone("Europe/Berlin").into_schedule().unwrap();
        let before = unix("2026-10-24T12:00:00Z");
        // From summer time to winter time.
        let next = berlin.first(None, before).unwrap();
        assert_eq!(next, unix("2026-10-25T08:00:00Z"));
        let late = unix("2026-10-28T12:00:00Z");
        assert_eq!(
            berlin.first(Some(next), late),
            Some(unix("2026-10-26T08:00:00Z"))
        );
        let last = berlin.settle(next, late);
        assert_eq!(berlin.after(last), Some(unix("2026-10-29T08:00:00Z")));
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (wrong, word) in [
            (Every::new("ten").into_schedule(), "duration"),
            (Every::new("5ms").into_schedule(), "second"),
            (Cron::new("0 25 * * *").into_schedule(), ""),
            (
                Cron::new("0 9 * * *").zone("Mars/North").into_schedule(),
                "Mars",
            ),
        ] {
            let error = wrong.unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
