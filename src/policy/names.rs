//! The names that expressions see, and what they stand for.

use std::cell::OnceCell;
use std::sync::Arc;

use super::equivalents::Served;
use super::rules::Rule;
use super::verdicts::FormVerdicts;
use crate::model::kinds::policy::Operation;
use tenantry_cel::value::{MapKey, ValueMap};
use tenantry_cel::{Budget, CelValue, EvaluationError, Globals, Minor, evaluate};
use tenantry_syntax::yaml::{Node, Value as Yaml};

/// All names. Those up to `authorizer` are Kubernetes' own; the others only a compiler knows.
pub const NAMES: &[&str] = &[
    "object",
    "oldObject",
    "request",
    "params",
    "namespaceObject",
    "authorizer",
    "tenant",
    "component",
    "environment",
    "cluster",
    "platform",
    "instance",
    "workload",
    "parameters",
    "context",
    "resources",
    "change",
    "dataset",
    "connection",
    "grant",
    "role",
    "recoveryPlan",
    "monitoring",
];

/// Positions in [`NAMES`].
pub const OBJECT: usize = 0;
/// The object before.
pub const OLD_OBJECT: usize = 1;
const REQUEST: usize = 2;
/// The parameters.
pub const PARAMS: usize = 3;
/// The object's namespace.
pub const NAMESPACE_OBJECT: usize = 4;
const AUTHORIZER: usize = 5;
/// The first name that the API server does not know.
pub const FIRST_OWN: usize = 6;

/// The position of a name.
pub fn position(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| *known == name)
}

/// What a request of the API server would say.
#[derive(Clone, Debug, Default)]
pub struct AdmissionRequest {
    /// The API group.
    pub group: String,
    /// The version in the group.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The plural name.
    pub resource: String,
    /// The object's name.
    pub name: String,
    /// Its namespace; empty for none.
    pub namespace: String,
    /// What is done.
    pub operation: Option<Operation>,
    /// The part of the object that it is about, such as `scale`; empty for the object itself.
    pub subresource: String,
    /// The minor version of the Kubernetes that is asked; the newest, if it is not known.
    pub kubernetes: Option<Minor>,
    /// What was requested, where a rule sees it in another version.
    pub original: Option<Box<AdmissionRequest>>,
}

impl AdmissionRequest {
    /// The same request as a rule sees it that names another version.
    pub fn seen_as(&self, version: &Served) -> AdmissionRequest {
        AdmissionRequest {
            group: version.group.clone(),
            version: version.version.clone(),
            original: Some(Box::new(self.clone())),
            ..self.clone()
        }
    }

    /// The operation as the API server writes it.
    pub fn operation_word(&self) -> &'static str {
        match self.operation {
            Some(Operation::Update) => "UPDATE",
            Some(Operation::Delete) => "DELETE",
            Some(Operation::Connect) => "CONNECT",
            _ => "CREATE",
        }
    }

    /// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>;
    /// who asks is not known before somebody does. What is empty is not there.
    fn value<'a>(&self) -> CelValue<'a> {
        let text = |text: &str| CelValue::text(text);
        let kind = |request: &AdmissionRequest| {
            map(vec![
                ("group", text(&request.group)),
                ("version", text(&request.version)),
                ("kind", text(&request.kind)),
            ])
        };
        let resource = |request: &AdmissionRequest| {
            map(vec![
                ("group", text(&request.group)),
                ("version", text(&request.version)),
                ("resource", text(&request.resource)),
            ])
        };
        let original = self.original.as_deref().unwrap_or(self);
        let mut entries = vec![
            ("kind", kind(self)),
            ("requestKind", kind(original)),
            ("resource", resource(self)),
            ("requestResource", resource(original)),
            ("operation", text(self.operation_word())),
            ("dryRun", CelValue::Bool(false)),
        ];
        for (name, value) in [
            ("subResource", &self.subresource),
            ("requestSubResource", &self.subresource),
            ("name", &self.name),
            ("namespace", &self.namespace),
        ] {
            if !value.is_empty() {
                entries.push((name, text(value)));
            }
        }
        map(entries)
    }
}

