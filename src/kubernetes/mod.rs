//! What the API server does with objects of its own kinds, offline.
//!
//! * [`validation`]: what it refuses, and why.

pub mod validation;
