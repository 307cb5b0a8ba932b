//! What a review is made of: changes of the input, the changes of objects that they cause, and
//! their risks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use tenantry_engine::manifest::Manifest;
use tenantry_engine::view::View;
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_kubernetes::object_id::ObjectId;
use tenantry_kubernetes::versions::group;
use tenantry_syntax::diagnostics::catalogue::review as codes;
use tenantry_syntax::diagnostics::{Code, Diagnostic};
use tenantry_syntax::yaml::Node;

/// Everything that a review says.
#[derive(Debug, Default)]
pub struct Review {
    /// What the base is, for people: `main at 1a2b3c4`.
    pub base: String,
    /// What the head is: `the working tree`.
    pub head: String,
    /// What changed in the input.
    pub inputs: Vec<InputChange>,
    /// Places that values come from; changes name them by their position here.
    pub origins: Vec<Origin>,
    /// Each object that changed, sorted by place.
    pub objects: Vec<ObjectChange>,
    /// The same, folded: one group for each cause, the worst first.
    pub groups: Vec<ChangeGroup>,
    /// What may go wrong, the worst first.
    pub risks: Vec<Risk>,
    /// Findings that are there now and were not before.
    pub new_findings: Vec<Diagnostic>,
    /// Findings that were there before and are gone.
    pub fixed_findings: Vec<Diagnostic>,
    /// Findings that were there before and still are.
    pub old_findings: Vec<Diagnostic>,
    /// Findings of policies that a waiver accepts now, and did not before; they are among the new ones.
    pub newly_waived: Vec<Diagnostic>,
    /// Whether findings of both sides are known.
    pub findings_compared: bool,
    /// Whether the base has errors, so that risks may be hidden.
    pub is_incomplete: bool,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
    /// What workloads cost in a month, by tenant and environment, where that changed.
    pub costs: Vec<CostChange>,
    /// The currency of costs.
    pub currency: String,
    /// How many objects the head has.
    pub compared: usize,
}

/// Where an object or change belongs; a part that does not apply is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ChangePlace {
    /// The environment.
    pub environment: Arc<str>,
    /// The cluster.
    pub cluster: Arc<str>,
    /// The tenant.
    pub tenant: Arc<str>,
    /// The component.
    pub component: Arc<str>,
}

impl fmt::Display for ChangePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            &self.environment,
            &self.cluster,
            &self.tenant,
            &self.component,
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(|part| &**part)
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&parts.join("/"))
    }
}

/// An object of one side.
#[derive(Clone, Debug)]
pub struct Object {
    /// Where it belongs.
    pub place: ChangePlace,
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub body: Body,
}

/// All of an object.
#[derive(Clone, Debug)]
pub enum Body {
    /// As a template rendered it.
    Manifest(Manifest),
    /// As it was read.
    Tree(Node),
}

impl Object {
    /// What `apiVersion`, `kind` and `metadata` say of an object.
    pub fn new(place: ChangePlace, body: Body) -> Object {
        let root = body.view();
        Object {
            place,
            api_version: root.api_version().into_owned(),
            kind: root.object_kind().into_owned(),
            namespace: root.namespace().into_owned(),
            name: root.object_name().into_owned(),
            body,
        }
    }

    /// What an API server knows the object by.
    pub fn id(&self) -> ObjectId {
        ObjectId {
            group: group(&self.api_version).to_owned(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// The whole object.
    pub fn root(&self) -> View<'_> {
        self.body.view()
    }

    /// `Deployment/web`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

impl Body {
    /// The whole object.
    pub fn view(&self) -> View<'_> {
        match self {
            Body::Manifest(manifest) => manifest.root(),
            Body::Tree(node) => View::of(node),
        }
    }
}

/// A change of one field.
#[derive(Clone, Debug, Default)]
pub struct FieldChange {
    /// Which field.
    pub path: FieldPath,
    /// What was there; nothing if there was nothing. For a reorder, the keys of the items.
    pub before: Option<Json>,
    /// What is there now. For a reorder, the keys of the items.
    pub after: Option<Json>,
    /// The position of an item that was added to a list whose order matters.
    pub position: Option<usize>,
    /// Whether the same items only come in another order.
    pub reordered: bool,
    /// Whether it is secret, so that values are not there to be shown.
    pub secret: bool,
    /// Where the value came from before: positions in [`Review::origins`].
    pub before_origins: Vec<usize>,
    /// Where it comes from now.
    pub after_origins: Vec<usize>,
    /// The changes of the input that it follows from: positions in [`Review::inputs`].
    pub causes: Vec<usize>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ObjectOperation {
    /// It is gone.
    Removed,
    /// It is new.
    Added,
    /// It has another name or namespace: the old one is removed and a new one is made.
    Renamed,
    /// It has other fields.
    Changed,
}

impl ObjectOperation {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            ObjectOperation::Removed => "removed",
            ObjectOperation::Added => "added",
            ObjectOperation::Renamed => "renamed",
            ObjectOperation::Changed => "changed",
        }
    }
}

/// What happened to one object.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// The object in the base.
    pub before: Option<Object>,
    /// The object in the head.
    pub after: Option<Object>,
    /// The fields that differ; for an object that was added or removed, none.
    pub fields: Vec<FieldChange>,
    /// What an added or removed object follows from: positions in [`Review::inputs`].
    pub causes: Vec<usize>,
    /// The template line of an added or removed object: a position in [`Review::origins`].
    pub origin: Option<usize>,
    /// The risks that it has.
    pub risks: Vec<ObjectRisk>,
}

