//! The names that expressions see, and what they stand for.

use std::cell::OnceCell;
use std::sync::Arc;

use super::equivalents::Served;
use super::rules::Rule;
use super::verdicts::FormVerdicts;
use crate::cel::value::{Key, Map};
use crate::cel::{Budget, Error, Globals, Minor, Value, evaluate};
use crate::model::kinds::policy::Operation;
use crate::yaml::{Node, Value as Yaml};

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
pub struct Request {
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
    pub original: Option<Box<Request>>,
}

impl Request {
    /// The same request as a rule sees it that names another version.
    pub fn seen_as(&self, version: &Served) -> Request {
        Request {
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
    fn value<'a>(&self) -> Value<'a> {
        let text = |text: &str| Value::text(text);
        let kind = |request: &Request| {
            map(vec![
                ("group", text(&request.group)),
                ("version", text(&request.version)),
                ("kind", text(&request.kind)),
            ])
        };
        let resource = |request: &Request| {
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
            ("dryRun", Value::Bool(false)),
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

fn map<'a>(entries: Vec<(&str, Value<'a>)>) -> Value<'a> {
    let entries = entries
        .into_iter()
        .map(|(key, value)| (Key::Text(key.into()), (Value::text(key), value)));
    Value::Map(Arc::new(entries.collect::<Map<'a>>()))
}

/// The value of a variable, once it is known.
type Variable<'a> = OnceCell<Result<Value<'a>, Error>>;

/// What the names stand for, for one object or document.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    values: Vec<Value<'a>>,
    /// What a request would say.
    pub request: Request,
    /// What is known of manifests of the object's form, where the object is one as it was rendered.
    pub known: Option<FormVerdicts<'a>>,
}

impl<'a> Scene<'a> {
    /// Nothing has a value yet: all names stand for `null`.
    pub fn new(request: Request) -> Scene<'a> {
        Scene {
            values: vec![Value::Null; NAMES.len()],
            request,
            known: None,
        }
    }

    /// The same scene with another request, for a while.
    pub fn of_request<'b>(&self, request: Request) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene {
            values: self.values.clone(),
            request,
            known: None,
        }
    }

    /// Gives a name a value.
    pub fn set(&mut self, position: usize, value: Value<'a>) {
        self.values[position] = value;
    }

    /// What a name stands for.
    pub fn get(&self, position: usize) -> &Value<'a> {
        &self.values[position]
    }
}

/// A scene as one rule sees it.
pub struct Stage<'s, 'a> {
    scene: &'s Scene<'a>,
    rule: &'a Rule,
    params: Value<'a>,
    variables: Vec<Variable<'a>>,
}

impl<'s, 'a> Stage<'s, 'a> {
    /// A rule's variables are evaluated at most once.
    pub fn new(scene: &'s Scene<'a>, rule: &'a Rule, params: Value<'a>) -> Stage<'s, 'a> {
        Stage {
            scene,
            rule,
            params,
            variables: vec![OnceCell::new(); rule.variables.len()],
        }
    }
}

impl<'a> Globals<'a> for Stage<'_, 'a> {
    fn global(&self, index: usize) -> Result<Value<'a>, Error> {
        match index {
            REQUEST => Ok(self.scene.request.value()),
            PARAMS => Ok(self.params.clone()),
            AUTHORIZER => Err(Error::OnlyInCluster("what the requester may do")),
            _ => Ok(self.scene.values[index].clone()),
        }
    }

    fn variable(&self, index: usize, budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
        let Some((_, program)) = self.rule.variables.get(index) else {
            return Ok(Value::Null);
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
