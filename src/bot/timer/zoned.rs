//! Times of a zone, as the crate `croner` asks for them.

use croner::errors::CronError;
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use std::cmp::Ordering;

/// A time in a zone.
#[derive(Clone, Debug)]
pub(super) struct Zoned(ZonedDateTime);

impl Zoned {
    pub(super) fn new(time: Timestamp, zone: TimeZone) -> Self {
        Self(ZonedDateTime::new(time, zone))
    }

    /// In Unix seconds.
    pub(super) fn unix(&self) -> i64 {
        self.0.timestamp().as_second()
    }
}

/// The parts of a time are small and positive.
fn part(part: impl TryInto<u32>) -> u32 {
    part.try_into().unwrap_or_default()
}

fn to_jiff(civil: CivilDateTime) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    DateTime::new(
        i16::try_from(civil.year()).ok()?,
        part(civil.month())?,
        part(civil.day())?,
        part(civil.hour())?,
        part(civil.minute())?,
        part(civil.second())?,
        0,
    )
    .ok()
}

impl CronDateTime for Zoned {
    fn to_civil(&self) -> CivilDateTime {
        let time = self.0.datetime();
        let (year, month, day) = (time.year().into(), part(time.month()), part(time.day()));
        let (hour, minute) = (part(time.hour()), part(time.minute()));
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(year, month, day),
            CivilTime::from_parts_unchecked(hour, minute, part(time.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(part(self.0.weekday().to_sunday_zero_offset()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let time = to_jiff(civil).ok_or(CronError::InvalidDate)?;
        let found = self.0.time_zone().to_ambiguous_zoned_datetime(time);
        let read = |found: Result<ZonedDateTime, jiff::Error>| {
            found.map(Self).map_err(|_| CronError::InvalidTime)
        };
        Ok(match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(read(found.unambiguous())?),
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(read(found.clone().earlier())?, read(found.later())?)
            }
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        let sum = self.0.checked_add(SignedDuration::from_secs(seconds));
        sum.ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}
