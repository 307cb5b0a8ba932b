//! The defaults that are built in: data like the user's own, so `why` can show their lines.

/// A built-in file: its path in `why` and findings, and its text.
pub struct DefaultFile {
    /// Starts with `<builtin>/`.
    pub path: &'static str,
    /// Its YAML.
    pub text: &'static str,
}

macro_rules! default_file {
    ($name:literal) => {
        DefaultFile {
            path: concat!("<builtin>/defaults/", $name, ".yaml"),
            text: include_str!(concat!("../../defaults/", $name, ".yaml")),
        }
    };
}

/// What every workload starts from.
pub const WORKLOAD: DefaultFile = default_file!("workload");
/// The tiers that exist without being written.
pub const TIERS: DefaultFile = default_file!("tiers");
/// The roles that exist without being written.
pub const ROLES: DefaultFile = default_file!("roles");
/// What is watched without being written.
pub const MONITORING: DefaultFile = default_file!("monitoring");
/// What the spec of a kind is merged over.
pub const SPECS: &[(&str, DefaultFile)] = &[
    ("Platform", default_file!("platform")),
    ("Tenant", default_file!("tenant")),
    ("Component", default_file!("component")),
    ("Cluster", default_file!("cluster")),
    ("Dataset", default_file!("dataset")),
    ("Connection", default_file!("connection")),
    ("Pipeline", default_file!("pipeline")),
];
