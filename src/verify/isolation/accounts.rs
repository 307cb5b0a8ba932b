//! What accounts may do by the roles that are bound to them, and which of it reaches beyond their tenant.

use std::collections::{BTreeMap, BTreeSet};

use super::Part;
use super::facts::BindingFacts;
use crate::diagnostics::{Diagnostic, Sink, catalogue::verify as codes};
use crate::model::isolation::Account;
use crate::model::locator::Places as Place;
use crate::model::rights::{Danger, Reach, Right, of_cluster_role};

/// Rights, with the place of each rule that gives them.
type Rights<'a> = Vec<(Right, Option<&'a Place>)>;

/// Proves what accounts may do in a cluster.
pub fn prove(cluster: &str, parts: &[Part<'_>], sink: &mut Sink) -> Vec<Account> {
    let mut roles: BTreeMap<(&str, &str), Rights<'_>> = BTreeMap::new();
    // The tenants that have something in a namespace.
    let mut tenants: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for part in parts {
        for role in &part.facts.roles {
            let rights = role
                .rights
                .iter()
                .map(|(right, place)| (right.clone(), Some(place)));
            roles
                .entry((&role.namespace, &role.name))
                .or_default()
                .extend(rights);
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
            let rights = match (roles.get(&(namespace, &*binding.role)), built_in) {
                (Some(rights), _) => rights.clone(),
                (None, Some(rights)) => rights.into_iter().map(|right| (right, None)).collect(),
                (None, None) => Vec::new(),
            };
            for subject in &binding.subjects {
                let Some(tenant) = tenant_of(part, subject, &tenants) else {
                    continue;
                };
                let is_own = tenants
                    .get(&*binding.namespace)
                    .is_some_and(|users| users.len() == 1 && users.contains(tenant.as_str()));
                let reach = match (binding.namespace.is_empty(), is_own) {
                    (true, _) => Reach::Cluster,
                    (false, true) => Reach::Own,
                    (false, false) => Reach::Others,
                };
                let account = account(part, binding, subject, &tenant, &rights, reach);
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
    part: &Part<'_>,
    subject: &[Box<str>; 3],
    tenants: &BTreeMap<&str, BTreeSet<&str>>,
) -> Option<String> {
    if !part.tenant.is_empty() {
        return Some(part.tenant.to_owned());
    }
    let [kind, namespace, name] = subject;
    // Groups that all service accounts, or everybody, are in.
    let (kind, namespace, name) = (&**kind, &**namespace, &**name);
    let of_namespace = match (kind, name.strip_prefix("system:serviceaccounts:")) {
        ("ServiceAccount", _) => Some(namespace),
        ("Group", Some(namespace)) => Some(namespace),
        _ => None,
    };
    let everybody = [
        "system:serviceaccounts",
        "system:authenticated",
        "system:unauthenticated",
    ];
    if kind == "Group" && everybody.contains(&name) {
        return Some("every tenant".to_owned());
    }
    let users = tenants.get(of_namespace?)?;
    users.first().map(|tenant| (*tenant).to_owned())
}

fn account(
    part: &Part<'_>,
    binding: &BindingFacts,
    [kind, _, name]: &[Box<str>; 3],
    tenant: &str,
    rights: &Rights<'_>,
    reach: Reach,
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
    part: &Part<'_>,
    binding: &BindingFacts,
    account: &Account,
    rights: &Rights<'_>,
    reach: Reach,
    sink: &mut Sink,
) {
    for danger in &account.dangers {
        let right = rights
            .iter()
            .find(|(right, _)| right.dangers(reach).contains(danger));
        let Some((right, place)) = right else {
            continue;
        };
        // A right of a built-in role is mended where the role is granted.
        let place = place.filter(|place| place.is_own).unwrap_or(&binding.place);
        let whose = if account.tenant == "every tenant" {
            "every tenant's service accounts".to_owned()
        } else {
            format!("{} of {}", account.subject, account.tenant)
        };
        let wide = match reach {
            Reach::Cluster => " in the whole cluster".to_owned(),
            Reach::Others => format!(" in `{}`, where others are, too", binding.namespace),
            Reach::Own => String::new(),
        };
        let message = format!("{whose} may {}{wide}: {}", danger.words(), right.words());
        let help = match (danger, reach) {
            (Danger::Logs | Danger::Pods | Danger::Secrets, Reach::Others) => {
                "leave the right out of the role, grant another role, or give the tenant a namespace of its own (`isolation: namespace`)"
            }
            (_, Reach::Cluster) => {
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
