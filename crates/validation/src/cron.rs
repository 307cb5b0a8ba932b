//! Schedules as the CronJob controller's parser reads them: <https://github.com/robfig/cron/blob/v3/parser.go>.

use super::forms::go_duration;

/// A field: its least and greatest number, and the names of numbers.
struct CronField {
    least: u32,
    most: u32,
    names: &'static [&'static str],
    /// The number of the first name.
    first: u32,
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [CronField; 5] = [
    CronField {
        least: 0,
        most: 59,
        names: &[],
        first: 0,
    },
    CronField {
        least: 0,
        most: 23,
        names: &[],
        first: 0,
    },
    CronField {
        least: 1,
        most: 31,
        names: &[],
        first: 0,
    },
    CronField {
        least: 1,
        most: 12,
        names: MONTHS,
        first: 1,
    },
    CronField {
        least: 0,
        most: 6,
        names: DAYS,
        first: 0,
    },
];

/// Whether a text is a schedule.
pub fn is_schedule(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let mut rest = text;
    if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        let (Some(end), Some(start)) = (text.find(' '), text.find('=')) else {
            return false;
        };
        let zone = &text[start + 1..end];
        if !matches!(zone, "" | "UTC" | "Local") && jiff::tz::TimeZone::get(zone).is_err() {
            return false;
        }
        rest = text[end..].trim();
    }
    if rest.starts_with('@') {
        let named = [
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@daily",
            "@midnight",
            "@hourly",
        ];
        return named.contains(&rest)
            || rest
                .strip_prefix("@every ")
                .is_some_and(|every| go_duration(every).is_some());
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    fields.len() == FIELDS.len()
        && fields
            .iter()
            .zip(&FIELDS)
            .all(|(text, field)| field.reads(text))
}

impl CronField {
    fn reads(&self, text: &str) -> bool {
        text.split(',')
            .filter(|part| !part.is_empty())
            .all(|part| self.reads_range(part))
    }

    /// `number`, `number-number`, `*` or `?`, each with `/step`.
    fn reads_range(&self, text: &str) -> bool {
        let mut parts = text.split('/');
        let range = parts.next().unwrap_or_default();
        let step = parts.next();
        if parts.next().is_some() {
            return false;
        }
        let mut ends = range.split('-');
        let low = ends.next().unwrap_or_default();
        let high = ends.next();
        let (start, end, is_single) = if low == "*" || low == "?" {
            (self.least, self.most, high.is_none())
        } else {
            if ends.next().is_some() {
                return false;
            }
            let Some(start) = self.number(low) else {
                return false;
            };
            match high.map(|high| self.number(high)) {
                None => (start, if step.is_some() { self.most } else { start }, true),
                Some(Some(end)) => (start, end, false),
                Some(None) => return false,
            }
        };
        let _ = is_single;
        let step = step.map_or(Some(1), plain);
        start >= self.least && end <= self.most && start <= end && step.is_some_and(|step| step > 0)
    }

    fn number(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        match named.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Some(self.first + at),
            None => plain(text),
        }
    }
}

/// A number as Go's `Atoi` reads it.
fn plain(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}
