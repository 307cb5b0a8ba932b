//! What accounts may do by the roles that are bound to them, and which of it reaches beyond their tenant.

use std::collections::{BTreeMap, BTreeSet};

use super::UnitIsolation;
use super::facts::{BindingFacts, RoleFacts};
use crate::model::isolation::Account;
use crate::model::locator::Places as Place;
use crate::model::rights::{Danger, Right, RightScope, of_cluster_role};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// Rights, with the place of each rule that gives them.
type Rights<'a> = Vec<(Right, Option<&'a Place>)>;

/// Proves what accounts may do in a cluster.
pub fn prove(cluster: &str, parts: &[UnitIsolation<'_>], sink: &mut Sink) -> Vec<Account> {
    let mut roles: BTreeMap<(&str, &str), Vec<&(Right, Place)>> = BTreeMap::new();
    // The tenants that have something in a namespace.
    let mut tenants: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for part in parts {
        for role in &part.facts.roles {
            let known = roles.entry((&role.namespace, &role.name)).or_default();
            known.extend(&role.rights);
        }
        let used = part
            .facts
            .workloads
            .iter()
            .map(|workload| &workload.pods.namespace);
        let made = part.facts.namespaces.iter().map(|(name, _)| name);
        let ruled = part
            .facts
            .policies
            .iter()
            .map(|facts| &facts.policy.namespace);
        for namespace in used.chain(made).chain(ruled) {
            if !part.tenant.is_empty() {
                tenants.entry(namespace).or_default().insert(part.tenant);
            }
        }
    }
    let clusters_own: Vec<&RoleFacts> = parts
        .iter()
        .flat_map(|part| &part.facts.roles)
        .filter(|role| role.namespace.is_empty())
        .collect();
    let aggregated = aggregated(&clusters_own);
    let mut accounts = Vec::new();
    for part in parts {
        for binding in &part.facts.bindings {
            let namespace = if &*binding.role_kind == "Role" {
                &*binding.namespace
            } else {
                ""
            };
            let built_in =
                of_cluster_role(&binding.role).filter(|_| &*binding.role_kind == "ClusterRole");
            let rendered = roles.get(&(namespace, &*binding.role));
            // A role that is there already may allow anything.
            let is_unknown = rendered.is_none() && built_in.is_none();
            let more = aggregated.get(&*binding.role);
            let more = more.filter(|_| namespace.is_empty());
            let written = rendered.into_iter().chain(more).flatten();
            let written = written.map(|(right, place)| (right.clone(), Some(place)));
            let built_in = built_in.into_iter().flatten().map(|right| (right, None));
            let rights: Rights<'_> = built_in.chain(written).collect();
            for subject in &binding.subjects {
                let Some(tenant) = tenant_of(part, subject, &tenants) else {
                    continue;
                };
                let is_own = tenants
                    .get(&*binding.namespace)
                    .is_some_and(|users| users.len() == 1 && users.contains(tenant.as_str()));
                let reach = match (binding.namespace.is_empty(), is_own) {
                    (true, _) => RightScope::Cluster,
                    (false, true) => RightScope::Own,
                    (false, false) => RightScope::Others,
                };
                let mut account = account(part, binding, subject, &tenant, &rights, reach);
                if is_unknown && reach != RightScope::Own {
                    account.dangers.push(Danger::Unknown);
                }
                tell(cluster, part, binding, &account, &rights, reach, sink);
                accounts.push(account);
            }
        }
    }
    accounts.sort();
    accounts
}

/// Whose account it is: that of the binding's tenant, or of the tenant whose namespace it is in;
/// nothing for the platform's own people and services.
fn tenant_of(
    part: &UnitIsolation<'_>,
    subject: &[Box<str>; 3],
    tenants: &BTreeMap<&str, BTreeSet<&str>>,
) -> Option<String> {
    let [kind, namespace, name] = subject;
    // Groups that all service accounts, or everybody, are in.
    let (kind, namespace, name) = (&**kind, &**namespace, &**name);
    // Service accounts are users and groups, too:
    // <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>.
    let of_namespace = match kind {
        "ServiceAccount" => Some(namespace),
        "Group" => name.strip_prefix("system:serviceaccounts:"),
        _ => name
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| Some(rest.split_once(':')?.0)),
    };
    let everybody = [
        "system:serviceaccounts",
        "system:authenticated",
        "system:unauthenticated",
    ];
    if kind == "Group" && everybody.contains(&name) {
        return Some("every tenant".to_owned());
    }
    // In a namespace that several use, it is the one that binds it.
    let users = of_namespace.and_then(|namespace| tenants.get(namespace));
    let users = users.filter(|users| !users.contains(part.tenant));
    let of_others = users.and_then(|users| users.first());
    let own = Some(&part.tenant).filter(|tenant| !tenant.is_empty());
    of_others.or(own).map(|tenant| (*tenant).to_owned())
}

