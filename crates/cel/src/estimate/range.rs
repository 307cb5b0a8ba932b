//! A least and a greatest number: of a size, or of a cost. Sums and products stop at the greatest number there is.

/// A least and a greatest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    pub least: u64,
    pub most: u64,
}

impl NumberRange {
    pub const UNKNOWN: NumberRange = NumberRange::new(0, u64::MAX);
    pub const NOTHING: NumberRange = NumberRange::exactly(0);
    pub const ONE: NumberRange = NumberRange::exactly(1);
    /// What a union starts from.
    pub const EMPTY: NumberRange = NumberRange::new(u64::MAX, 0);

    pub const fn new(least: u64, most: u64) -> NumberRange {
        NumberRange { least, most }
    }

    pub const fn exactly(number: u64) -> NumberRange {
        NumberRange::new(number, number)
    }

    pub const fn plus(self, other: NumberRange) -> NumberRange {
        NumberRange::new(
            self.least.saturating_add(other.least),
            self.most.saturating_add(other.most),
        )
    }

    pub const fn times(self, other: NumberRange) -> NumberRange {
        NumberRange::new(
            self.least.saturating_mul(other.least),
            self.most.saturating_mul(other.most),
        )
    }

    /// Rounded up.
    pub fn scaled(self, factor: f64) -> NumberRange {
        NumberRange::new(scaled(self.least, factor), scaled(self.most, factor))
    }

    pub fn union(self, other: NumberRange) -> NumberRange {
        NumberRange::new(self.least.min(other.least), self.most.max(other.most))
    }
}

/// A number times a factor, rounded up.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a cast stops at the greatest number, as the API server does"
)]
pub fn scaled(number: u64, factor: f64) -> u64 {
    (number as f64 * factor).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_overflow() {
        let all = NumberRange::UNKNOWN;
        assert_eq!(all.plus(NumberRange::ONE), NumberRange::new(1, u64::MAX));
        assert_eq!(all.times(NumberRange::exactly(2)), all);
        assert_eq!(all.scaled(2.1), all);
        assert_eq!(
            NumberRange::exactly(11).scaled(0.1),
            NumberRange::exactly(2)
        );
        assert_eq!(NumberRange::EMPTY.union(NumberRange::ONE), NumberRange::ONE);
    }
}
