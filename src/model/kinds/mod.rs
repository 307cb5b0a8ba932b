//! The kinds of documents, one file each. The doc comments are what users read: they become the
//! JSON Schemas in `schemas/`, the texts of `tenantry explain` and the hints of editors.
//!
//! To add a kind: a file here with its spec type and what lists show of it, its `mod` line, and its line in `kinds!`.

pub mod alert_route;
pub mod cluster;
pub mod component;
pub mod connection;
pub mod context;
pub mod dataset;
pub mod environment;
pub mod framework;
pub mod grant;
pub mod monitoring;
pub mod patch;
pub mod pipeline;
pub mod platform;
pub mod policy;
pub mod recovery_plan;
pub mod role;
pub mod tenant;
pub mod tier;
pub mod waiver;
pub mod workload;

pub use alert_route::AlertRoute;
pub use cluster::{Cluster, NodePool, StorageClass};
pub use component::{Access, Clearance, Component, ComponentStatus, Dependency};
pub use connection::{Connection, Pattern};
pub use context::{Context, ContextLevel};
pub use dataset::{Contract, Dataset, PersonalData, QualityRule};
pub use environment::{Environment, Stage};
pub use framework::{Control, Framework};
pub use grant::Grant;
pub use monitoring::{Monitoring, Thresholds};
pub use patch::{Patch, PatchTarget};
pub use pipeline::{Pipeline, PipelineJob};
pub use platform::{
    DeliveryEngine, Enforcement, Granularity, Layout, Naming, Platform, PolicyPack, Pricing,
};
pub use policy::Policy;
pub use recovery_plan::{Drills, RecoveryMode, RecoveryPlan, Spot};
pub use role::{Constraints, Role};
pub use tenant::{BillingModel, Isolation, Limits, Subscription, Tenant, TenantStatus};
pub use tier::Tier;
pub use waiver::{Waiver, WaiverSubject};
pub use workload::{Workload, WorkloadType};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::catalog::{Document, Documents};
use super::field::Field;
use super::listing::{self, Listing, Wanted};
use super::reference::References;
use tenantry_syntax::yaml::{Node, NodeId};

/// A spec that documents can hold.
pub trait Kind: serde::de::DeserializeOwned + JsonSchema {
    /// As it is written after `kind:`.
    const KIND: &'static str;
    /// As `tenantry find` takes it: `alert-routes`.
    const PLURAL: &'static str;
    /// As a value.
    const NAME: KindName;

    /// The documents of this kind.
    fn documents(catalog: &Catalog) -> &Documents<Self>;
}

/// Lists the kinds: their catalog, their schemas, and how a document becomes one.
macro_rules! kinds {
    ($($kind:ident $plural:ident $listed:literal;)*) => {
        $(
            impl Kind for $kind {
                const KIND: &'static str = stringify!($kind);
                const PLURAL: &'static str = $listed;
                const NAME: KindName = KindName::$kind;

                fn documents(catalog: &Catalog) -> &Documents<$kind> {
                    &catalog.$plural
                }
            }
        )*

        /// The names of all kinds.
        pub const KINDS: &[&str] = &[$(stringify!($kind)),*];

        /// A kind, of those that there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KindName {
            $(
                #[doc = stringify!($kind)]
                $kind,
            )*
        }

        impl KindName {
            /// All of them.
            pub const ALL: &[KindName] = &[$(KindName::$kind),*];

            /// The kind that a text names.
            pub fn parse(text: &str) -> Option<KindName> {
                match text {
                    $(stringify!($kind) => Some(KindName::$kind),)*
                    _ => None,
                }
            }

            /// As it is written after `kind:`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(KindName::$kind => stringify!($kind),)*
                }
            }

            /// As lists of its documents are called: `alert-routes`.
            pub fn plural(self) -> &'static str {
                match self {
                    $(KindName::$kind => <$kind as Kind>::PLURAL,)*
                }
            }
        }

        /// All documents of a repository, by kind, each sorted by name.
        #[derive(Debug, Default)]
        pub struct Catalog {
            $(
                #[doc = concat!("Documents of kind ", stringify!($kind), ".")]
                pub $plural: Documents<$kind>,
            )*
        }

        impl Catalog {
            /// Takes a document of any kind; its form has been validated.
            ///
            /// # Errors
            /// The document's type refuses what the schema let pass: a bug.
            pub fn insert(&mut self, kind: KindName, document: Document<()>) -> Result<(), String> {
                match kind {
                    $(KindName::$kind => self.$plural.push(document.typed::<$kind>()?),)*
                }
                Ok(())
            }

            /// The documents of a kind that are meant, as rows.
            pub fn list(&self, kind: KindName, wanted: &impl Wanted) -> Listing {
                match kind {
                    $(KindName::$kind => listing::list(&self.$plural, self, wanted),)*
                }
            }

            /// All names of documents that documents mention, and where.
            pub fn references(&self) -> References {
                let mut found = References::default();
                $(for document in &self.$plural {
                    document.fields().references(&mut found);
                })*
                found
            }

            /// All documents, by kind.
            pub fn all(&self) -> Vec<AnyDocument<'_>> {
                let mut all = Vec::new();
                $(all.extend(self.$plural.iter().map(|document| AnyDocument {
                    kind: KindName::$kind,
                    name: &document.name,
                    name_id: document.name_id(),
                    tree: &document.tree,
                    effective: &document.effective,
                    owners: <$kind as listing::Listed>::owners(document),
                }));)*
                all
            }

            /// The names of a kind's documents, sorted, and where each is.
            pub fn names(&self, kind: KindName) -> Vec<(&str, NodeId)> {
                match kind {
                    $(KindName::$kind => {
                        let documents = self.$plural.iter();
                        documents.map(|one| (one.name.as_str(), one.name_id())).collect()
                    })*
                }
            }

            /// Sorts the documents of each kind by name.
            pub fn sort(&mut self) {
                $(self.$plural.sort();)*
            }
        }

        /// The JSON Schema of a kind's documents, made from its type.
        pub fn json_schema(kind: &str) -> Option<serde_json::Value> {
            match kind {
                $(stringify!($kind) => Some(document_schema::<$kind>()),)*
                _ => None,
            }
        }
    };
}