impl ObjectChange {
    /// The head's object, or the base's where it is gone.
    ///
    /// # Panics
    /// Never: a change has at least one side.
    pub fn object(&self) -> &Object {
        match (&self.after, &self.before) {
            (Some(object), _) | (None, Some(object)) => object,
            (None, None) => unreachable!("a change has a side"),
        }
    }

    /// What happened.
    pub fn operation(&self) -> ObjectOperation {
        match (&self.before, &self.after) {
            (Some(_), None) => ObjectOperation::Removed,
            (None, Some(_) | None) => ObjectOperation::Added,
            (Some(a), Some(b)) if (&a.name, &a.namespace) != (&b.name, &b.namespace) => {
                ObjectOperation::Renamed
            }
            (Some(_), Some(_)) => ObjectOperation::Changed,
        }
    }

    /// Everything that it follows from.
    pub fn all_causes(&self) -> BTreeSet<usize> {
        let fields = self.fields.iter().flat_map(|field| &field.causes);
        self.causes.iter().chain(fields).copied().collect()
    }
}

/// A class of risks, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskClass {
    /// What holds data, or other objects, goes away.
    Destroy,
    /// The API server refuses the update, or the object is made anew.
    Replace,
    /// Somebody or something can reach or do more.
    Exposure,
    /// Data is kept shorter, less safely or elsewhere.
    Data,
    /// Rules, locks or rights are weaker.
    Governance,
    /// More is asked for than there is.
    Capacity,
    /// It costs more.
    Cost,
    /// Pods are replaced.
    Restart,
}

impl RiskClass {
    /// All classes, the worst first.
    pub const ALL: [RiskClass; 8] = [
        RiskClass::Destroy,
        RiskClass::Replace,
        RiskClass::Exposure,
        RiskClass::Data,
        RiskClass::Governance,
        RiskClass::Capacity,
        RiskClass::Cost,
        RiskClass::Restart,
    ];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            RiskClass::Destroy => "destroy",
            RiskClass::Replace => "replace",
            RiskClass::Exposure => "exposure",
            RiskClass::Data => "data",
            RiskClass::Governance => "governance",
            RiskClass::Capacity => "capacity",
            RiskClass::Cost => "cost",
            RiskClass::Restart => "restart",
        }
    }

    /// Its entry in the catalogue of codes.
    pub fn code(self) -> Code {
        match self {
            RiskClass::Destroy => codes::DESTROY,
            RiskClass::Replace => codes::REPLACE,
            RiskClass::Exposure => codes::EXPOSURE,
            RiskClass::Data => codes::DATA,
            RiskClass::Governance => codes::GOVERNANCE,
            RiskClass::Capacity => codes::CAPACITY,
            RiskClass::Cost => codes::COST,
            RiskClass::Restart => codes::RESTART,
        }
    }
}

/// A risk of one object's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRisk {
    /// Its class.
    pub class: RiskClass,
    /// What may happen, without the object's name, so that the same reads the same everywhere.
    pub message: String,
    /// The fields that show it: positions in [`ObjectChange::fields`]; none for what concerns the
    /// object as a whole.
    pub fields: Vec<usize>,
}

/// A risk of the whole change, told once for all objects that share it.
#[derive(Clone, Debug)]
pub struct Risk {
    /// Its class.
    pub class: RiskClass,
    /// What may happen.
    pub message: String,
    /// The objects: positions in [`Review::objects`]; none for what concerns the input itself.
    pub objects: Vec<usize>,
    /// The changes of the input that it follows from.
    pub causes: Vec<usize>,
}

/// A place that a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The file, from the repository's root; of a folder of manifests, from there.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// Who sets it: `tier gold`, `tenant globex in production`, `template`.
    pub layer: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file's name may hold a line break.
        write!(f, "{}:{}", self.path.replace(['\n', '\r'], "⏎"), self.line)
    }
}

