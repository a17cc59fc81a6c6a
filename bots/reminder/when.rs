//! Reads when somebody wants to be reminded, as they write it in English or Chinese.

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};

/// Why a text does not begin with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTime {
    /// It is none.
    Unknown,
    /// It has passed.
    Past,
}

/// The longest time ahead, in days.
const LONGEST: i64 = 3_660;

/// Reads the time that a text begins with, seen from `now`, and returns what comes after it.
pub(super) fn read<'a>(text: &'a str, now: &ZonedDateTime) -> Result<(Timestamp, &'a str), NoTime> {
    let mut cursor = Cursor(text.trim_start());
    let at = match cursor.duration() {
        Some(after) => now.timestamp().checked_add(after).ok(),
        None => cursor.calendar(now),
    };
    let at = at.ok_or(NoTime::Unknown)?;
    if at <= now.timestamp() {
        return Err(NoTime::Past);
    }
    if at.duration_since(now.timestamp()).as_hours() > LONGEST * 24 {
        return Err(NoTime::Unknown);
    }
    Ok((at, cursor.0.trim_start_matches([' ', ',', '，', ':', '：'])))
}

/// What is left of a text.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    /// Takes the first of these words that comes now; capitals do not count.
    fn word<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let rest = self.0.trim_start();
        for (word, meaning) in words {
            let Some(start) = rest.get(..word.len()) else {
                continue;
            };
            let after = &rest[word.len()..];
            // Latin words end where letters end.
            let ends = !word.is_ascii() || !after.starts_with(|c: char| c.is_ascii_alphabetic());
            if start.eq_ignore_ascii_case(word) && ends {
                self.0 = after;
                return Some(*meaning);
            }
        }
        None
    }

    fn skip(&mut self, words: &[&str]) -> bool {
        let words: Vec<(&str, ())> = words.iter().map(|word| (*word, ())).collect();
        self.word(&words).is_some()
    }

    /// A number in digits of any width, or a small one in Chinese.
    fn number(&mut self) -> Option<i64> {
        const CHINESE: [(&str, i64); 12] = [
            ("十二", 12),
            ("十一", 11),
            ("十", 10),
            ("一", 1),
            ("二", 2),
            ("两", 2),
            ("三", 3),
            ("四", 4),
            ("五", 5),
            ("六", 6),
            ("七", 7),
            ("八", 8),
        ];
        let rest = self.0.trim_start();
        let digit = |c: char| match c {
            '０'..='９' => Some(i64::from(u32::from(c) - u32::from('０'))),
            c => c.to_digit(10).map(i64::from),
        };
        let mut number = None;
        let mut taken = 0;
        for c in rest.chars().take(6) {
            let Some(digit) = digit(c) else { break };
            number = Some(number.unwrap_or(0) * 10 + digit);
            taken += c.len_utf8();
        }
        if number.is_some() {
            self.0 = &rest[taken..];
            return number;
        }
        if let Some(number) = self.word(&CHINESE) {
            return Some(number);
        }
        self.word(&[("九", 9), ("an", 1), ("a", 1)])
    }

    /// `2h`, `in 20 minutes`, `1h30m`, `半小时后`, `两天后`.
    fn duration(&mut self) -> Option<SignedDuration> {
        const UNITS: [(&str, i64); 22] = [
            ("seconds", 1),
            ("second", 1),
            ("sec", 1),
            ("s", 1),
            ("minutes", 60),
            ("minute", 60),
            ("mins", 60),
            ("min", 60),
            ("m", 60),
            ("hours", 3_600),
            ("hour", 3_600),
            ("h", 3_600),
            ("days", 86_400),
            ("day", 86_400),
            ("d", 86_400),
            ("weeks", 604_800),
            ("week", 604_800),
            ("秒钟", 1),
            ("秒", 1),
            ("分钟", 60),
            ("小时", 3_600),
            ("个小时", 3_600),
        ];
        let mut cursor = *self;
        cursor.skip(&["in", "after"]);
        let mut seconds: i64 = 0;
        let mut parts = 0;
        loop {
            let before = cursor;
            if cursor.skip(&["半小时", "半个小时"]) {
                seconds += 1_800;
            } else {
                let Some(number) = cursor.number() else { break };
                let unit = cursor.word(&UNITS);
                let unit = unit.or_else(|| cursor.word(&[("天", 86_400), ("周", 604_800)]));
                let Some(unit) = unit else {
                    cursor = before;
                    break;
                };
                seconds = seconds.checked_add(number.checked_mul(unit)?)?;
            }
            parts += 1;
        }
        if parts == 0 {
            return None;
        }
        cursor.skip(&["之后", "以后", "后"]);
        *self = cursor;
        Some(SignedDuration::from_secs(seconds))
    }

    /// A day, a time of it, or both.
    fn calendar(&mut self, now: &ZonedDateTime) -> Option<Timestamp> {
        let mut cursor = *self;
        let day = cursor.day(now);
        cursor.skip(&["at", "on"]);
        let time = cursor.time();
        let date = match (day, time) {
            (None, None) => return None,
            (Some((date, _)), _) => date,
            // A time that has passed today is meant for tomorrow.
            (None, Some(time)) if time <= now.time() => now.date().checked_add(1.day()).ok()?,
            (None, Some(_)) => now.date(),
        };
        let evening = day.is_some_and(|(_, evening)| evening);
        let time = match time {
            Some(time) if evening && time.hour() < 12 => {
                time.checked_add(SignedDuration::from_hours(12)).ok()?
            }
            Some(time) => time,
            None if evening => Time::constant(20, 0, 0, 0),
            None => Time::constant(9, 0, 0, 0),
        };
        let at = date.to_datetime(time);
        let at = now.time_zone().to_zoned_datetime(at).ok()?;
        *self = cursor;
        Some(at.timestamp())
    }

    /// A day, and whether its evening is meant.
    fn day(&mut self, now: &ZonedDateTime) -> Option<(Date, bool)> {
        const NEAR: [(&str, (i64, bool)); 9] = [
            ("today", (0, false)),
            ("tonight", (0, true)),
            ("tomorrow", (1, false)),
            ("今天", (0, false)),
            ("今晚", (0, true)),
            ("明天", (1, false)),
            ("明早", (1, false)),
            ("明晚", (1, true)),
            ("后天", (2, false)),
        ];
        const WEEK: [(&str, Weekday); 16] = [
            ("monday", Weekday::Monday),
            ("tuesday", Weekday::Tuesday),
            ("wednesday", Weekday::Wednesday),
            ("thursday", Weekday::Thursday),
            ("friday", Weekday::Friday),
            ("saturday", Weekday::Saturday),
            ("sunday", Weekday::Sunday),
            ("周一", Weekday::Monday),
            ("周二", Weekday::Tuesday),
            ("周三", Weekday::Wednesday),
            ("周四", Weekday::Thursday),
            ("周五", Weekday::Friday),
            ("周六", Weekday::Saturday),
            ("周日", Weekday::Sunday),
            ("周天", Weekday::Sunday),
            ("星期天", Weekday::Sunday),
        ];
        self.skip(&["on"]);
        if let Some((days, evening)) = self.word(&NEAR) {
            return Some((now.date().checked_add(days.days()).ok()?, evening));
        }
        if let Some(weekday) = self.word(&WEEK) {
            return Some((now.date().nth_weekday(1, weekday).ok()?, false));
        }
        let rest = self.0.trim_start();
        let date: Date = rest.get(..10)?.parse().ok()?;
        self.0 = &rest[10..];
        Some((date, false))
    }

    /// `18:30`, `9am`, `上午9点半`, `下午三点20分`.
    fn time(&mut self) -> Option<Time> {
        let mut cursor = *self;
        let half = cursor.word(&[
            ("上午", 0),
            ("早上", 0),
            ("中午", 12),
            ("下午", 12),
            ("晚上", 12),
        ]);
        let mut hour = cursor.number()?;
        let mut minute = 0;
        if cursor.0.starts_with([':', '：']) {
            cursor.0 = cursor.0.trim_start_matches([':', '：']);
            minute = cursor.number()?;
            cursor.skip(&["点"]);
        } else if cursor.skip(&["点钟", "点"]) {
            if cursor.skip(&["半"]) {
                minute = 30;
            } else {
                let before = cursor;
                match cursor.number() {
                    Some(number) if cursor.skip(&["分"]) => minute = number,
                    _ => cursor = before,
                }
            }
        } else {
            // A number alone is no time.
            let at = cursor.word(&[("am", 0), ("pm", 12)])?;
            hour = hour % 12 + at;
            *self = cursor;
            return Time::new(i8::try_from(hour).ok()?, 0, 0, 0).ok();
        }
        if let Some(at) = cursor.word(&[("am", 0), ("pm", 12)]) {
            hour = hour % 12 + at;
        } else if half == Some(12) && hour < 12 {
            hour += 12;
        }
        *self = cursor;
        let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
        Time::new(hour, minute, 0, 0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    /// A Sunday morning in Shanghai.
    fn now() -> ZonedDateTime {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at: jiff::civil::DateTime = "2026-11-29T10:00:00".parse().unwrap();
        zone.to_zoned_datetime(at).unwrap()
    }

    fn read_at(text: &str) -> Result<(String, &str), NoTime> {
        let now = now();
        let (at, rest) = read(text, &now)?;
        let at = ZonedDateTime::new(at, now.time_zone().clone()).datetime();
        Ok((at.to_string(), rest))
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, at, rest) in [
            ("2h tea", "2026-11-29T12:00:00", "tea"),
            ("1h30m tea", "2026-11-29T11:30:00", "tea"),
            ("in 20 minutes, tea", "2026-11-29T10:20:00", "tea"),
            ("in a week tea", "2026-12-06T10:00:00", "tea"),
            ("半小时后喝茶", "2026-11-29T10:30:00", "喝茶"),
            ("两天后 喝茶", "2026-12-01T10:00:00", "喝茶"),
            ("２０分钟后喝茶", "2026-11-29T10:20:00", "喝茶"),
            ("at 18:30 tea", "2026-11-29T18:30:00", "tea"),
            ("9:00 tea", "2026-11-30T09:00:00", "tea"),
            ("9pm tea", "2026-11-29T21:00:00", "tea"),
            ("tomorrow tea", "2026-11-30T09:00:00", "tea"),
            ("Tomorrow at 7:15 tea", "2026-11-30T07:15:00", "tea"),
            ("tonight 8:00 tea", "2026-11-29T20:00:00", "tea"),
            ("monday 9am tea", "2026-11-30T09:00:00", "tea"),
            ("2026-12-31 18:00 tea", "2026-12-31T18:00:00", "tea"),
            ("明天上午9点半喝茶", "2026-11-30T09:30:00", "喝茶"),
            ("今晚八点喝茶", "2026-11-29T20:00:00", "喝茶"),
            ("后天 18:30 喝茶", "2026-12-01T18:30:00", "喝茶"),
            ("下午三点20分喝茶", "2026-11-29T15:20:00", "喝茶"),
            ("周五9点：喝茶", "2026-12-04T09:00:00", "喝茶"),
        ] {
            assert_eq!(read_at(text), Ok((at.to_owned(), rest)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "tea",
            "9 cups of tea",
            "2x tea",
            "茶",
            "25:00 tea",
            "tomorrowish",
            "999999 weeks tea",
            "\u{200b}\u{202e}🍵",
        ] {
            assert_eq!(read_at(text), Err(NoTime::Unknown), "{text}");
        }
        assert_eq!(read_at("2026-01-01 tea"), Err(NoTime::Past));
        assert_eq!(read_at("today 9:00 tea"), Err(NoTime::Past));
        assert!(read_at(&"9".repeat(12_000)).is_err());
    }
}
