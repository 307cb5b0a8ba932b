//! What the API server writes into the status of a stored policy: its expressions, checked with the types of the kinds
//! that it names. It warns, and refuses nothing.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking>

use super::matching::plural;
use super::names::NAMES;
use crate::cel::types::Type;
use crate::cel::{self, CompileError, Names, Variable};
use crate::kubernetes::validation::types;
use crate::model::kinds::policy::MatchResources;
use crate::schema::kubernetes::built_in;
use crate::yaml::NodeId;

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
pub struct Misfit<'e> {
    /// The expression.
    pub text: &'e str,
    /// Where it is written.
    pub place: NodeId,
    /// What is wrong; the message names the kind.
    pub error: CompileError,
}

impl Expressions {
    /// What does not fit the kinds that constraints name; kinds that are not built in are left out. To be called with a
    /// large stack.
    pub fn misfits(&self, constraints: &MatchResources) -> Vec<Misfit<'_>> {
        let mut misfits = Vec::new();
        for (kind, definition) in kinds(constraints) {
            let of = types::of_definition(definition);
            let declared = ["object", "oldObject"].map(|name| Variable {
                name: name.to_owned(),
                of: of.clone(),
            });
            let compile = |text: &str, variables: &[Variable]| {
                let names = Names {
                    globals: NAMES,
                    declared: &declared,
                    is_escaped: true,
                    variables: Some(variables),
                };
                cel::compile(text, &names)
            };
            let mut variables = Vec::new();
            for (name, text) in &self.variables {
                let of = compile(text, &variables).map_or(Type::Dyn, |program| program.gives);
                let name = name.clone();
                variables.push(Variable { name, of });
            }
            for (text, place) in &self.judged {
                let errors = compile(text, &variables).err();
                misfits.extend(errors.into_iter().flatten().map(|error| Misfit {
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

/// The kinds that constraints name without wildcards: `apps/v1 Deployment` and its definition.
fn kinds(constraints: &MatchResources) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for rule in &constraints.resource_rules {
        let has_wildcard = [&rule.api_groups, &rule.api_versions, &rule.resources];
        if has_wildcard
            .iter()
            .any(|names| names.iter().any(|name| name.contains('*')))
        {
            continue;
        }
        for (api_version, kind, _) in built_in().kinds() {
            let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
            let is_named = rule.api_groups.iter().any(|known| known == group)
                && rule.api_versions.iter().any(|known| known == version)
                && rule.resources.contains(&plural(kind));
            if let Some(definition) = built_in()
                .definition(api_version, kind)
                .filter(|_| is_named)
            {
                found.push((format!("{api_version} {kind}"), definition));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_KINDS);
    found
}
