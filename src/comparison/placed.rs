//! A base of rendered manifests: which unit each object belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use crate::emit;
use crate::load::manifests::ManifestFile;
use crate::model::change::{Body, ChangePlace, Object};
use crate::model::instance::UnitKey;
use crate::model::kinds::{Layout, Platform};
use crate::resolve::{Plan, Selection};
use crate::review::causes::Traced;
use crate::review::objects;
use tenantry_kubernetes::generated;
use tenantry_syntax::diagnostics::{Sink, Sources};
use tenantry_syntax::yaml::Node;

/// Objects that were read, by the unit that they belong to.
pub(super) type Placed = BTreeMap<Option<UnitKey>, Vec<Traced>>;

/// A base of manifests that cannot be read, or is none, would make everything look new.
pub(super) fn readable(files: &[ManifestFile], sink: &Sink, sources: &Sources) -> io::Result<()> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    if let Some(finding) = sink.clone().finish(sources).first() {
        let place = finding.primary.as_ref().map_or_else(String::new, |label| {
            let line = sources.position(label.span.file, label.span.start).line;
            format!("{}:{line}: ", sources.path(label.span.file))
        });
        return refuse(format!(
            "the base is no valid YAML: {place}{}",
            finding.message
        ));
    }
    if files.is_empty() {
        return refuse("the base holds no manifests: no document with `apiVersion`, `kind` and `metadata.name`".to_owned());
    }
    Ok(())
}

/// What was read, by the unit whose folder it lies in; what has no place, under none.
pub(super) fn placed(
    files: Vec<ManifestFile>,
    platform: Option<&Platform>,
    plan: Option<&Plan<'_>>,
) -> Placed {
    let layout = platform.and_then(|platform| platform.output.layout);
    let layout = layout.unwrap_or(Layout::EnvironmentFirst);
    let clusters: BTreeSet<(String, String)> = plan
        .into_iter()
        .flat_map(|plan| &plan.clusters)
        .map(|cluster| {
            (
                cluster.environment.name.clone(),
                cluster.cluster.name.clone(),
            )
        })
        .collect();
    let mut placed = Placed::new();
    for file in files {
        let key = emit::unit_of(layout, &file.path);
        let key =
            key.filter(|key| clusters.contains(&(key.environment.clone(), key.cluster.clone())));
        let labels = file.tree.at(&["metadata", "labels"]);
        let component = labels.and_then(|labels| labels.get("app.kubernetes.io/name"));
        let place = ChangePlace {
            component: component.and_then(Node::as_str).unwrap_or_default().into(),
            ..key.as_ref().map(objects::place_of).unwrap_or_default()
        };
        placed.entry(key).or_default().push(Traced {
            object: Object::new(place, Body::Tree(file.tree)),
            provenance: None,
            layers: None,
            documents: Arc::default(),
        });
    }
    placed
}

/// Whether an object of a base without places is one of those that are compared, so that it is removed where the head
/// lacks it: of what a cluster holds, only what is ours and is selected.
pub(super) fn belongs(object: &Object, plan: Option<&Plan<'_>>, selection: &Selection) -> bool {
    let root = object.root();
    if !generated::is_live(root) {
        return true;
    }
    let Some(plan) = plan.filter(|_| generated::is_ours(root) && !generated::is_generated(root))
    else {
        return false;
    };
    let prefix = &plan.platform.spec.label_prefix.0;
    let own = |name: &str| root.label(&format!("{prefix}/{name}"));
    let (environment, tenant) = (own("environment"), own("tenant"));
    let mut clusters = plan.clusters.iter();
    let is_here =
        environment.is_empty() || clusters.any(|one| one.environment.name == *environment);
    let by_tenant = !selection.tenants.is_empty() || !selection.labels.is_empty();
    let mut units = plan.units.iter();
    let is_selected = !by_tenant || units.any(|unit| unit.tenant.name == *tenant);
    let component = root.label("app.kubernetes.io/name");
    is_here && is_selected && selection.component(&component)
}

/// What a cluster holds says nothing of other clusters.
pub(super) fn cluster_note(objects: &[Traced], plan: Option<&Plan<'_>>) -> Option<String> {
    let clusters: BTreeSet<&str> = plan
        .into_iter()
        .flat_map(|plan| &plan.clusters)
        .map(|cluster| cluster.cluster.name.as_str())
        .collect();
    let is_live = objects
        .iter()
        .any(|one| generated::is_live(one.object.root()));
    (is_live && clusters.len() > 1).then(|| {
        "the base is what a cluster holds, and several clusters are selected: select its own with `--cluster`".to_owned()
    })
}
