//! Times and durations. <https://github.com/google/cel-spec/blob/master/doc/langdef.md#abstract-types>

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Function, method, mismatch, text_of};
use crate::cel::value::Value;
use crate::cel::{Budget, Error, convert};

type Result<'a> = std::result::Result<Value<'a>, Error>;

pub const TABLE: &[Function] = &[
    method("getFullYear", (1, 2), 0, |v, b| {
        field("getFullYear", v, b, |t| t.year().into())
    }),
    method("getMonth", (1, 2), 0, |v, b| {
        field("getMonth", v, b, |t| i64::from(t.month()) - 1)
    }),
    method("getDate", (1, 2), 0, |v, b| {
        field("getDate", v, b, |t| t.day().into())
    }),
    method("getDayOfMonth", (1, 2), 0, |v, b| {
        field("getDayOfMonth", v, b, |t| i64::from(t.day()) - 1)
    }),
    method("getDayOfWeek", (1, 2), 0, |v, b| {
        field("getDayOfWeek", v, b, |t| {
            t.weekday().to_sunday_zero_offset().into()
        })
    }),
    method("getDayOfYear", (1, 2), 0, |v, b| {
        field("getDayOfYear", v, b, |t| i64::from(t.day_of_year()) - 1)
    }),
    method("getHours", (1, 2), 0, |v, b| {
        part("getHours", v, b, 3600, |t| t.hour().into())
    }),
    method("getMinutes", (1, 2), 0, |v, b| {
        part("getMinutes", v, b, 60, |t| t.minute().into())
    }),
    method("getSeconds", (1, 2), 0, |v, b| {
        part("getSeconds", v, b, 1, |t| t.second().into())
    }),
    method("getMilliseconds", (1, 2), 0, milliseconds),
];

/// Judges a literal duration.
pub fn is_duration(arguments: &[Option<&Value<'static>>]) -> std::result::Result<(), String> {
    match arguments {
        [Some(Value::Text(text))] if convert::parse_duration(text.as_str()).is_none() => {
            Err(format!(
                "`{}` is no duration: write `1h30m` or `1.5s`",
                text.as_str()
            ))
        }
        _ => Ok(()),
    }
}

/// Judges a literal time.
pub fn is_timestamp(arguments: &[Option<&Value<'static>>]) -> std::result::Result<(), String> {
    match arguments {
        [Some(Value::Text(text))] if text.as_str().parse::<Timestamp>().is_err() => Err(format!(
            "`{}` is no time: write `2026-01-31T12:00:00Z`",
            text.as_str()
        )),
        _ => Ok(()),
    }
}

fn zoned(name: &str, arguments: &[Value<'_>]) -> std::result::Result<Option<Zoned>, Error> {
    let Some(Value::Timestamp(time)) = arguments.first() else {
        return Ok(None);
    };
    let zone = match arguments.get(1) {
        Some(_) => zone(text_of(name, arguments, 1)?)?,
        None => TimeZone::UTC,
    };
    Ok(Some(time.to_zoned(zone)))
}

/// A name of the IANA database, or an offset such as `-08:00`.
fn zone(name: &str) -> std::result::Result<TimeZone, Error> {
    let unknown = || Error::Malformed(format!("`{name}` is no time zone"));
    if let Some((hours, minutes)) = name.split_once(':') {
        let negative = hours.starts_with('-');
        let hours: i32 = hours
            .trim_start_matches(['+', '-'])
            .parse()
            .map_err(|_| unknown())?;
        let minutes: i32 = minutes.parse().map_err(|_| unknown())?;
        let seconds = (hours * 60 + minutes) * 60;
        let offset = Offset::from_seconds(if negative { -seconds } else { seconds });
        return offset.map(TimeZone::fixed).map_err(|_| unknown());
    }
    TimeZone::get(name).map_err(|_| unknown())
}

fn field<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    read: fn(&Zoned) -> i64,
) -> Result<'a> {
    budget.pay(1)?;
    match zoned(name, arguments)? {
        Some(time) => Ok(Value::Int(read(&time))),
        None => Err(mismatch(name, arguments)),
    }
}

/// A field that durations have, too: the whole span in that unit.
fn part<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    seconds: i64,
    read: fn(&Zoned) -> i64,
) -> Result<'a> {
    match arguments {
        [Value::Duration(span)] => {
            budget.pay(1)?;
            Ok(Value::Int(span.as_secs() / seconds))
        }
        _ => field(name, arguments, budget, read),
    }
}

fn milliseconds<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    if let [Value::Duration(span)] = arguments {
        budget.pay(1)?;
        return Ok(Value::Int(i64::from(SignedDuration::subsec_millis(span))));
    }
    field("getMilliseconds", arguments, budget, |time| {
        time.millisecond().into()
    })
}
