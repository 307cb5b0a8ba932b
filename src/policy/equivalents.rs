//! The same object in other groups and versions of its API: which there are, and what a rule sees that
//! names one of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::matching::Objects;
use super::names::{AdmissionRequest, NameValues, OBJECT, OLD_OBJECT};
use tenantry_cel::CelValue;
use tenantry_cel::tree::StoredTree;
use tenantry_engine::view::{Shape, View};
use tenantry_syntax::yaml::parse::parse;
use tenantry_syntax::yaml::{Node, NodeId, Value as Yaml, entry};

/// A group and version that serves a resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// The API group.
    pub group: String,
    /// The version in the group.
    pub version: String,
    /// The first minor version of Kubernetes that serves it.
    #[serde(default)]
    from: u32,
    /// The first that does not.
    #[serde(default)]
    until: Option<u32>,
    /// Versions of one form have the same fields.
    #[serde(default)]
    form: String,
}

static SERVED: LazyLock<BTreeMap<String, Vec<Served>>> = LazyLock::new(|| {
    let text = include_str!("../../defaults/equivalent-resources.yaml");
    let tree = parse(text, u32::MAX).documents.into_iter().next();
    let json = tree.map(|tree| tree.to_json()).unwrap_or_default();
    serde_json::from_value(json).unwrap_or_default()
});

/// The newest Kubernetes: what is asked where no cluster is known.
const NEWEST: u32 = u32::MAX;

/// The other groups and versions that serve what a request is about. A custom resource is served by its own group
/// only, in every version that `named` has, since versions of one CRD are the same objects.
pub fn of(request: &AdmissionRequest, named: &[String]) -> Vec<Served> {
    let minor = request.kubernetes.unwrap_or(NEWEST);
    let mut all = all(request, named);
    all.retain(|one| one.from <= minor && one.until.is_none_or(|until| minor < until));
    all
}

/// Those of every version of Kubernetes.
pub fn all(request: &AdmissionRequest, named: &[String]) -> Vec<Served> {
    if let Some(known) = known(request) {
        return known.clone();
    }
    let is_custom = request.group.contains('.') && !request.group.ends_with(".k8s.io");
    let versions = named.iter().filter(|version| is_custom && *version != "*");
    versions
        .map(|version| Served {
            group: request.group.clone(),
            version: version.clone(),
            from: 0,
            until: None,
            form: String::new(),
        })
        .collect()
}

fn known(request: &AdmissionRequest) -> Option<&'static Vec<Served>> {
    let known = SERVED.get(&request.kind)?;
    let own = known.iter().any(|one| one.group == request.group);
    own.then_some(known)
}

/// What a request is about, in the version that a rule names.
pub struct Converted {
    object: Option<Node>,
    old: Option<Node>,
}

impl Converted {
    /// Converts; nothing if the conversion is not known here.
    pub fn new(objects: Objects<'_>, request: &AdmissionRequest, to: &Served) -> Option<Converted> {
        let convert = |view: Option<View<'_>>| match view {
            Some(view) => converted(view, request, to).map(Some),
            None => Some(None),
        };
        Some(Converted {
            object: convert(objects.object)?,
            old: convert(objects.old)?,
        })
    }

    /// A scene as the rule sees it.
    pub fn scene<'b, 'a: 'b>(&'b self, scene: &NameValues<'a>, to: &Served) -> NameValues<'b> {
        let mut seen = scene.of_request(scene.request.seen_as(to));
        for (place, tree) in [(OBJECT, &self.object), (OLD_OBJECT, &self.old)] {
            if let Some(tree) = tree {
                seen.set(
                    place,
                    CelValue::Tree(StoredTree::object(View::of(tree), None)),
                );
            }
        }
        seen
    }

    /// The object, or what it was before it was removed.
    pub fn root(&self) -> Option<View<'_>> {
        self.object.as_ref().or(self.old.as_ref()).map(View::of)
    }
}

