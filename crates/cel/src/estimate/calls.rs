//! What calls cost, and how large their results are.
//!
//! Sources, in the order in which the API server asks them: `ext/lists.go` and `ext/sets.go` of
//! <https://github.com/google/cel-go/tree/v0.26.0>, `EstimateCallCost` of
//! <https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/cel/library/cost.go>, and
//! `functionCost` of `checker/cost.go` of cel-go.

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue};

use super::paths::SizeStep;
use super::range::{NumberRange, scaled};
use super::{Estimator, Operand};
use crate::cost::{LIST, REGEX, TRAVERSAL};
use crate::types::Type;

/// The longest text of a named format, and of its expression: `pkg/cel/limits.go` of Kubernetes' apiserver.
const FORMAT: u64 = 64;
const FORMAT_REGEX: f64 = 128.0;
/// The bytes of an address.
const ADDRESS: NumberRange = NumberRange::new(4, 16);

/// A call by one of its overloads.
pub(super) struct Called<'c, 'e> {
    pub function: &'c str,
    pub overload: &'c str,
    pub target: Option<&'c Operand<'e>>,
    pub arguments: &'c [Operand<'e>],
    /// What the arguments cost.
    pub costs: &'c [NumberRange],
}

impl Called<'_, '_> {
    /// The size of the target, if there is one.
    fn target_size(&self) -> Option<NumberRange> {
        self.target.map(Operand::size)
    }

    fn argument_size(&self, at: usize) -> Option<NumberRange> {
        self.arguments.get(at).map(Operand::size)
    }

    /// The size of the text that a function is called with, as its target or its only argument.
    fn only_argument_size(&self) -> Option<NumberRange> {
        self.argument_size(0).filter(|_| self.arguments.len() == 1)
    }
}

/// An estimate of a call.
pub(super) struct Estimate {
    pub cost: NumberRange,
    /// The size of the result, where it is known.
    pub result: Option<NumberRange>,
}

impl Estimate {
    const fn of(cost: NumberRange) -> Estimate {
        Estimate { cost, result: None }
    }

    const fn sized(cost: NumberRange, result: NumberRange) -> Estimate {
        Estimate {
            cost,
            result: Some(result),
        }
    }
}