fn map<'a>(entries: Vec<(&str, CelValue<'a>)>) -> CelValue<'a> {
    let entries = entries
        .into_iter()
        .map(|(key, value)| (MapKey::Text(key.into()), (CelValue::text(key), value)));
    CelValue::Map(Arc::new(entries.collect::<ValueMap<'a>>()))
}

/// The value of a variable, once it is known.
type ComputedVariable<'a> = OnceCell<Result<CelValue<'a>, EvaluationError>>;

/// What the names stand for, for one object or document.
#[derive(Clone, Debug)]
pub struct NameValues<'a> {
    values: Vec<CelValue<'a>>,
    /// What a request would say.
    pub request: AdmissionRequest,
    /// What is known of manifests of the object's form, where the object is one as it was rendered.
    pub known: Option<FormVerdicts<'a>>,
}

impl<'a> NameValues<'a> {
    /// Nothing has a value yet: all names stand for `null`.
    pub fn new(request: AdmissionRequest) -> NameValues<'a> {
        NameValues {
            values: vec![CelValue::Null; NAMES.len()],
            request,
            known: None,
        }
    }

    /// The same scene with another request, for a while.
    pub fn of_request<'b>(&self, request: AdmissionRequest) -> NameValues<'b>
    where
        'a: 'b,
    {
        NameValues {
            values: self.values.clone(),
            request,
            known: None,
        }
    }

    /// Gives a name a value.
    pub fn set(&mut self, position: usize, value: CelValue<'a>) {
        self.values[position] = value;
    }

    /// What a name stands for.
    pub fn get(&self, position: usize) -> &CelValue<'a> {
        &self.values[position]
    }
}

/// A scene as one rule sees it.
pub struct RuleBindings<'s, 'a> {
    scene: &'s NameValues<'a>,
    rule: &'a Rule,
    params: CelValue<'a>,
    variables: Vec<ComputedVariable<'a>>,
}

impl<'s, 'a> RuleBindings<'s, 'a> {
    /// A rule's variables are evaluated at most once.
    pub fn new(
        scene: &'s NameValues<'a>,
        rule: &'a Rule,
        params: CelValue<'a>,
    ) -> RuleBindings<'s, 'a> {
        RuleBindings {
            scene,
            rule,
            params,
            variables: vec![OnceCell::new(); rule.variables.len()],
        }
    }
}

impl<'a> Globals<'a> for RuleBindings<'_, 'a> {
    fn global(&self, index: usize) -> Result<CelValue<'a>, EvaluationError> {
        match index {
            REQUEST => Ok(self.scene.request.value()),
            PARAMS => Ok(self.params.clone()),
            AUTHORIZER => Err(EvaluationError::OnlyInCluster("what the requester may do")),
            _ => Ok(self.scene.values[index].clone()),
        }
    }

    fn variable(
        &self,
        index: usize,
        budget: &mut Budget<'a>,
    ) -> Result<CelValue<'a>, EvaluationError> {
        let Some((_, program)) = self.rule.variables.get(index) else {
            return Ok(CelValue::Null);
        };
        let variable = &self.variables[index];
        if let Some(known) = variable.get() {
            return known.clone();
        }
        let value = evaluate(program, self, budget);
        let _ = variable.set(value.clone());
        value
    }
}

/// Maps of documents in which an entry without a value counts, because its name says enough.
const NAMES_COUNT: [&str; 4] = ["environments", "compliance", "frameworks", "policyPacks"];

/// A document as rules see it: such entries are empty maps, since what is null is not there.
pub fn named_entries(document: &Node) -> Node {
    let mut document = document.clone();
    let Yaml::Map(map) = &mut document.value else {
        return document;
    };
    for entry in &mut Arc::make_mut(map).entries {
        if !NAMES_COUNT.contains(&&*entry.key) {
            continue;
        }
        if let Yaml::Map(named) = &mut entry.value.value
            && named.entries.iter().any(|entry| entry.value.is_null())
        {
            for entry in &mut Arc::make_mut(named).entries {
                if entry.value.is_null() {
                    entry.value = Node::map(entry.value.id, Vec::new());
                }
            }
        }
    }
    document
}
