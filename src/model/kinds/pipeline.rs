//! Pipeline: jobs that run one after the other, on a schedule.

use super::Component;
use crate::model::reference::Ref;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Catalog;
use super::Tenant;
use super::workload::{Concurrency, EnvVar};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Cron, Duration, Name, TimeZone, Url};

/// Jobs that run one after the other, on a schedule. Tenants name it in their `pipelines`, and
/// subscribe to the components that its jobs run; what a pipeline runs does not run by itself.
/// One job is a CronJob; several are an Argo CronWorkflow.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pipeline {
    /// The team that answers for it.
    pub owner: String,
    /// When it starts: `0 2 * * *`.
    pub schedule: Cron,
    /// The time zone of the schedule. Default: `Etc/UTC`.
    #[serde(default)]
    pub timezone: Option<TimeZone>,
    /// What happens when it is due and the last run still goes on. Default: `forbid`.
    #[serde(default)]
    pub concurrency: Option<Concurrency>,
    /// How late a run that was missed may still start. Default: it is left out.
    #[serde(default)]
    pub catch_up: Option<Duration>,
    /// Which pipeline goes first when not all find room: 1 to 10, the highest first. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub priority: Option<u8>,
    /// How long after its start it must have ended, or somebody is told. Default: `4h`.
    #[serde(default)]
    pub sla: Option<Duration>,
    /// What happens when a job fails.
    #[serde(default)]
    pub retries: JobRetries,
    /// The jobs.
    #[schemars(length(min = 1, max = 100))]
    pub jobs: Vec<PipelineJob>,
    /// What to do when it fails.
    #[serde(default)]
    pub runbook: Option<Url>,
}

/// One job of a pipeline.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineJob {
    /// Its name in the pipeline.
    pub name: Name,
    /// The component that it runs, of type `job` or `scheduled`, with the values that the tenant's
    /// subscription gives it.
    pub component: Ref<Component>,
    /// Jobs that must have succeeded before it starts.
    #[serde(default)]
    pub depends_on: Vec<Name>,
    /// Arguments in place of the component's.
    #[serde(default)]
    pub args: Option<Vec<String>>,
    /// Environment variables besides the component's.
    #[serde(default)]
    pub env: Vec<EnvVar>,
    /// The longest that it may take; then it is stopped. Default: the workload's `deadline`.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// How long after its start it must have ended, or somebody is told. Default: nobody is.
    #[serde(default)]
    pub sla: Option<Duration>,
    /// Its priority, if it is not the pipeline's.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub priority: Option<u8>,
    /// What happens when it fails, if it is not what the pipeline says.
    #[serde(default)]
    pub retries: JobRetries,
}

/// What happens when a job fails.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRetries {
    /// How often it is tried again. Default: 3.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub limit: Option<u32>,
    /// The pauses in between. A pipeline of one job has Kubernetes' own: 10 s, twice as long each
    /// time, 6 min at most.
    #[serde(default)]
    pub backoff: Backoff,
}

/// Pauses between attempts.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backoff {
    /// The first pause. Default: `5m`.
    #[serde(default)]
    pub first: Option<Duration>,
    /// How many times as long each is as the last. Default: 2.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub factor: Option<u32>,
    /// The longest pause. Default: `1h`.
    #[serde(default)]
    pub most: Option<Duration>,
}

impl Listed for Pipeline {
    const COLUMNS: &'static [Column<Pipeline>] = &[
        Column::field("schedule", "SCHEDULE"),
        Column::field("timezone", "ZONE"),
        Column::made("jobs", "JOBS", |found, _| json!(found.spec.jobs.len())),
        Column::field("sla", "SLA"),
        Column::made("tenants", "TENANTS", |found, catalog| {
            json!(runners(found, catalog))
        }),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<Pipeline>) -> Vec<&str> {
        vec![&document.spec.owner]
    }

    fn concerns(document: &Document<Pipeline>, tenant: &Document<Tenant>) -> bool {
        let mut run = tenant.spec.pipelines.iter();
        run.any(|one| one.pipeline.0 == document.name)
    }
}

/// The tenants that run a pipeline.
fn runners<'c>(pipeline: &Document<Pipeline>, catalog: &'c Catalog) -> Vec<&'c str> {
    let tenants = catalog.tenants.iter();
    let running = tenants.filter(|tenant| Pipeline::concerns(pipeline, tenant));
    running.map(|tenant| tenant.name.as_str()).collect()
}
