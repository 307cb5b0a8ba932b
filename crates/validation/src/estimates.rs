//! The limits of the estimated cost of a CRD's rules. What one evaluation may cost at most is `tenantry_cel::estimate`; how often a
//! rule is evaluated for an object follows from the lists and maps around it.
//!
//! Source: `validation.go` and `cel_validation.go` of
//! <https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation>.

use serde_json::Value as Json;

use super::RefusalReason;
use super::checks::FormatError;
use super::sizes::{self, REQUEST, bound};
use tenantry_cel::estimate::Sizes;
use tenantry_engine::schema::Minor;
use tenantry_syntax::yaml::PathStep;

/// What one expression may cost: `StaticEstimatedCostLimit`.
const PER_EXPRESSION: u64 = 10_000_000;
/// What all expressions of a schema may cost: `StaticEstimatedCRDCostLimit`.
const PER_SCHEMA: u64 = 100_000_000;
/// How many of the most expensive expressions are named.
const NAMED: usize = 4;
const HELP: &str = "simplify the rule, or set `maxItems`, `maxProperties` and `maxLength` on the lists, maps and strings that it reads";

/// How often values of a place are in an object at most, if the schema bounds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrences(Option<u64>);

impl Occurrences {
    /// Those of the root.
    pub(super) const ONCE: Occurrences = Occurrences(Some(1));

    /// Those of the values inside of a schema: `extractMaxElements`.
    pub(super) fn inside(self, schema: &Json) -> Occurrences {
        let each = match schema["type"].as_str() {
            Some("object") if !schema["additionalProperties"].is_null() => {
                bound(schema, "maxProperties")
            }
            Some("array") => bound(schema, "maxItems"),
            _ => Some(1),
        };
        Occurrences(self.0.zip(each).map(|(own, each)| own.saturating_mul(each)))
    }

    /// Their number; where it has no bound, as many as fit into a request.
    fn number(self, sizes: &Sizes) -> u64 {
        self.0.unwrap_or(REQUEST / (sizes.least_bytes + 1))
    }
}

/// The sizes of a place, and how often it occurs.
pub(super) struct Scale {
    pub sizes: Sizes,
    pub occurrences: Occurrences,
}

impl Scale {
    /// The scale of a place of the schema; none where expressions cannot see its values.
    pub(super) fn of(
        schema: &Json,
        is_root: bool,
        occurrences: Occurrences,
        minor: Minor,
    ) -> Option<Scale> {
        let sizes = sizes::of(schema, is_root, minor)?;
        Some(Scale { sizes, occurrences })
    }

    /// What an expression costs that is evaluated for each value.
    pub(super) fn of_all(&self, cost: u64) -> u64 {
        cost.saturating_mul(self.occurrences.number(&self.sizes))
    }
}

/// The estimates of a schema.
#[derive(Debug, Default)]
pub(super) struct Estimates {
    total: u64,
    /// The most expensive expressions, in descending order.
    dearest: Vec<(Vec<PathStep>, u64)>,
    found: Vec<FormatError>,
}

impl Estimates {
    /// Notes what the expression of a field costs.
    pub(super) fn note(&mut self, field: &[PathStep], cost: u64) {
        if cost > PER_EXPRESSION {
            let says = format!(
                "has an estimated cost of {} the limit of 10,000,000",
                factor(cost, PER_EXPRESSION)
            );
            self.refuse(field, says);
        }
        self.total = self.total.saturating_add(cost);
        if cost >= PER_SCHEMA / 100 {
            let after = self.dearest.partition_point(|(_, known)| *known >= cost);
            self.dearest.insert(after, (field.to_vec(), cost));
            self.dearest.truncate(NAMED);
        }
    }

    /// What is refused; the total is reported at the most expensive expressions, and at the schema itself. Of those that
    /// are above their own limit, the API server says both: here, one is enough.
    pub(super) fn found(mut self) -> Vec<FormatError> {
        if self.total > PER_SCHEMA {
            let mut dearest = std::mem::take(&mut self.dearest);
            dearest.retain(|(_, cost)| *cost <= PER_EXPRESSION);
            for (field, _) in dearest {
                let says = "contributes to an estimated total cost of all rules above the limit";
                self.refuse(&field, says.to_owned());
            }
            let says = format!(
                "has rules with an estimated total cost of {} the limit of 100,000,000",
                factor(self.total, PER_SCHEMA)
            );
            self.refuse(&[], says);
        }
        self.found
    }

