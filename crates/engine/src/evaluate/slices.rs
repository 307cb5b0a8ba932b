//! Which items a slice takes.

use super::super::value::Data;

/// The positions that a slice takes.
pub(super) fn sliced(length: usize, bounds: &[Data]) -> Result<Vec<usize>, String> {
    let bound = |at: usize| match bounds.get(at) {
        None | Some(Data::Null) => Ok(None),
        Some(Data::Int(number)) => Ok(Some(*number)),
        Some(_) => Err("a slice has whole numbers".to_owned()),
    };
    let step = bound(2)?.unwrap_or(1);
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let clamp = |at: i64, low: i64, high: i64| {
        let at = if at < 0 {
            at.saturating_add(length)
        } else {
            at
        };
        at.clamp(low, high)
    };
    let mut taken = Vec::new();
    if step == 0 {
        return Err("cannot slice by step size of 0".to_owned());
    }
    // As Python has it: with a step backwards, from the last item down to before the stop.
    let (low, high) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let first = if step > 0 { 0 } else { length - 1 };
    let last = if step > 0 { length } else { -1 };
    let mut at = bound(0)?.map_or(first, |at| clamp(at, low, high));
    let stop = bound(1)?.map_or(last, |at| clamp(at, low, high));
    while if step > 0 { at < stop } else { at > stop } {
        taken.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    Ok(taken)
}
