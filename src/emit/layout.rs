//! Which manifest goes into which file, in apply order.

use std::collections::BTreeMap;

use super::forms::Forms;
use crate::model::instance::{Owner, Unit, UnitKey};
use crate::model::kinds::{Granularity, Layout};
use tenantry_engine::manifest::{Rendered, TemplateScope};

/// A file of the output.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the output folder.
    pub path: String,
    /// Its text, without the header.
    pub body: String,
}

/// The order in which kinds are applied: what others need comes first. After Helm's `InstallOrder`
/// (<https://github.com/helm/helm/blob/main/pkg/release/util/kind_sorter.go>).
const APPLY_ORDER: [&str; 30] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ExternalSecret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "Rollout",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
];

/// Folders beside those of the units, each with folders of units in it.
const APART: [&str; 3] = ["delivery/", "runbooks/", "api-server/"];

/// The unit that a file of the output belongs to, by its path; nothing for files of no unit.
pub fn unit_of(layout: Layout, path: &str) -> Option<UnitKey> {
    let below = APART.iter().find_map(|folder| path.strip_prefix(folder));
    let parts: Vec<&str> = below.unwrap_or(path).split('/').collect();
    let stem = |file: &'_ str| file.trim_end_matches(".yaml").to_owned();
    let tenant = |name: &str| Owner::Tenant(name.to_owned());
    let (first, second, owner) = match parts.as_slice() {
        [first, second, name, _, ..] => (*first, (*second).to_owned(), tenant(name)),
        // delivery/<environment>/<cluster>/<tenant>.yaml
        [first, second, file] if path.starts_with("delivery/") => {
            (*first, (*second).to_owned(), Owner::Tenant(stem(file)))
        }
        // delivery/<environment>/<cluster>.yaml
        [first, file] if path.starts_with("delivery/") => (*first, stem(file), Owner::Cluster),
        [first, second, _] => (*first, (*second).to_owned(), Owner::Cluster),
        _ => return None,
    };
    let (environment, cluster) = match layout {
        Layout::EnvironmentFirst => (first.to_owned(), second),
        Layout::ClusterFirst => (second, first.to_owned()),
    };
    Some(UnitKey {
        environment,
        cluster,
        owner,
    })
}

/// The folder of a unit.
pub fn unit_folder(layout: Layout, key: &UnitKey) -> String {
    format!("{}/{}", cluster_folder(layout, key), key.tenant_name())
}

/// The folder of a cluster in an environment.
pub fn cluster_folder(layout: Layout, key: &UnitKey) -> String {
    match layout {
        Layout::EnvironmentFirst => format!("{}/{}", key.environment, key.cluster),
        Layout::ClusterFirst => format!("{}/{}", key.cluster, key.environment),
    }
}

/// The files of a unit's manifests.
pub fn files(
    unit: &Unit,
    rendered: &[Rendered],
    layout: Layout,
    granularity: Granularity,
    forms: &Forms,
) -> Vec<File> {
    let folder = if unit.key.tenant().is_none() {
        cluster_folder(layout, &unit.key)
    } else {
        unit_folder(layout, &unit.key)
    };
    let mut groups: BTreeMap<String, Vec<&Rendered>> = BTreeMap::new();
    let mut pages = Vec::new();
    for one in rendered.iter().filter(|one| one.is_written) {
        let component = one
            .instance
            .and_then(|at| unit.instances.get(at))
            .map_or("", |instance| &instance.component);
        let (stem, split) = match one.scope {
            TemplateScope::Cluster => (format!("{folder}/cluster"), true),
            TemplateScope::Tenant | TemplateScope::Folder => (format!("{folder}/tenant"), true),
            // A component may have the name of one of our own files.
            TemplateScope::Component | TemplateScope::PipelineJob => {
                (format!("{folder}/{}", component_stem(component)), true)
            }
            TemplateScope::Pipeline => {
                let pipeline = one.pipeline.and_then(|at| unit.pipelines.get(at));
                let name = pipeline.map_or("", |pipeline| &pipeline.name);
                (format!("{folder}/pipeline-{name}"), true)
            }
            // Nothing applies them, so they lie apart.
            TemplateScope::ApiServer => {
                // Not all that an API server reads has a name.
                let name = one.manifest.name();
                let name = if name.is_empty() {
                    one.manifest.kind().to_lowercase().into()
                } else {
                    name
                };
                let name = file_name(&name);
                (format!("api-server/{folder}/{name}"), false)
            }
            TemplateScope::Runbook | TemplateScope::ComponentRunbook => {
                let name = match one.scope {
                    TemplateScope::Runbook => "README",
                    _ => component,
                };
                pages.push(File {
                    path: format!("runbooks/{folder}/{name}.md"),
                    body: one.manifest.root().text_at(&["content"]).into_owned(),
                });
                continue;
            }
            TemplateScope::Delivery | TemplateScope::ClusterDelivery => {
                (format!("delivery/{folder}"), false)
            }
        };
        let path = match granularity {
            Granularity::Object if split => {
                format!(
                    "{stem}.{}.{}.yaml",
                    file_name(&one.manifest.kind().to_lowercase()),
                    file_name(&one.manifest.name())
                )
            }
            _ => format!("{stem}.yaml"),
        };
        groups.entry(path).or_default().push(one);
    }
    let manifests = groups.into_iter().map(|(path, mut manifests)| {
        manifests.sort_by_cached_key(|one| {
            let kind = one.manifest.kind().into_owned();
            let order = APPLY_ORDER
                .iter()
                .position(|known| *known == kind)
                .unwrap_or(APPLY_ORDER.len());
            (
                order,
                kind,
                one.manifest.name().into_owned(),
                one.manifest.namespace().into_owned(),
            )
        });
        let mut body = String::with_capacity(2048);
        for one in manifests {
            body.push_str("---\n");
            forms.write(&one.manifest, &mut body);
        }
        File { path, body }
    });
    manifests.chain(pages).collect()
}

/// The file name of a component, apart from those of the tenant's own files.
fn component_stem(component: &str) -> String {
    let is_ours = ["component-", "pipeline-"]
        .iter()
        .any(|own| component.starts_with(own));
    if matches!(component, "tenant" | "kustomization") || is_ours {
        format!("component-{component}")
    } else {
        component.to_owned()
    }
}

/// A name as part of a file's name: nothing that could lead elsewhere.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect()
}
