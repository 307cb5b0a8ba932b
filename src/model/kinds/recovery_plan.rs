//! RecoveryPlan: how tenants come back when a region is lost.

use super::Cluster;
use super::Environment;
use crate::model::reference::Ref;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Tenant;
use crate::model::catalog::Document;
use crate::model::listing::all_or;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Cidr, Cron, Date, Duration, Image, Name, Url};

/// How tenants come back when the cluster that they run on is lost: what is backed up, where else
/// they can run, what is done then, and how it is rehearsed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryPlan {
    /// The team that answers for it.
    pub owner: String,
    /// Whether the standby serves already.
    pub mode: RecoveryMode,
    /// Where tenants run.
    pub primary: Spot,
    /// Where they run when that is lost.
    pub standby: Spot,
    /// The tenants that it is for. Default: all that run there.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// How much of the latest work may be lost, as time: the recovery point objective.
    pub rpo: Duration,
    /// How long it may take until they run again: the recovery time objective.
    pub rto: Duration,
    /// Copies, by Velero.
    #[serde(default)]
    pub backups: Option<Backups>,
    /// A second copy that follows.
    #[serde(default)]
    pub replication: Option<Replication>,
    /// What is done, one after the other.
    #[schemars(length(min = 1))]
    pub steps: Vec<RecoveryStep>,
    /// How it is rehearsed.
    #[serde(default)]
    pub drills: Option<Drills>,
    /// Whom to reach, the first first.
    #[schemars(length(min = 1))]
    pub contacts: Vec<RecoveryContact>,
}

/// Whether the standby serves already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryMode {
    /// It waits.
    ActivePassive,
    /// Both serve.
    ActiveActive,
}

/// An environment on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spot {
    /// The environment.
    pub environment: Ref<Environment>,
    /// The cluster.
    pub cluster: Ref<Cluster>,
}

/// Copies, by Velero (<https://velero.io/docs/main/api-types/schedule/>).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backups {
    /// When they are made: `0 */4 * * *`, in UTC.
    pub schedule: Cron,
    /// How long they are kept: `720h`.
    pub retention: Duration,
    /// Where they are kept.
    #[schemars(length(min = 1))]
    pub locations: Vec<BackupLocation>,
    /// How it is shown that they can be read.
    #[serde(default)]
    pub verify: Option<Verification>,
}

/// A bucket that copies are kept in.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupLocation {
    /// Its name.
    pub name: Name,
    /// The provider's plugin: `aws`, `azure`, `gcp`.
    pub provider: Name,
    /// The bucket.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), extend("format" = "bucket-name"))]
    pub bucket: String,
    /// The provider's region.
    pub region: Name,
    /// The zone that it is in, as tenants' `residency` names it.
    pub residency: Name,
}

/// How it is shown that copies can be read: a job restores the latest into a namespace of its own.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verification {
    /// When: `0 6 * * 0`.
    pub schedule: Cron,
    /// An image with Velero's command line.
    pub image: Image,
    /// The image's tag.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"), extend("format" = "image-tag"))]
    pub tag: String,
}

/// A second copy that follows: VolSync (<https://volsync.readthedocs.io/>) carries volumes through a
/// repository of restic where the clusters have it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replication {
    /// When volumes are carried over: `*/15 * * * *`, in UTC.
    pub schedule: Cron,
    /// The path in the secret store that holds the repository's address and password, as restic's
    /// environment variables. Tenants have folders of their own below the address.
    pub repository: String,
    /// The addresses of that repository: what carries volumes may reach these, and nothing else.
    #[schemars(length(min = 1))]
    pub cidrs: Vec<Cidr>,
}

/// A step of a recovery.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryStep {
    /// What is done.
    pub name: String,
    /// How long it takes.
    pub takes: Duration,
    /// The command, if it is one.
    #[serde(default)]
    pub run: Option<String>,
    /// How one tells that it worked.
    #[serde(default)]
    pub check: Option<String>,
}

/// How a recovery is rehearsed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drills {
    /// When: `0 9 1 */3 *`.
    pub schedule: Cron,
    /// What came of those that were held, the latest last.
    #[serde(default)]
    pub held: Vec<Drill>,
}

/// A drill that was held.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drill {
    /// The day.
    pub on: Date,
    /// How long it took until everything ran.
    pub took: Duration,
    /// How much of the latest work was lost, as time.
    #[serde(default)]
    pub lost: Option<Duration>,
    /// What was written about it.
    #[serde(default)]
    pub report: Option<Url>,
}

/// Whom to reach in a recovery.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryContact {
    /// Who: `Platform on call`.
    pub name: String,
    /// How: an address, a number, a link.
    pub reach: String,
}

impl Listed for RecoveryPlan {
    const COLUMNS: &'static [Column<RecoveryPlan>] = &[
        Column::made("primary", "PRIMARY", |found, _| place(&found.spec.primary)),
        Column::made("standby", "STANDBY", |found, _| place(&found.spec.standby)),
        Column::made("tenants", "TENANTS", |found, _| all_or(&found.spec.tenants)),
        Column::field("rpo", "RPO"),
        Column::field("rto", "RTO"),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<RecoveryPlan>) -> Vec<&str> {
        vec![&document.spec.owner]
    }

    fn concerns(document: &Document<RecoveryPlan>, tenant: &Document<Tenant>) -> bool {
        let listed = &document.spec.tenants;
        listed.is_empty() || listed.iter().any(|name| name.0 == tenant.name)
    }
}

fn place(spot: &Spot) -> serde_json::Value {
    json!(format!("{} on {}", spot.environment, spot.cluster))
}
