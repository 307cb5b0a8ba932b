//! A manifest: the structure that a template wrote, with values in its holes.
//!
//! The structure (the skeleton) is parsed once and shared by all manifests of the same form;
//! a [`View`] reads both as one tree, without building it.

use std::borrow::Cow;
use std::sync::Arc;

use super::hole::Holes;
use super::view::View;
use crate::origin::Past;
use tenantry_syntax::yaml::{NodeId, Value};

/// A line of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateLine {
    /// The template's file, as an index into the source map; `u32::MAX` for no template.
    pub file: u32,
    /// From 1.
    pub line: u32,
}

impl TemplateLine {
    /// No template printed it.
    pub const NONE: TemplateLine = TemplateLine {
        file: u32::MAX,
        line: 0,
    };
}

/// A node of a skeleton.
#[derive(Clone, Debug)]
pub struct SkeletonNode {
    /// What stands here.
    pub kind: PartKind,
    /// The template line that wrote it.
    pub line: TemplateLine,
    /// The stretches of the text that it stands in, or that end in it, and that something decided about.
    pub regions: Box<[u32]>,
    /// The holes in the keys that lead here: what is printed there decides that this stands here.
    pub keys: Box<[usize]>,
}

impl SkeletonNode {
    /// The position of the hole that this is, if it is one.
    pub fn hole(&self) -> Option<usize> {
        match self.kind {
            PartKind::Hole(at) => Some(at),
            _ => None,
        }
    }

    /// The fields, if this is a mapping.
    pub fn fields(&self) -> &[SkeletonField] {
        match &self.kind {
            PartKind::Map(fields) => fields,
            PartKind::OpenMap(fields) => fields,
            _ => &[],
        }
    }
}

/// What stands at a node of a skeleton.
#[derive(Clone, Debug)]
pub enum PartKind {
    /// The template's own scalar.
    Scalar(Value),
    /// A hole that keeps its value's type; a map or list fills it as a subtree.
    Hole(usize),
    /// Text with holes; always a string.
    Text(Vec<TextPiece>),
    /// A sequence.
    List(Vec<SkeletonNode>),
    /// A mapping whose keys are all the template's own, in canonical order.
    Map(SkeletonFields),
    /// A mapping with computed keys or spreads, in the template's order.
    OpenMap(Vec<SkeletonField>),
}

/// A key and its value in a skeleton.
#[derive(Clone, Debug)]
pub struct SkeletonField {
    /// The key.
    pub key: FieldKey,
    /// The value.
    pub value: SkeletonNode,
}

/// The fields of a mapping whose keys are all the template's own.
#[derive(Clone, Debug)]
pub struct SkeletonFields {
    fields: Vec<SkeletonField>,
    /// A number for each key, beside one another: looking up reads one line of the cache, not all
    /// fields. Measured: a fifth of what judging by a hundred rules takes.
    fingerprints: Vec<u32>,
}

impl SkeletonFields {
    /// Fields in canonical order.
    pub fn new(fields: Vec<SkeletonField>) -> SkeletonFields {
        let fingerprints = fields.iter().map(|field| match &field.key {
            FieldKey::Literal(key) => fingerprint(key),
            FieldKey::Text(_) | FieldKey::Spread => 0,
        });
        SkeletonFields {
            fingerprints: fingerprints.collect(),
            fields,
        }
    }

    /// The value of a key.
    pub fn get(&self, wanted: &str) -> Option<&SkeletonNode> {
        let print = fingerprint(wanted);
        let found = self.fingerprints.iter().zip(&self.fields);
        found
            .filter(|(known, _)| **known == print)
            .map(|(_, field)| field)
            .find(|field| matches!(&field.key, FieldKey::Literal(key) if **key == *wanted))
            .map(|field| &field.value)
    }
}

impl std::ops::Deref for SkeletonFields {
    type Target = [SkeletonField];

    fn deref(&self) -> &[SkeletonField] {
        &self.fields
    }
}

