//! Platform: the organisation, its defaults, and where the output goes.

use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Patch, Tenant};
use super::{Stage, Workload};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Date, Domain, Name, Url, VersionReq};

/// The organisation and what holds for all of it. There is one, in `tenantry.yaml` at the root.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Platform {
    /// The organisation's name, for people.
    pub organization: String,
    /// The versions of Tenantry that the repository is written for: `>=0.3, <0.5`. Any other one only says so.
    #[serde(default)]
    pub required_version: Option<VersionReq>,
    /// The domain that labels and annotations of the platform are prefixed with: `acme.example`.
    pub label_prefix: Domain,
    /// How the output folder is laid out.
    #[serde(default)]
    pub output: Output,
    /// How manifests reach the clusters.
    #[serde(default)]
    pub delivery: Delivery,
    /// How objects are named. `{tenant}`, `{component}`, `{environment}` and `{cluster}` stand for
    /// the names.
    #[serde(default)]
    pub naming: Naming,
    /// Where secret references are resolved.
    #[serde(default)]
    pub secret_store: SecretStore,
    /// Compliance frameworks that the whole platform follows, by name, with their parameters.
    #[serde(default)]
    pub frameworks: BTreeMap<String, Option<BTreeMap<String, Json>>>,
    /// Packs of built-in rules, by name.
    #[serde(default)]
    pub policy_packs: BTreeMap<String, Option<PolicyPack>>,
    /// The lowest layer of values: what holds for every workload unless a higher layer says
    /// otherwise.
    #[serde(default)]
    pub defaults: Option<Workload>,
    /// Changes of objects as they are rendered.
    #[serde(default)]
    pub patches: Vec<Patch>,
    /// Prices, for cost figures.
    #[serde(default)]
    pub pricing: Option<Pricing>,
    /// The namespace of Prometheus, which scrapes workloads. Default: `monitoring`.
    #[serde(default)]
    pub monitoring_namespace: Option<Name>,
    /// Where Prometheus answers, for the analysis of rollouts. Default:
    /// `http://prometheus-operated.monitoring.svc:9090`.
    #[serde(default)]
    pub prometheus: Option<Url>,
    /// How applications tell who somebody is. They hold to it, by the bundle that is rendered for them.
    #[serde(default)]
    pub authentication: Authentication,
    /// The organisation on the git host that teams belong to, for CODEOWNERS: `acme` makes
    /// `@acme/team-retail` of the owner `team-retail`.
    #[serde(default)]
    pub code_owners: Option<Name>,
    /// The namespace of Velero, which makes backups. Default: `velero`.
    #[serde(default)]
    pub backup_namespace: Option<Name>,
    /// Where values from the command line (`--context`, `--set`) are allowed.
    #[serde(default)]
    pub session_contexts: SessionContexts,
}

/// How the output folder is laid out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Output {
    /// The order of the folders. Default: `environment-first`.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// One file per component, or one per object. Default: `component`.
    #[serde(default)]
    pub granularity: Option<Granularity>,
}

/// The order of the output's folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `<environment>/<cluster>/<tenant>/`.
    EnvironmentFirst,
    /// `<cluster>/<environment>/<tenant>/`.
    ClusterFirst,
}

/// What one output file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Granularity {
    /// All objects of a component.
    Component,
    /// One object.
    Object,
}

/// How manifests reach the clusters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// What applies the manifests. Default: `kustomize`.
    #[serde(default)]
    pub engine: Option<DeliveryEngine>,
    /// The git repository that holds the rendered manifests.
    #[serde(default, rename = "repoURL")]
    pub repo_url: Option<Url>,
    /// The branch, tag or commit to follow. Default: `main`.
    #[serde(default)]
    pub revision: Option<String>,
    /// The path of the rendered manifests in that repository. Default: `rendered`.
    #[serde(default)]
    pub path: Option<String>,
    /// The namespace that the engine's own objects live in. Default: `argocd` or `flux-system`.
    #[serde(default)]
    pub namespace: Option<Name>,
}

/// What applies the manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryEngine {
    /// Argo CD: an Application and an AppProject for each tenant and cluster.
    Argocd,
    /// Flux: a Kustomization for each tenant and cluster.
    Flux,
    /// `kubectl apply -k`: a kustomization.yaml in each folder, and no more.
    Kustomize,
    /// Plain files.
    None,
}

