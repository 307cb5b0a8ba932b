//! Between render and emit: the files of each unit, with the `kustomization.yaml` of each folder,
//! and which part of the output this run answers for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::CompileOptions;
use crate::emit::{self, EmitSummary, File, Mode};
use crate::model::instance::{Owner, Unit, UnitKey};
use crate::model::kinds::{DeliveryEngine, Granularity, Layout};
use crate::render::{self, Templates};
use crate::resolve::{Plan, Selection};
use tenantry_engine::manifest::{Rendered, TemplateScope};
use tenantry_syntax::diagnostics::{Sink, Sources};
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value};

/// Where the output goes.
#[derive(Clone, Debug)]
pub struct OutputOptions {
    /// The folder.
    pub folder: PathBuf,
    /// What is done with the files.
    pub mode: Mode,
}

/// A part of the output, so that several machines can share a build: 1 of 1 is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// Whether this part has what belongs to no tenant.
    pub fn is_first(self) -> bool {
        self.number == 1
    }

    /// Whether this part has a tenant.
    pub fn takes(self, tenant: &str) -> bool {
        // FNV-1a: the same on every machine, which the standard library's hasher does not promise.
        let hash = tenant.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        hash % self.of == self.number - 1
    }
}

/// Writes the files of units as they come.
pub struct Writer<'a> {
    output: emit::OutputFolder,
    templates: &'a Templates,
    selection: &'a Selection,
    shard: Shard,
    layout: Layout,
    granularity: Granularity,
    kustomize: bool,
    platform: Node,
    /// Tenant folders by cluster folder, and whether the cluster has files of its own.
    folders: Mutex<BTreeMap<String, BTreeSet<String>>>,
    units: Mutex<BTreeSet<UnitKey>>,
    forms: emit::Forms,
}