/// The length of a key, and its first, middle and last byte.
fn fingerprint(key: &str) -> u32 {
    let bytes = key.as_bytes();
    let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
    let length = u32::try_from(bytes.len() & 0xff).unwrap_or(0);
    length | at(0) << 8 | at(bytes.len() / 2) << 16 | at(bytes.len().wrapping_sub(1)) << 24
}

/// A key in a skeleton.
#[derive(Clone, Debug)]
pub enum FieldKey {
    /// The template's own.
    Literal(Arc<str>),
    /// Text with holes.
    Text(Vec<TextPiece>),
    /// `<<`: the value's entries stand here.
    Spread,
}

/// A stretch of text with holes.
#[derive(Clone, Debug)]
pub enum TextPiece {
    /// The template's own.
    Literal(Box<str>),
    /// A hole.
    Hole(usize),
}

/// One document of a template, with the holes of one rendering.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The structure of the template's documents.
    pub skeleton: Arc<Vec<SkeletonNode>>,
    /// Which of them.
    pub document: usize,
    /// The values.
    pub holes: Arc<Holes>,
}

impl Manifest {
    /// The whole document.
    pub fn root(&self) -> View<'_> {
        View::Part {
            part: &self.skeleton[self.document],
            holes: &self.holes,
        }
    }

    /// `apiVersion`, or nothing.
    pub fn api_version(&self) -> Cow<'_, str> {
        self.root().api_version()
    }

    /// `kind`, or nothing.
    pub fn kind(&self) -> Cow<'_, str> {
        self.root().object_kind()
    }

    /// `metadata.name`, or nothing.
    pub fn name(&self) -> Cow<'_, str> {
        self.root().object_name()
    }

    /// `metadata.namespace`, or nothing.
    pub fn namespace(&self) -> Cow<'_, str> {
        self.root().namespace()
    }

    /// All input values that the template looked at.
    pub fn read(&self) -> Vec<NodeId> {
        self.holes.past.as_ref().map_or_else(Vec::new, Past::read)
    }

    /// `Deployment/web`, for people.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind(), self.name())
    }
}

/// What a template is rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateScope {
    /// Once for each cluster in each environment.
    Cluster,
    /// Once for each tenant in each environment on each cluster.
    Tenant,
    /// Once for each component of a tenant in each environment on each cluster.
    Component,
    /// Once for each pipeline of a tenant in each environment on each cluster.
    Pipeline,
    /// Once for each job of such a pipeline.
    PipelineJob,
    /// Like tenant, for the objects of the delivery engine, which live elsewhere.
    Delivery,
    /// Like cluster, for the objects of the delivery engine.
    ClusterDelivery,
    /// Once for each folder of the output.
    Folder,
    /// Like cluster, for files that an API server reads when it starts.
    ApiServer,
    /// Like tenant, for pages that people read.
    Runbook,
    /// Like component, for pages that people read.
    ComponentRunbook,
}

impl TemplateScope {
    /// Whether what it makes are objects of a cluster, and not files for something or somebody else.
    pub fn makes_objects(self) -> bool {
        !matches!(
            self,
            TemplateScope::ApiServer | TemplateScope::Runbook | TemplateScope::ComponentRunbook
        )
    }
}

/// A manifest and where it belongs.
#[derive(Debug)]
pub struct Rendered {
    /// The manifest.
    pub manifest: Manifest,
    /// What kind of thing it was rendered for.
    pub scope: TemplateScope,
    /// The position of the instance in its unit, for scope component.
    pub instance: Option<usize>,
    /// The position of the pipeline in its unit, for scope pipeline.
    pub pipeline: Option<usize>,
    /// Whether it is part of the output. What is not is what something in the cluster makes of what
    /// is, such as the pods of a workflow: it is judged, and not written.
    pub is_written: bool,
    /// The template's path below `templates/`.
    pub template: Arc<str>,
    /// What it was before patches changed it; nothing if none did.
    pub unpatched: Option<Manifest>,
}

/// The objects among what was rendered for a unit: files for something or somebody else come last.
pub fn objects(rendered: &[Rendered]) -> &[Rendered] {
    &rendered[..rendered.partition_point(|one| one.scope.makes_objects())]
}
