//! The one way in which the API server writes an amount, a time, or bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;

/// The forms of the suffix of an amount.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SuffixForm {
    Decimal,
    Binary,
    Exponent,
}

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The most digits that are multiplied without big numbers.
const FAST_DIGITS: i32 = 18;
/// Amounts have no smaller unit.
const NANO: i32 = -9;
/// Resources have no smaller unit.
const MILLI: i32 = -3;

/// An amount as it is stored. A text that is written in short form is kept as it is, which is not always canonical:
/// `+1` stays `+1`. Amounts of resources are rounded up to thousandths.
pub fn quantity(text: &str, is_resource: bool) -> Cow<'_, str> {
    parsed(text.trim(), is_resource).unwrap_or(Cow::Borrowed(text))
}

/// A number times a power of ten.
#[derive(Clone, Copy)]
struct Scaled {
    value: i128,
    scale: i32,
}

impl Scaled {
    /// Rounds away from zero.
    fn rounded(self, scale: i32) -> Option<Scaled> {
        if self.scale >= scale {
            return Some(self);
        }
        let divisor = power(10, scale - self.scale)?;
        let (quotient, rest) = (self.value / divisor, self.value % divisor);
        Some(Scaled {
            value: quotient + rest.signum(),
            scale,
        })
    }

    /// The value in whole units, if it is whole.
    fn whole(self) -> Option<i128> {
        if self.scale >= 0 {
            return self.value.checked_mul(power(10, self.scale)?);
        }
        let divisor = power(10, -self.scale)?;
        (self.value % divisor == 0).then_some(self.value / divisor)
    }
}

fn power(base: i128, exponent: i32) -> Option<i128> {
    base.checked_pow(u32::try_from(exponent).ok()?)
}

/// What a text says, and whether its form is kept.
struct QuantityText {
    scaled: Scaled,
    form: SuffixForm,
    is_short: bool,
}

fn read(text: &str) -> Option<QuantityText> {
    let (is_negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = unsigned.split_at(end.unwrap_or(unsigned.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || number == "." || fraction.contains('.') {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let (exponent, form) = suffix_of(suffix)?;
    let digits = format!("{whole}{fraction}");
    let count = i32::try_from(digits.len()).ok()?;
    let value: i128 = digits.parse().ok()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let (scaled, precision) = match form {
        SuffixForm::Binary => {
            let value = value.checked_mul(power(2, exponent)?)?;
            let precision = if fraction > 0 {
                -1
            } else {
                14 - count - exponent * 3 / 10
            };
            (
                Scaled {
                    value,
                    scale: -fraction,
                },
                precision,
            )
        }
        _ => {
            let scale = exponent - fraction;
            (Scaled { value, scale }, FAST_DIGITS - count)
        }
    };
    let is_fast = precision >= 0 && scaled.scale >= NANO && i64::try_from(scaled.value).is_ok();
    let is_short = is_fast
        && match form {
            SuffixForm::Binary => value & 7 != 0,
            _ => scaled.scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0'),
        };
    let mut amount = QuantityText {
        scaled,
        form,
        is_short,
    };
    if !is_fast {
        amount.bound()?;
    }
    if is_negative {
        amount.scaled.value = -amount.scaled.value;
    }
    Some(amount)
}

impl QuantityText {
    /// What is too small is rounded up, and what is too large is cut off.
    fn bound(&mut self) -> Option<()> {
        self.scaled = self.scaled.rounded(NANO)?;
        let one = power(10, (-self.scaled.scale).max(0))?;
        if self.form == SuffixForm::Binary && self.scaled.value > 0 && self.scaled.value < one {
            self.form = SuffixForm::Decimal;
        }
        if self.form == SuffixForm::Binary && self.scaled.value / one > i128::from(i64::MAX) {
            self.scaled = Scaled {
                value: i128::from(i64::MAX),
                scale: 0,
            };
        }
        Some(())
    }
}

fn parsed(text: &str, is_resource: bool) -> Option<Cow<'_, str>> {
    if text == "0" {
        return Some(Cow::Borrowed(text));
    }
    let mut amount = read(text)?;
    if amount.is_short && (!is_resource || amount.scaled.scale >= MILLI) {
        return Some(Cow::Borrowed(text));
    }
    if is_resource {
        amount.scaled = amount.scaled.rounded(MILLI)?;
    }
    written(amount.scaled, amount.form).map(Cow::Owned)
}

/// Adds and compares amounts of resources, in thousandths; the form is that of the first.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    thousandths: i128,
    form: Option<SuffixForm>,
}

impl Sum {
    /// An amount; nothing for a text that is none.
    pub fn of(text: &str) -> Sum {
        let thousandths = |amount: &QuantityText| {
            let rounded = amount.scaled.rounded(MILLI)?;
            rounded.value.checked_mul(power(10, rounded.scale - MILLI)?)
        };
        let amount = read(text);
        Sum {
            thousandths: amount.as_ref().and_then(thousandths).unwrap_or(0),
            form: amount.map(|amount| amount.form),
        }
    }

    /// Both.
    #[must_use]
    pub fn plus(self, other: Sum) -> Sum {
        Sum {
            thousandths: self.thousandths.saturating_add(other.thousandths),
            form: self.form.or(other.form),
        }
    }

    /// The greater one.
    #[must_use]
    pub fn max(self, other: Sum) -> Sum {
        Sum {
            thousandths: self.thousandths.max(other.thousandths),
            form: self.form.or(other.form),
        }
    }

    /// As it is stored; nothing if nothing was added.
    pub fn text(self) -> Option<String> {
        let scaled = Scaled {
            value: self.thousandths,
            scale: MILLI,
        };
        written(scaled, self.form?)
    }
}

/// The exponent of a suffix and its form: of two for binary ones, of ten for others.
fn suffix_of(suffix: &str) -> Option<(i32, SuffixForm)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((*exponent, SuffixForm::Decimal));
    }
    if let Some(at) = BINARY.iter().position(|name| *name == suffix) {
        return Some((10 * (i32::try_from(at).ok()? + 1), SuffixForm::Binary));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-100..=100)
        .contains(&exponent)
        .then_some((exponent, SuffixForm::Exponent))
}

