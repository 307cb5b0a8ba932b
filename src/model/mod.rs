//! The vocabulary that stages hand to one another.
//!
//! * [`kinds`]: what users write, one file per kind.
//! * [`scalars`]: quantities, durations, schedules and other texts with a form.
//! * [`catalog`]: the documents of a repository.
//! * [`instance`]: what is rendered: a tenant in an environment on a cluster, and its components.
//! * [`manifest`]: what was rendered: a skeleton with values in its holes.
//! * [`view`]: both read as one tree.
//! * [`demand`]: what workloads ask of a cluster.
//! * [`change`]: what a review is made of.
//! * [`secrets`]: what is never shown.

pub mod catalog;
pub mod change;
pub mod defaults;
pub mod demand;
pub mod instance;
pub mod kinds;
pub mod manifest;
pub mod scalars;
pub mod secrets;
pub mod view;

/// The version of Tenantry's own API.
pub const API_VERSION: &str = "tenantry.dev/v1";