impl Estimator<'_> {
    /// What a call costs with its arguments; its target is not counted.
    pub(super) fn called(&mut self, part: &IdedExpr, called: &Called<'_, '_>) -> Estimate {
        if let Some(estimate) = self.of_branches(part, called) {
            return estimate;
        }
        let own = of_extension(called)
            .or_else(|| self.of_library(called))
            .or_else(|| self.of_language(part, called))
            .unwrap_or(Estimate::of(NumberRange::ONE));
        let cost = called
            .costs
            .iter()
            .fold(own.cost, |sum, cost| sum.plus(*cost));
        Estimate { cost, ..own }
    }

    /// Operators that do not evaluate all of their arguments.
    fn of_branches(&mut self, part: &IdedExpr, called: &Called<'_, '_>) -> Option<Estimate> {
        match (called.overload, called.costs, called.arguments) {
            ("logical_or" | "logical_and", [left, right], _) => {
                let cost = NumberRange::new(left.least, left.plus(*right).most);
                Some(Estimate::of(cost))
            }
            ("conditional", [condition, yes, no], [_, a, b]) => {
                let entries = (self.entry(a.part), self.entry(b.part));
                if let (Some(a), Some(b)) = entries {
                    self.entries.insert(part.id, a.union(b));
                }
                let cost = condition.plus(yes.union(*no));
                Some(Estimate::sized(cost, a.size().union(b.size())))
            }
            _ => None,
        }
    }

    /// Functions of Kubernetes' libraries, and those of cel-go that it charges for by itself.
    fn of_library(&self, called: &Called<'_, '_>) -> Option<Estimate> {
        let target = called.target_size();
        let first = called.argument_size(0);
        Some(match called.function {
            "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => {
                return self.items(called);
            }
            "url" => {
                let size = called.only_argument_size()?;
                Estimate::sized(size.scaled(TRAVERSAL), size)
            }
            "lowerAscii" | "upperAscii" | "substring" | "trim" => {
                Estimate::sized(target?.scaled(TRAVERSAL), target?)
            }
            "replace" => {
                let result = replaced(target?, first?, called.argument_size(1)?);
                Estimate::sized(target?.scaled(2.0 * TRAVERSAL), result)
            }
            "split" => {
                let most = called.arguments.get(1).and_then(int).map_or_else(
                    || target.map(|size| size.most),
                    |limit| Some(limit.cast_unsigned()),
                );
                Estimate::sized(target?.scaled(2.0 * TRAVERSAL), NumberRange::new(0, most?))
            }
            "join" => {
                let size = self.joined(called)?;
                Estimate::sized(size.scaled(TRAVERSAL), size)
            }
            "find" | "findAll" => {
                let cost = pattern(target?, first?);
                Estimate::sized(cost, NumberRange::new(0, target?.most))
            }
            "ip" if called.overload == "cidr_ip" => Estimate::of(NumberRange::ONE),
            "cidr" | "ip" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver"
            | "isSemver" => Estimate::of(first?.scaled(TRAVERSAL)),
            "ip.isCanonical" => Estimate::of(first?.scaled(2.0 * TRAVERSAL)),
            "containsIP" | "containsCIDR" => Estimate::of(networks(called, first?)),
            "validate" => Estimate::of(first?.scaled(TRAVERSAL).scaled(FORMAT_REGEX * REGEX)),
            "_==_" => return equality(called),
            _ => return None,
        })
    }

    /// Functions that go through the items of a list, or through a text.
    fn items(&self, called: &Called<'_, '_>) -> Option<Estimate> {
        let target = called.target?;
        let Some(item) = target.of.parameters().first().copied().cloned() else {
            let cost = match called.function {
                "includes" => target.size(),
                _ => target.size().scaled(TRAVERSAL),
            };
            return Some(Estimate::of(cost));
        };
        let mut each = NumberRange::ONE;
        if matches!(item, Type::Text | Type::Bytes) {
            each = each.plus(self.item_size(target).scaled(TRAVERSAL));
        }
        Some(Estimate::of(target.size().times(each)))
    }

    /// The size of the items of a list that stands in the schema.
    fn item_size(&self, list: &Operand<'_>) -> NumberRange {
        let items = |path| self.paths.size_inside(path, &SizeStep::Items, self.root);
        list.path.and_then(items).unwrap_or(NumberRange::UNKNOWN)
    }

    fn joined(&self, called: &Called<'_, '_>) -> Option<NumberRange> {
        let list = called.target?;
        let count = list.size();
        let mut size = NumberRange::NOTHING;
        if !list.of.parameters().is_empty() {
            size = count.times(self.item_size(list));
        }
        if let Some(separator) = called.argument_size(0) {
            let between =
                NumberRange::new(count.least.saturating_sub(1), count.most.saturating_sub(1));
            size = size.plus(separator.times(between));
        }
        Some(size)
    }

    /// Functions and operators of the language that do not cost 1.
    fn of_language(&mut self, part: &IdedExpr, called: &Called<'_, '_>) -> Option<Estimate> {
        let only = called.only_argument_size();
        let both = match called.arguments {
            [left, right] => Some((left.size(), right.size())),
            _ => None,
        };
        Some(match called.overload {
            "string_format" => Estimate::of(called.target_size()?.scaled(TRAVERSAL)),
            // These sizes wrap around, as in the API server.
            "string_to_bytes" => {
                let size = only?;
                let result = NumberRange::new(size.least, size.most.wrapping_mul(4));
                Estimate::sized(size.scaled(TRAVERSAL), result)
            }
            "bytes_to_string" => {
                let size = only?;
                Estimate::sized(
                    size.scaled(TRAVERSAL),
                    NumberRange::new(size.least / 4, size.most),
                )
            }
            "strings_quote" => {
                let size = only?;
                let result = NumberRange::new(
                    size.least.wrapping_add(2),
                    size.most.wrapping_mul(2).wrapping_add(2),
                );
                Estimate::sized(size.scaled(TRAVERSAL), result)
            }
            "starts_with_string" | "ends_with_string" => Estimate::of(only?.scaled(TRAVERSAL)),
            "in_list" => Estimate::of(both?.1.scaled(1.0)),
            "matches_string" => Estimate::of(pattern(called.target_size()?, only?)),
            "contains_string" => {
                let text = called.target_size()?.scaled(TRAVERSAL);
                Estimate::of(text.times(only?.scaled(TRAVERSAL)))
            }
            "add_string" | "add_bytes" | "add_list" => {
                let (left, right) = both?;
                self.join_entries(part, called.arguments);
                let size = left.plus(right);
                let cost = match called.overload {
                    "add_list" => NumberRange::ONE,
                    _ => size.scaled(TRAVERSAL),
                };
                Estimate::sized(cost, size)
            }
            "less_string"
            | "greater_string"
            | "less_equals_string"
            | "greater_equals_string"
            | "less_bytes"
            | "greater_bytes"
            | "less_equals_bytes"
            | "greater_equals_bytes"
            | "equals"
            | "not_equals" => {
                let (left, right) = both?;
                let most = left.most.min(right.most);
                Estimate::of(NumberRange::new(most.min(1), most).scaled(TRAVERSAL))
            }
            _ => return None,
        })
    }

    fn join_entries(&mut self, part: &IdedExpr, lists: &[Operand<'_>]) {
        if let [left, right] = lists
            && let (Some(left), Some(right)) = (self.entry(left.part), self.entry(right.part))
        {
            self.entries.insert(part.id, left.union(right));
        }
    }
}

