//! What the API server writes into the status of a stored policy: its expressions, checked with the types of the kinds
//! that it names. It warns, and refuses nothing.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking>

use std::collections::BTreeMap;

use super::matching::plural;
use super::names::NAMES;
use crate::model::kinds::policy::MatchResources;
use tenantry_cel::types::Type;
use tenantry_cel::{self, CompileError, DeclaredVariable, Names};
use tenantry_kubernetes::schemas::{ObjectSchemas, built_in};
use tenantry_syntax::yaml::NodeId;
use tenantry_validation::types;

/// How many kinds of a policy are looked at: `maxTypesToCheck` of Kubernetes' apiserver.
const MAX_KINDS: usize = 10;

/// The texts of a policy whose types are checked.
#[derive(Default)]
pub struct Expressions {
    /// Names and texts of variables, in their order.
    pub variables: Vec<(String, String)>,
    /// Validations and their messages.
    pub judged: Vec<(String, NodeId)>,
}

/// A part of an expression that does not fit a kind.
pub struct TypeMismatch<'e> {
    /// The expression.
    pub text: &'e str,
    /// Where it is written.
    pub place: NodeId,
    /// What is wrong; the message names the kind.
    pub error: CompileError,
}

impl Expressions {
    /// What does not fit the kinds that constraints name; kinds without a schema are left out. To be called with a large
    /// stack.
    pub fn misfits(
        &self,
        constraints: &MatchResources,
        custom: &[&ObjectSchemas],
    ) -> Vec<TypeMismatch<'_>> {
        let mut misfits = Vec::new();
        for (kind, schema) in kinds(constraints, custom) {
            let of = schema.object();
            let declared = ["object", "oldObject"].map(|name| DeclaredVariable {
                name: name.to_owned(),
                of: of.clone(),
            });
            let compile = |text: &str, variables: &[DeclaredVariable]| {
                let names = Names {
                    globals: NAMES,
                    declared: &declared,
                    is_escaped: true,
                    variables: Some(variables),
                };
                tenantry_cel::compile(text, &names)
            };
            let mut variables = Vec::new();
            for (name, text) in &self.variables {
                let of = compile(text, &variables).map_or(Type::Dyn, |program| program.gives);
                let name = name.clone();
                variables.push(DeclaredVariable { name, of });
            }
            for (text, place) in &self.judged {
                let errors = compile(text, &variables).err();
                misfits.extend(errors.into_iter().flatten().map(|error| TypeMismatch {
                    text,
                    place: *place,
                    error: CompileError {
                        message: format!("{kind}: {}", error.message),
                        ..error
                    },
                }));
            }
        }
        misfits
    }
}

/// Where the type of a kind is from.
#[derive(Clone, Copy)]
enum Schema<'s> {
    /// A definition of Kubernetes' own.
    BuiltIn(&'s str),
    /// The text of a CRD's schema.
    Custom(&'s str),
}

impl Schema<'_> {
    fn object(self) -> Type {
        match self {
            Schema::BuiltIn(definition) => types::of_definition(definition),
            Schema::Custom(text) => {
                types::of_custom(serde_json::from_str(text).unwrap_or_default())
            }
        }
    }
}

/// The kinds that constraints name without wildcards, such as `apps/v1 Deployment`. Where clusters have different schemas
/// of one, the first cluster's counts.
fn kinds<'s>(
    constraints: &MatchResources,
    custom: &[&'s ObjectSchemas],
) -> Vec<(String, Schema<'s>)> {
    let mut found: BTreeMap<String, Schema<'s>> = BTreeMap::new();
    for rule in &constraints.resource_rules {
        let has_wildcard = [&rule.api_groups, &rule.api_versions, &rule.resources];
        if has_wildcard
            .iter()
            .any(|names| names.iter().any(|name| name.contains('*')))
        {
            continue;
        }
        let is_named = |api_version: &str, kind: &str| {
            let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
            rule.api_groups.iter().any(|known| known == group)
                && rule.api_versions.iter().any(|known| known == version)
                && rule.resources.contains(&plural(kind))
        };
        for schemas in std::iter::once(built_in()).chain(custom.iter().copied()) {
            let is_custom = !std::ptr::eq(schemas, built_in());
            for (api_version, kind, _) in schemas.kinds() {
                let Some(name) = schemas
                    .definition(api_version, kind)
                    .filter(|_| is_named(api_version, kind))
                else {
                    continue;
                };
                let schema = match schemas.definition_source(name) {
                    Some(text) if is_custom => Schema::Custom(text),
                    _ => Schema::BuiltIn(name),
                };
                found
                    .entry(format!("{api_version} {kind}"))
                    .or_insert(schema);
            }
        }
    }
    found.into_iter().take(MAX_KINDS).collect()
}
