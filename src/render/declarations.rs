//! What templates know of the variables of a run: the fields that each may have.

use tenantry_engine::tree::Declarations;

use crate::model::schemas;

/// The compiler's own variables, and the lists that it computes.
pub(super) static DECLARATIONS: Declarations = Declarations {
    schemas: schemas::own,
    variable,
    list,
};

fn variable(name: &str) -> Option<&'static str> {
    match name {
        "platform" => Some("Platform"),
        "environment" => Some("Environment"),
        "cluster" => Some("Cluster"),
        "tenant" => Some("Tenant"),
        "tier" => Some("Tier"),
        "component" | "definition" => Some("Component"),
        "workload" | "validation" | "previewValidation" | "preview" => Some("Workload"),
        "pipeline" => Some("Pipeline"),
        "job" => Some("PipelineJob"),
        "monitoring" => Some("Monitoring"),
        "recovery" => Some("RecoveryPlan"),
        _ => None,
    }
}

fn list(name: &str) -> Option<&'static str> {
    match name {
        "roles" => Some("Role"),
        "inputs" | "outputs" => Some("Dataset"),
        "connections" => Some("Connection"),
        "shares" | "sharedFrom" => Some("Share"),
        "alertRoutes" => Some("AlertRoute"),
        "recoveryPlans" => Some("RecoveryPlan"),
        _ => None,
    }
}