/// What kind of input changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum InputKind {
    /// A field of a document.
    Document,
    /// A template.
    Template,
    /// A file that a document names.
    File,
}

/// What of the input changed. It is written as `Tenant globex`, `template component/deployment.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputSubject {
    /// A file of another kind, by its path.
    File(String),
    /// A template, by its path.
    Template(String),
    /// A document.
    Document(DocumentSubject),
}

impl InputSubject {
    /// The kind of a document.
    pub fn kind(&self) -> Option<&str> {
        match self {
            InputSubject::Document(document) => Some(&document.kind),
            InputSubject::File(_) | InputSubject::Template(_) => None,
        }
    }
}

impl fmt::Display for InputSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputSubject::File(path) => write!(f, "file {path}"),
            InputSubject::Template(path) => write!(f, "template {path}"),
            InputSubject::Document(document) => {
                f.write_str(format!("{} {}", document.kind, document.name).trim())
            }
        }
    }
}

impl Serialize for InputSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a document is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentSubject {
    /// Its kind, which may be none of ours.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Of a component, its version; else empty.
    pub version: String,
}

/// A change of the input.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputChange {
    /// What kind of input.
    pub kind: InputKind,
    /// What of the input.
    pub subject: InputSubject,
    /// The field, for documents: `spec.tier`; empty for all of it.
    pub field: String,
    /// What was there; nothing if there was nothing.
    pub before: Option<Json>,
    /// What is there now.
    pub after: Option<Json>,
    /// The line in the head; nothing if it is gone.
    pub after_place: Option<Origin>,
    /// The line in the base; nothing if it is new.
    pub before_place: Option<Origin>,
    /// Whether values may be secret, so that they are not shown.
    pub secret: bool,
    /// How many objects it moved.
    pub objects: usize,
}

impl InputChange {
    /// Where to look: in the head if it is there.
    pub fn place(&self) -> Option<&Origin> {
        self.after_place.as_ref().or(self.before_place.as_ref())
    }
}

/// All that follows from the same changes of the input.
#[derive(Clone, Debug, Default)]
pub struct ChangeGroup {
    /// Positions in [`Review::inputs`]; empty where the cause is not known.
    pub causes: Vec<usize>,
    /// What follows.
    pub entries: Vec<ChangeEntry>,
    /// How many objects that are.
    pub objects: usize,
    /// The worst risk in it.
    pub worst: Option<RiskClass>,
}

impl ChangeGroup {
    /// Whether it only repeats what others say.
    pub fn only_follows(&self) -> bool {
        let follows =
            |entry: &ChangeEntry| entry.path.as_ref().is_some_and(FieldPath::only_follows);
        self.entries.iter().all(follows)
    }
}

/// The same change in one or many objects.
#[derive(Clone, Debug)]
pub struct ChangeEntry {
    /// What happened.
    pub operation: ObjectOperation,
    /// The kinds of its objects; one, for objects that were added, removed or renamed.
    pub kinds: BTreeSet<String>,
    /// The field; nothing for an object that was added, removed or renamed.
    pub path: Option<FieldPath>,
    /// What was there and what is there now, with how many objects it concerns, the most first.
    pub variants: Vec<Variant>,
    /// Whether the values are secret.
    pub secret: bool,
    /// The objects: positions in [`Review::objects`].
    pub objects: Vec<usize>,
    /// By environment: how many tenants have it, and which do not although they could.
    pub spread: BTreeMap<Arc<str>, ChangeReach>,
    /// The classes of its risks.
    pub risks: BTreeSet<RiskClass>,
    /// Where the value came from before, in the first object.
    pub before_origins: Vec<usize>,
    /// Where it comes from now, in the first object.
    pub after_origins: Vec<usize>,
}

/// One way in which a field changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What was there.
    pub before: Option<Json>,
    /// What is there now.
    pub after: Option<Json>,
    /// In how many objects.
    pub count: usize,
}

/// How far a change reaches in one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeReach {
    /// The tenants that have it.
    pub tenants: BTreeSet<Arc<str>>,
    /// Tenants that run the same and do not have it, when they are few.
    pub except: BTreeSet<Arc<str>>,
    /// How many tenants run the same.
    pub of: usize,
}

/// What a tenant's workloads cost in a month in an environment, at the least and at the most
/// replicas. Jobs are not counted: nobody knows how long they will run.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CostChange {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The environment.
    pub environment: Arc<str>,
    /// Before, at the least and at the most replicas.
    pub before: [f64; 2],
    /// Now, at the least and at the most replicas.
    pub after: [f64; 2],
}