/// Rights that cluster roles have of others, by labels; the user-facing ones take any part with their label:
/// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>.
fn aggregated<'a>(roles: &[&'a RoleFacts]) -> BTreeMap<&'a str, Vec<&'a (Right, Place)>> {
    const WIDER: [(&str, &[&str]); 3] = [
        ("view", &["view"]),
        ("edit", &["view", "edit"]),
        ("admin", &["view", "edit", "admin"]),
    ];
    // Few roles are made of others, and there may be one for each tenant.
    let made_of_others: Vec<&&RoleFacts> = roles
        .iter()
        .filter(|role| !role.aggregates.is_empty())
        .collect();
    let mut all: BTreeMap<&str, Vec<&(Right, Place)>> = BTreeMap::new();
    for part in roles {
        for role in &made_of_others {
            let mut selectors = role.aggregates.iter();
            if selectors.any(|selector| selector.selects(&part.labels)) {
                all.entry(&role.name).or_default().extend(&part.rights);
            }
        }
        let labels = part.labels.iter().filter(|(_, value)| &**value == "true");
        let ends: Vec<&str> = labels
            .filter_map(|(key, _)| key.strip_prefix("rbac.authorization.k8s.io/aggregate-to-"))
            .collect();
        for (name, wanted) in WIDER {
            if ends.iter().any(|end| wanted.contains(end)) {
                all.entry(name).or_default().extend(&part.rights);
            }
        }
    }
    all
}

fn account(
    part: &UnitIsolation<'_>,
    binding: &BindingFacts,
    [kind, _, name]: &[Box<str>; 3],
    tenant: &str,
    rights: &Rights<'_>,
    reach: RightScope,
) -> Account {
    let mut dangers: Vec<Danger> = rights
        .iter()
        .flat_map(|(right, _)| right.dangers(reach))
        .collect();
    dangers.sort_unstable();
    dangers.dedup();
    Account {
        tenant: tenant.to_owned(),
        environment: part.environment.to_owned(),
        subject: format!("{kind} {name}"),
        namespace: binding.namespace.to_string(),
        role: format!("{}/{}", binding.role_kind, binding.role),
        rights: rights.iter().map(|(right, _)| right.words()).collect(),
        dangers,
    }
}

fn tell(
    cluster: &str,
    part: &UnitIsolation<'_>,
    binding: &BindingFacts,
    account: &Account,
    rights: &Rights<'_>,
    reach: RightScope,
    sink: &mut Sink,
) {
    for danger in &account.dangers {
        let right = rights
            .iter()
            .find(|(right, _)| right.dangers(reach).contains(danger));
        let (words, place) = match right {
            Some((right, place)) => (right.only(*danger, reach).words(), *place),
            None => (
                format!("{} {} is not rendered", binding.role_kind, binding.role),
                None,
            ),
        };
        // A right of a built-in role is corrected where the role is granted.
        let place = place.filter(|place| place.is_own).unwrap_or(&binding.place);
        let whose = if account.tenant == "every tenant" {
            "every tenant's service accounts".to_owned()
        } else {
            format!("{} of {}", account.subject, account.tenant)
        };
        let wide = match reach {
            RightScope::Cluster => " in the whole cluster".to_owned(),
            RightScope::Others => format!(" in `{}`, where others are, too", binding.namespace),
            RightScope::Own => String::new(),
        };
        let message = format!("{whose} may {}{wide}: {}", danger.words(), words);
        let help = match (danger, reach) {
            (Danger::Logs | Danger::Pods | Danger::Secrets, RightScope::Others) => {
                "leave the right out of the role, grant another role, or give the tenant a namespace of its own (`isolation: namespace`)"
            }
            (Danger::Unknown, _) => {
                "render the role, so that its rules are known, or bind one that is rendered"
            }
            (_, RightScope::Cluster) => {
                "bind a Role in the tenant's namespace with a RoleBinding, or leave the right out"
            }
            _ => "leave the right out of the role",
        };
        let diagnostic = place.put(
            Diagnostic::new(codes::ESCALATION, message),
            if place.is_own { "by this" } else { "" },
        );
        let bound = format!(
            "bound by {} in {} on {cluster}",
            binding.title, part.environment
        );
        sink.push(diagnostic.note(bound).help(help));
    }
}
