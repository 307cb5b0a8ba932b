//! One rule as an admission policy: each text with the lines of the rule, and of the parameters, that it was made of.

use serde_json::Value as Json;

use super::enforce::{EnforcedAt, ParameterGroup, list, map};
use super::matching;
use super::names::{NAMES, PARAMS};
use super::rules::Rule;
use crate::model::kinds::policy::ResourceScope;
use tenantry_cel::{DeclaredVariable, Names, Program};
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// A rule, for the tenants that it holds for with the same parameters.
pub(super) struct Emitted<'e> {
    rule: &'e Rule,
    group: &'e ParameterGroup<'e>,
    place: &'e EnforcedAt<'e>,
    /// The variable that has the parameters: a name that the rule itself does not have.
    own: &'static str,
}

impl<'e> Emitted<'e> {
    pub(super) fn new(
        rule: &'e Rule,
        group: &'e ParameterGroup<'e>,
        place: &'e EnforcedAt<'e>,
    ) -> Emitted<'e> {
        let is_taken = |name: &str| rule.variables.iter().any(|(known, _)| known == name);
        let own = ["params", "layeredParams", "layeredPolicyParams"];
        let own = own.into_iter().find(|name| !is_taken(name));
        Emitted {
            rule,
            group,
            place,
            own: own.unwrap_or("params"),
        }
    }

    /// What a template needs to print the policy.
    pub(super) fn policy(&self, name: &Node) -> Node {
        let (rule, place) = (self.rule, self.place);
        let fails = if rule.fails_on_error {
            "Fail"
        } else {
            "Ignore"
        };
        let constraints = rule.tree.at(&["spec", "matchConstraints"]).cloned();
        let nothing = Node::new(NodeId::NONE, Value::Null);
        let lists = [
            ("matchConditions", self.conditions()),
            ("variables", self.variables()),
            ("validations", self.validations()),
            ("auditAnnotations", self.annotations()),
        ];
        let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
        let spec = [
            (
                "failurePolicy",
                place.text(fails, self.id(&["spec", "failurePolicy"])),
            ),
            ("matchConstraints", constraints.unwrap_or(nothing)),
        ];
        let spec = spec
            .into_iter()
            .chain(lists.map(|(key, items)| (key, list(items))));
        let controls: Vec<String> = rule
            .controls
            .iter()
            .map(|(framework, controls)| {
                let ids: Vec<&str> = controls.keys().map(String::as_str).collect();
                format!("{framework}: {}", ids.join(", "))
            })
            .collect();
        let of = |text: &str, keys: &[&str]| place.text(text, self.id(keys));
        map([
            ("kind", self.constant("ValidatingAdmissionPolicy")),
            ("name", name.clone()),
            ("policy", of(&rule.name, &["metadata", "name"])),
            ("title", of(&rule.title, &["spec", "title"])),
            ("severity", of(rule.severity.name(), &["spec", "severity"])),
            ("controls", of(&controls.join("; "), &["spec", "controls"])),
            ("spec", map(spec)),
        ])
    }

    fn id(&self, keys: &[&str]) -> Option<NodeId> {
        self.rule.tree.at(keys).map(|node| node.id)
    }

    fn constant(&self, text: &str) -> Node {
        self.place.text(text, [])
    }

    /// The items of a list of the rule, as they are written.
    fn written(&self, key: &str) -> &[Node] {
        let list = self.rule.tree.at(&["spec", key]);
        list.and_then(Node::as_list).unwrap_or_default()
    }

    /// A text that stands in an item of a list of the rule.
    fn of_item(&self, text: &str, item: Option<&Node>, key: &str) -> Node {
        self.place.text(text, field(item, key))
    }

    /// An expression, with the variable in place of the parameters.
    fn rewritten(&self, program: &Program, item: Option<&Node>, key: &str) -> Node {
        let variable = format!("variables.{}", self.own);
        let has_params = !self.rule.parameters.is_empty();
        let parameters = if has_params { &variable } else { "{}" };
        self.of_item(&self.with_params(program, parameters), item, key)
    }

    /// An expression in which another text stands wherever it names the parameters.
    fn with_params(&self, program: &Program, with: &str) -> String {
        if !program.uses.contains(&PARAMS) {
            return program.text.clone();
        }
        let variables = self
            .rule
            .variables
            .iter()
            .map(|(name, program)| DeclaredVariable {
                name: name.clone(),
                of: program.gives.clone(),
            });
        let variables: Vec<DeclaredVariable> = variables.collect();
        let names = Names {
            globals: NAMES,
            declared: &[],
            is_escaped: false,
            variables: Some(&variables),
        };
        let characters: Vec<char> = program.text.chars().collect();
        let mut text = String::new();
        let mut at = 0;
        for (start, name) in program.mentions(&names) {
            if *name == PARAMS && *start >= at {
                text.extend(&characters[at..*start]);
                text.push_str(with);
                at = start + NAMES[PARAMS].len();
            }
        }
        text.extend(characters.get(at..).unwrap_or_default());
        text
    }

    fn conditions(&self) -> Vec<Node> {
        let mut conditions = Vec::new();
        if judges_outside_namespaces(self.rule) {
            // Objects outside namespaces are everybody's: only those that are rendered are judged.
            conditions.push(map([
                ("name", self.constant("tenantry-rendered-objects")),
                ("expression", self.constant("request.?namespace.orValue('') != '' || (object != null && object.metadata.?labels[?'app.kubernetes.io/managed-by'].orValue('') == 'tenantry')")),
            ]));
        }
        let written = self.written("matchConditions");
        for (position, (name, program)) in self.rule.conditions.iter().enumerate() {
            let item = written.get(position);
            let names_params = program.uses.contains(&PARAMS);
            let params_of = self.group.params_of.iter().filter(|_| names_params);
            // Conditions see no variables, so parameters stand in them as they are.
            let text = self.with_params(program, &literal(&self.group.params));
            let of = field(item, "expression").into_iter();
            let expression = self.place.text(text, of.chain(params_of.copied()));
            let name = self.of_item(name, item, "name");
            conditions.push(map([("name", name), ("expression", expression)]));
        }
        conditions
    }

    fn variables(&self) -> Vec<Node> {
        let mut variables = Vec::new();
        if !self.rule.parameters.is_empty() {
            let (params, of) = (&self.group.params, self.group.params_of.iter().copied());
            let name = self.constant(self.own);
            let expression = self.place.text(literal(params), of);
            variables.push(map([("name", name), ("expression", expression)]));
        }
        let written = self.written("variables");
        for (position, (name, program)) in self.rule.variables.iter().enumerate() {
            let item = written.get(position);
            variables.push(map([
                ("name", self.of_item(name, item, "name")),
                ("expression", self.rewritten(program, item, "expression")),
            ]));
        }
        variables
    }

    fn validations(&self) -> Vec<Node> {
        let written = self.written("validations");
        let checks = self.rule.validations.iter().enumerate();
        let validations = checks.map(|(position, check)| {
            let item = written.get(position);
            let expression = self.rewritten(&check.program, item, "expression");
            let message_expression = check
                .message_program
                .as_ref()
                .map(|program| self.rewritten(program, item, "messageExpression"));
            // A finding without words of its own says what the rule asks for.
            let message = match &check.message {
                Some(message) => self.of_item(message, item, "message"),
                None => self.place.text(
                    format!("not met: {}", self.rule.title.replace('\n', " ")),
                    self.id(&["spec", "title"]),
                ),
            };
            let reason = item
                .and_then(|item| item.get("reason"))
                .filter(|reason| reason.as_str().is_some());
            let fields = [
                Some(("expression", expression)),
                message_expression.map(|node| ("messageExpression", node)),
                Some(("message", message)),
                reason.map(|reason| ("reason", reason.clone())),
            ];
            map(fields.into_iter().flatten())
        });
        validations.collect()
    }

    fn annotations(&self) -> Vec<Node> {
        let written = self.written("auditAnnotations");
        let annotations = self.rule.annotations.iter().enumerate();
        let annotations = annotations.map(|(position, (key, program))| {
            let item = written.get(position);
            let value = self.rewritten(program, item, "valueExpression");
            map([
                ("key", self.of_item(key, item, "key")),
                ("valueExpression", value),
            ])
        });
        annotations.collect()
    }
}

fn field(item: Option<&Node>, key: &str) -> Option<NodeId> {
    Some(item?.get(key)?.id)
}

fn judges_outside_namespaces(rule: &Rule) -> bool {
    let Some(constraints) = &rule.constraints else {
        return false;
    };
    constraints.resource_rules.iter().any(|resources| {
        resources.scope != Some(ResourceScope::Namespaced)
            && resources.resources.iter().any(|name| {
                name.contains('*') || matching::OUTSIDE_NAMESPACES.contains(&name.as_str())
            })
    })
}

/// Parameters as a literal of the language; its lists and maps hold values of one type, unless they
/// are `dyn`.
fn literal(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}: dyn({})", Json::from(key.as_str()), literal(value))
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