/// How objects are named.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Naming {
    /// A tenant's namespace. Default: `data-tenant-{tenant}`.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The namespace of tenants with isolation `shared`. Default: `data-shared-{environment}`.
    #[serde(default)]
    pub shared_namespace: Option<String>,
    /// A workload and what belongs to it. Default: `data-processing-{tenant}-{component}`.
    #[serde(default)]
    pub workload: Option<String>,
    /// What belongs to a tenant as a whole. Default: `data-processing-{tenant}`.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// Where secret references are resolved: a store of the External Secrets operator.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretStore {
    /// The store's name. Default: `platform`.
    #[serde(default)]
    pub name: Option<Name>,
    /// `ClusterSecretStore` or `SecretStore`. Default: `ClusterSecretStore`.
    #[serde(default)]
    pub kind: Option<SecretStoreKind>,
    /// How often secrets are read again. Default: `1h`.
    #[serde(default)]
    pub refresh: Option<tenantry_engine::scalars::Duration>,
}

/// The kinds of stores that the External Secrets operator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SecretStoreKind {
    /// One for all namespaces.
    ClusterSecretStore,
    /// One in each namespace.
    SecretStore,
}

/// How a pack of built-in rules is used.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyPack {
    /// What a finding does, in place of each rule's own setting.
    #[serde(default)]
    pub enforcement: Option<Enforcement>,
    /// Rules that are not used.
    #[serde(default)]
    pub exclude: Vec<Name>,
}

/// What a finding of a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// It is recorded.
    Audit,
    /// It is shown.
    Warn,
    /// It stops the build.
    Deny,
}

/// How applications tell who somebody is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authentication {
    /// The methods that are accepted. Default: `oauth2` and `saml`.
    #[serde(default)]
    pub methods: Vec<AuthenticationMethod>,
    /// Failed attempts until an account is locked. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_failed_attempts: Option<u32>,
    /// When an idle session ends. Default: `60m`.
    #[serde(default)]
    pub session_timeout: Option<tenantry_engine::scalars::Duration>,
}

/// How somebody proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthenticationMethod {
    /// Name and password.
    Basic,
    /// `OAuth` 2.0.
    Oauth2,
    /// SAML 2.0.
    Saml,
    /// A directory.
    Ldap,
    /// A second factor.
    Mfa,
    /// A client certificate.
    Certificate,
}

/// Prices, for cost figures.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pricing {
    /// ISO 4217 code of the currency: `EUR`.
    pub currency: String,
    /// One requested processor for an hour.
    #[schemars(range(min = 0.0))]
    pub cpu_hour: f64,
    /// One requested GiB of memory for an hour.
    #[schemars(range(min = 0.0))]
    pub memory_gib_hour: f64,
    /// One GiB of storage for a month.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub storage_gib_month: Option<f64>,
    /// One GPU for an hour.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub gpu_hour: Option<f64>,
    /// What one unit of `currency` is worth in others, for tenants whose budget is in them: `USD: 1.08`.
    #[serde(default)]
    pub rates: BTreeMap<String, f64>,
    /// The day from which these prices hold.
    #[serde(default)]
    pub valid_from: Option<Date>,
}

/// Where values from the command line are allowed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionContexts {
    /// The stages. Default: `development` and `staging`.
    #[serde(default)]
    pub stages: Option<Vec<Stage>>,
}

impl Listed for Platform {
    const COLUMNS: &'static [Column<Platform>] = &[
        Column::field("organization", "ORGANIZATION"),
        Column::field("labelPrefix", "LABELS"),
        Column::made("policyPacks", "POLICY PACKS", |found, _| {
            json!(found.spec.policy_packs.keys().collect::<Vec<_>>())
        }),
        Column::made("frameworks", "FRAMEWORKS", |found, _| {
            json!(found.spec.frameworks.keys().collect::<Vec<_>>())
        }),
    ];

    fn owners(_: &Document<Platform>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(_: &Document<Platform>, _: &Document<Tenant>) -> bool {
        true
    }
}
