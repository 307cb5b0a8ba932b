//! Points in time. A time keeps the offset that it was written with, as Go's `time.Time` does: `string()` shows it.

use std::cmp::Ordering;
use std::fmt;

use jiff::SignedDuration;

/// The first second of year 1 and the last of year 9999.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
    /// Seconds east of UTC, as it was written.
    offset: i32,
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    /// The offset makes no difference.
    fn cmp(&self, other: &Time) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// A date and a time of day.
pub(crate) struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub seconds: i64,
}

impl Time {
    /// A time in UTC; nothing outside of years 1 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Time> {
        Time::new(seconds, 0, 0)
    }

    pub(crate) fn new(seconds: i64, nanos: u32, offset: i32) -> Option<Time> {
        RANGE.contains(&seconds).then_some(Time {
            seconds,
            nanos,
            offset,
        })
    }

    /// Since 1970-01-01T00:00:00Z.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Whether this is the first moment of year 1, which Go calls zero.
    pub fn is_zero(self) -> bool {
        self.seconds == *RANGE.start() && self.nanos == 0
    }

    /// The time in UTC.
    pub fn in_utc(self) -> Time {
        Time { offset: 0, ..self }
    }

    /// The time some nanoseconds later.
    pub fn plus(self, nanos: i64) -> Option<Time> {
        let total = i64::from(self.nanos) + nanos.rem_euclid(1_000_000_000);
        let seconds = self.seconds.checked_add(nanos.div_euclid(1_000_000_000))?;
        let seconds = seconds.checked_add(total / 1_000_000_000)?;
        let nanos = u32::try_from(total % 1_000_000_000).ok()?;
        Time::new(seconds, nanos, self.offset)
    }

    /// The nanoseconds since another time, where 64 bits hold them.
    pub fn since(self, other: Time) -> Option<i64> {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanos = i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(seconds * 1_000_000_000 + nanos).ok()
    }

    /// As Go's `time.Parse(time.RFC3339, text)`: the hour may have one digit, the fraction any number; a time in the range
    /// of years.
    pub fn parse(text: &str) -> Option<Time> {
        let mut rest = text;
        let year = digits(&mut rest, 4, 4)?;
        let month = separated(&mut rest, "-", 2, 2)?;
        let day = separated(&mut rest, "-", 2, 2)?;
        let hour = separated(&mut rest, "T", 1, 2)?;
        let minute = separated(&mut rest, ":", 2, 2)?;
        let second = separated(&mut rest, ":", 2, 2)?;
        let mut nanos = 0;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                return None;
            }
            for (at, digit) in after.bytes().take(length.min(9)).enumerate() {
                nanos += u32::from(digit - b'0') * 10u32.pow(8 - u32::try_from(at).ok()?);
            }
            rest = &after[length..];
        }
        let offset = if rest == "Z" {
            0
        } else {
            let sign = match rest.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            rest = &rest[1..];
            let hours = digits(&mut rest, 2, 2)?;
            let minutes = separated(&mut rest, ":", 2, 2)?;
            if !rest.is_empty() || hours > 24 || minutes > 60 {
                return None;
            }
            sign * (hours * 60 + minutes) * 60
        };
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let local = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Time::new(local - offset, nanos, i32::try_from(offset).ok()?)
    }

    pub(crate) fn civil(self, offset: i32) -> Civil {
        let local = self.seconds + i64::from(offset);
        let (year, month, day) = civil_from_days(local.div_euclid(86_400));
        Civil {
            year,
            month,
            day,
            seconds: local.rem_euclid(86_400),
        }
    }
}

/// A number of so many digits.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<i64> {
    let length = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if length < least {
        return None;
    }
    let (number, after) = rest.split_at(length);
    *rest = after;
    number.parse().ok()
}

fn separated(rest: &mut &str, separator: &str, least: usize, most: usize) -> Option<i64> {
    *rest = rest.strip_prefix(separator)?;
    digits(rest, least, most)
}

/// Days since 1970-01-01. <https://howardhinnant.github.io/date_algorithms.html>
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Time {
    /// As Go's `time.RFC3339Nano`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil(self.offset);
        let (hour, minute, second) = (
            civil.seconds / 3600,
            civil.seconds / 60 % 60,
            civil.seconds % 60,
        );
        write!(
            f,
            "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}",
            civil.year, civil.month, civil.day
        )?;
        if self.nanos != 0 {
            let fraction = format!("{:09}", self.nanos);
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// The nanoseconds of a duration; durations have 64 bits of them.
pub fn nanos_of(span: SignedDuration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}
