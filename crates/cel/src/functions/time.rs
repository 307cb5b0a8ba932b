//! Times and durations. <https://github.com/google/cel-spec/blob/master/doc/langdef.md#abstract-types>

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Dispatch, Function, method, mismatch, text_of};
use crate::types::Sig;
use crate::value::CelValue;
use crate::value::time::{Civil, Time, days_from_civil, nanos_of};
use crate::{Evaluated, EvaluationError};

/// Two overloads of a part of a time: in UTC, and in a zone.
macro_rules! part {
    ($name:literal, $id:literal, $with_zone:literal, $read:expr) => {
        Function {
            name: $name,
            binding: Dispatch::Guarded,
            overloads: &[
                method($id, &[Sig::Timestamp], Sig::Int, 0, |values| {
                    part($name, values, $read)
                }),
                method(
                    $with_zone,
                    &[Sig::Timestamp, Sig::Text],
                    Sig::Int,
                    0,
                    |values| part($name, values, $read),
                ),
            ],
        }
    };
}

/// The same for a part that durations have, too: the whole span in that unit.
macro_rules! part_or_span {
    ($name:literal, $id:literal, $with_zone:literal, $span:literal, $nanos:literal, $read:expr) => {
        Function {
            name: $name,
            binding: Dispatch::Guarded,
            overloads: &[
                method($id, &[Sig::Timestamp], Sig::Int, 0, |values| {
                    part($name, values, $read)
                }),
                method(
                    $with_zone,
                    &[Sig::Timestamp, Sig::Text],
                    Sig::Int,
                    0,
                    |values| part($name, values, $read),
                ),
                method($span, &[Sig::Duration], Sig::Int, 0, |values| {
                    span($name, values, $nanos)
                }),
            ],
        }
    };
}

/// The functions of this library.
pub const TABLE: &[Function] = &[
    part!(
        "getFullYear",
        "timestamp_to_year",
        "timestamp_to_year_with_tz",
        |c, _| c.year
    ),
    part!(
        "getMonth",
        "timestamp_to_month",
        "timestamp_to_month_with_tz",
        |c, _| c.month - 1
    ),
    part!(
        "getDate",
        "timestamp_to_day_of_month_1_based",
        "timestamp_to_day_of_month_1_based_with_tz",
        |c, _| c.day
    ),
    part!(
        "getDayOfMonth",
        "timestamp_to_day_of_month",
        "timestamp_to_day_of_month_with_tz",
        |c, _| c.day - 1
    ),
    part!(
        "getDayOfWeek",
        "timestamp_to_day_of_week",
        "timestamp_to_day_of_week_with_tz",
        |c, _| { (days_from_civil(c.year, c.month, c.day) + 4).rem_euclid(7) }
    ),
    part!(
        "getDayOfYear",
        "timestamp_to_day_of_year",
        "timestamp_to_day_of_year_with_tz",
        |c, _| { days_from_civil(c.year, c.month, c.day) - days_from_civil(c.year, 1, 1) }
    ),
    part_or_span!(
        "getHours",
        "timestamp_to_hours",
        "timestamp_to_hours_with_tz",
        "duration_to_hours",
        3_600_000_000_000,
        |c, _| c.seconds / 3600
    ),
    part_or_span!(
        "getMinutes",
        "timestamp_to_minutes",
        "timestamp_to_minutes_with_tz",
        "duration_to_minutes",
        60_000_000_000,
        |c, _| c.seconds / 60 % 60
    ),
    part_or_span!(
        "getSeconds",
        "timestamp_to_seconds",
        "timestamp_to_seconds_tz",
        "duration_to_seconds",
        1_000_000_000,
        |c, _| c.seconds % 60
    ),
    part_or_span!(
        "getMilliseconds",
        "timestamp_to_milliseconds",
        "timestamp_to_milliseconds_with_tz",
        "duration_to_milliseconds",
        1_000_000,
        |_, nanos| i64::from(nanos) / 1_000_000
    ),
];

/// Seconds east of UTC of a name of the IANA database, or of an offset such as `-08:00`, at a time.
fn zone(name: &str, at: Time) -> Result<i32, EvaluationError> {
    let unknown = || EvaluationError::Malformed(format!("`{name}` is not a time zone"));
    if let Some((hours, minutes)) = name.split_once(':') {
        let hours: i32 = hours.parse().map_err(|_| unknown())?;
        let minutes: i32 = minutes.parse().map_err(|_| unknown())?;
        let total = hours.checked_mul(60).and_then(|total| {
            if name.starts_with('-') {
                total.checked_sub(minutes)
            } else {
                total.checked_add(minutes)
            }
        });
        return total
            .and_then(|total| total.checked_mul(60))
            .filter(|offset| offset.unsigned_abs() < 10_000_000)
            .ok_or_else(unknown);
    }
    if name.is_empty() || name == "UTC" {
        return Ok(0);
    }
    let zone = TimeZone::get(name).map_err(|_| unknown())?;
    let seconds = at.seconds.clamp(
        Timestamp::MIN.as_second() + 1,
        Timestamp::MAX.as_second() - 1,
    );
    let instant = Timestamp::from_second(seconds).map_err(|_| unknown())?;
    Ok(zone.to_offset(instant).seconds())
}

fn part<'a>(name: &str, arguments: &[CelValue<'a>], read: fn(&Civil, u32) -> i64) -> Evaluated<'a> {
    let Some(CelValue::Timestamp(time)) = arguments.first() else {
        return Err(mismatch(name, arguments));
    };
    let offset = match arguments.get(1) {
        Some(_) => zone(text_of(name, arguments, 1)?, *time)?,
        None => 0,
    };
    Ok(CelValue::Int(read(&time.civil(offset), time.nanos)))
}

fn span<'a>(name: &str, arguments: &[CelValue<'a>], unit: i64) -> Evaluated<'a> {
    match arguments {
        [CelValue::Duration(span)] => Ok(CelValue::Int(nanos_of(*span) / unit)),
        _ => Err(mismatch(name, arguments)),
    }
}