fn converted(object: View<'_>, request: &AdmissionRequest, to: &Served) -> Option<Node> {
    let form = |group: &str, version: &str| {
        let own = known(request).and_then(|known| {
            let mut known = known.iter();
            known.find(|one| one.group == group && one.version == version)
        });
        own.map_or("", |one| one.form.as_str())
    };
    let mut tree = copied(object);
    match (form(&request.group, &request.version), to.form.as_str()) {
        (from, to) if from == to => {}
        ("v2", "v1") if request.kind == "HorizontalPodAutoscaler" => autoscaler(&mut tree, to_v1),
        ("v1", "v2") if request.kind == "HorizontalPodAutoscaler" => autoscaler(&mut tree, to_v2),
        _ => return None,
    }
    let version = match to.group.as_str() {
        "" => to.version.clone(),
        group => format!("{group}/{}", to.version),
    };
    let id = tree.get("apiVersion").map_or(NodeId::NONE, |node| node.id);
    set(&mut tree, "apiVersion", Node::text(id, version));
    Some(tree)
}

/// A tree of its own, with the places of its values.
fn copied(view: View<'_>) -> Node {
    let id = view.sources().first().copied().unwrap_or(NodeId::NONE);
    let value = match view.shape() {
        Shape::Null => Yaml::Null,
        Shape::Bool(value) => Yaml::Bool(value),
        Shape::Int(number) => Yaml::Int(number),
        Shape::Float(number) => Yaml::Float(number),
        Shape::Text(text) => Yaml::String(text.into()),
        Shape::List => Yaml::List(view.items().into_iter().map(copied).collect()),
        Shape::Map => {
            let fields = view.fields().into_iter();
            let entries = fields.map(|field| entry(&field.key, copied(field.value)));
            return Node::map(id, entries.collect());
        }
    };
    Node::new(id, value)
}

fn set(tree: &mut Node, key: &str, value: Node) {
    let mut entries = tree.entries().to_vec();
    entries.retain(|known| &*known.key != key);
    entries.push(entry(key, value));
    *tree = Node::map(tree.id, entries);
}

fn without(tree: &Node, keys: &[&str]) -> Node {
    let mut entries = tree.entries().to_vec();
    entries.retain(|known| !keys.contains(&&*known.key));
    Node::map(tree.id, entries)
}

fn autoscaler(tree: &mut Node, convert: fn(&Node) -> Node) {
    if let Some(spec) = tree.get("spec") {
        let spec = convert(spec);
        set(tree, "spec", spec);
    }
}

/// Version 1 has one metric, the use of processors; what else version 2 has stands in annotations there.
fn to_v1(spec: &Node) -> Node {
    let metrics = spec.get("metrics").and_then(Node::as_list).unwrap_or(&[]);
    let of_cpu = metrics.iter().find_map(|metric| {
        let resource = metric.get("resource")?;
        let is_cpu = resource.get("name").and_then(Node::as_str) == Some("cpu");
        resource
            .at(&["target", "averageUtilization"])
            .filter(|_| is_cpu)
    });
    let mut converted = without(spec, &["metrics", "behavior"]);
    if let Some(target) = of_cpu {
        set(
            &mut converted,
            "targetCPUUtilizationPercentage",
            target.clone(),
        );
    }
    converted
}

fn to_v2(spec: &Node) -> Node {
    let mut converted = without(spec, &["targetCPUUtilizationPercentage"]);
    let text = |text: &str| Node::text(NodeId::NONE, text);
    let map = |entries| Node::map(NodeId::NONE, entries);
    if let Some(target) = spec.get("targetCPUUtilizationPercentage") {
        let target = map(vec![
            entry("type", text("Utilization")),
            entry("averageUtilization", target.clone()),
        ]);
        let resource = map(vec![entry("name", text("cpu")), entry("target", target)]);
        let metric = map(vec![
            entry("type", text("Resource")),
            entry("resource", resource),
        ]);
        set(
            &mut converted,
            "metrics",
            Node::new(NodeId::NONE, Yaml::List(vec![metric].into())),
        );
    }
    converted
}

#[cfg(test)]
mod tests {
    use super::SERVED;

    #[test]
    fn the_table_can_be_read() {
        assert!(SERVED.len() > 30, "{}", SERVED.len());
    }
}