kinds! {
    Platform platforms "platforms";
    Environment environments "environments";
    Cluster clusters "clusters";
    Context contexts "contexts";
    Tier tiers "tiers";
    Tenant tenants "tenants";
    Component components "components";
    Dataset datasets "datasets";
    Connection connections "connections";
    Pipeline pipelines "pipelines";
    Monitoring monitorings "monitorings";
    AlertRoute alert_routes "alert-routes";
    RecoveryPlan recovery_plans "recovery-plans";
    Role roles "roles";
    Grant grants "grants";
    Policy policies "policies";
    Framework frameworks "frameworks";
    Waiver waivers "waivers";
}

impl KindName {
    /// As lists of its documents are called in expressions and JSON: `alertRoutes`.
    pub fn list_name(self) -> String {
        let mut words = self.plural().split('-');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| {
            let (head, rest) = word.split_at(1);
            name + &head.to_uppercase() + rest
        })
    }
}

/// A document of whatever kind.
pub struct AnyDocument<'a> {
    /// What it is.
    pub kind: KindName,
    /// Its name.
    pub name: &'a str,
    /// Where its name is written.
    pub name_id: NodeId,
    /// All of it, as it was written.
    pub tree: &'a Node,
    /// The spec over the built-in defaults of its kind.
    pub effective: &'a Node,
    /// The teams that answer for it, as it names them itself.
    pub owners: Vec<&'a str>,
}

/// What every document has.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The version of Tenantry's API.
    pub api_version: String,
    /// What the document is.
    pub kind: String,
    /// Its name, and what else it has besides its spec.
    pub metadata: Metadata,
    /// What it says, as its kind has it.
    pub spec: serde_json::Value,
}

impl Field<'_, Header> {
    /// What the document is, if that is a kind of ours.
    pub fn kind_name(self) -> Option<KindName> {
        KindName::parse(self.kind().as_str()?)
    }
}

/// What every document has besides its spec.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The document's name: lower-case letters, digits and `-`.
    pub name: tenantry_engine::scalars::Name,
    /// Labels, for selecting and for your own templates.
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
    /// Notes for tools and people.
    #[serde(default)]
    pub annotations: std::collections::BTreeMap<String, String>,
    /// What this is, in a sentence.
    #[serde(default)]
    pub description: String,
}

fn document_schema<K: Kind>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut generator = settings.into_generator();
    let metadata = generator.subschema_for::<Metadata>();
    let spec = generator.subschema_for::<K>();
    let definitions = generator.take_definitions(true);
    let description = definitions
        .get(K::KIND)
        .and_then(|definition| definition.get("description"))
        .cloned()
        .unwrap_or_default();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("https://tenantry.dev/schemas/{}/{}.json", env!("CARGO_PKG_VERSION"), K::KIND),
        "title": K::KIND,
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": super::API_VERSION, "description": "The version of Tenantry's API."},
            "kind": {"const": K::KIND, "description": "What this document is."},
            "metadata": metadata,
            "spec": spec,
        },
        "$defs": definitions,
    })
}
