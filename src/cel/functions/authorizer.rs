//! What a requester may do. Only the API server knows, so these are names without a meaning here: what
//! they are asked of has no value before they are called.
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library>

use super::{Function, method};
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

/// The functions of this library.
pub const TABLE: &[Function] = &[
    method("path", (2, 2), 27, unknown),
    method("group", (2, 2), 27, unknown),
    method("serviceAccount", (3, 3), 27, unknown),
    method("resource", (2, 2), 27, unknown),
    method("subresource", (2, 2), 27, unknown),
    method("namespace", (2, 2), 27, unknown),
    method("name", (2, 2), 27, unknown),
    method("check", (2, 2), 27, unknown),
    method("allowed", (1, 1), 27, unknown),
    method("reason", (1, 1), 27, unknown),
    method("errored", (1, 1), 28, unknown),
    method("error", (1, 1), 28, unknown),
    method("fieldSelector", (2, 2), 31, unknown),
    method("labelSelector", (2, 2), 31, unknown),
];

fn unknown<'a>(_: &[Value<'a>], _: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    Err(Error::OnlyInCluster("what the requester may do"))
}
