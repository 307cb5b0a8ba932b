//! When schedules fire: the five fields of cron as Kubernetes reads them.

use jiff::civil::Date;

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronSchedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether both days of the month and of the week are asked for: then either will do.
    either_day: bool,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl CronSchedule {
    /// Reads `0 2 * * *`, or a word such as `@daily`.
    pub fn parse(text: &str) -> Option<CronSchedule> {
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return None;
        };
        // Sunday is 0, and nothing else: <https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format>
        let week = field(weekdays, 0, 6, &WEEKDAYS, 0)?;
        let is_any = |text: &str| text.starts_with(['*', '?']);
        Some(CronSchedule {
            minutes: field(minutes, 0, 59, &[], 0)?,
            hours: field(hours, 0, 23, &[], 0)?,
            days: field(days, 1, 31, &[], 0)?,
            months: field(months, 1, 12, &MONTHS, 1)?,
            weekdays: week,
            either_day: !is_any(days) && !is_any(weekdays),
        })
    }

    /// Whether it fires at all on a day.
    pub fn fires_on(&self, date: Date) -> bool {
        let has = |set: u64, number: i8| set >> number & 1 == 1;
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let fits = if self.either_day {
            day || weekday
        } else {
            day && weekday
        };
        fits && has(self.months, date.month())
    }

    /// The minutes of a day at which it fires, from midnight.
    pub fn minutes_of_day(&self) -> Vec<u16> {
        let hours = (0..24).filter(|hour| self.hours >> hour & 1 == 1);
        hours
            .flat_map(|hour| {
                let minutes = (0..60).filter(|minute| self.minutes >> minute & 1 == 1);
                minutes.map(move |minute| hour * 60 + minute)
            })
            .collect()
    }

    /// The longest time between two firings, in seconds; nothing if it does not fire twice in two
    /// years.
    pub fn longest_gap(&self) -> Option<f64> {
        let minutes = self.minutes_of_day();
        let first = jiff::civil::date(2027, 1, 1);
        let days = first.series(jiff::Span::new().days(1)).take(731);
        let days = (0_u32..).zip(days).filter(|(_, day)| self.fires_on(*day));
        let times = days.flat_map(|(at, _)| {
            minutes
                .iter()
                .map(move |minute| at * 1440 + u32::from(*minute))
        });
        let (mut last, mut longest) = (None, None);
        for time in times {
            if let Some(last) = last {
                longest = longest.max(Some(time - last));
            }
            last = Some(time);
        }
        longest.map(|minutes| f64::from(minutes) * 60.0)
    }

    /// How often it fires in a month, on average over a year.
    pub fn runs_in_month(&self) -> f64 {
        let first = jiff::civil::date(2027, 1, 1);
        let days = first.series(jiff::Span::new().days(1)).take(365);
        let days = days.filter(|day| self.fires_on(*day)).count();
        let each = self.minutes.count_ones() * self.hours.count_ones();
        f64::from(u32::try_from(days).unwrap_or(0)) * f64::from(each) / 12.0
    }
}

/// The numbers that a field stands for, as bits.
fn field(text: &str, least: u32, most: u32, names: &[&str], first: u32) -> Option<u64> {
    let number = |text: &str| -> Option<u32> {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        match named {
            Some(at) => Some(u32::try_from(at).ok()? + first),
            None => text.parse().ok(),
        }
    };
    let mut set = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range {
            "*" | "?" => (least, most),
            _ => match range.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                // `5/15` goes on to the end.
                None if part.contains('/') => (number(range)?, most),
                None => (number(range)?, number(range)?),
            },
        };
        if from < least || to > most || from > to {
            return None;
        }
        let mut next = from;
        while next <= to {
            set |= 1 << next;
            next += step;
        }
    }
    Some(set)
}