    fn refuse(&mut self, field: &[PathStep], says: String) {
        self.found
            .push(FormatError::at(field, RefusalReason::Forbidden, says, HELP));
    }
}

/// How many times the limit a cost is, as the API server rounds it.
#[allow(clippy::cast_precision_loss, reason = "as in the API server")]
fn factor(cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    if factor > 100.0 {
        "more than 100×".to_owned()
    } else if factor < 1.5 {
        // One digit would be 1.0×.
        format!("{factor:.6}×")
    } else {
        format!("{factor:.1}×")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Sees;
    use crate::structural;

    /// Schemas, rules and their estimates: facts of `compilation_test.go` and `celcoststability_test.go` of
    /// <https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel>,
    /// and of `pkg/cel/library/cost_test.go` of its apiserver, as far as they do not depend on the estimator of that test.
    const FACTS: [&str; 3] = [
        include_str!("../estimates/kubernetes.jsonl"),
        include_str!("../estimates/kubernetes-stability.jsonl"),
        include_str!("../estimates/libraries.jsonl"),
    ];

    #[test]
    fn estimates_are_those_of_the_api_server() {
        let mut wrong = Vec::new();
        for line in FACTS.iter().flat_map(|facts| facts.lines()) {
            let row: Json = serde_json::from_str(line).unwrap();
            let sees = Sees::crd(&row["schema"], false, false);
            let sizes = sizes::of(&row["schema"], false, 36).unwrap();
            for (keyword, is_exact) in [("costs", true), ("above", false)] {
                for (rule, wanted) in row[keyword].as_object().into_iter().flatten() {
                    let found = sees.compile_and_estimate(rule, &sizes);
                    let found = found.map(|(_, cost)| cost);
                    let wanted = wanted.as_u64().unwrap();
                    let is_met = |cost: u64| {
                        if is_exact {
                            cost == wanted
                        } else {
                            cost > wanted
                        }
                    };
                    if !found.as_ref().is_ok_and(|cost| is_met(*cost)) {
                        wrong.push(format!("{rule}: {wanted}, not {found:?}"));
                    }
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    /// Schemas with rules, and the fields that the API server refuses: facts of `validation_test.go` of
    /// `pkg/apis/apiextensions/validation`.
    const DEFINITIONS: &str = include_str!("../estimates/definitions.jsonl");

    #[test]
    fn limits_are_those_of_the_api_server() {
        for line in DEFINITIONS.lines() {
            let row: Json = serde_json::from_str(line).unwrap();
            let found = structural::check(&row["schema"], 36);
            let fields: Vec<Json> = found.iter().map(|one| to_json(&one.field)).collect();
            let wanted = row["refused"].as_array().unwrap();
            // Where the schema is wrong, the API server does not look at expressions; here, they are reported as well.
            let is_met = match wanted.as_slice() {
                [] => fields.is_empty(),
                wanted => wanted.iter().all(|field| fields.contains(field)),
            };
            assert!(is_met, "{line}: {fields:?}");
        }
    }

    fn to_json(field: &[PathStep]) -> Json {
        let steps = field.iter().map(|step| match step {
            PathStep::Key(key) => Json::from(&**key),
            PathStep::Index(index) => Json::from(*index),
        });
        steps.collect()
    }

    #[test]
    fn names_are_bounded_from_1_37_on() {
        let schema = serde_json::json!({"type": "object"});
        let sees = Sees::crd(&schema, true, false);
        let cost = |minor| {
            let sizes = sizes::of(&schema, true, minor).unwrap();
            let rule = "self.metadata.name.contains('x')";
            sees.compile_and_estimate(rule, &sizes).unwrap().1
        };
        assert_eq!((cost(36), cost(37)), (314_576, 105));
    }

    #[test]
    fn occurrences_multiply() {
        let list = serde_json::json!({"type": "array", "maxItems": 5});
        let map =
            serde_json::json!({"type": "object", "additionalProperties": {}, "maxProperties": 4});
        let object = serde_json::json!({"type": "object"});
        let open = serde_json::json!({"type": "array"});
        let huge = serde_json::json!({"type": "array", "maxItems": i64::MAX});
        for (around, wanted) in [
            (&[&object][..], Some(1)),
            (&[&list, &object, &map], Some(20)),
            (&[&map, &open], None),
            (&[&huge, &list], Some(u64::MAX)),
        ] {
            let within = around
                .iter()
                .fold(Occurrences::ONCE, |within, schema| within.inside(schema));
            assert_eq!(within.0, wanted);
        }
    }
}
