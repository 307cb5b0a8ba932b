//! The rules of a schema, `x-kubernetes-validations`: that they compile, and what they cost at most.

use serde_json::Value as Json;

use super::StructuralCheck;
use crate::RefusalReason;
use crate::estimates::Scale;
use crate::rule::{OLD_SELF, Sees};
use tenantry_cel::types::Type;
use tenantry_syntax::yaml::PathStep;

impl StructuralCheck {
    pub(super) fn rules(&mut self, schema: &Json) {
        const REASONS: &[&str] = &[
            "FieldValueInvalid",
            "FieldValueForbidden",
            "FieldValueRequired",
            "FieldValueDuplicate",
        ];
        let rules = schema["x-kubernetes-validations"].as_array();
        let rules = rules.filter(|rules| !rules.is_empty());
        let scale = rules
            .and_then(|_| Scale::of(schema, self.path.is_empty(), self.occurrences, self.minor));
        let scale = scale.as_ref();
        for (at, rule) in rules.into_iter().flatten().enumerate() {
            self.below(
                &["x-kubernetes-validations".into(), PathStep::Index(at)],
                |judge| {
                    let text = rule["rule"].as_str().unwrap_or_default();
                    if text.trim().is_empty() {
                        judge.refuse(
                            &["rule"],
                            RefusalReason::Required,
                            "is missing",
                            "write an expression",
                        );
                    } else {
                        judge.expression(schema, rule, "rule", &Type::Bool, scale);
                    }
                    if rule["messageExpression"].is_string() {
                        judge.expression(schema, rule, "messageExpression", &Type::Text, scale);
                    }
                    if rule["reason"]
                        .as_str()
                        .is_some_and(|reason| !REASONS.contains(&reason))
                    {
                        judge.refuse(
                            &["reason"],
                            RefusalReason::NotSupported,
                            "is not a reason",
                            "write `FieldValueInvalid`",
                        );
                    }
                    let message = rule["message"].as_str();
                    if message.is_some_and(|message| {
                        message.trim().is_empty() || message.trim().contains('\n')
                    }) {
                        judge.refuse(
                            &["message"],
                            RefusalReason::Invalid,
                            "must be one line that is not blank",
                            "write one line",
                        );
                    }
                    if message.is_none() && text.trim().contains('\n') {
                        judge.refuse(
                            &["message"],
                            RefusalReason::Required,
                            "is missing for a rule with line breaks",
                            "write it",
                        );
                    }
                },
            );
        }
    }

    /// A rule must compile with the types that the schema has, and give what is asked of it.
    fn expression(
        &mut self,
        schema: &Json,
        rule: &Json,
        name: &str,
        wanted: &Type,
        scale: Option<&Scale>,
    ) {
        let text = rule[name].as_str().unwrap_or_default();
        let is_old_optional = rule["optionalOldSelf"] == Json::Bool(true);
        let sees = Sees::crd(schema, self.path.len() <= 2, is_old_optional);
        let compiled = match scale {
            Some(scale) => sees.compile_and_estimate(text, &scale.sizes),
            None => sees.compile(text).map(|program| (program, 0)),
        };
        let says = match compiled {
            Ok((program, cost)) if program.gives == *wanted => {
                let field = [&self.path[..], &[name.into()]].concat();
                // As in the API server, only the rule counts for each value.
                let cost = match scale {
                    Some(scale) if name == "rule" => scale.of_all(cost),
                    _ => cost,
                };
                self.estimates.note(&field, cost);
                if name == "rule" {
                    self.old_value(rule, program.uses.contains(&OLD_SELF));
                }
                return;
            }
            Ok((program, _)) => {
                format!("must give a {wanted}, and gives a {}", program.gives)
            }
            Err(errors) => {
                let why = errors.first().map(|error| error.message.clone());
                format!("does not compile: {}", why.unwrap_or_default())
            }
        };
        self.refuse(
            &[name],
            RefusalReason::Invalid,
            says,
            "correct the expression",
        );
        self.of_expressions += 1;
    }

    /// A rule may only compare with an old value where there is one.
    fn old_value(&mut self, rule: &Json, uses_old: bool) {
        if uses_old && !self.has_old {
            let help = "write the rule on the list, or set `x-kubernetes-list-type: map`";
            let says =
                "cannot use `oldSelf`: items of this list have no keys to find their old value by";
            self.refuse(&["rule"], RefusalReason::Invalid, says, help);
            self.of_expressions += 1;
        }
        if !uses_old && rule["optionalOldSelf"].is_boolean() {
            let says = "may only be set for a rule that uses `oldSelf`";
            self.refuse(
                &["optionalOldSelf"],
                RefusalReason::Invalid,
                says,
                "remove it",
            );
            self.of_expressions += 1;
        }
    }
}
