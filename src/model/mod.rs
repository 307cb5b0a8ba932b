//! The vocabulary that stages hand to one another.
//!
//! * [`kinds`]: what users write, one file per kind.
//! * [`schemas`]: their JSON Schemas.
//! * [`catalog`]: the documents of a repository.
//! * [`access`]: roles with what they inherit, and the grants of a tenant.
//! * [`data`]: what components read and write.
//! * [`footprint`]: the same added up. [`money`]: what it costs.
//! * [`graph`]: what depends on what.
//! * [`instance`]: what is rendered: a tenant in an environment on a cluster, and its components.
//! * [`isolation`]: who reaches whom, and what accounts may do.
//! * [`lifecycle`]: what ends, and by when.
//! * [`locator`]: where findings about manifests are.
//! * [`verdict`]: what a policy says of something, and the evidence of a whole run.
//! * [`network`]: what network policies let through. [`rights`]: what roles allow.
//! * [`demand`]: what workloads ask of a cluster.
//! * [`change`]: what a review is made of.
//! * [`secrets`]: what is never shown.

pub mod access;
pub mod catalog;
pub mod change;
pub mod data;
pub mod defaults;
pub mod demand;
pub mod field;
pub mod footprint;
pub mod graph;
pub mod instance;
pub mod isolation;
pub mod kinds;
pub mod lifecycle;
pub mod listing;
pub mod locator;
pub mod money;
pub mod network;
pub mod provenance;
pub mod recovery;
pub mod reference;
pub mod references;
pub mod rights;

pub mod schemas;
pub mod secrets;
pub mod timetable;
pub mod verdict;

/// The API group of Kubernetes' admission policies.
pub const ADMISSION_GROUP: &str = "admissionregistration.k8s.io/";
/// The kinds of it that are taken as they are.
pub const ADMISSION_KINDS: [&str; 2] = [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// The version of Tenantry's own API.
pub const API_VERSION: &str = "tenantry.dev/v1";
