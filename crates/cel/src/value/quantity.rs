//! Amounts, as Kubernetes reads and writes them: <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource>.

use std::cmp::Ordering;
use std::fmt;

/// An amount: `unscaled * 10^scale`.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    pub(crate) unscaled: i128,
    pub(crate) scale: i32,
    /// Whether Kubernetes keeps it in 64 bits; only those are ever whole numbers to it.
    pub(crate) is_small: bool,
}

/// The smallest unit that Kubernetes has is a billionth.
const NANO: i32 = -9;
/// The most digits that are kept in 64 bits.
const MOST_DIGITS: i32 = 18;
/// The longest number that is read.
const MOST_LENGTH: usize = 64;

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        let signs = self.unscaled.signum().cmp(&other.unscaled.signum());
        if signs.is_ne() || self.unscaled == 0 {
            return signs;
        }
        let order = magnitude(self).cmp(&magnitude(other));
        if self.unscaled < 0 {
            order.reverse()
        } else {
            order
        }
    }
}

/// The position of the first digit, and the digits without trailing zeros: in their order, amounts are in theirs.
fn magnitude(quantity: &Quantity) -> (i32, String) {
    let digits = quantity.unscaled.unsigned_abs().to_string();
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    (
        length + quantity.scale,
        digits.trim_end_matches('0').to_owned(),
    )
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.unsigned_abs().to_string();
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let scale = usize::try_from(self.scale.unsigned_abs())
            .unwrap_or(0)
            .min(400);
        if self.scale >= 0 {
            let zeros = if self.unscaled == 0 { 0 } else { scale };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

impl Quantity {
    pub(crate) const fn whole(number: i64) -> Quantity {
        Quantity {
            unscaled: number as i128,
            scale: 0,
            is_small: true,
        }
    }

    /// The amount in billionths, as text: amounts can be larger than any number type.
    pub fn billionths(self) -> String {
        let billionths = Quantity {
            scale: self.scale - NANO,
            ..self
        };
        billionths.to_string()
    }

    /// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>, as `resource.ParseQuantity`
    /// reads it: a sign or a point alone is zero.
    pub fn parse(text: &str) -> Option<Quantity> {
        if text.is_empty() || text.len() > MOST_LENGTH {
            return None;
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let rest = rest.trim_start_matches('0');
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = rest.split_at(digits(rest));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        let whole = if whole.is_empty() { "0" } else { whole };
        let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
        let unscaled: i128 = [whole, fraction].concat().parse().ok()?;
        let unscaled = if negative { -unscaled } else { unscaled };
        let (factor, exponent, precision) = match Suffix::read(suffix)? {
            Suffix::Decimal(exponent) => {
                (1, exponent, MOST_DIGITS - length(whole) - length(fraction))
            }
            Suffix::Binary(power) if fraction.is_empty() => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
                let taken = (power as f32 * 3.0 / 10.0) as i32;
                (1i128 << power, 0, 15 - length(whole) - taken - 1)
            }
            Suffix::Binary(power) => (1i128 << power, 0, -1),
        };
        let is_binary = matches!(Suffix::read(suffix)?, Suffix::Binary(_));
        let scale = exponent.checked_sub(length(fraction))?;
        let product = unscaled.checked_mul(factor)?;
        if precision >= 0 && scale >= NANO && i64::try_from(product).is_ok() {
            return Some(Quantity {
                unscaled: product,
                scale,
                is_small: true,
            });
        }
        Quantity {
            unscaled: product,
            scale,
            is_small: false,
        }
        .rounded(is_binary)
    }

    /// What is smaller than a billionth is rounded away from zero, and what has a binary suffix has an upper limit.
    pub(crate) fn rounded(mut self, is_binary: bool) -> Option<Quantity> {
        if self.unscaled == 0 {
            return Some(self);
        }
        if self.scale < NANO {
            let by = u32::try_from(NANO - self.scale).ok()?;
            match 10i128.checked_pow(by) {
                Some(power) => {
                    let up = if self.unscaled % power == 0 {
                        0
                    } else {
                        self.unscaled.signum()
                    };
                    self.unscaled = self.unscaled / power + up;
                }
                None => self.unscaled = self.unscaled.signum(),
            }
        } else {
            let by = u32::try_from(self.scale - NANO).ok()?;
            match 10i128
                .checked_pow(by)
                .and_then(|power| self.unscaled.checked_mul(power))
            {
                Some(unscaled) => self.unscaled = unscaled,
                None => return Some(self.limited(is_binary)),
            }
        }
        self.scale = NANO;
        Some(self.limited(is_binary))
    }

    pub(crate) fn limited(self, is_binary: bool) -> Quantity {
        let most = Quantity {
            is_small: false,
            ..Quantity::whole(i64::MAX)
        };
        let absolute = Quantity {
            unscaled: self.unscaled.saturating_abs(),
            ..self
        };
        if is_binary && absolute > most {
            return Quantity {
                unscaled: most.unscaled * self.unscaled.signum(),
                ..most
            };
        }
        self
    }

    pub(crate) fn as_int(self) -> Option<i64> {
        if !self.is_small || self.scale < 0 {
            return None;
        }
        let power = 10i128.checked_pow(self.scale.unsigned_abs())?;
        i64::try_from(self.unscaled.checked_mul(power)?).ok()
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn as_float(self) -> f64 {
        let power: f64 = format!("1e{}", self.scale).parse().unwrap_or(f64::INFINITY);
        if self.scale == 0 {
            self.unscaled as f64
        } else {
            self.unscaled as f64 * power
        }
    }

    pub(crate) fn plus(self, other: Quantity) -> Option<Quantity> {
        if other.unscaled == 0 && other.is_small && self.is_small {
            return Some(self);
        }
        if self.unscaled == 0 && other.is_small && self.is_small {
            return Some(other);
        }
        aligned(self, other).or_else(|| aligned(self.reduced(), other.reduced()))
    }

    /// The same amount without trailing zeros.
    pub(crate) fn reduced(mut self) -> Quantity {
        while self.unscaled != 0 && self.unscaled % 10 == 0 {
            self.unscaled /= 10;
            self.scale += 1;
        }
        self
    }
}

/// The sum of two amounts at the smaller of their scales, where numbers hold it.
fn aligned(a: Quantity, b: Quantity) -> Option<Quantity> {
    let scale = a.scale.min(b.scale);
    let at = |quantity: Quantity| {
        let by = u32::try_from(quantity.scale - scale).ok()?;
        quantity.unscaled.checked_mul(10i128.checked_pow(by)?)
    };
    let unscaled = at(a)?.checked_add(at(b)?)?;
    Some(Quantity {
        unscaled,
        scale,
        is_small: a.is_small && b.is_small && i64::try_from(unscaled).is_ok(),
    })
}

enum Suffix {
    /// A power of ten.
    Decimal(i32),
    /// A power of two.
    Binary(u32),
}

impl Suffix {
    pub(crate) fn read(text: &str) -> Option<Suffix> {
        Some(match text {
            "" => Suffix::Decimal(0),
            "n" => Suffix::Decimal(-9),
            "u" => Suffix::Decimal(-6),
            "m" => Suffix::Decimal(-3),
            "k" => Suffix::Decimal(3),
            "M" => Suffix::Decimal(6),
            "G" => Suffix::Decimal(9),
            "T" => Suffix::Decimal(12),
            "P" => Suffix::Decimal(15),
            "E" => Suffix::Decimal(18),
            "Ki" => Suffix::Binary(10),
            "Mi" => Suffix::Binary(20),
            "Gi" => Suffix::Binary(30),
            "Ti" => Suffix::Binary(40),
            "Pi" => Suffix::Binary(50),
            "Ei" => Suffix::Binary(60),
            _ => {
                let exponent: i32 = text.strip_prefix(['e', 'E'])?.parse().ok()?;
                Suffix::Decimal(Some(exponent).filter(|e| e.abs() <= 1000)?)
            }
        })
    }
}
