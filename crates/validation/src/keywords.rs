//! Keywords that need no expression: what is wrong with a scalar or a count.

use serde_json::Value as Json;

use super::RefusalReason;
use super::forms::FormatName;
use super::overlay::{Bounds, Overlay};
use tenantry_cel::CelValue;
use tenantry_syntax::diagnostics::{list_names, suggest};

impl Overlay {
    /// What is wrong with a scalar: the reason, what to say, and what to write.
    pub(super) fn scalar(&self, value: &CelValue<'_>) -> Option<(RefusalReason, String, String)> {
        let text = match value {
            CelValue::Text(text) => text.as_str().to_owned(),
            CelValue::Null => return None,
            other => other.to_json().to_string(),
        };
        if !self.allowed.is_empty() {
            let json = value.to_json();
            if !self.allowed.contains(&json) {
                let allowed: Vec<&str> = self
                    .allowed
                    .iter()
                    .filter_map(Json::as_str)
                    .filter(|one| !one.is_empty())
                    .collect();
                let help = suggest(&text, allowed.iter().copied()).unwrap_or_else(|| {
                    format!("write one of {}", list_names(allowed.iter().copied()))
                });
                return Some((
                    RefusalReason::NotSupported,
                    format!("cannot be `{text}`"),
                    help,
                ));
            }
        }
        if let Some(most) = self.form.and_then(|form| form.most)
            && text.len() > most
        {
            let says = format!(
                "has {} characters, and {most} are allowed: `{text}`",
                text.len()
            );
            return Some((RefusalReason::Invalid, says, "shorten it".to_owned()));
        }
        let has_form = |form: &FormatName| match (value, form.number) {
            (CelValue::Int(number), Some(is)) => is(*number),
            _ => (form.is)(&text),
        };
        if let Some(form) = self.form
            && !has_form(form)
        {
            return Some((
                RefusalReason::Invalid,
                format!("cannot be `{text}`"),
                format!("write {}", form.expected),
            ));
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(&text)
        {
            return Some((
                RefusalReason::Invalid,
                format!("cannot be `{text}`"),
                format!("write text of the form `{pattern}`"),
            ));
        }
        let bounds = self.bounds.as_deref()?;
        if let CelValue::Text(text) = value {
            let count = text.as_str().chars().count();
            let range = out_of_range(count, bounds.length, "characters")?;
            let reason = if count == 0 {
                RefusalReason::Required
            } else {
                RefusalReason::TooLong
            };
            return Some((
                reason,
                format!("must have {range}, and has {count}"),
                format!("write {range}"),
            ));
        }
        #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
        let number = match value {
            CelValue::Int(number) => *number as f64,
            CelValue::Double(number) => *number,
            _ => return None,
        };
        let range = bounds.refuses(number)?;
        Some((
            RefusalReason::Invalid,
            format!("must be {range}, and is {text}"),
            format!("write a number that is {range}"),
        ))
    }
}

impl Bounds {
    /// The range that a number is not in.
    fn refuses(&self, number: f64) -> Option<String> {
        if self.above.is_some_and(|above| number <= above) {
            return Some(format!("greater than {}", self.above.unwrap_or_default()));
        }
        if self.below.is_some_and(|below| number >= below) {
            return Some(format!("less than {}", self.below.unwrap_or_default()));
        }
        if let Some(factor) = self.multiple_of.filter(|factor| *factor != 0.0)
            && (number / factor).fract() != 0.0
        {
            return Some(format!("a multiple of {factor}"));
        }
        let is_low = self.minimum.is_some_and(|minimum| number < minimum);
        let is_high = self.maximum.is_some_and(|maximum| number > maximum);
        match (self.minimum, self.maximum) {
            _ if !is_low && !is_high => None,
            (Some(minimum), Some(maximum)) => Some(format!("from {minimum} to {maximum}")),
            (Some(minimum), None) => Some(format!("{minimum} or more")),
            (None, Some(maximum)) => Some(format!("at most {maximum}")),
            (None, None) => None,
        }
    }
}

/// The range that a count is not in.
pub(super) fn out_of_range(
    count: usize,
    (least, most): (Option<usize>, Option<usize>),
    unit: &str,
) -> Option<String> {
    let named = |bound: usize| match (unit, bound) {
        ("entries", 1) => "entry".to_owned(),
        (unit, 1) => unit.trim_end_matches('s').to_owned(),
        (unit, _) => unit.to_owned(),
    };
    if let Some(least) = least.filter(|least| count < *least) {
        return Some(format!("at least {least} {}", named(least)));
    }
    let most = most.filter(|most| count > *most)?;
    Some(format!("at most {most} {}", named(most)))
}
