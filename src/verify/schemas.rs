//! The schemas of each cluster: its own API dump where there is one, else the built-in kinds; and
//! the CRDs that it names.

use std::collections::BTreeMap;

use crate::model::kinds::Catalog;
use tenantry_engine::records::Records;
use tenantry_engine::schema::Minor;
use tenantry_engine::schema::{SchemaRule, SchemaSet};
use tenantry_kubernetes::schemas::{ObjectSchemas, built_in};
use tenantry_kubernetes::versions;
use tenantry_syntax::diagnostics::catalogue::load as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_validation::Overlay;
use tenantry_validation::{KnownKind, ReplayWork};

/// The schemas of all clusters.
#[derive(Debug, Default)]
pub struct Schemas {
    clusters: BTreeMap<String, ClusterSchemas>,
    /// What was judged of objects by schemas.
    pub(super) structures: Records<()>,
    /// What was judged of objects by validation.
    pub(super) objects: Records<ReplayWork>,
    /// What was judged of pods by admission.
    pub(super) pods: Records<ReplayWork>,
}

#[derive(Debug, Default)]
struct ClusterSchemas {
    minor: Option<Minor>,
    apis: Vec<String>,
    dump: Option<ObjectSchemas>,
    crds: ObjectSchemas,
}

impl Schemas {
    /// Reads the schemas that clusters name; `files` are their texts by path.
    pub fn new(
        catalog: &Catalog,
        files: &BTreeMap<String, Result<String, String>>,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Schemas {
        let mut schemas = Schemas::default();
        for cluster in &catalog.clusters {
            let mut own = ClusterSchemas {
                minor: versions::minor(&cluster.spec.kubernetes_version),
                apis: cluster.spec.apis.clone(),
                ..ClusterSchemas::default()
            };
            let mut unreadable = |path: &str, place, why: &str| {
                sink.push(
                    Diagnostic::new(
                        codes::UNREADABLE_FILE,
                        format!("the file `{path}` cannot be read: {why}"),
                    )
                    .at(sources.span(place), "named here")
                    .help("write the path from the repository's root, to a file that is in it"),
                );
            };
            if let Some(path) = &cluster.spec.openapi {
                let mut dump = ObjectSchemas::default();
                let text = files
                    .get(path)
                    .cloned()
                    .unwrap_or_else(|| Err("it was not read".to_owned()));
                match text.and_then(|text| {
                    dump.add_openapi(&text).map_err(|_| {
                        "it is not what `kubectl get --raw /openapi/v2` prints, nor documents of `/openapi/v3`"
                            .to_owned()
                    })
                }) {
                    Ok(()) => own.dump = Some(dump),
                    Err(why) => unreadable(path, cluster.fields().openapi().place(), &why),
                }
            }
            for (at, path) in cluster.spec.crds.iter().enumerate() {
                let place = cluster.fields().crds().item(at).place();
                let text = files
                    .get(path)
                    .cloned()
                    .unwrap_or_else(|| Err("it was not read".to_owned()));
                if let Err(why) = text.and_then(|text| own.crds.add_crds(&text)) {
                    unreadable(path, place, &why);
                }
            }
            schemas.clusters.insert(cluster.name.clone(), own);
        }
        schemas
    }

    /// The rule of a kind in a cluster.
    pub fn find(
        &self,
        cluster: &str,
        api_version: &str,
        kind: &str,
    ) -> Option<(&SchemaRule, &SchemaSet)> {
        let own = self.clusters.get(cluster);
        let first = match own.and_then(|own| own.dump.as_ref()) {
            Some(dump) => dump.find(api_version, kind),
            None => built_in().find(api_version, kind),
        };
        first.or_else(|| own?.crds.find(api_version, kind))
    }

    /// Whether a cluster's `apis` list a kind.
    pub fn is_listed(&self, cluster: &str, api_version: &str, kind: &str) -> bool {
        let apis = self.clusters.get(cluster).map_or(&[][..], |own| &own.apis);
        apis.iter().any(|api| {
            let rest = api.strip_prefix(api_version);
            rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/') == Some(kind))
        })
    }

    /// What is known of a kind beyond its schema.
    pub fn known(&self, cluster: &str, api_version: &str, kind: &str) -> KnownKind<'_> {
        if let Some(definition) = built_in().definition(api_version, kind) {
            return KnownKind::BuiltIn(definition);
        }
        let own = self.clusters.get(cluster);
        let sets = own.map(|own| [own.dump.as_ref(), Some(&own.crds)]);
        for schemas in sets.into_iter().flatten().flatten() {
            if let Some(overlay) = Overlay::of_custom(schemas, api_version, kind) {
                return KnownKind::Custom(overlay, schemas);
            }
        }
        KnownKind::Nothing
    }

    /// The minor version of Kubernetes that a cluster has; the newest, if it is not known.
    pub fn minor(&self, cluster: &str) -> Minor {
        let own = self.clusters.get(cluster);
        own.and_then(|own| own.minor).unwrap_or(Minor::MAX)
    }

    /// The schemas of the custom resources of each cluster.
    pub fn custom(&self) -> BTreeMap<&str, &ObjectSchemas> {
        let clusters = self.clusters.iter();
        clusters.map(|(name, own)| (&**name, &own.crds)).collect()
    }

    /// Whether a cluster's own API dump judges.
    pub fn has_dump(&self, cluster: &str) -> bool {
        self.clusters
            .get(cluster)
            .is_some_and(|own| own.dump.is_some())
    }
}
