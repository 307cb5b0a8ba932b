//! What a requester may do. Only the API server knows, so these are names without a meaning here: what
//! they are asked of has no value before they are called.
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library>

use super::{Function, guarded, method};
use crate::EvaluationError;
use crate::types::Sig::{self, Bool, Text};
use crate::value::CelValue;

const AUTHORIZER: Sig = Sig::Named("kubernetes.authorization.Authorizer");
const PATH: Sig = Sig::Named("kubernetes.authorization.PathCheck");
const GROUP: Sig = Sig::Named("kubernetes.authorization.GroupCheck");
const RESOURCE: Sig = Sig::Named("kubernetes.authorization.ResourceCheck");
const DECISION: Sig = Sig::Named("kubernetes.authorization.Decision");

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "path",
        &[method(
            "authorizer_path",
            &[AUTHORIZER, Text],
            PATH,
            27,
            unknown,
        )],
    ),
    guarded(
        "group",
        &[method(
            "authorizer_group",
            &[AUTHORIZER, Text],
            GROUP,
            27,
            unknown,
        )],
    ),
    guarded(
        "serviceAccount",
        &[method(
            "authorizer_serviceaccount",
            &[AUTHORIZER, Text, Text],
            AUTHORIZER,
            27,
            unknown,
        )],
    ),
    guarded(
        "resource",
        &[method(
            "groupcheck_resource",
            &[GROUP, Text],
            RESOURCE,
            27,
            unknown,
        )],
    ),
    guarded(
        "subresource",
        &[method(
            "resourcecheck_subresource",
            &[RESOURCE, Text],
            RESOURCE,
            27,
            unknown,
        )],
    ),
    guarded(
        "namespace",
        &[method(
            "resourcecheck_namespace",
            &[RESOURCE, Text],
            RESOURCE,
            27,
            unknown,
        )],
    ),
    guarded(
        "name",
        &[method(
            "resourcecheck_name",
            &[RESOURCE, Text],
            RESOURCE,
            27,
            unknown,
        )],
    ),
    guarded(
        "check",
        &[
            method("pathcheck_check", &[PATH, Text], DECISION, 27, unknown),
            method(
                "resourcecheck_check",
                &[RESOURCE, Text],
                DECISION,
                27,
                unknown,
            ),
        ],
    ),
    guarded(
        "allowed",
        &[method("decision_allowed", &[DECISION], Bool, 27, unknown)],
    ),
    guarded(
        "reason",
        &[method("decision_reason", &[DECISION], Text, 27, unknown)],
    ),
    guarded(
        "errored",
        &[method("decision_errored", &[DECISION], Bool, 28, unknown)],
    ),
    guarded(
        "error",
        &[method("decision_error", &[DECISION], Text, 28, unknown)],
    ),
    guarded(
        "fieldSelector",
        &[method(
            "authorizer_fieldselector",
            &[RESOURCE, Text],
            RESOURCE,
            31,
            unknown,
        )],
    ),
    guarded(
        "labelSelector",
        &[method(
            "authorizer_labelselector",
            &[RESOURCE, Text],
            RESOURCE,
            31,
            unknown,
        )],
    ),
];

fn unknown<'a>(_: &[CelValue<'a>]) -> Result<CelValue<'a>, EvaluationError> {
    Err(EvaluationError::OnlyInCluster("what the requester may do"))
}