fn written(amount: Scaled, form: SuffixForm) -> Option<String> {
    if amount.value == 0 {
        return Some("0".to_owned());
    }
    if form == SuffixForm::Binary
        && let Some(mut whole) = amount.whole().filter(|whole| whole.abs() >= 1024)
    {
        let mut times = 0;
        while whole % 1024 == 0 && times < BINARY.len() {
            whole /= 1024;
            times += 1;
        }
        let suffix = times.checked_sub(1).map_or("", |at| BINARY[at]);
        return Some(format!("{whole}{suffix}"));
    }
    let Scaled {
        mut value,
        mut scale,
    } = amount;
    while value % 10 == 0 {
        value /= 10;
        scale += 1;
    }
    while scale % 3 != 0 {
        value = value.checked_mul(10)?;
        scale -= 1;
    }
    let mut text = value.to_string();
    if form == SuffixForm::Exponent {
        if scale != 0 {
            let _ = write!(text, "e{scale}");
        }
    } else {
        text.push_str(DECIMAL.iter().find(|(_, at)| *at == scale)?.0);
    }
    Some(text)
}

/// A point in time as it is stored: in UTC, in whole seconds.
pub fn time(text: &str) -> Cow<'_, str> {
    let seconds = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => Cow::Owned(time.to_string()),
        None => Cow::Borrowed(text),
    }
}

/// Base64 as it is stored: without line breaks.
pub fn bytes(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        Cow::Owned(text.replace(['\n', '\r'], ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_api_server_writes_them() {
        for (text, stored) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("0.25", "250m"),
            ("1.5", "1500m"),
            ("+1", "+1"),
            ("1E", "1E"),
            ("1024Mi", "1Gi"),
            ("0.5Gi", "512Mi"),
            ("1.5Gi", "1536Mi"),
            ("128000000", "128M"),
            ("1000k", "1M"),
            ("0.0005", "1m"),
            ("1Ki", "1Ki"),
            ("0", "0"),
            ("00", "0"),
            ("0Gi", "0"),
            ("8Gi", "8Gi"),
            ("512Ki", "512Ki"),
            ("512", "512"),
            ("1e3", "1e3"),
            ("1000e3", "1e6"),
            ("0.1Ki", "102400m"),
            ("-0.5", "-500m"),
        ] {
            assert_eq!(quantity(text, true), stored, "{text}");
        }
        assert_eq!(quantity("much", true), "much");
    }
}