impl<'a> Writer<'a> {
    /// Opens the output.
    pub fn open(
        settings: &OutputOptions,
        plan: &Plan<'_>,
        templates: &'a Templates,
        options: &'a CompileOptions,
    ) -> io::Result<Writer<'a>> {
        let spec = &plan.platform.spec;
        let shard = options.shard;
        let part = if shard == Shard::WHOLE {
            String::new()
        } else {
            format!("-{}-of-{}", shard.number, shard.of)
        };
        Ok(Writer {
            output: emit::OutputFolder::open(
                &settings.folder,
                &plan.platform.name,
                settings.mode,
                &part,
            )?,
            templates,
            selection: &options.selection,
            shard,
            layout: spec.output.layout.unwrap_or(Layout::EnvironmentFirst),
            granularity: spec.output.granularity.unwrap_or(Granularity::Component),
            kustomize: spec.delivery.engine != Some(DeliveryEngine::None),
            platform: plan.platform.effective.clone(),
            folders: Mutex::default(),
            units: Mutex::default(),
            forms: emit::Forms::default(),
        })
    }

    /// Whether whole folders are made, so that what they list is complete.
    fn whole_units(&self) -> bool {
        self.selection.components.is_empty()
    }

    fn whole_clusters(&self) -> bool {
        self.whole_units() && self.selection.tenants.is_empty() && self.selection.labels.is_empty()
    }

    /// Writes the files of a unit.
    pub fn unit(
        &self,
        unit: &Unit,
        rendered: &[Rendered],
        sources: &Sources,
        sink: &mut Sink,
    ) -> io::Result<()> {
        let is_cluster = unit.key.tenant().is_none();
        if is_cluster && !self.whole_clusters() {
            return Ok(());
        }
        let mut files = emit::files(unit, rendered, self.layout, self.granularity, &self.forms);
        if !self.whole_units() {
            files.retain(|file| {
                rendered
                    .iter()
                    .any(|one| one.scope == TemplateScope::Component)
                    && !file.path.ends_with("/tenant.yaml")
                    && !file.path.ends_with("/README.md")
                    && !file.path.starts_with("delivery/")
            });
        }
        let folder = if is_cluster {
            emit::cluster_folder(self.layout, &unit.key)
        } else {
            emit::unit_folder(self.layout, &unit.key)
        };
        let prefix = format!("{folder}/");
        let mut resources: Vec<String> = files
            .iter()
            .filter_map(|file| file.path.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        // The tenant's own objects come first: its namespace among them.
        resources.sort_by_key(|path| (!path.starts_with("tenant."), path.clone()));
        if is_cluster {
            let mut folders = self.folders();
            folders.entry(folder).or_default().extend(resources);
        } else if self.whole_units() {
            files.extend(self.kustomization(&folder, resources, sources, sink));
        }
        for file in &files {
            self.output.put(&file.path, &file.body)?;
        }
        if !is_cluster {
            self.units
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .insert(unit.key.clone());
        }
        Ok(())
    }

    fn folders(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeSet<String>>> {
        self.folders
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The `kustomization.yaml` of a folder, by its template.
    fn kustomization(
        &self,
        folder: &str,
        resources: Vec<String>,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Option<File> {
        if !self.kustomize || resources.is_empty() {
            return None;
        }
        let items: Vec<Node> = resources
            .into_iter()
            .map(|path| Node::text(NodeId::NONE, path))
            .collect();
        let entry = |key: &str, value: Value| Entry {
            key: key.into(),
            key_id: NodeId::NONE,
            value: Node::new(NodeId::NONE, value),
        };
        let here = Node::map(
            NodeId::NONE,
            vec![
                entry("path", Value::String(folder.into())),
                entry("resources", Value::List(items.into())),
            ],
        );
        let rendered = render::folder(
            self.templates,
            &[("platform", self.platform.clone()), ("here", here)],
            sources,
            sink,
        );
        let mut body = String::new();
        for one in rendered {
            body.push_str("---\n");
            tenantry_engine::writer::write_document(one.manifest.root(), &mut body);
        }
        Some(File {
            path: format!("{folder}/kustomization.yaml"),
            body,
        })
    }

    /// Writes what belongs to clusters, and moves everything into place unless there were errors.
    pub fn finish(
        self,
        plan: &Plan<'_>,
        sources: &Sources,
        sink: &mut Sink,
    ) -> io::Result<EmitSummary> {
        if self.shard.is_first()
            && self.whole_clusters()
            && !sink.has_errors()
            && !sink.has_denials()
        {
            for cluster in &plan.clusters {
                let key = UnitKey {
                    environment: cluster.environment.name.clone(),
                    cluster: cluster.cluster.name.clone(),
                    owner: Owner::Cluster,
                };
                let folder = emit::cluster_folder(self.layout, &key);
                let mut resources: BTreeSet<String> =
                    self.folders().remove(&folder).unwrap_or_default();
                resources.extend(cluster.tenants.iter().map(|tenant| tenant.name.clone()));
                if let Some(file) =
                    self.kustomization(&folder, resources.into_iter().collect(), sources, sink)
                {
                    self.output.put(&file.path, &file.body)?;
                }
            }
        }
        let units = self
            .units
            .lock()
            .map(|units| units.clone())
            .unwrap_or_default();
        let (layout, shard, selection) = (self.layout, self.shard, self.selection);
        let environments: BTreeSet<String> = plan
            .clusters
            .iter()
            .map(|cluster| cluster.environment.name.clone())
            .collect();
        let owns = move |path: &str| owns(path, layout, shard, selection, &units, &environments);
        let failed = sink.has_errors() || sink.has_denials();
        self.output.finish(failed, &owns, sink)
    }
}

/// Whether a run answers for a path, so that it may remove what it no longer makes there.
fn owns(
    path: &str,
    layout: Layout,
    shard: Shard,
    selection: &Selection,
    units: &BTreeSet<UnitKey>,
    environments: &BTreeSet<String>,
) -> bool {
    let Some(key) = emit::unit_of(layout, path) else {
        return selection.is_everything() && shard.is_first();
    };
    if !selection.cluster(&key.cluster) {
        return false;
    }
    let in_shard = key
        .tenant()
        .map_or_else(|| shard.is_first(), |tenant| shard.takes(tenant));
    if selection.is_everything() {
        return in_shard;
    }
    if !selection.components.is_empty() {
        return false;
    }
    let by_environment = selection.tenants.is_empty() && selection.labels.is_empty();
    if by_environment {
        return in_shard && environments.contains(&key.environment);
    }

    in_shard && units.contains(&key)
}