/// Functions of cel-go's libraries for lists and sets.
fn of_extension(called: &Called<'_, '_>) -> Option<Estimate> {
    let target = called.target_size();
    let square = |size: NumberRange, factor: f64| made(size.times(size), factor);
    Some(match (called.overload, called.arguments) {
        ("list_slice", [start, end]) => {
            let start = count(start).unwrap_or(0);
            let end = count(end).unwrap_or(target?.most);
            made(NumberRange::exactly(end.wrapping_sub(start)), 1.0)
        }
        ("lists_range", [end]) => made(NumberRange::exactly(count(end).unwrap_or(u64::MAX)), 1.0),
        ("list_reverse" | "list_flatten", []) => made(target?, 1.0),
        ("list_flatten_int", [levels]) => {
            #[allow(clippy::cast_precision_loss, reason = "as in the API server")]
            let levels = count(levels).unwrap_or(u64::MAX) as f64;
            made(target?, levels)
        }
        ("list_distinct", []) => square(target?, 2.0),
        ("list_sets_contains_list" | "list_sets_intersects_list", [a, b]) => {
            Estimate::of(a.size().times(b.size()).plus(NumberRange::ONE))
        }
        ("list_sets_equivalent_list", [a, b]) => {
            Estimate::of(a.size().times(b.size()).scaled(2.0).plus(NumberRange::ONE))
        }
        (overload, []) if overload.starts_with("list_") && overload.ends_with("_sort") => {
            square(target?, sorting(overload))
        }
        (overload, [keys]) if overload.ends_with("_sortByAssociatedKeys") => {
            square(keys.size(), sorting(overload))
        }
        _ => return None,
    })
}

/// A list that is made.
fn made(size: NumberRange, factor: f64) -> Estimate {
    let cost = size.scaled(factor).plus(NumberRange::exactly(1 + LIST));
    Estimate::sized(cost, size)
}

/// What comparing two items costs where a list is sorted.
fn sorting(overload: &str) -> f64 {
    let is_text = ["list_string_", "list_bytes_"]
        .iter()
        .any(|prefix| overload.starts_with(prefix));
    2.0 + if is_text { TRAVERSAL } else { 0.0 }
}

fn int(operand: &Operand<'_>) -> Option<i64> {
    match &operand.part.expr {
        Ast::Literal(LiteralValue::Int(number)) => Some(*number.inner()),
        _ => None,
    }
}

/// A literal number, at least 0.
fn count(operand: &Operand<'_>) -> Option<u64> {
    int(operand).map(|number| u64::try_from(number).unwrap_or(0))
}

/// What a regular expression costs on a text.
fn pattern(text: NumberRange, pattern: NumberRange) -> NumberRange {
    let text = text.plus(NumberRange::ONE).scaled(TRAVERSAL);
    text.times(pattern.scaled(REGEX))
}

/// The size of a text in which one part is replaced by another.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "as in the API server"
)]
fn replaced(text: NumberRange, from: NumberRange, to: NumberRange) -> NumberRange {
    let times = |text: u64, from: u64| (text as f64 / from as f64).ceil() as u64;
    let (mut count, mut kept) = (NumberRange::NOTHING, NumberRange::NOTHING);
    // An empty part is found around every character.
    if from.least == 0 {
        count.most = text.most.saturating_add(1);
        kept.most = text.most;
    } else if to.most <= from.least {
        kept.most = text.most;
    } else {
        count.most = times(text.most, from.least);
    }
    if from.most == 0 {
        count.least = text.least.saturating_add(1);
        kept.least = text.least;
    } else if from.most <= to.least {
        kept.least = text.least;
    } else {
        count.least = times(text.least, from.most);
    }
    count.times(to).plus(kept)
}

/// What comparing a network with an address or network costs; one that is a text is read first.
fn networks(called: &Called<'_, '_>, other: NumberRange) -> NumberRange {
    let mut cost = ADDRESS.plus(ADDRESS).scaled(TRAVERSAL);
    if called.function == "containsCIDR" {
        cost = cost.plus(ADDRESS.scaled(TRAVERSAL)).plus(NumberRange::ONE);
    }
    if ["cidr_contains_ip_string", "cidr_contains_cidr_string"].contains(&called.overload) {
        cost = cost.plus(other.scaled(TRAVERSAL));
    }
    cost
}

/// What comparing two values of a type of Kubernetes' libraries costs.
fn equality(called: &Called<'_, '_>) -> Option<Estimate> {
    let [left, right] = called.arguments else {
        return None;
    };
    let Type::Named(name) = left.of else {
        return None;
    };
    if left.of != right.of {
        return None;
    }
    let cost = match name {
        "kubernetes.NamedFormat" => NumberRange::new(1, scaled(FORMAT, TRAVERSAL)),
        "kubernetes.URL" => {
            let most = right.size.map_or(1, |size| size.most);
            NumberRange::new(1, most).scaled(TRAVERSAL)
        }
        _ => NumberRange::ONE,
    };
    Some(Estimate::of(cost))
}
