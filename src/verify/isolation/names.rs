//! Secrets and accounts of others: in a namespace that tenants share, a pod can use any by its name.

use std::collections::BTreeMap;

use super::UnitIsolation;
use super::facts::NamedObject;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// Tells what is used of other tenants in a cluster; how often.
pub fn prove(cluster: &str, parts: &[UnitIsolation<'_>], sink: &mut Sink) -> usize {
    let mut owners: BTreeMap<&NamedObject, Vec<&str>> = BTreeMap::new();
    for part in parts {
        for held in &part.facts.held {
            owners.entry(held).or_default().push(part.tenant);
        }
    }
    let mut borrowed = 0;
    for part in parts {
        for (used, place) in &part.facts.used {
            let Some(owners) = owners
                .get(used)
                .filter(|owners| !owners.contains(&part.tenant))
            else {
                continue;
            };
            borrowed += 1;
            let message = format!(
                "{} uses the {} `{}`, which belongs to {}",
                part.tenant,
                used.kind,
                used.name,
                owners.join(" and ")
            );
            let diagnostic = place.put(Diagnostic::new(codes::FOREIGN_NAME, message), "by this");
            let both = format!(
                "both are in `{}` in {} on {cluster}",
                used.namespace, part.environment
            );
            sink.push(diagnostic.note(both).help(
                "have one of the tenant's own, or give one of the two a namespace of its own (`isolation: namespace`)",
            ));
        }
    }
    borrowed
}
